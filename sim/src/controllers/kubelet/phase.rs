//! The phase of a pod, Kubernetes 1.36.2: `pkg/kubelet/kubelet_pods.go` (`getPhase`).

use super::runtime::{ContainerRecord, RunState, Sandbox, Slots};
use super::status::{Observation, restarts_after};
use crate::objects::{ContainerState, ContainerStatus};
use arcstr::{ArcStr, literal};

/// A phase that kubelet computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Pending,
    Running,
    Succeeded,
    Failed,
}

impl Phase {
    /// As the API spells it.
    pub(super) fn as_str(self) -> ArcStr {
        match self {
            Self::Pending => literal!("Pending"),
            Self::Running => literal!("Running"),
            Self::Succeeded => literal!("Succeeded"),
            Self::Failed => literal!("Failed"),
        }
    }

    /// Reads it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let all = [Self::Pending, Self::Running, Self::Succeeded, Self::Failed];
        all.into_iter().find(|phase| phase.as_str() == text)
    }

    /// Whether it never changes again.
    pub(super) fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

/// Containers by what they count for.
#[derive(Default)]
struct Tally {
    pending_init: usize,
    /// Failed, and not to start again.
    failed_init: usize,
    pending_sidecars: usize,
    running: usize,
    waiting: usize,
    stopped: usize,
    succeeded: usize,
    /// Of those that have stopped, the ones that start again.
    restarting: usize,
}

/// The phase that these container statuses, by slot, come to.
pub(super) fn get_phase(seen: &Observation<'_>, statuses: &[ContainerStatus]) -> Phase {
    let mut tally = Tally::default();
    for (slot, status) in statuses.iter().enumerate() {
        if seen.pod.is_sidecar(slot) {
            tally.add_sidecar(status);
        } else if seen.pod.is_init(slot) {
            tally.add_init(status, |code| restarts_after(seen.pod, slot, code));
        } else {
            tally.add_regular(status, |code| restarts_after(seen.pod, slot, code));
        }
    }
    tally.phase(seen.terminal, has_initialized(seen))
}

/// Whether the present sandbox has a regular container, so that its init containers must have done their part
/// (`HasAnyActiveRegularContainerStarted`).
fn has_initialized(seen: &Observation<'_>) -> bool {
    seen.runtime.sandbox == Sandbox::Ready
        && seen.pod.regular().any(|slot| seen.runtime.newest(slot).is_some())
}

/// Whether any sandbox had a regular container (`HasAnyRegularContainerCreated`).
pub(super) fn has_regular_container(seen: &Observation<'_>) -> bool {
    let known = |record: &ContainerRecord| record.state != RunState::Unknown;
    seen.pod.regular().any(|slot| seen.runtime.newest(slot).is_some_and(known))
}

/// Whether a container runs or has run.
pub(super) fn has_started(status: &ContainerStatus) -> bool {
    match &status.state {
        Some(ContainerState::Running(_) | ContainerState::Terminated(_)) => true,
        _ => last_exit(status).is_some(),
    }
}

fn last_exit(status: &ContainerStatus) -> Option<i32> {
    match &status.last_state {
        Some(ContainerState::Terminated(terminated)) => Some(terminated.exit_code),
        _ => None,
    }
}

impl Tally {
    fn add_init(&mut self, status: &ContainerStatus, restarts: impl FnOnce(i32) -> bool) {
        let exit = match &status.state {
            Some(ContainerState::Terminated(terminated)) => Some(terminated.exit_code),
            Some(ContainerState::Waiting(_)) => last_exit(status),
            _ => None,
        };
        match exit {
            None => self.pending_init += 1,
            Some(0) => {}
            Some(code) => self.failed_init += usize::from(!restarts(code)),
        }
    }

    /// A sidecar that has ended does not count. One that runs is pending unless it was said to have started.
    fn add_sidecar(&mut self, status: &ContainerStatus) {
        match &status.state {
            Some(ContainerState::Running(_)) => {
                self.running += 1;
                self.pending_sidecars += usize::from(status.started != Some(true));
            }
            Some(ContainerState::Waiting(_)) if last_exit(status).is_none() => {
                self.pending_sidecars += 1;
                self.waiting += 1;
            }
            _ => {}
        }
    }

    fn add_regular(&mut self, status: &ContainerStatus, restarts: impl FnOnce(i32) -> bool) {
        match (&status.state, last_exit(status)) {
            (Some(ContainerState::Running(_)), _) => self.running += 1,
            (Some(ContainerState::Terminated(terminated)), _) => {
                self.stopped += 1;
                self.succeeded += usize::from(terminated.exit_code == 0);
                self.restarting += usize::from(restarts(terminated.exit_code));
            }
            (_, Some(code)) => {
                self.stopped += 1;
                self.restarting += usize::from(restarts(code));
            }
            (_, None) => self.waiting += 1,
        }
    }

    fn phase(&self, terminal: bool, initialized: bool) -> Phase {
        let initializing = self.pending_init > 0 || (self.pending_sidecars > 0 && !initialized);
        if self.failed_init > 0 {
            Phase::Failed
        } else if initializing || self.waiting > 0 {
            Phase::Pending
        } else if self.running > 0 {
            Phase::Running
        } else if self.stopped == 0 {
            Phase::Pending
        } else {
            self.phase_when_stopped(terminal)
        }
    }

    fn phase_when_stopped(&self, terminal: bool) -> Phase {
        if self.restarting > 0 && !terminal {
            Phase::Running
        } else if self.stopped == self.succeeded {
            Phase::Succeeded
        } else {
            Phase::Failed
        }
    }
}
