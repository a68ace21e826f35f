//! The status of a pod as kubelet computes it from what the runtime holds, Kubernetes 1.36.2:
//! `pkg/kubelet/kubelet_pods.go` (`generateAPIPodStatus`, `convertToAPIContainerStatuses`).

use super::conditions;
use super::phase::{self, Phase};
use super::profile::Profile;
use super::runtime::{ContainerRecord, PodRuntime, RunState, Slots};
use crate::objects::{
    Condition, Container, ContainerState, ContainerStatus, Pod, PodStatus, Running, Terminated, Waiting,
};
use crate::release::KubernetesRelease;
use arcstr::{ArcStr, literal};
use stuckvm_detector::Time;

/// Why a container's last start failed: kubelet's reason cache has one for each such container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// In one word, such as ErrImagePull.
    pub reason: ArcStr,
    /// For people.
    pub message: ArcStr,
}

/// What the probes say of the newest run of one container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Probed {
    /// The last result of the startup probe; `None` before the first.
    pub startup: Option<bool>,
    /// The last result of the readiness probe; `None` before the first.
    pub readiness: Option<bool>,
}

/// What a pod's status is computed from.
#[derive(Clone, Copy, Debug)]
pub struct Observation<'a> {
    /// The pod; its status is the API's.
    pub pod: &'a Pod,
    /// The status that kubelet computed before.
    pub old: &'a PodStatus,
    /// What the runtime holds.
    pub runtime: &'a PodRuntime,
    /// Failed starts, by slot.
    pub reasons: &'a [Option<Reason>],
    /// Results of probes, by slot.
    pub probes: &'a [Probed],
    /// Whether the pod is over, so that nothing starts again.
    pub terminal: bool,
}

/// The status that kubelet reports, as it is before its status manager has a say in it.
pub fn generate_api_pod_status(seen: &Observation<'_>, release: KubernetesRelease) -> PodStatus {
    assert_eq!(seen.runtime.containers.len(), seen.pod.slots(), "every container has its slot");
    let mut statuses: Vec<ContainerStatus> =
        (0..seen.pod.slots()).map(|slot| container_status(seen, slot)).collect();
    let phase = merge_phase(seen, phase::get_phase(seen, &statuses));
    statuses.iter_mut().enumerate().for_each(|(slot, status)| judge(seen, slot, status));
    let mut status = PodStatus { phase: phase.as_str(), ..seen.pod.status.clone() };
    if status.phase == seen.old.phase {
        let keep = |old: &ArcStr, api: &ArcStr| if old.is_empty() { api.clone() } else { old.clone() };
        status.reason = keep(&seen.old.reason, &seen.pod.status.reason);
        status.message = keep(&seen.old.message, &seen.pod.status.message);
    } else {
        (status.reason, status.message) = (ArcStr::new(), ArcStr::new());
    }
    let foreign = seen.pod.status.conditions.iter().filter(|found| !conditions::is_kubelets(&found.kind));
    let mut all: Vec<Condition> = foreign.cloned().collect();
    conditions::generate(seen, &statuses, (phase, Profile::of(release)), &mut all);
    status.conditions = all.into();
    let mut statuses = statuses.into_iter();
    status.init_container_statuses = statuses.by_ref().take(seen.pod.spec.init_containers.len()).collect();
    status.container_statuses = statuses.collect();
    status.container_statuses.sort_by(|a, b| a.name.cmp(&b.name));
    status
}

/// Whether a container is to be started (again), `pkg/kubelet/container/helpers.go`.
pub(super) fn should_be_restarted(pod: &Pod, slot: usize, newest: Option<&ContainerRecord>) -> bool {
    if pod.metadata.is_deleting() {
        return false;
    }
    match newest.map(|record| &record.state) {
        None | Some(RunState::Created | RunState::Unknown) => true,
        Some(RunState::Running { .. }) => false,
        Some(RunState::Exited(exit)) => restarts_after(pod, slot, exit.code),
    }
}

/// Whether a container is started again after this exit code: by its own rules, its own policy, or the pod's.
pub(super) fn restarts_after(pod: &Pod, slot: usize, code: i32) -> bool {
    let container = pod.container(slot);
    let rules = container.rest.get("restartPolicyRules").and_then(serde_json::Value::as_array);
    if rules.into_iter().flatten().any(|rule| restarts_by(rule, code)) {
        return true;
    }
    match container.restart_policy.as_deref().unwrap_or(&pod.spec.restart_policy) {
        "Never" => false,
        "OnFailure" => code != 0,
        _ => true,
    }
}

/// Whether a container's rule (gate ContainerRestartRules) asks for a restart after this exit code.
fn restarts_by(rule: &serde_json::Value, code: i32) -> bool {
    let codes = &rule["exitCodes"];
    let mut values = codes["values"].as_array().into_iter().flatten();
    let listed = values.any(|value| value.as_i64() == Some(i64::from(code)));
    rule["action"] == "Restart" && listed == (codes["operator"] == "In")
}

/// A finished pod stays finished, whatever its containers look like.
fn merge_phase(seen: &Observation<'_>, computed: Phase) -> Phase {
    let old = Phase::parse(&seen.old.phase).filter(|phase| phase.is_terminal());
    let api = Phase::parse(&seen.pod.status.phase).filter(|phase| phase.is_terminal());
    let merged = if computed.is_terminal() { computed } else { old.or(api).unwrap_or(computed) };
    api.unwrap_or(merged)
}

fn container_status(seen: &Observation<'_>, slot: usize) -> ContainerStatus {
    let container = seen.pod.container(slot);
    let old = old_status(seen, slot);
    let records = &seen.runtime.containers[slot];
    let mut status = match records.first() {
        Some(newest) => {
            let mut status = convert(seen.pod, container, newest, old);
            if let Some(before) = records.get(1) {
                status.last_state = convert(seen.pod, container, before, old).state;
            }
            status
        }
        None => without_record(seen, slot, old),
    };
    if let Some(reason) = reason_to_wait(seen, slot, old) {
        if let Some(ContainerState::Terminated(_)) = &status.state {
            status.last_state = status.state.take();
        }
        let waiting = Waiting { reason: reason.reason.clone(), message: reason.message.clone() };
        status.state = Some(ContainerState::Waiting(waiting));
    }
    status
}

/// The end of the run before, where the runtime has dropped it (gate RestartAllContainersOnContainerExits).
fn last_state(container_id: &str, old: Option<&ContainerStatus>) -> Option<ContainerState> {
    let old = old?;
    let ended = old.terminated().is_some() && old.container_id != container_id;
    let last = if ended { &old.state } else { &old.last_state };
    last.clone().filter(|last| matches!(last, ContainerState::Terminated(_)))
}

/// The runtime's name of a run; a real one is drawn.
fn container_id(pod: &Pod, container: &Container, restarts: u32) -> ArcStr {
    let run = format!("{}/{}/{restarts}", pod.metadata.uid, container.name);
    arcstr::format!("containerd://{:064x}", xxhash_rust::xxh3::xxh3_128(run.as_bytes()))
}

/// How often a container was started again: never fewer times than was said before.
fn restart_count(record: &ContainerRecord, old: Option<&ContainerStatus>) -> u32 {
    let Some(old) = old else { return record.restarts };
    let known = record.restarts.max(old.restart_count);
    match &record.state {
        RunState::Running { .. } if old.terminated().is_some() => known.max(old.restart_count + 1),
        // Whatever the record says: the run that was told of is lost, and another will come.
        RunState::Unknown if old.running().is_some() => old.restart_count + 1,
        _ => known,
    }
}

fn old_status<'a>(seen: &Observation<'a>, slot: usize) -> Option<&'a ContainerStatus> {
    let init = seen.pod.is_init(slot);
    let list = if init { &seen.old.init_container_statuses } else { &seen.old.container_statuses };
    let name = &seen.pod.container(slot).name;
    list.iter().find(|status| status.name == *name)
}

/// What waits for its turn, or has been lost.
fn without_record(seen: &Observation<'_>, slot: usize, old: Option<&ContainerStatus>) -> ContainerStatus {
    if let Some(old) = old
        && old.terminated().is_some()
    {
        return old.clone();
    }
    let has_init = !seen.pod.spec.init_containers.is_empty();
    let reason = if has_init { literal!("PodInitializing") } else { literal!("ContainerCreating") };
    let container = seen.pod.container(slot);
    let mut status = ContainerStatus {
        name: container.name.clone(),
        image: container.image.clone(),
        restart_count: old.map_or(0, |old| old.restart_count),
        state: Some(ContainerState::Waiting(Waiting { reason, message: ArcStr::new() })),
        last_state: old.and_then(|old| old.last_state.clone()),
        ..ContainerStatus::default()
    };
    let was_running = old.is_some_and(|old| old.running().is_some());
    if was_running && !matches!(status.last_state, Some(ContainerState::Terminated(_))) {
        status.last_state = Some(lost(literal!(
            "The container could not be located when the pod was deleted.  The container used to be Running"
        )));
        if !seen.pod.metadata.is_deleting() {
            status.restart_count += 1;
        }
    }
    if is_taken_for_done(seen, slot, old) {
        status.state = Some(taken_for_done());
    }
    status
}

/// Whether the runtime knows nothing any more of an init container that must have ended well, of which no end was told.
fn is_taken_for_done(seen: &Observation<'_>, slot: usize, old: Option<&ContainerStatus>) -> bool {
    let init = seen.pod.is_init(slot) && !seen.pod.is_sidecar(slot);
    let told = old.is_some_and(|old| old.terminated().is_some());
    init && !told && seen.runtime.newest(slot).is_none() && phase::has_regular_container(seen)
}

/// The end of such an init container.
fn taken_for_done() -> ContainerState {
    let message = literal!(
        "Unable to get init container status from container runtime and pod has been initialized, treat it as exited normally"
    );
    let reason = literal!("Completed");
    ContainerState::Terminated(Box::new(Terminated { reason, message, ..Terminated::default() }))
}

/// The end of a container of which nobody knows how it ended.
pub(super) fn lost(message: ArcStr) -> ContainerState {
    let reason = literal!("ContainerStatusUnknown");
    ContainerState::Terminated(Box::new(Terminated {
        exit_code: 137,
        reason,
        message,
        ..Terminated::default()
    }))
}

fn convert(
    pod: &Pod,
    container: &Container,
    record: &ContainerRecord,
    old: Option<&ContainerStatus>,
) -> ContainerStatus {
    let container_id = container_id(pod, container, record.restarts);
    let seconds = |at: Option<Time>| at.map(Time::truncate_to_secs);
    let state = match &record.state {
        RunState::Created => ContainerState::Waiting(Waiting::default()),
        RunState::Running { started } => {
            ContainerState::Running(Running { started_at: Some(started.truncate_to_secs()) })
        }
        RunState::Exited(exit) => ContainerState::Terminated(Box::new(Terminated {
            exit_code: exit.code,
            reason: exit.reason.clone(),
            message: exit.message.clone(),
            started_at: seconds(exit.started),
            finished_at: seconds(exit.finished),
            container_id: container_id.clone(),
            ..Terminated::default()
        })),
        RunState::Unknown => unknown_state(old),
    };
    ContainerStatus {
        name: container.name.clone(),
        image: container.image.clone(),
        restart_count: restart_count(record, old),
        // Holds until the startup probe says something: a run that had started stays so, and its pod is not Pending.
        started: old.filter(|_| record.is_running()).and_then(|old| old.started),
        state: Some(state),
        last_state: last_state(&container_id, old),
        container_id,
        ..ContainerStatus::default()
    }
}

fn unknown_state(old: Option<&ContainerStatus>) -> ContainerState {
    match old.and_then(ContainerStatus::running) {
        Some(_) => lost(literal!("The container could not be located when the pod was terminated")),
        None => ContainerState::Waiting(Waiting::default()),
    }
}

/// Why the last start failed, if the container is to be started again.
fn reason_to_wait<'a>(
    seen: &Observation<'a>,
    slot: usize,
    old: Option<&ContainerStatus>,
) -> Option<&'a Reason> {
    let newest = seen.runtime.newest(slot);
    let done = newest.and_then(ContainerRecord::exit).is_some_and(|exit| exit.code == 0);
    let init_is_done = seen.pod.is_init(slot) && done || is_taken_for_done(seen, slot, old);
    if init_is_done || !should_be_restarted(seen.pod, slot, newest) {
        return None;
    }
    seen.reasons[slot].as_ref()
}

/// `started` and `ready`, `pkg/kubelet/prober/prober_manager.go` (`UpdatePodStatus`).
fn judge(seen: &Observation<'_>, slot: usize, status: &mut ContainerStatus) {
    let container = seen.pod.container(slot);
    let probed = seen.probes[slot];
    let startup = probed.startup.unwrap_or(container.startup_probe.is_none() || status.started == Some(true));
    let started = status.running().is_some() && startup;
    status.started = Some(started);
    let readiness = container.readiness_probe.is_none() || probed.readiness == Some(true);
    status.ready = if seen.pod.is_init(slot) && !seen.pod.is_sidecar(slot) {
        // One that the runtime has dropped keeps what was said of it.
        status.ready || status.terminated().is_some_and(|terminated| terminated.exit_code == 0)
    } else {
        started && readiness
    };
}
