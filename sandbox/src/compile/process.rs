//! Runs the compiler on an untrusted source: bounded output, a wall-clock limit, and no process left behind.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::error::HostError;

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
    let mut child = Running {
        child: command
            .spawn()
            .map_err(HostError::io(format!("run {program}")))?,
        reaped: false,
    };
    on_start(&child.child)?;
    let output = child
        .child
        .stderr
        .take()
        .map(read_in_background)
        .transpose()?;
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
    while !timed_out && !child.has_ended()? {
        timed_out = started.elapsed() >= limit;
        thread::sleep(Duration::from_millis(1));
    }
    if timed_out {
        child.kill_group();
    }
    let status = child
        .child
        .wait()
        .map_err(HostError::io("wait for the compiler"))?;
    child.reaped = true;
    Ok(Finished {
        status,
        stderr,
        timed_out,
    })
}

/// A child that does not outlive an early return.
struct Running {
    child: Child,
    /// It was waited for, so its number may belong to somebody else.
    reaped: bool,
}

impl Running {
    fn has_ended(&mut self) -> Result<bool, HostError> {
        let status = self.child.try_wait();
        self.reaped = status
            .map_err(HostError::io("wait for the compiler"))?
            .is_some();
        Ok(self.reaped)
    }

    /// Ends the child and whatever it started, even where the child itself is gone. Failure means that all are.
    fn kill_group(&mut self) {
        if self.reaped {
            return;
        }
        #[cfg(unix)]
        {
            let group = rustix::process::Pid::from_child(&self.child);
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.child.kill();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill_group();
        let _ = self.child.wait();
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_time_out_ends_the_whole_group() {
        for script in [
            "sleep 600 & sleep 600",
            // The child is gone, but what it has started holds on to its output.
            "sleep 600 & exit 0",
        ] {
            let mut command = Command::new("/bin/sh");
            command.args(["-c", script]);
            let mut group = 0;
            let started = Instant::now();
            let finished = run(&mut command, Duration::from_millis(500), |child| {
                group = child.id();
                Ok(())
            })
            .unwrap();
            assert!(finished.timed_out, "{script}");
            while is_alive(group) {
                assert!(started.elapsed() < Duration::from_secs(60), "{script}");
                thread::sleep(Duration::from_millis(10));
            }
        }
    }

    /// Whether a process of the group lives. A dead one may stay where nobody reaps orphans.
    fn is_alive(group: u32) -> bool {
        let stats = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        stats
            .filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok())
            .any(|stat| {
                // State, parent and group stand behind the name.
                let mut fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
                let state = fields.next();
                state != Some("Z") && fields.nth(1) == Some(group.to_string().as_str())
            })
    }
}
