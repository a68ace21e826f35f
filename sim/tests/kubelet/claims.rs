//! Plays of pods whose claims the kubelet refuses.

use super::{
    cluster_with_image, failed_mounts, instants, is_running, make_bound_claim, make_claim, make_secret,
    make_volume, newest, object, until, with_both, with_claim, with_volumes,
};
use crate::{bind, reason, run};
use serde_json::{Value, json};
use stuckvm_sim::objects::PersistentVolumeClaim;
use stuckvm_sim::{Cluster, KubernetesRelease, ObjectId};

/// The volume controller binds the claim `c` to a new volume.
fn bind_claim(cluster: &mut Cluster, claim: ObjectId) {
    make_volume(cluster, json!({"claimRef": {"name": "c", "namespace": "ns", "uid": "uid-c"}}));
    let bound = cluster.patch::<PersistentVolumeClaim>(claim, |claim| {
        claim.spec.volume_name = "pv1".into();
        claim.status.phase = "Bound".into();
    });
    assert_eq!(bound, Ok(true));
}

/// A sync asks for the claim as it begins, and ends at the first poll if that refused it. The next one is due after
/// 10 s, at the tick after that: at 11 s, then at 22 s.
#[test]
fn an_unbound_claim_ends_the_sync_and_the_next_one_asks_again() {
    let mut cluster = newest();
    let claim = make_claim(&mut cluster, "c", json!({}));
    let id = bind(&mut cluster, &with_claim());
    until(&mut cluster, 12_000);
    bind_claim(&mut cluster, claim);
    until(&mut cluster, 21_999);
    assert_eq!(reason(&cluster, id), "ContainerCreating");
    until(&mut cluster, 22_000);
    assert!(is_running(&cluster, id));
    let message = "Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[], failed to process \
                   volumes=[v]: error processing PVC ns/c: PVC is not bound";
    let expected = [300, 11_300].map(|at| (at, message.to_owned()));
    assert_eq!(failed_mounts(&mut cluster), expected);
}

/// The first event of a pod with this volume; empty where it runs at once.
fn refusal(mut cluster: Cluster, pod: &Value) -> String {
    let id = bind(&mut cluster, pod);
    until(&mut cluster, 300);
    let said = failed_mounts(&mut cluster).into_iter().map(|(_, message)| message).next();
    assert_eq!(is_running(&cluster, id), said.is_none());
    said.map(|message| message.rsplit("volumes=[v]: ").next().expect("a text").to_owned()).unwrap_or_default()
}

#[test]
fn claims_are_refused_in_the_words_of_the_populator() {
    let bound = json!({"phase": "Bound"});
    let of = json!({"volumeName": "pv1"});
    let kept = json!({"claimRef": {"name": "c", "namespace": "ns", "uid": "uid-c"}});
    let missing = "error processing PVC ns/c: failed to fetch PVC from API server: persistentvolumeclaims \"c\" not found";
    assert_eq!(refusal(newest(), &with_claim()), missing);
    for (claim, volume, expected) in [
        (json!({"status": {"phase": "Pending"}}), &kept, "PVC is not bound"),
        (json!({"status": {"phase": "Lost"}, "spec": of}), &kept, "PVC is not bound"),
        (json!({"status": bound}), &kept, "PVC has empty pvc.Spec.VolumeName"),
        (
            json!({"status": bound, "spec": {"volumeName": "pv2"}}),
            &kept,
            "failed to fetch PV pv2 from API server: persistentvolumes \"pv2\" not found",
        ),
        (
            json!({"status": bound, "spec": of}),
            &json!({}),
            "found PV object pv1 but it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the claim",
        ),
        (
            json!({"status": bound, "spec": of}),
            &json!({"claimRef": {"name": "c", "uid": "old"}}),
            "found PV object pv1 but its pv.Spec.ClaimRef.UID old does not point to claim.UID uid-c",
        ),
        (json!({"status": bound, "spec": of}), &kept, ""),
    ] {
        let mut cluster = newest();
        make_volume(&mut cluster, volume.clone());
        make_claim(&mut cluster, "c", claim.clone());
        let expected = match expected {
            "" => String::new(),
            error => format!("error processing PVC ns/c: {error}"),
        };
        assert_eq!(refusal(cluster, &with_claim()), expected, "{claim}");
    }
}

/// Protection keeps a claim as long as a pod uses it.
#[test]
fn a_claim_that_is_being_deleted_is_refused_unless_it_is_protected_since_1_34() {
    let deleted = "error processing PVC ns/c: PVC is being deleted";
    for (release, finalizer, expected) in [
        (KubernetesRelease::V1_30, "kubernetes.io/pvc-protection", deleted),
        (KubernetesRelease::V1_34, "kubernetes.io/pvc-protection", ""),
        (KubernetesRelease::V1_36, "kubernetes.io/pvc-protection", ""),
        (KubernetesRelease::V1_36, "example.com/other", deleted),
    ] {
        let mut cluster = cluster_with_image(release);
        let claim = make_bound_claim(&mut cluster);
        let kept = cluster.patch::<PersistentVolumeClaim>(claim, |claim| {
            claim.metadata.add_finalizer(finalizer);
        });
        assert_eq!(kept, Ok(true));
        cluster.delete::<PersistentVolumeClaim>(claim).expect("the claim exists");
        // Before 1.36 what a sync has started shows at the next relist only.
        let id = bind(&mut cluster, &with_claim());
        run(&mut cluster, 2);
        let said: Vec<String> = failed_mounts(&mut cluster).into_iter().map(|(_, message)| message).collect();
        assert_eq!(
            said.iter().any(|message| message.ends_with(deleted)),
            !expected.is_empty(),
            "{release:?}"
        );
        assert_eq!(is_running(&cluster, id), expected.is_empty(), "{release:?} {finalizer}");
    }
}

#[test]
fn a_claim_of_a_volume_of_the_pods_own_must_be_the_pods() {
    let spec = json!([{"name": "v", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}}]);
    let mut cluster = newest();
    make_claim(&mut cluster, "p-v", json!({"status": {"phase": "Bound"}, "spec": {"volumeName": "pv1"}}));
    let error = "PVC ns/p-v was not created for pod ns/p (pod is not owner)";
    assert_eq!(refusal(cluster, &with_volumes(spec)), error);
}

#[test]
fn a_block_device_is_no_directory() {
    for (mode, list, expected) in [
        ("Block", "volumeMounts", "volume v has volumeMode Block, but is specified in volumeMounts"),
        (
            "Filesystem",
            "volumeDevices",
            "volume v has volumeMode Filesystem, but is specified in volumeDevices",
        ),
        ("Block", "volumeDevices", ""),
        ("Filesystem", "volumeMounts", ""),
    ] {
        let mut cluster = newest();
        make_volume(&mut cluster, json!({"volumeMode": mode, "claimRef": {"name": "c", "uid": "uid-c"}}));
        make_claim(&mut cluster, "c", json!({"spec": {"volumeName": "pv1"}, "status": {"phase": "Bound"}}));
        let mut spec = with_claim();
        spec["containers"][0][list] = json!([{"name": "v", "mountPath": "/v"}]);
        assert_eq!(refusal(cluster, &spec), expected, "{mode} {list}");
    }
}

#[test]
fn several_errors_and_several_names_are_sorted() {
    let mut cluster = newest();
    make_claim(&mut cluster, "c1", json!({}));
    let claim =
        |name: &str, claim: &str| json!({"name": name, "persistentVolumeClaim": {"claimName": claim}});
    let secret = json!({"name": "m", "secret": {"secretName": "s"}});
    bind(&mut cluster, &with_volumes(json!([claim("z", "c2"), secret, claim("b", "c1")])));
    until(&mut cluster, 2000);
    let events = failed_mounts(&mut cluster);
    // The Secret is tried on, although the sync has ended.
    assert_eq!(instants(&events), [0, 300, 600, 1700]);
    let expected = "Unable to attach or mount volumes: unmounted volumes=[b m z], unattached volumes=[], failed to process \
                    volumes=[b z]: error processing PVC ns/c1: PVC is not bound; error processing PVC ns/c2: failed to \
                    fetch PVC from API server: persistentvolumeclaims \"c2\" not found";
    assert_eq!(events[1].1, expected);
}

/// Syncs begin at 0 s, 11 s and 22 s. The last waits for the Secret of 23 s, which is mounted at 32.1 s.
#[test]
fn a_refusal_is_forgotten_once_the_claim_is_bound() {
    let mut cluster = newest();
    let claim = make_claim(&mut cluster, "c", json!({}));
    let id = bind(&mut cluster, &with_both());
    until(&mut cluster, 12_000);
    bind_claim(&mut cluster, claim);
    until(&mut cluster, 23_000);
    make_secret(&mut cluster);
    until(&mut cluster, 33_000);
    assert!(is_running(&cluster, id));
    let events = failed_mounts(&mut cluster).into_iter();
    let refused = events.filter(|(_, message)| message.ends_with("PVC is not bound"));
    assert_eq!(instants(&refused.collect::<Vec<_>>()), [300, 11_300]);
}

/// What has been mounted once is not unmounted, but each sync asks for the claim: at 123 s + 10 s, the tick of 134 s.
#[test]
fn a_claim_that_is_lost_while_another_volume_is_missing_ends_the_next_sync() {
    let mut cluster = newest();
    let claim = make_bound_claim(&mut cluster);
    let id = bind(&mut cluster, &with_both());
    until(&mut cluster, 60_000);
    cluster
        .patch::<PersistentVolumeClaim>(claim, |claim| claim.status.phase = "Lost".into())
        .expect("it exists");
    until(&mut cluster, 134_300);
    let last = failed_mounts(&mut cluster).pop().expect("there are events");
    let expected = "Unable to attach or mount volumes: unmounted volumes=[w], unattached volumes=[], failed to process \
                    volumes=[]: error processing PVC ns/c: PVC is not bound";
    assert_eq!(last, (134_300, expected.to_owned()));
    // All that is missing is mounted at 250.4 s; the sync of then asks for the claim only after it has looked.
    make_secret(&mut cluster);
    until(&mut cluster, 300_000);
    assert!(is_running(&cluster, id));
}

#[test]
fn a_volume_of_another_node_is_not_mounted() {
    let mut cluster = newest();
    let node = json!({"kind": "Node", "metadata": {"name": "node", "labels": {"zone": "b"}},
        "status": {"allocatable": {"pods": "1"}}});
    cluster.put(&object(&node)).expect("the node is new");
    let term = json!({"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]});
    make_volume(
        &mut cluster,
        json!({"claimRef": {"name": "c", "uid": "uid-c"}, "nodeAffinity": {"required": {"nodeSelectorTerms": [term]}}}),
    );
    make_claim(&mut cluster, "c", json!({"spec": {"volumeName": "pv1"}, "status": {"phase": "Bound"}}));
    let id = bind(&mut cluster, &with_claim());
    until(&mut cluster, 2000);
    let events = failed_mounts(&mut cluster);
    assert_eq!(instants(&events), [0, 600, 1700]);
    let message = "MountVolume.NodeAffinity check failed for volume \"pv1\" : no matching NodeSelectorTerms";
    assert_eq!((events[0].1.as_str(), reason(&cluster, id).as_str()), (message, "ContainerCreating"));
}
