//! Runs the compiler on an untrusted source: bounded output, a wall-clock limit, and no process left behind.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::HostError;

/// Bytes of diagnostics that are read; the rest is drained and dropped.
const OUTPUT_LIMIT: u64 = 256 * 1024;

/// How the compiler ended.
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    pub(crate) stderr: String,
    /// It was stopped at the limit.
    pub(crate) timed_out: bool,
}

/// Runs a command in a process group of its own and kills the group when `limit` has passed. `on_start` sees the child
/// right after it was started.
pub(crate) fn run(
    command: &mut Command,
    limit: Duration,
    on_start: impl FnOnce(&Child) -> Result<(), HostError>,
) -> Result<Finished, HostError> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    let program = command.get_program().to_string_lossy().into_owned();
    let started = Instant::now();
    let mut child = Running(
        command
            .spawn()
            .map_err(HostError::io(format!("run {program}")))?,
    );
    on_start(&child.0)?;
    let output = child.0.stderr.take().map(read_in_background).transpose()?;
    let mut stderr = String::new();
    let mut timed_out = false;
    if let Some(output) = output {
        // The pipe closes when the compiler and the linker it starts are gone, so this waits for both at once.
        match output.recv_timeout(limit.saturating_sub(started.elapsed())) {
            Ok(text) => stderr = text,
            Err(mpsc::RecvTimeoutError::Timeout) => timed_out = true,
            Err(mpsc::RecvTimeoutError::Disconnected) => {}
        }
    }
    // It may have closed its output and still be running.
    while !timed_out
        && child
            .0
            .try_wait()
            .map_err(HostError::io("wait for the compiler"))?
            .is_none()
    {
        timed_out = started.elapsed() >= limit;
        thread::sleep(Duration::from_millis(1));
    }
    if timed_out {
        child.kill_group();
    }
    let status = child
        .0
        .wait()
        .map_err(HostError::io("wait for the compiler"))?;
    Ok(Finished {
        status,
        stderr,
        timed_out,
    })
}

/// A child that does not outlive an early return.
struct Running(Child);

impl Running {
    /// Ends the child and whatever it started. Failure means that they are gone already.
    fn kill_group(&mut self) {
        #[cfg(unix)]
        if let Ok(None) = self.0.try_wait() {
            // Not yet waited for, so the number still belongs to our child.
            let group = rustix::process::Pid::from_child(&self.0);
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.0.kill();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill_group();
        let _ = self.0.wait();
    }
}

/// Reads a pipe to its end on a thread, so that a compiler that writes much is never blocked.
fn read_in_background(
    mut pipe: impl Read + Send + 'static,
) -> Result<mpsc::Receiver<String>, HostError> {
    let (send, receive) = mpsc::channel();
    thread::Builder::new()
        .name("sandbox-compiler-output".to_owned())
        .spawn(move || {
            let mut kept = Vec::new();
            // What was read before an error is still worth showing.
            let _ = pipe.by_ref().take(OUTPUT_LIMIT).read_to_end(&mut kept);
            let _ = std::io::copy(&mut pipe, &mut std::io::sink());
            // Nobody listens after a time-out.
            let _ = send.send(String::from_utf8_lossy(&kept).into_owned());
        })
        .map_err(HostError::io(
            "start the thread that reads the compiler's output",
        ))?;
    Ok(receive)
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_time_out_ends_the_whole_group() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "sleep 600 & echo $! >&2; sleep 600"]);
        let mut group = None;
        let started = Instant::now();
        let finished = run(&mut command, Duration::from_millis(500), |child| {
            group = Some(rustix::process::Pid::from_child(child));
            Ok(())
        })
        .unwrap();
        assert!(finished.timed_out && !finished.status.success());
        assert!(started.elapsed() < Duration::from_secs(60));
        // The shell's own child, too; it may take a moment to be reaped by whoever inherited it.
        let group = group.unwrap();
        let is_gone =
            || rustix::process::test_kill_process_group(group) == Err(rustix::io::Errno::SRCH);
        while !is_gone() && started.elapsed() < Duration::from_secs(60) {
            thread::sleep(Duration::from_millis(10));
        }
        // Where nobody reaps orphans, a dead one remains in the group.
        assert!(
            is_gone() || only_dead_in(group),
            "something of the group is left"
        );
    }

    /// Whether all processes of a group are dead and only wait to be reaped.
    fn only_dead_in(group: rustix::process::Pid) -> bool {
        let stats = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        stats
            .filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok())
            .filter_map(|stat| {
                let fields: Vec<String> = stat
                    .rsplit(") ")
                    .next()?
                    .split(' ')
                    .map(str::to_owned)
                    .collect();
                Some((fields.first()?.clone(), fields.get(2)?.parse::<i32>().ok()?))
            })
            .filter(|(_, of)| *of == group.as_raw_nonzero().get())
            .all(|(state, _)| state == "Z")
    }

    #[test]
    fn a_background_process_that_keeps_the_pipe_open_does_not_hold_us_up() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "sleep 600 & exit 0"]);
        let started = Instant::now();
        let finished = run(&mut command, Duration::from_millis(500), |_| Ok(())).unwrap();
        assert!(finished.timed_out && started.elapsed() < Duration::from_secs(60));
    }
}
