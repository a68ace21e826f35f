//! What a program leaves behind outside of its process group, as `setsid` does: found by a word in the environment that every process
//! inherits. A process group does not have it, parents die, and a cgroup is not everyone's to make.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// What tells this process apart from one of the same id, in another container or on another day: the nanosecond at which it first asks.
static PROCESS: LazyLock<String> = LazyLock::new(|| {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}-{}", std::process::id(), since.as_nanos())
});

/// How many programs this process has started.
static STARTED: AtomicU64 = AtomicU64::new(0);

/// A word that no other program has in its environment.
pub(super) struct Mark(String);

impl Mark {
    /// The variable that holds it.
    pub(super) const VARIABLE: &str = "STUCKVM_PROGRAM";

    pub(super) fn new() -> Self {
        Self(format!("{}-{}", *PROCESS, STARTED.fetch_add(1, Ordering::Relaxed)))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Kills every process that has the mark, where the system has a `/proc` that tells.
    pub(super) fn kill_bearers(&self) {
        #[cfg(target_os = "linux")]
        linux::kill_all(&format!("{}={}", Self::VARIABLE, self.0));
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
    use std::fs::{read, read_dir};

    /// One that begins while the others are looked for is found by the next look. A program that forks for ever is not waited for.
    const LOOKS: usize = 20;

    /// Kills those that have this in their environment.
    pub(super) fn kill_all(entry: &str) {
        (0..LOOKS).take_while(|_| kill(entry) > 0).count();
    }

    /// How many had it.
    fn kill(entry: &str) -> usize {
        let processes = read_dir("/proc").into_iter().flatten().flatten();
        let ids = processes.filter_map(|process| process.file_name().to_str()?.parse().ok());
        ids.filter(|id| has(*id, entry) && kill_one(*id, entry).is_some()).count()
    }

    /// Others' processes and zombies show none.
    fn has(id: i32, entry: &str) -> bool {
        let environment = read(format!("/proc/{id}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == entry.as_bytes())
    }

    /// The id may have become another's since it was read. What stands behind the descriptor can not: it is looked at once more.
    fn kill_one(id: i32, entry: &str) -> Option<()> {
        let process = pidfd_open(Pid::from_raw(id)?, PidfdFlags::empty()).ok()?;
        if has(id, entry) { pidfd_send_signal(process, Signal::KILL).ok() } else { None }
    }
}
