//! What the scripts of `status/chain` play: kubelet and scheduler, virt-handler, CDI, and users.

use std::sync::Arc;
use std::time::Duration;

use arcstr::ArcStr;
use serde_json::{Value, json};
use stuckvm_detector::Time;
use stuckvm_sim::objects::{
    Condition, ContainerState, ContainerStatus, DataVolume, PersistentVolumeClaim, PhaseTransition, Pod,
    PodStatus, Running, StateChangeRequest, Terminated, Truth, VirtualMachine, VirtualMachineInstance,
    Waiting,
};
use stuckvm_sim::{Cluster, Kind, Object, ObjectId, Resource};

use crate::status_chain::span;

/// The environment: looks at the cluster in ticks and does what is due.
pub(crate) struct Environment {
    /// From one tick to the next.
    pub(crate) every: Duration,
    start: Time,
    /// What is left to do at times of its own.
    at: Vec<Act>,
    /// What becomes of the first pod, the second and so on; the last list serves for all later ones.
    pods: Vec<Vec<Act>>,
    /// From Scheduled to Running, and from the deletion to Succeeded.
    handler: [Duration; 2],
    /// From the deletion of a pod to its end.
    remove: Duration,
    known_pods: Vec<KnownPod>,
    known_instances: Vec<KnownInstance>,
}

#[derive(Clone)]
struct Act {
    after: Duration,
    what: String,
}

struct KnownPod {
    id: ObjectId,
    seen: Time,
    left: Vec<Act>,
    deleted: Option<Time>,
}

struct KnownInstance {
    id: ObjectId,
    scheduled: Option<Time>,
    deleted: Option<Time>,
}

impl Environment {
    pub(crate) fn new(script: &Value, start: Time) -> Result<Self, String> {
        let pods = script["pods"].as_array().ok_or("no pods")?;
        Ok(Self {
            every: span(&script["every"])?,
            start,
            at: acts(&script["at"])?,
            pods: pods.iter().map(acts).collect::<Result<_, _>>()?,
            handler: [span(&script["handler"][0])?, span(&script["handler"][1])?],
            remove: span(&script["remove"])?,
            known_pods: Vec::new(),
            known_instances: Vec::new(),
        })
    }

    /// A tick, in its order.
    pub(crate) fn tick(&mut self, now: Time, cluster: &mut Cluster) -> Result<(), String> {
        let passed = now.saturating_since(self.start);
        due(&mut self.at, passed).iter().try_for_each(|act| user_act(cluster, &act.what))?;
        self.meet(now, cluster);
        for pod in &mut self.known_pods {
            let age = now.saturating_since(pod.seen);
            for act in due(&mut pod.left, age) {
                change(cluster, pod.id, |pod: &mut Pod| pod_act(pod, &act.what));
            }
        }
        self.handle_instances(now, cluster);
        self.remove_pods(now, cluster);
        Ok(())
    }

    /// Notes pods and instances that are new.
    fn meet(&mut self, seen: Time, cluster: &Cluster) {
        for (id, _) in cluster.view().iter::<Pod>() {
            if self.known_pods.iter().any(|pod| pod.id == id) {
                continue;
            }
            let list = self.pods.get(self.known_pods.len()).or(self.pods.last());
            let left = list.cloned().unwrap_or_default();
            self.known_pods.push(KnownPod { id, seen, left, deleted: None });
        }
        for (id, _) in cluster.view().iter::<VirtualMachineInstance>() {
            if self.known_instances.iter().all(|instance| instance.id != id) {
                self.known_instances.push(KnownInstance { id, scheduled: None, deleted: None });
            }
        }
    }

    /// virt-handler: guests that boot and guests that are shut down.
    fn handle_instances(&mut self, now: Time, cluster: &mut Cluster) {
        let [boot, shut_down] = self.handler;
        for known in &mut self.known_instances {
            let Some(vmi) = get::<VirtualMachineInstance>(cluster, known.id) else { continue };
            let phase = vmi.status.phase.as_str();
            if vmi.metadata.is_deleting() {
                if matches!(phase, "Scheduled" | "Running") && passed(&mut known.deleted, now) >= shut_down {
                    set_phase(cluster, known.id, "Succeeded");
                }
            } else if phase == "Scheduled" && passed(&mut known.scheduled, now) >= boot {
                set_phase(cluster, known.id, "Running");
                make_pods_ready(cluster, known.id);
            }
        }
    }

    /// The kubelet lets go of pods that are deleted.
    fn remove_pods(&mut self, now: Time, cluster: &mut Cluster) {
        for known in &mut self.known_pods {
            let Some(pod) = get::<Pod>(cluster, known.id).filter(|pod| pod.metadata.is_deleting()) else {
                continue;
            };
            if pod.is_finished() || passed(&mut known.deleted, now) >= self.remove {
                cluster.remove_pod(known.id).expect("a pod that is there");
            }
        }
    }
}

/// How long ago something was first seen.
fn passed(since: &mut Option<Time>, now: Time) -> Duration {
    now.saturating_since(*since.get_or_insert(now))
}

fn acts(list: &Value) -> Result<Vec<Act>, String> {
    let list = list.as_array().ok_or("no acts")?.iter();
    list.map(|act| {
        Ok(Act { after: span(&act["after"])?, what: act["do"].as_str().ok_or("no act")?.to_owned() })
    })
    .collect()
}

/// Takes out what is due, in its order.
fn due(acts: &mut Vec<Act>, passed: Duration) -> Vec<Act> {
    let (due, left) = std::mem::take(acts).into_iter().partition(|act| act.after <= passed);
    *acts = left;
    due
}

fn get<T: Resource>(cluster: &Cluster, id: ObjectId) -> Option<Arc<T>> {
    cluster.view().get::<T>(id).cloned()
}

/// Changes an object if it is still there.
fn change<T: Resource>(cluster: &mut Cluster, id: ObjectId, change: impl FnOnce(&mut T)) {
    if get::<T>(cluster, id).is_some() {
        cluster.patch(id, change).expect("an object that is there");
    }
}

/// Users and CDI.
fn user_act(cluster: &mut Cluster, what: &str) -> Result<(), String> {
    let find = |kind| cluster.find(kind, "default", "vm1").map(|(id, _)| id);
    let (machine, instance) = (find(Kind::VirtualMachine), find(Kind::VirtualMachineInstance));
    let running = instance.filter(|id| {
        get::<VirtualMachineInstance>(cluster, *id).is_some_and(|vmi| vmi.status.phase == "Running")
    });
    let words: Vec<&str> = what.split(' ').collect();
    match words.as_slice() {
        ["runStrategy", word] => change_machine(cluster, machine, |vm| {
            Arc::make_mut(&mut vm.spec).run_strategy = Some((*word).into());
        }),
        ["request", request] => {
            let requests = requests(cluster, instance, request);
            change_machine(cluster, machine, |vm| vm.status.state_change_requests.extend(requests));
        }
        ["delete", kind] => {
            let id = if *kind == "vm" { machine } else { instance };
            id.into_iter().for_each(|id| cluster.delete_object(id).expect("an object that is there"));
        }
        ["claim", name, phase] => claim(cluster, name, phase)?,
        ["dv", name, phase, running @ ..] => data_volume(cluster, (name, phase), running)?,
        ["panic"] => running.into_iter().for_each(|id| set_phase(cluster, id, "Failed")),
        ["phase", phase] => running.into_iter().for_each(|id| set_phase(cluster, id, phase)),
        ["pause"] => running.into_iter().for_each(|id| pause(cluster, id)),
        _ => return Err(format!("unknown act {what}")),
    }
    Ok(())
}

/// Changes the machine if it is still there.
fn change_machine(cluster: &mut Cluster, id: Option<ObjectId>, act: impl FnOnce(&mut VirtualMachine)) {
    if let Some(id) = id {
        change(cluster, id, act);
    }
}

/// A stop names the instance that is to stop.
fn requests(cluster: &Cluster, instance: Option<ObjectId>, request: &str) -> Vec<StateChangeRequest> {
    let uid = instance
        .and_then(|id| get::<VirtualMachineInstance>(cluster, id))
        .map(|vmi| vmi.metadata.uid.clone());
    let stop = uid.map(StateChangeRequest::stop).filter(|_| request != "Start");
    stop.into_iter().chain((request != "Stop").then(StateChangeRequest::start)).collect()
}

fn claim(cluster: &mut Cluster, name: &str, phase: &str) -> Result<(), String> {
    if let Some((id, _)) = cluster.find(Kind::PersistentVolumeClaim, "default", name) {
        change(cluster, id, |claim: &mut PersistentVolumeClaim| claim.status.phase = phase.into());
        return Ok(());
    }
    let claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": "default"},
        "status": {"phase": phase},
    });
    let claim = Object::from_value(&claim).map_err(|error| error.to_string())?.ok_or("a known kind")?;
    cluster.put(&claim).map(drop).map_err(|error| error.to_string())
}

/// CDI's progress; `running` is status and reason of the condition Running.
fn data_volume(cluster: &mut Cluster, (name, phase): (&str, &str), running: &[&str]) -> Result<(), String> {
    let Some((id, _)) = cluster.find(Kind::DataVolume, "default", name) else { return Ok(()) };
    let now = cluster.now();
    change(cluster, id, |volume: &mut DataVolume| {
        volume.status.phase = phase.into();
        if let Some((status, reason)) = running.split_first() {
            let truth = if *status == "True" { Truth::True } else { Truth::False };
            volume.status.conditions = vec![
                Condition::new("Bound", Truth::True, "", now),
                Condition::new("Running", truth, reason.join(" "), now),
            ];
        }
    });
    Ok(())
}

fn set_phase(cluster: &mut Cluster, id: ObjectId, phase: &str) {
    let now = cluster.now();
    change(cluster, id, |vmi: &mut VirtualMachineInstance| {
        vmi.status.phase = phase.into();
        vmi.status
            .phase_transition_timestamps
            .push(PhaseTransition { phase: phase.into(), phase_transition_timestamp: Some(now) });
    });
}

/// A guest that is paused. The recording's API server lost the pod's other conditions when virt-controller patched
/// one of them, so that Ready goes here too.
fn pause(cluster: &mut Cluster, id: ObjectId) {
    let now = cluster.now();
    change(cluster, id, |vmi: &mut VirtualMachineInstance| {
        vmi.status.conditions.push(Condition::new("Paused", Truth::True, "PausedByUser", now));
    });
    for pod in pods_of(cluster, id) {
        change(cluster, pod, |pod: &mut Pod| pod.status.conditions.retain(|found| found.kind != "Ready"));
    }
}

fn make_pods_ready(cluster: &mut Cluster, instance: ObjectId) {
    let now = cluster.now();
    for pod in pods_of(cluster, instance) {
        change(cluster, pod, |pod: &mut Pod| set(pod, Condition::new("Ready", Truth::True, "", now)));
    }
}

fn pods_of(cluster: &Cluster, instance: ObjectId) -> Vec<ObjectId> {
    let Some(vmi) = get::<VirtualMachineInstance>(cluster, instance) else { return Vec::new() };
    cluster.view().owned::<Pod>(&vmi.metadata.uid).map(|(id, _)| id).collect()
}

fn set(pod: &mut Pod, condition: Condition) {
    pod.status.conditions.retain(|found| found.kind != condition.kind);
    pod.status.conditions.push(condition);
}

/// Scheduler and kubelet.
fn pod_act(pod: &mut Pod, what: &str) {
    let scheduled = |status, reason| Condition {
        status,
        ..Condition::new("PodScheduled", status, reason, Time::from_secs(0))
    };
    match what.split(' ').collect::<Vec<_>>().as_slice() {
        ["unschedulable"] => {
            let condition = scheduled(Truth::False, "Unschedulable").with_message("0/1 nodes are available");
            set(pod, condition);
        }
        ["place"] => {
            pod.node_name = "node1".into();
            set(pod, scheduled(Truth::True, ""));
        }
        ["wait", reason] => {
            let waiting = Waiting { reason: (*reason).into(), message: ArcStr::new() };
            pod.status.container_statuses =
                vec![container("volumedisk0", ContainerState::Waiting(waiting))].into();
        }
        ["boot"] => run(&mut pod.status, ContainerState::Running(Running::default())),
        ["die"] => run(&mut pod.status, ended()),
        ["fail"] => {
            pod.status.phase = "Failed".into();
            pod.status.container_statuses = vec![container("compute", ended())].into();
        }
        other => panic!("no pod does {other:?}"),
    }
}

fn run(status: &mut PodStatus, compute: ContainerState) {
    status.phase = "Running".into();
    status.container_statuses = vec![container("compute", compute)].into();
}

fn ended() -> ContainerState {
    ContainerState::Terminated(Box::new(Terminated { exit_code: 2, ..Terminated::default() }))
}

fn container(name: &str, state: ContainerState) -> ContainerStatus {
    let ready = matches!(state, ContainerState::Running(_));
    ContainerStatus { name: name.into(), state: Some(state), ready, ..ContainerStatus::default() }
}
