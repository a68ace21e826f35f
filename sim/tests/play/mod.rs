//! A cluster in which the test plays the scheduler, the kubelet and the user.

use serde_json::json;
use stuckvm_sim::objects::{
    Condition, ContainerState, ContainerStatus, Pod, Running, Terminated, Truth, VirtualMachineInstance,
};
use stuckvm_sim::{Cluster, Config, Latency, Object, ObjectId};

/// A cluster with these controllers, a node and an instance `vm1`.
pub(crate) fn cluster(latency: Latency, controllers: &[&str]) -> (Cluster, ObjectId) {
    let config = Config { latency, keep_journal: true, ..Config::default() };
    let mut cluster = Cluster::with_some(config, |name| controllers.contains(&name));
    apply(
        &mut cluster,
        json!({ "kind": "Node", "metadata": {
        "name": "node-a", "labels": { "kubevirt.io/schedulable": "true" } } }),
    );
    let id = apply(&mut cluster, instance(json!([])));
    cluster.settle().expect("it comes to rest");
    (cluster, id)
}

/// The manifest of `vm1`.
pub(crate) fn instance(volumes: serde_json::Value) -> serde_json::Value {
    json!({ "kind": "VirtualMachineInstance", "metadata": { "name": "vm1" },
        "spec": { "domain": { "memory": { "guest": "1Gi" }, "devices": {} }, "volumes": volumes } })
}

/// Creates an object as a user does.
pub(crate) fn apply(cluster: &mut Cluster, manifest: serde_json::Value) -> ObjectId {
    let object: Object = Object::from_value(&manifest).expect("a manifest").expect("a kind that is modelled");
    cluster.apply(&object).expect("it can be created")
}

/// The instance as it stands.
pub(crate) fn vmi(cluster: &Cluster, id: ObjectId) -> VirtualMachineInstance {
    (**cluster.view().get::<VirtualMachineInstance>(id).expect("it exists")).clone()
}

/// The only pod.
pub(crate) fn pod(cluster: &Cluster) -> ObjectId {
    let pods: Vec<ObjectId> = cluster.view().iter::<Pod>().map(|(id, _)| id).collect();
    assert_eq!(pods.len(), 1, "one pod");
    pods[0]
}

/// The kubelet reports the compute container running and the pod Ready.
pub(crate) fn run_pod(cluster: &mut Cluster) {
    let id = pod(cluster);
    let at = cluster.now();
    let change = |pod: &mut Pod| {
        pod.node_name = "node-a".into();
        pod.status.phase = "Running".into();
        let state = ContainerState::Running(Running { started_at: Some(at) });
        pod.status.container_statuses = [compute(state)].into();
        pod.status.conditions.push(Condition::new("Ready", Truth::True, "", at));
    };
    cluster.patch(id, change).expect("the pod exists");
}

/// The kubelet reports the compute container's end.
pub(crate) fn fail_pod(cluster: &mut Cluster) {
    let id = pod(cluster);
    let change = |pod: &mut Pod| {
        pod.node_name = "node-a".into();
        pod.status.phase = "Failed".into();
        let ended = Terminated { exit_code: 2, ..Terminated::default() };
        pod.status.container_statuses = [compute(ContainerState::Terminated(Box::new(ended)))].into();
    };
    cluster.patch(id, change).expect("the pod exists");
}

fn compute(state: ContainerState) -> ContainerStatus {
    ContainerStatus { name: "compute".into(), ready: true, state: Some(state), ..ContainerStatus::default() }
}
