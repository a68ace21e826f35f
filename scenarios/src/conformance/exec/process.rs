//! A command that runs in a process group of its own, and its end.

use super::mark::Mark;
use rustix::io::ioctl_fionbio;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use signal_hook::low_level::signal_name;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};

/// A running shell with all that it starts. Dropping it kills them.
pub(super) struct Program {
    shell: Child,
    group: Pid,
    mark: Mark,
}

/// The harness's ends of a program's standard streams. None of them blocks.
pub(super) struct Pipes {
    pub(super) input: ChildStdin,
    pub(super) output: ChildStdout,
    pub(super) errors: ChildStderr,
}

impl Program {
    /// Starts `sh -c COMMAND`.
    pub(super) fn start(command: &str) -> io::Result<(Self, Pipes)> {
        let mark = Mark::new();
        let mut shell = Command::new("sh")
            .args(["-c", command])
            .env(Mark::VARIABLE, mark.as_str())
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let taken = "the stream is piped and was not taken before";
        let pipes = Pipes {
            input: shell.stdin.take().expect(taken),
            output: shell.stdout.take().expect(taken),
            errors: shell.stderr.take().expect(taken),
        };
        let program = Self { group: Pid::from_child(&shell), shell, mark };
        ioctl_fionbio(&pipes.input, true)?;
        ioctl_fionbio(&pipes.output, true)?;
        ioctl_fionbio(&pipes.errors, true)?;
        Ok((program, pipes))
    }

    /// How the shell has ended, if it has. It stays a zombie, so that the group's id is no one else's before it is killed.
    pub(super) fn end(&self) -> Option<End> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let status = waitid(WaitId::Pid(self.group), options).ok().flatten()?;
        let signal = status.terminating_signal().map(End::Signal);
        signal.or(status.exit_status().map(End::Code))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // The shell is not reaped yet, so its group exists: neither call has a reason to fail.
        let _ = kill_process_group(self.group, Signal::KILL);
        self.mark.kill_bearers();
        let _ = self.shell.wait();
    }
}

/// How a program has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum End {
    /// By itself.
    #[error("exit code {0}")]
    Code(i32),
    /// By a signal.
    #[error("signal {}", signal_name(*.0).map_or_else(|| .0.to_string(), str::to_owned))]
    Signal(i32),
}
