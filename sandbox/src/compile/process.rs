//! Runs the compiler on an untrusted source: bounded output, a wall-clock limit, and no process left behind.

use std::env;
use std::fs::{File, TryLockError};
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, Once, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

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

/// How a process that failed came to its end.
pub(crate) enum EndedBy {
    /// It gave up on the source.
    Itself,
    /// Its CPU time was used up.
    CpuLimit,
    /// It wrote more than it may, which is this signal.
    FileLimit(i32),
    /// It broke down with this signal.
    Crash(i32),
    /// Somebody else ended it with this signal.
    Outside(i32),
}

/// Reads an exit status.
#[cfg(unix)]
pub(crate) fn ended_by(status: &ExitStatus) -> EndedBy {
    use rustix::process::Signal;
    let Some(number) = std::os::unix::process::ExitStatusExt::signal(status) else {
        return EndedBy::Itself;
    };
    match Signal::from_named_raw(number) {
        Some(Signal::XCPU) => EndedBy::CpuLimit,
        Some(Signal::XFSZ) => EndedBy::FileLimit(number),
        Some(
            Signal::ABORT | Signal::SEGV | Signal::BUS | Signal::ILL | Signal::FPE | Signal::TRAP,
        ) => EndedBy::Crash(number),
        _ => EndedBy::Outside(number),
    }
}

/// Reads an exit status.
#[cfg(not(unix))]
pub(crate) fn ended_by(_: &ExitStatus) -> EndedBy {
    EndedBy::Itself
}

/// A folder for the files of a process, removed when it is dropped.
#[derive(Debug)]
pub(crate) struct WorkFolder {
    folder: TempDir,
    /// A lock on it, by which others see that somebody uses it.
    _held: Option<File>,
}

impl WorkFolder {
    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// A new folder for the files of a process, which only this user can read. The first one also removes those that processes which
/// were killed have left.
pub(crate) fn folder() -> Result<WorkFolder, HostError> {
    static SWEPT: Once = Once::new();
    SWEPT.call_once(|| sweep(&env::temp_dir()));
    let folder = tempfile::Builder::new()
        .prefix(&format!("{FOLDER}{}-", std::process::id()))
        .tempdir()
        .map_err(HostError::io(format!(
            "make a folder in {}",
            env::temp_dir().display()
        )))?;
    let _held = held(folder.path());
    Ok(WorkFolder { folder, _held })
}

/// A lock on a folder that ends with this process; `None` where folders cannot be locked.
fn held(folder: &Path) -> Option<File> {
    let file = File::open(folder).ok()?;
    file.try_lock_shared().ok()?;
    Some(file)
}

/// Beginning of the names of these folders; the number of the process follows.
const FOLDER: &str = "reward-search-work-";

/// Removes the folders of processes that are gone: whose number is nobody's, and which nobody holds. (A process of another container has no number here, and
/// may share the folder for temporary files.) Another user's cannot be removed, and nothing is said of it.
#[cfg(unix)]
fn sweep(parent: &Path) {
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let number = name
            .to_str()
            .and_then(|name| name.strip_prefix(FOLDER)?.split('-').next()?.parse().ok())
            .and_then(rustix::process::Pid::from_raw);
        let is_gone = |pid| rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH);
        let is_held = || {
            let file = File::open(entry.path());
            file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
        };
        if number.is_some_and(is_gone)
            && entry.file_type().is_ok_and(|kind| kind.is_dir())
            && !is_held()
        {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(not(unix))]
fn sweep(_: &Path) {}

/// The groups of the processes that run now.
#[cfg(unix)]
static RUNNING: Mutex<Vec<rustix::process::Pid>> = Mutex::new(Vec::new());

/// Ends all compilations of this process, so that the threads which wait for them can remove their folders. For the end of a program
/// that was interrupted.
pub fn end_compilations() {
    #[cfg(unix)]
    end(&RUNNING.lock().unwrap_or_else(PoisonError::into_inner));
}

#[cfg(unix)]
fn end(groups: &[rustix::process::Pid]) {
    for group in groups {
        let _ = rustix::process::kill_process_group(*group, rustix::process::Signal::KILL);
    }
}

/// What starts a program so that it does not outlive this process, however that ends: a shell that becomes the program, and beside
/// it one that waits for the end of its input. The kernel closes that with us, and then the whole group is killed.
#[cfg(unix)]
const LEASH: &str = r#"exec 3<&0 </dev/null
{ read -r _ <&3; kill -KILL 0; } >/dev/null 2>&1 &
exec 3<&-
exec "$@""#;
/// What the shell is.
#[cfg(unix)]
pub(crate) const SHELL: &str = "/bin/sh";

/// A command for [`run`] that ends with this process. (Asking the kernel for a death signal would take code between fork and exec.)
pub(crate) fn leashed(program: &Path) -> Command {
    #[cfg(unix)]
    {
        let mut command = Command::new(SHELL);
        command.args(["-c", LEASH, "leash"]).arg(program);
        command
    }
    #[cfg(not(unix))]
    Command::new(program)
}

/// Runs a command in a process group of its own and kills the group when `limit` has passed. `on_start` sees the child
/// right after it was started.
pub(crate) fn run(
    command: &mut Command,
    limit: Duration,
    on_start: impl FnOnce(&Child) -> Result<(), HostError>,
) -> Result<Finished, HostError> {
    command
        .stdin(Stdio::piped())
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
    child.register();
    on_start(&child.child)?;
    // Held until the end: closing it ends a leashed program.
    let leash = child.child.stdin.take();
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
    child.has_been_reaped();
    drop(leash);
    reap_orphans(&child.child);
    Ok(Finished {
        status,
        stderr,
        timed_out,
    })
}

/// Where this process is the first of its container, what a child has left behind becomes its own; elsewhere there is nothing to
/// wait for. The leash has just ended all of it.
fn reap_orphans(child: &Child) {
    #[cfg(unix)]
    {
        use rustix::process::{Pid, WaitOptions, waitpgid};
        let group = Pid::from_child(child);
        while let Ok(Some(_)) = waitpgid(group, WaitOptions::empty()) {}
    }
    #[cfg(not(unix))]
    let _ = child;
}

/// A child that does not outlive an early return.
struct Running {
    child: Child,
    /// It was waited for, so its number may belong to somebody else.
    reaped: bool,
}

impl Running {
    fn register(&self) {
        #[cfg(unix)]
        RUNNING
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(rustix::process::Pid::from_child(&self.child));
    }

    /// Its number may belong to somebody else from now on.
    fn has_been_reaped(&mut self) {
        self.reaped = true;
        #[cfg(unix)]
        {
            let group = rustix::process::Pid::from_child(&self.child);
            let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
            running.retain(|other| *other != group);
        }
    }

    fn has_ended(&mut self) -> Result<bool, HostError> {
        let status = self.child.try_wait();
        if status
            .map_err(HostError::io("wait for the compiler"))?
            .is_some()
        {
            self.has_been_reaped();
        }
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
        self.has_been_reaped();
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

    #[test]
    fn a_leashed_program_ends_with_whoever_holds_the_leash() {
        let mut command = leashed(Path::new("/bin/sh"));
        command.args(["-c", "sleep 600 & sleep 600"]);
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        thread::sleep(Duration::from_millis(300));
        assert!(
            child.try_wait().unwrap().is_none(),
            "it runs as long as the leash is held"
        );
        drop(child.stdin.take());
        let started = Instant::now();
        while is_alive(child.id()) {
            assert!(started.elapsed() < Duration::from_secs(60));
            let _ = child.try_wait();
            thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn folders_of_processes_that_are_gone_are_removed() {
        let parent = tempfile::tempdir().unwrap();
        let mut child = Command::new("/bin/true").spawn().unwrap();
        child.wait().unwrap();
        let folder = |pid: u32| parent.path().join(format!("{FOLDER}{pid}-x"));
        let (gone, ours) = (folder(child.id()), folder(std::process::id()));
        let other = parent.path().join("reward-search-work-x");
        // Of a process in another container, whose number means nothing here.
        let elsewhere = parent.path().join(format!("{FOLDER}{}-y", child.id()));
        for folder in [&gone, &ours, &other, &elsewhere] {
            std::fs::create_dir_all(folder.join("inside")).unwrap();
        }
        let held = held(&elsewhere).unwrap();
        sweep(parent.path());
        assert!(!gone.exists() && ours.exists() && other.exists() && elsewhere.exists());
        drop(held);
        sweep(parent.path());
        assert!(!elsewhere.exists());
    }

    #[test]
    fn what_runs_is_known_and_can_be_ended() {
        let (send, receive) = mpsc::channel();
        thread::scope(|scope| {
            let worker = scope.spawn(|| {
                let mut command = leashed(Path::new("/bin/sleep"));
                run(command.arg("600"), Duration::from_secs(600), |child| {
                    let _ = send.send(rustix::process::Pid::from_child(child));
                    Ok(())
                })
                .unwrap()
            });
            let group = receive.recv().unwrap();
            let is_known = || RUNNING.lock().unwrap().contains(&group);
            assert!(is_known());
            // Not `end_compilations`, which would end those of other tests.
            end(&[group]);
            assert!(!worker.join().unwrap().status.success());
            assert!(!is_known());
        });
    }

    #[test]
    fn a_leash_is_not_felt() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = leashed(Path::new("/bin/sh"));
        command.current_dir(folder.path()).env_clear();
        command.args(["-c", "cat; echo \"$1\" >&2; exit 7", "x", "a b"]);
        let started = Instant::now();
        let finished = run(&mut command, Duration::from_secs(60), |_| Ok(())).unwrap();
        assert_eq!(
            (finished.status.code(), finished.stderr.as_str()),
            (Some(7), "a b\n")
        );
        assert!(started.elapsed() < Duration::from_secs(30));
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
