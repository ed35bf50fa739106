//! One child process in a group of its own: started, stopped, continued, killed, and killed when it is dropped.

mod frames;
mod launcher;
pub(crate) mod lines;
pub(crate) mod memory;
pub(crate) mod variables;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, PipeWriter};
use std::os::fd::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::apis::Inbox;
use crate::message::{Exit, Message};
use crate::output::Source;
use frames::Frames;
use lines::{Cut, Lines};

/// After a process ended, its pipes may be held open by children that left its group.
const LAST_LINES_WAIT: Duration = Duration::from_millis(200);

/// What to start.
#[derive(Debug)]
pub(crate) struct Program<'a> {
    pub(crate) source: Source,
    pub(crate) executable: &'a Path,
    pub(crate) arguments: &'a [String],
    pub(crate) working_dir: &'a Path,
    pub(crate) variables: BTreeMap<OsString, OsString>,
    /// Whether it gets a pipe for framed log messages besides its two streams.
    pub(crate) log_pipe: bool,
}

/// A running process and its group.
#[derive(Debug)]
pub(crate) struct Process {
    group: Pid,
    ended: Arc<AtomicBool>,
    barriers: Vec<mpsc::Sender<u64>>,
}

impl Process {
    /// Starts the program; its lines and its end arrive in the inbox.
    ///
    /// # Errors
    /// When the operating system cannot start it.
    pub(crate) async fn start(program: Program<'_>, inbox: &Inbox) -> io::Result<Self> {
        let log_pipe = program.log_pipe.then(io::pipe).transpose()?;
        let (log_out, log_in) = log_pipe.map_or((None, None), |(out, into)| (Some(out), Some(into)));
        let mut child = launcher::launch(command(&program, log_in.as_ref())).await?;
        let pid = child.id().unwrap_or_default();
        let group = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let (Some(group), Some(stdout), Some(stderr)) = (group, child.stdout.take(), child.stderr.take())
        else {
            return Err(io::Error::other("the process ended while it was started"));
        };
        let lines = || Cut::Lines(Lines::default());
        let mut streams = vec![(stdout.into_owned_fd()?, lines()), (stderr.into_owned_fd()?, lines())];
        streams.extend(log_out.map(|out| (out.into(), Cut::Frames(Frames::default()))));
        let (mut barriers, mut readers) = (Vec::new(), Vec::new());
        for (stream, cut) in streams {
            let (barrier, reader) = lines::read(stream, cut, program.source.clone(), pid, inbox.clone())?;
            barriers.push(barrier);
            readers.push(reader);
        }
        let ended = Arc::new(AtomicBool::new(false));
        let watched = Watched { child, group, source: program.source, ended: ended.clone(), readers, log_in };
        tokio::spawn(watched.watch(inbox.clone()));
        Ok(Self { group, ended, barriers })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.group.as_raw_nonzero().get().unsigned_abs()
    }

    /// Stops every process of the group.
    pub(crate) fn freeze(&self) {
        self.signal_group(Signal::STOP);
    }

    /// Lets every process of the group go on.
    pub(crate) fn thaw(&self) {
        self.signal_group(Signal::CONT);
    }

    /// Asks the process, not its children, to end.
    pub(crate) fn terminate(&self) {
        if !self.ended.load(Ordering::Acquire) {
            report(kill_process(self.group, Signal::TERM));
        }
    }

    /// Ends every process of the group.
    pub(crate) fn kill(&self) {
        self.signal_group(Signal::KILL);
    }

    fn signal_group(&self, signal: Signal) {
        if !self.ended.load(Ordering::Acquire) {
            report(kill_process_group(self.group, signal));
        }
    }

    /// Asks both streams to send all that has been printed so far and then [`Message::Drained`]; returns how many
    /// will answer.
    pub(crate) fn drain(&self, barrier: u64) -> usize {
        self.barriers.iter().filter(|stream| stream.try_send(barrier).is_ok()).count()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn report(signalled: rustix::io::Result<()>) {
    // A process that has just ended is what was wanted.
    if let Err(error) = signalled
        && error != rustix::io::Errno::SRCH
    {
        tracing::warn!(%error, "a process could not be signalled");
    }
}

fn command(program: &Program<'_>, log_in: Option<&PipeWriter>) -> Command {
    let mut words: Vec<OsString> = Vec::new();
    if let Some(setpriv) = guard() {
        words.extend([setpriv.into(), "--pdeathsig".into(), "KILL".into(), "--".into()]);
    }
    if let Some(log_in) = log_in {
        let end = format!("/proc/{}/fd/{}", std::process::id(), log_in.as_raw_fd());
        words.extend(["sh", "-c", OPEN_LOG_PIPE, "sh", &end].map(OsString::from));
    }
    words.push(program.executable.into());
    words.extend(program.arguments.iter().map(OsString::from));
    let mut command = Command::new(words.remove(0));
    command
        .args(words)
        .current_dir(program.working_dir)
        .env_clear()
        .envs(&program.variables)
        .envs(log_in.map(|_| ("_LAMBDA_TELEMETRY_LOG_FD", "9")))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    command
}

/// Pipes of this process are closed in its children. The shell opens this one's end again, under a number that every
/// shell can, and becomes the program. Handing the descriptor down ourselves would need unsafe code. Where `/proc` does
/// not let it, the program does without, and prints its messages line by line.
const OPEN_LOG_PIPE: &str = r#"
if [ -w "$1" ]; then exec 9>"$1"; else unset _LAMBDA_TELEMETRY_LOG_FD; fi
shift
exec "$@"
"#;

/// util-linux's `setpriv`, which asks the kernel to kill the program when this process dies: a `kill -9` of this
/// process cannot leave stopped processes behind. Asking ourselves would need unsafe code.
fn guard() -> Option<&'static Path> {
    static GUARD: OnceLock<Option<PathBuf>> = OnceLock::new();
    GUARD.get_or_init(|| find("setpriv".as_ref(), Path::new("/"))).as_deref()
}

/// The executable that a command's first word means: a path from `dir`, or a name on this process's `PATH`.
pub(crate) fn find(program: &Path, dir: &Path) -> Option<PathBuf> {
    if program.components().count() > 1 {
        let path = dir.join(program);
        return is_executable(&path).then(|| std::path::absolute(path).ok()).flatten();
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|path| is_executable(path))
}

/// Whether it is a file that somebody may execute.
pub(crate) fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// What is left to do for a process after its start: wait for its end.
struct Watched {
    child: Child,
    group: Pid,
    source: Source,
    ended: Arc<AtomicBool>,
    readers: Vec<JoinHandle<()>>,
    /// Kept while the process lives, which opens it at some moment after its start.
    log_in: Option<PipeWriter>,
}

impl Watched {
    async fn watch(mut self, inbox: Inbox) {
        let status = self.child.wait().await;
        self.ended.store(true, Ordering::Release);
        // What the process left behind in its group goes with it, as in Lambda, where the whole environment goes.
        report(kill_process_group(self.group, Signal::KILL));
        drop(self.log_in.take());
        for reader in self.readers {
            let abort = reader.abort_handle();
            if tokio::time::timeout(LAST_LINES_WAIT, reader).await.is_err() {
                abort.abort();
            }
        }
        let exit = status.as_ref().map_or(Exit { code: None, signal: None }, exit);
        let pid = self.group.as_raw_nonzero().get().unsigned_abs();
        let _ = inbox.send(Message::Exited { source: self.source, pid, exit }).await;
    }
}

fn exit(status: &ExitStatus) -> Exit {
    Exit { code: status.code(), signal: status.signal() }
}
