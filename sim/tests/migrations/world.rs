//! A cluster with three nodes in which the test plays the scheduler and the kubelets.

use serde_json::{Value, json};
use std::time::Duration;
use stuckvm_sim::journal::Entry;
use stuckvm_sim::objects::{
    Condition, ContainerState, ContainerStatus, Pod, Running, Truth, VirtualMachineInstance,
    VirtualMachineInstanceMigration,
};
use stuckvm_sim::{ApiError, Cluster, Config, Latency, Object, ObjectId};

/// virt-controller without the VM controller, and virt-handler.
const CONTROLLERS: [&str; 4] = ["virtual-machine-instance", "virt-handler", "migration", "evacuation"];

/// The migration of most tests.
pub(crate) const MIGRATION: &str = "migrate-vm1";

/// How long a guest is sent.
pub(crate) const SENT: Duration = Duration::from_secs(10);

/// The cluster and what its events were so far.
pub(crate) struct World {
    pub(crate) cluster: Cluster,
    journal: Vec<Entry>,
    /// How long it is played after each step; by default until it rests.
    pub(crate) rest: Duration,
}

impl World {
    /// Three nodes of one CPU model; nothing takes time but a guest on its way.
    pub(crate) fn new() -> Self {
        Self::with(SENT)
    }

    /// The same, where guests are sent for so long.
    pub(crate) fn with(guest_migration: Duration) -> Self {
        Self::of(Latency { guest_migration, ..Latency::none() }, Duration::ZERO)
    }

    /// A world in which each reaction takes 50 ms, and a second passes after each step.
    pub(crate) fn lagging() -> Self {
        let reaction = Duration::from_millis(50);
        Self::of(Latency { reaction, guest_migration: SENT, ..Latency::none() }, Duration::from_secs(1))
    }

    fn of(latency: Latency, rest: Duration) -> Self {
        let config = Config { latency, keep_journal: true, ..Config::default() };
        let cluster = Cluster::with_some(config, |name| CONTROLLERS.contains(&name));
        let mut world = Self { cluster, journal: Vec::new(), rest };
        for name in ["node-a", "node-b", "node-c"] {
            let labels = json!({
                "kubernetes.io/hostname": name,
                "kubevirt.io/schedulable": "true",
                "host-model-cpu.node.kubevirt.io/Skylake": "true",
                "host-model-required-features.node.kubevirt.io/ssbd": "true",
            });
            let status =
                json!({"addresses": [{"type": "InternalIP", "address": format!("10.0.0.{}", &name[5..])}]});
            let node =
                json!({"kind": "Node", "metadata": {"name": name, "labels": labels}, "status": status});
            world.apply(&node).expect("it is accepted");
        }
        world
    }

    /// A running instance on node-a.
    pub(crate) fn with_running_vm1() -> Self {
        let mut world = Self::new();
        world.run("vm1", &json!({}));
        world
    }

    pub(crate) fn apply(&mut self, manifest: &Value) -> Result<ObjectId, ApiError> {
        let object = Object::from_value(manifest).expect("a manifest").expect("a kind that is modelled");
        let created = self.cluster.apply(&object);
        self.settle();
        created
    }

    /// Runs an instance on node-a, with these fields of its spec besides.
    pub(crate) fn run(&mut self, name: &str, besides: &Value) {
        let mut spec = json!({"domain": {"memory": {"guest": "1Gi"}, "devices": {}}});
        spec.as_object_mut().expect("a spec").extend(besides.as_object().expect("fields").clone());
        let vmi = json!({"kind": "VirtualMachineInstance", "metadata": {"name": name}, "spec": spec});
        self.apply(&vmi).expect("it is accepted");
        let [pod] = self.pods(name)[..] else { panic!("{name} has a launcher") };
        self.start(pod, "node-a");
        assert_eq!(self.vmi(name).status.phase, "Running");
    }

    /// Asks for the migration of an instance.
    pub(crate) fn migrate(&mut self, migration: &str, vmi: &str) -> Result<ObjectId, ApiError> {
        self.apply(&json!({"kind": "VirtualMachineInstanceMigration", "metadata": {"name": migration},
            "spec": {"vmiName": vmi}}))
    }

    /// The launchers of an instance, oldest first.
    pub(crate) fn pods(&self, vmi: &str) -> Vec<ObjectId> {
        let of = |pod: &Pod| pod.metadata.annotations.has("kubevirt.io/domain", vmi);
        self.cluster.view().iter::<Pod>().filter(|(_, pod)| of(pod)).map(|(id, _)| id).collect()
    }

    /// The newest launcher of an instance.
    pub(crate) fn target(&self, vmi: &str) -> ObjectId {
        *self.pods(vmi).last().expect("it has launchers")
    }

    /// The scheduler places a pod, and its kubelet reports that its container runs.
    pub(crate) fn start(&mut self, pod: ObjectId, node: &str) {
        let at = self.cluster.now();
        self.change(pod, |pod| {
            pod.node_name = node.into();
            pod.status.phase = "Running".into();
            set_compute(pod, ContainerState::Running(Running { started_at: Some(at) }));
        });
    }

    /// The kubelet reports that a pod's container has ended.
    pub(crate) fn end(&mut self, pod: ObjectId, phase: &str) {
        self.change(pod, |pod| {
            pod.status.phase = phase.into();
            set_compute(pod, ContainerState::Terminated(Box::default()));
        });
    }

    /// The scheduler finds no place for a pod.
    pub(crate) fn refuse(&mut self, pod: ObjectId) {
        let at = self.cluster.now();
        let scheduled = Condition::new("PodScheduled", Truth::False, "Unschedulable", at);
        self.change(pod, |pod| pod.status.conditions.push(scheduled));
    }

    fn change(&mut self, pod: ObjectId, change: impl FnOnce(&mut Pod)) {
        self.cluster.patch(pod, change).expect("the pod exists");
        self.settle();
    }

    pub(crate) fn vmi(&self, name: &str) -> VirtualMachineInstance {
        let found = self.cluster.view().named::<VirtualMachineInstance>("default", name);
        VirtualMachineInstance::clone(found.expect("it exists").1)
    }

    pub(crate) fn migration(&self, name: &str) -> VirtualMachineInstanceMigration {
        let found = self.cluster.view().named::<VirtualMachineInstanceMigration>("default", name);
        VirtualMachineInstanceMigration::clone(found.expect("it exists").1)
    }

    /// The phase of the migration of most tests.
    pub(crate) fn phase(&self) -> String {
        self.migration(MIGRATION).status.phase.to_string()
    }

    pub(crate) fn settle(&mut self) {
        if !self.rest.is_zero() {
            self.pass(self.rest);
        }
        self.cluster.settle().expect("it comes to rest");
        self.journal.extend(self.cluster.take_journal());
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        let until = self.cluster.now() + time;
        self.cluster.run_until(until).expect("it comes to rest");
        self.journal.extend(self.cluster.take_journal());
    }

    /// Reasons of the events on an object so far.
    pub(crate) fn reasons(&self, on: &str) -> Vec<String> {
        let reason = |entry: &Entry| match entry {
            Entry::Event { name, reason, .. } if name == on => Some(reason.clone()),
            _ => None,
        };
        self.journal.iter().filter_map(reason).collect()
    }

    /// Messages of the events on an object so far.
    pub(crate) fn messages(&self, on: &str) -> Vec<String> {
        let message = |entry: &Entry| match entry {
            Entry::Event { name, message, .. } if name == on => Some(message.clone()),
            _ => None,
        };
        self.journal.iter().filter_map(message).collect()
    }

    /// Phases that a migration has come into so far, in order.
    pub(crate) fn phases(&self, name: &str) -> Vec<String> {
        let phases = self.migration(name).status.phase_transition_timestamps;
        phases.iter().map(|entry| entry.phase.to_string()).collect()
    }
}

fn set_compute(pod: &mut Pod, state: ContainerState) {
    let status = ContainerStatus { name: "compute".into(), state: Some(state), ..ContainerStatus::default() };
    pod.status.container_statuses = [status].into();
}
