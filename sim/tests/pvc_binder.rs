//! Claims get their volumes: made for them, matched, or waited for; and volumes go with their claims.

use serde_json::{Value, json};
use std::time::Duration;
use stuckvm_sim::environment::ProvisionerState;
use stuckvm_sim::objects::{PersistentVolume, PersistentVolumeClaim};
use stuckvm_sim::{Cluster, Config, Object, ObjectId};

const STORAGE: [&str; 4] = ["pv-binder", "pvc-protection", "pv-protection", "provisioner"];

fn cluster() -> Cluster {
    let mut cluster = Cluster::with_some(Config::default(), |name| STORAGE.contains(&name));
    for (name, mode) in [("fast", "Immediate"), ("wait", "WaitForFirstConsumer")] {
        apply(
            &mut cluster,
            json!({"kind": "StorageClass", "metadata": {"name": name}, "provisioner": "csi.example.com",
                "volumeBindingMode": mode, "reclaimPolicy": "Delete"}),
        );
    }
    cluster
}

fn apply(cluster: &mut Cluster, object: Value) -> ObjectId {
    let object = Object::from_value(&object).expect("a readable object").expect("a known kind");
    cluster.apply(&object).expect("nothing refuses it")
}

fn claim(cluster: &mut Cluster, name: &str, class: &str) -> ObjectId {
    apply(
        cluster,
        json!({"kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": {"storageClassName": class,
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}),
    )
}

fn volume(cluster: &mut Cluster) {
    apply(
        cluster,
        json!({"kind": "PersistentVolume", "metadata": {"name": "v1"}, "spec": {"capacity": {"storage": "2Gi"},
            "accessModes": ["ReadWriteOnce"], "nfs": {"path": "/x", "server": "10.0.0.9"}}}),
    );
}

fn pass(cluster: &mut Cluster, seconds: u64) {
    let until = cluster.now().checked_add(Duration::from_secs(seconds)).expect("an instant");
    cluster.run_until(until).expect("every instant comes to rest");
}

fn phase(cluster: &Cluster, id: ObjectId) -> String {
    cluster.view().get::<PersistentVolumeClaim>(id).expect("the claim is there").status.phase.to_string()
}

#[test]
fn a_claim_that_a_populator_fills_is_left_to_it() {
    let mut cluster = cluster();
    let id = apply(
        &mut cluster,
        json!({"kind": "PersistentVolumeClaim", "metadata": {"name": "disk"}, "spec": {
            "storageClassName": "fast", "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
            "dataSourceRef": {"apiGroup": "cdi.kubevirt.io", "kind": "VolumeImportSource", "name": "source"}}}),
    );
    claim(&mut cluster, "other", "fast");
    let cloned = apply(
        &mut cluster,
        json!({"kind": "PersistentVolumeClaim", "metadata": {"name": "clone"}, "spec": {
            "storageClassName": "fast", "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
            "dataSource": {"kind": "PersistentVolumeClaim", "name": "other"}}}),
    );
    pass(&mut cluster, 60);
    assert_eq!(phase(&cluster, id), "Pending", "a driver makes no volume for a source that it does not know");
    assert_eq!(phase(&cluster, cloned), "Bound", "claims it can clone");
}

#[test]
fn an_immediate_claim_is_bound_when_its_volume_has_been_made_and_takes_it_along() {
    let mut cluster = cluster();
    let id = claim(&mut cluster, "disk", "fast");
    pass(&mut cluster, 2);
    assert_eq!(phase(&cluster, id), "Pending", "making a volume takes 2 s");
    pass(&mut cluster, 1);
    assert_eq!(phase(&cluster, id), "Bound");
    pass(&mut cluster, 15);
    assert_eq!(cluster.next_at(), None, "at rest no resync is due");
    cluster.delete::<PersistentVolumeClaim>(id).expect("the claim is there");
    pass(&mut cluster, 1);
    assert_eq!(cluster.count::<PersistentVolumeClaim>(), 0);
    assert_eq!(cluster.count::<PersistentVolume>(), 0, "the policy is Delete");
}

#[test]
fn a_delayed_claim_waits_for_its_node() {
    let mut cluster = cluster();
    let id = claim(&mut cluster, "disk", "wait");
    pass(&mut cluster, 60);
    assert_eq!(phase(&cluster, id), "Pending");
    let chosen = cluster.patch(id, |claim: &mut PersistentVolumeClaim| {
        claim.metadata.annotations.insert("volume.kubernetes.io/selected-node", "node-a");
    });
    assert_eq!(chosen, Ok(true));
    pass(&mut cluster, 3);
    assert_eq!(phase(&cluster, id), "Bound");
}

#[test]
fn a_waiting_claim_sees_a_static_volume_at_the_resync() {
    let mut cluster = cluster();
    let id = claim(&mut cluster, "disk", "");
    pass(&mut cluster, 1);
    volume(&mut cluster);
    pass(&mut cluster, 13);
    assert_eq!(phase(&cluster, id), "Pending");
    pass(&mut cluster, 2);
    assert_eq!(phase(&cluster, id), "Bound");
}

#[test]
fn resyncs_are_counted_from_the_controllers_start() {
    let mut cluster = cluster();
    let id = claim(&mut cluster, "disk", "");
    pass(&mut cluster, 7);
    cluster.stop_controller("pv-binder");
    cluster.start_controller("pv-binder");
    pass(&mut cluster, 1);
    volume(&mut cluster);
    pass(&mut cluster, 13);
    assert_eq!(phase(&cluster, id), "Pending", "21 s: the process that would resync at 15 s is no more");
    pass(&mut cluster, 2);
    assert_eq!(phase(&cluster, id), "Bound", "7 s + 15 s");
}

#[test]
fn as_the_controller_starts_claims_come_before_volumes_are_available() {
    let mut cluster = cluster();
    pass(&mut cluster, 1);
    cluster.stop_controller("pv-binder");
    volume(&mut cluster);
    let id = claim(&mut cluster, "disk", "");
    pass(&mut cluster, 1);
    cluster.start_controller("pv-binder");
    cluster.settle().expect("it comes to rest");
    pass(&mut cluster, 14);
    assert_eq!(
        phase(&cluster, id),
        "Pending",
        "the volume was not Available when the claims' worker came by"
    );
    pass(&mut cluster, 2);
    assert_eq!(phase(&cluster, id), "Bound", "2 s + 15 s");
}

#[test]
fn two_claims_never_share_a_volume() {
    let mut cluster = cluster();
    apply(
        &mut cluster,
        json!({"kind": "PersistentVolume", "metadata": {"name": "v1"}, "spec": {"capacity": {"storage": "2Gi"},
            "accessModes": ["ReadWriteOnce"], "nfs": {"path": "/x", "server": "10.0.0.9"}}}),
    );
    pass(&mut cluster, 1);
    let claims = [claim(&mut cluster, "one", ""), claim(&mut cluster, "two", "")];
    pass(&mut cluster, 40);
    let phases = claims.map(|id| phase(&cluster, id));
    assert_eq!(phases, ["Bound", "Pending"]);
}

#[test]
fn a_broken_driver_keeps_claims_pending_until_it_is_healed() {
    for state in [ProvisionerState::Down, ProvisionerState::Fails("no space".into())] {
        let mut cluster = cluster();
        cluster.environment_mut().provisioners.break_driver("csi.example.com", state);
        let id = claim(&mut cluster, "disk", "fast");
        pass(&mut cluster, 120);
        assert_eq!(phase(&cluster, id), "Pending");
        cluster.environment_mut().provisioners.heal_driver("csi.example.com");
        pass(&mut cluster, 120);
        assert_eq!(phase(&cluster, id), "Bound");
    }
}

#[test]
fn thousands_of_claims_are_bound_with_little_work_each() {
    let mut cluster = cluster();
    let claims: Vec<ObjectId> =
        (0..2000).map(|n| claim(&mut cluster, &format!("disk-{n}"), "fast")).collect();
    pass(&mut cluster, 5);
    assert!(claims.iter().all(|id| phase(&cluster, *id) == "Bound"));
    assert!(cluster.work_done() < 2000 * 16, "{} pieces of work", cluster.work_done());
}
