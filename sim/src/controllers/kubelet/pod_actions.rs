//! What a sync has to do in the runtime, Kubernetes 1.36.2: `pkg/kubelet/kuberuntime/kuberuntime_manager.go`
//! (`computePodActions`) and `kuberuntime_container.go` (`computeInitContainerActions`).

use super::runtime::{PodRuntime, RunState, Sandbox, Slots};
use super::status::should_be_restarted;
use crate::objects::Pod;

/// What a sync has to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PodActions {
    /// Everything that runs must go first.
    pub(super) kill_pod: bool,
    /// A sandbox is wanted.
    pub(super) create_sandbox: bool,
    /// Slots of init containers to start, in order.
    pub(super) init: Vec<usize>,
    /// Slots of regular containers to start, in order.
    pub(super) regular: Vec<usize>,
    /// Slots of containers to kill, with the words of the event.
    pub(super) kill: Vec<(usize, String)>,
}

/// Which probe wants a container killed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// The liveness probe has failed.
    pub(super) liveness_failed: bool,
    /// The startup probe has failed (`Some(false)`) or succeeded.
    pub(super) startup: Option<bool>,
}

/// What to do, given what the runtime holds and what the probes say by slot.
pub(super) fn compute(pod: &Pod, runtime: &PodRuntime, verdicts: &[Verdict]) -> PodActions {
    let mut actions = PodActions::default();
    if runtime.sandbox != Sandbox::Ready {
        start_from_nothing(pod, runtime, &mut actions);
        return actions;
    }
    let initialized = compute_init(pod, runtime, verdicts, &mut actions);
    if actions.kill_pod || !initialized {
        return actions;
    }
    let mut keep = 0;
    for slot in pod.regular() {
        if !runtime.is_running(slot) {
            if should_be_restarted(pod, slot, runtime.newest(slot)) {
                actions.regular.push(slot);
            }
            continue;
        }
        let Some(mut message) = reason_to_kill(pod, slot, verdicts[slot]) else {
            keep += 1;
            continue;
        };
        if restarts_on_failure(pod) {
            message.push_str(", will be restarted");
            actions.regular.push(slot);
        }
        actions.kill.push((slot, message));
    }
    if keep == 0 && actions.regular.is_empty() {
        actions.kill_pod = true;
        actions.init.clear();
    }
    actions
}

/// Without a sandbox everything begins again, unless nothing is to be started any more.
fn start_from_nothing(pod: &Pod, runtime: &PodRuntime, actions: &mut PodActions) {
    actions.kill_pod = true;
    let ran = runtime.containers.iter().any(|records| !records.is_empty());
    if !restarts_on_failure(pod) && runtime.sandbox == Sandbox::NotReady && ran {
        return;
    }
    let succeeded = |slot: &usize| {
        let exit = runtime.newest(*slot).and_then(super::runtime::ContainerRecord::exit);
        pod.spec.restart_policy == "OnFailure" && exit.is_some_and(|exit| exit.code == 0)
    };
    let regular: Vec<usize> = pod.regular().filter(|slot| !succeeded(slot)).collect();
    if regular.is_empty() {
        return;
    }
    actions.create_sandbox = true;
    if pod.spec.init_containers.is_empty() {
        actions.regular = regular;
    } else {
        actions.init.push(0);
    }
}

/// Finds the init containers to start; returns whether the regular ones may run.
fn compute_init(pod: &Pod, runtime: &PodRuntime, verdicts: &[Verdict], actions: &mut PodActions) -> bool {
    let count = pod.spec.init_containers.len();
    if count == 0 {
        return true;
    }
    let lives = |slot: usize| {
        matches!(
            runtime.newest(slot).map(|record| &record.state),
            Some(RunState::Created | RunState::Running { .. })
        )
    };
    let mut initialized = pod.regular().any(lives);
    let mut past = initialized;
    for slot in (0..count).rev() {
        let sidecar = pod.is_sidecar(slot);
        if past && !sidecar {
            continue;
        }
        let Some(newest) = runtime.newest(slot) else {
            if past {
                actions.init.push(slot);
            }
            continue;
        };
        let next = next_init(pod, slot, &newest.state, verdicts[slot]);
        match next {
            Next::Wait => {}
            Next::Fail => {
                actions.kill_pod = true;
                actions.init.clear();
                return false;
            }
            Next::Start => actions.init.push(slot),
            Next::Kill(message) => {
                actions.kill.push((slot, message));
                actions.init.push(slot);
            }
            Next::Done if slot + 1 == count => initialized = true,
            Next::Done if !past => actions.init.push(slot + 1),
            Next::Done => {}
        }
        past = true;
    }
    if !past {
        actions.init.push(0);
    }
    actions.init.reverse();
    initialized
}

/// What an init container's state asks for.
enum Next {
    Wait,
    Start,
    Kill(String),
    /// It stands in nobody's way any more.
    Done,
    /// It has failed for good, and the pod with it.
    Fail,
}

fn next_init(pod: &Pod, slot: usize, state: &RunState, verdict: Verdict) -> Next {
    let sidecar = pod.is_sidecar(slot);
    match state {
        RunState::Created | RunState::Unknown => Next::Start,
        RunState::Running { .. } if !sidecar => Next::Wait,
        RunState::Running { .. } => {
            if let Some(message) = reason_to_kill(pod, slot, verdict) {
                return Next::Kill(format!("{message}, will be restarted"));
            }
            let started = pod.container(slot).startup_probe.is_none() || verdict.startup == Some(true);
            if started { Next::Done } else { Next::Wait }
        }
        RunState::Exited(_) if sidecar => Next::Start,
        RunState::Exited(exit) if exit.code == 0 => Next::Done,
        RunState::Exited(_) if restarts_on_failure(pod) => Next::Start,
        RunState::Exited(_) => Next::Fail,
    }
}

fn reason_to_kill(pod: &Pod, slot: usize, verdict: Verdict) -> Option<String> {
    let name = &pod.container(slot).name;
    if verdict.liveness_failed {
        Some(format!("Container {name} failed liveness probe"))
    } else if verdict.startup == Some(false) && pod.container(slot).startup_probe.is_some() {
        Some(format!("Container {name} failed startup probe"))
    } else {
        None
    }
}

fn restarts_on_failure(pod: &Pod) -> bool {
    pod.spec.restart_policy != "Never"
}
