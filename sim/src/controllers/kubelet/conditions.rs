//! The conditions that kubelet owns, Kubernetes 1.36.2: `pkg/kubelet/status/generate.go`.

use super::phase::Phase;
use super::profile::Profile;
use super::runtime::{Sandbox, Slots};
use super::status::Observation;
use crate::objects::{Condition, Conditions, ContainerStatus, Truth};
use arcstr::{ArcStr, literal};

/// The sandbox is there, with its network.
pub(super) const POD_READY_TO_START: ArcStr = literal!("PodReadyToStartContainers");
/// All init containers are done.
const INITIALIZED: ArcStr = literal!("Initialized");
/// The pod may get traffic.
pub(super) const READY: ArcStr = literal!("Ready");
/// All containers may get traffic.
pub(super) const CONTAINERS_READY: ArcStr = literal!("ContainersReady");
/// The pod is on a node.
const POD_SCHEDULED: ArcStr = literal!("PodScheduled");

/// Whether kubelet owns the condition of a type.
pub(super) fn is_kubelets(kind: &str) -> bool {
    [POD_READY_TO_START, INITIALIZED, READY, CONTAINERS_READY, POD_SCHEDULED].iter().any(|own| own == kind)
}

/// Adds kubelet's conditions to the foreign ones, for container statuses by slot. Transition times are not set.
pub(super) fn generate(
    seen: &Observation<'_>,
    statuses: &[ContainerStatus],
    (phase, profile): (Phase, &Profile),
    all: &mut Vec<Condition>,
) {
    let network = seen.runtime.sandbox == Sandbox::Ready;
    if profile.reports_sandbox {
        all.push(Condition { kind: POD_READY_TO_START, status: network.into(), ..Condition::default() });
    }
    let sticky = profile.keeps_initialized && seen.old.conditions.is_true(&INITIALIZED);
    all.push(initialized(seen, statuses, (phase, sticky)));
    let containers = containers_ready(seen, statuses, phase);
    all.push(ready(seen, &containers, all));
    all.push(containers);
    all.push(Condition { kind: POD_SCHEDULED, status: Truth::True, ..Condition::default() });
}

/// `sticky`: what was initialized stays so (gate RestartAllContainersOnContainerExits).
fn initialized(
    seen: &Observation<'_>,
    statuses: &[ContainerStatus],
    (phase, sticky): (Phase, bool),
) -> Condition {
    let yes = Condition { kind: INITIALIZED, status: Truth::True, ..Condition::default() };
    if phase == Phase::Succeeded {
        return Condition { reason: literal!("PodCompleted"), ..yes };
    }
    if sticky || statuses[seen.pod.regular()].iter().any(is_started) {
        return yes;
    }
    let init = 0..seen.pod.regular().start;
    let done = |slot: usize| match seen.pod.is_sidecar(slot) {
        true => statuses[slot].started == Some(true),
        false => statuses[slot].ready,
    };
    let incomplete: Vec<usize> = init.filter(|slot| !done(*slot)).collect();
    if incomplete.is_empty() {
        return yes;
    }
    let message = arcstr::format!("containers with incomplete status: [{}]", names(seen, &incomplete));
    no(INITIALIZED, literal!("ContainersNotInitialized")).with_message(message)
}

/// Whether a container runs or has ended (`HasAnyRegularContainerStarted`).
fn is_started(status: &ContainerStatus) -> bool {
    status.running().is_some() || status.terminated().is_some()
}

fn containers_ready(seen: &Observation<'_>, statuses: &[ContainerStatus], phase: Phase) -> Condition {
    match phase {
        Phase::Succeeded => return no(CONTAINERS_READY, literal!("PodCompleted")),
        Phase::Failed => return no(CONTAINERS_READY, literal!("PodFailed")),
        Phase::Pending | Phase::Running => {}
    }
    let counts = |slot: &usize| !seen.pod.is_init(*slot) || seen.pod.is_sidecar(*slot);
    let unready: Vec<usize> =
        (0..statuses.len()).filter(counts).filter(|slot| !statuses[*slot].ready).collect();
    if unready.is_empty() {
        return Condition { kind: CONTAINERS_READY, status: Truth::True, ..Condition::default() };
    }
    let message = arcstr::format!("containers with unready status: [{}]", names(seen, &unready));
    no(CONTAINERS_READY, literal!("ContainersNotReady")).with_message(message)
}

fn ready(seen: &Observation<'_>, containers: &Condition, conditions: &[Condition]) -> Condition {
    if containers.status != Truth::True {
        return Condition { kind: READY, ..containers.clone() };
    }
    let gates = seen.pod.spec.readiness_gates.iter();
    let closed: Vec<String> =
        gates.filter_map(|gate| closed_gate(&gate.condition_type, conditions)).collect();
    if closed.is_empty() {
        return Condition { kind: READY, status: Truth::True, ..Condition::default() };
    }
    no(READY, literal!("ReadinessGatesNotReady")).with_message(closed.join(", "))
}

fn closed_gate(gate: &str, conditions: &[Condition]) -> Option<String> {
    match conditions.condition(gate).map(|found| found.status) {
        None => Some(format!("corresponding condition of pod readiness gate \"{gate}\" does not exist.")),
        Some(Truth::True) => None,
        Some(other) => Some(format!(
            "the status of pod readiness gate \"{gate}\" is not \"True\", but {}",
            other.as_str()
        )),
    }
}

fn no(kind: ArcStr, reason: ArcStr) -> Condition {
    Condition { kind, status: Truth::False, reason, ..Condition::default() }
}

fn names(seen: &Observation<'_>, slots: &[usize]) -> String {
    let names: Vec<&str> = slots.iter().map(|slot| seen.pod.container(*slot).name.as_str()).collect();
    names.join(" ")
}
