//! Plays of pods whose volumes cannot be mounted. No requeue is jittered, and ticks come at full seconds.

#[path = "claims.rs"]
mod claims;

use super::{IMAGE, START, bind, cluster, cluster_of, one_container, pod, reason, run};
use serde_json::{Value, json};
use std::time::Duration;
use stuckvm_sim::environment::Program;
use stuckvm_sim::journal::Entry;
use stuckvm_sim::objects::{Conditions, ConfigMap, PersistentVolumeClaim, Pod, Secret};
use stuckvm_sim::{Cluster, KubernetesRelease, Object, ObjectId};

/// A cluster of this release with the image on its node.
fn cluster_with_image(release: KubernetesRelease) -> Cluster {
    let mut cluster = cluster_of(release);
    cluster.environment_mut().machines.store_image(IMAGE, START);
    cluster.random_mut().give_part("kubelet", "p", vec![0; 100]);
    cluster
}

fn newest() -> Cluster {
    cluster_with_image(KubernetesRelease::V1_36)
}

/// The pod `p` with these volumes.
fn with_volumes(volumes: Value) -> Value {
    let mut spec = one_container();
    spec["volumes"] = volumes;
    spec
}

/// The pod `p` whose volume `v` is of the Secret `s`.
fn with_secret() -> Value {
    with_volumes(json!([{"name": "v", "secret": {"secretName": "s"}}]))
}

/// The pod `p` whose volume `v` is of the claim `c`.
fn with_claim() -> Value {
    with_volumes(json!([{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]))
}

/// The pod `p` whose volumes `v` and `w` are of the claim `c` and the Secret `s`.
fn with_both() -> Value {
    let claim = json!({"name": "v", "persistentVolumeClaim": {"claimName": "c"}});
    with_volumes(json!([claim, {"name": "w", "secret": {"secretName": "s"}}]))
}

fn object(manifest: &Value) -> Object {
    Object::from_value(manifest).expect("a manifest").expect("a kind that is modelled")
}

/// Makes an object of the namespace `ns`, or of none.
fn put(cluster: &mut Cluster, manifest: Value) -> ObjectId {
    let mut manifest = manifest;
    manifest["metadata"]["namespace"] = json!("ns");
    cluster.put(&object(&manifest)).expect("the object is new")
}

fn make_secret(cluster: &mut Cluster) -> ObjectId {
    put(cluster, json!({"kind": "Secret", "metadata": {"name": "s"}, "stringData": {"user": "bob"}}))
}

/// A claim `c` as it stands, with the uid `uid-c`.
fn make_claim(cluster: &mut Cluster, name: &str, fields: Value) -> ObjectId {
    let mut claim =
        json!({"kind": "PersistentVolumeClaim", "metadata": {"name": name, "uid": format!("uid-{name}")}});
    for (key, value) in fields.as_object().expect("a map") {
        let map = claim.as_object_mut().expect("a map").entry(key).or_insert_with(|| json!({}));
        map.as_object_mut().expect("a map").extend(value.as_object().expect("a map").clone());
    }
    put(cluster, claim)
}

fn make_volume(cluster: &mut Cluster, spec: Value) {
    let manifest = json!({"kind": "PersistentVolume", "metadata": {"name": "pv1"}, "spec": spec});
    cluster.put(&object(&manifest)).expect("the volume is new");
}

/// A claim `c` that is bound to the volume `pv1`.
fn make_bound_claim(cluster: &mut Cluster) -> ObjectId {
    make_volume(cluster, json!({"claimRef": {"name": "c", "namespace": "ns", "uid": "uid-c"}}));
    make_claim(cluster, "c", json!({"spec": {"volumeName": "pv1"}, "status": {"phase": "Bound"}}))
}

/// Lets everybody hear of what was done, and plays up to a millisecond after the start.
fn until(cluster: &mut Cluster, millis: u64) {
    cluster.settle().expect("it comes to rest");
    cluster.run_until(START + Duration::from_millis(millis)).expect("it comes to rest");
}

/// Since the last call: when the pod's FailedMount events came, in milliseconds after the start, and what they say.
fn failed_mounts(cluster: &mut Cluster) -> Vec<(u64, String)> {
    let said = |entry| match entry {
        Entry::Event { at, reason, message, .. } if reason == "FailedMount" => {
            let at = at.saturating_since(START).as_millis();
            Some((u64::try_from(at).expect("an hour at most"), message))
        }
        _ => None,
    };
    cluster.take_journal().into_iter().filter_map(said).collect()
}

fn instants(events: &[(u64, String)]) -> Vec<u64> {
    events.iter().map(|(at, _)| *at).collect()
}

fn is_running(cluster: &Cluster, id: ObjectId) -> bool {
    pod(cluster, id).status.phase == "Running"
}

/// The wait after a failure is 0.5 s at first, doubles up to 122 s, and must be over when the loop comes round that mounts,
/// every 0.1 s. After 123 s the sync ends without a word; the pod is due 10 s later, at the tick after that, and that
/// sync changes nothing: 0.6 + 1.1 + 2.1 + 4.1 + 8.1 + 16.1 + 32.1 + 64.1 = 128.3 s, then 122.1 s each time.
#[test]
fn a_volume_that_cannot_be_mounted_is_tried_again_by_a_back_off_of_its_own() {
    let mut cluster = newest();
    let id = bind(&mut cluster, &with_secret());
    until(&mut cluster, 380_000);
    assert_eq!(reason(&cluster, id), "ContainerCreating");
    assert!(!pod(&cluster, id).status.conditions.is_true("PodReadyToStartContainers"));
    let events = failed_mounts(&mut cluster);
    let expected = [0, 600, 1700, 3800, 7900, 16_000, 32_100, 64_200, 128_300, 250_400, 372_500];
    assert_eq!(instants(&events), expected);
    let message = "MountVolume.SetUp failed for volume \"v\" : secret \"s\" not found";
    assert!(events.iter().all(|(_, said)| said == message), "{events:?}");
}

/// The Secret of 10 s is found at 16 s. The sync looks for its volumes every 0.3 s: at 16.2 s.
#[test]
fn a_sync_goes_on_at_the_poll_after_the_mount() {
    let mut cluster = newest();
    let id = bind(&mut cluster, &with_secret());
    until(&mut cluster, 10_000);
    make_secret(&mut cluster);
    until(&mut cluster, 16_199);
    assert_eq!(reason(&cluster, id), "ContainerCreating");
    until(&mut cluster, 16_200);
    assert!(is_running(&cluster, id));
}

/// The first sync ends at 123 s; the pod is due at 133 s, so the tick of 134 s takes it. The Secret of 125 s is mounted at
/// 128.3 s, while no sync waits for it; that of 130 s at 250.4 s, where the second sync looks (134 s + 388 x 0.3 s).
#[test]
fn a_sync_that_has_waited_for_2m3s_is_repeated() {
    for (made_at, runs_at) in [(125_000, 134_000), (130_000, 250_400)] {
        let mut cluster = newest();
        let id = bind(&mut cluster, &with_secret());
        until(&mut cluster, made_at);
        make_secret(&mut cluster);
        until(&mut cluster, runs_at - 1);
        assert_eq!(reason(&cluster, id), "ContainerCreating", "made at {made_at}");
        until(&mut cluster, runs_at);
        assert!(is_running(&cluster, id), "made at {made_at}");
    }
}

#[test]
fn only_1_23_says_that_the_time_is_over() {
    let volumes = json!([{"name": "v", "secret": {"secretName": "s"}}, {"name": "a", "emptyDir": {}}]);
    let over = "Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[v a]: timed out \
                waiting for the condition";
    for release in KubernetesRelease::ALL {
        let mut cluster = cluster_with_image(release);
        bind(&mut cluster, &with_volumes(volumes.clone()));
        until(&mut cluster, 128_000);
        let told = failed_mounts(&mut cluster).into_iter().filter(|(at, _)| *at == 123_000);
        let told: Vec<String> = told.map(|(_, message)| message).collect();
        let expected = if release == KubernetesRelease::V1_23 { vec![over.to_owned()] } else { Vec::new() };
        assert_eq!(told, expected, "{release:?}");
    }
}

#[test]
fn what_volumes_of_files_miss_is_told() {
    let config_map = |source: Value| json!({"name": "v", "configMap": source});
    let secret = |source: Value| json!({"name": "v", "secret": source});
    let projected = |sources: Value| json!({"name": "v", "projected": {"sources": sources}});
    let items =
        json!([{"key": "user", "path": "u"}, {"key": "word", "path": "w"}, {"key": "x", "path": "x"}]);
    let both = json!([{"secret": {"name": "no"}}, {"configMap": {"name": "no"}}, {"secret": {"name": "no"}}]);
    let token =
        json!([{"serviceAccountToken": {"path": "token"}}, {"configMap": {"name": "kube-root-ca.crt"}}]);
    for (volume, error) in [
        (config_map(json!({"name": "no"})), "configmap \"no\" not found"),
        (config_map(json!({"name": "no", "optional": true})), ""),
        (config_map(json!({"name": "no", "optional": false})), "configmap \"no\" not found"),
        (config_map(json!({"name": "m"})), ""),
        (config_map(json!({"name": "m", "items": [{"key": "bytes", "path": "b"}]})), ""),
        (
            config_map(json!({"name": "m", "items": items})),
            "configmap references non-existent config key: word",
        ),
        (config_map(json!({"name": "m", "items": items, "optional": true})), ""),
        (secret(json!({"secretName": "no"})), "secret \"no\" not found"),
        (secret(json!({"secretName": "s"})), ""),
        (secret(json!({"secretName": "s", "items": items})), "references non-existent secret key: word"),
        (projected(both), "[secret \"no\" not found, configmap \"no\" not found]"),
        (
            projected(json!([{"secret": {"name": "s"}}, {"configMap": {"name": "no"}}])),
            "configmap \"no\" not found",
        ),
        // kube-controller-manager keeps it in every namespace.
        (projected(token), ""),
        (json!({"name": "v", "emptyDir": {}}), ""),
    ] {
        let mut cluster = newest();
        make_secret(&mut cluster);
        let data = json!({"data": {"user": "bob"}, "binaryData": {"bytes": "Yg=="}});
        put(
            &mut cluster,
            json!({"kind": "ConfigMap", "metadata": {"name": "m"}, "data": data["data"], "binaryData": data["binaryData"]}),
        );
        let id = bind(&mut cluster, &with_volumes(json!([volume])));
        let said: Vec<String> = failed_mounts(&mut cluster).into_iter().map(|(_, message)| message).collect();
        let expected = format!("MountVolume.SetUp failed for volume \"v\" : {error}");
        assert_eq!(said, if error.is_empty() { vec![] } else { vec![expected] }, "{volume}");
        assert_eq!(is_running(&cluster, id), error.is_empty(), "{volume}");
    }
}

#[test]
fn a_key_that_comes_later_is_found() {
    let mut cluster = newest();
    let map = put(&mut cluster, json!({"kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"a": "1"}}));
    let source = json!({"name": "m", "items": [{"key": "b", "path": "b"}]});
    let id = bind(&mut cluster, &with_volumes(json!([{"name": "v", "configMap": source}])));
    until(&mut cluster, 1000);
    let changed = cluster.patch::<ConfigMap>(map, |map| {
        map.data.insert("b".into(), "2".into());
    });
    assert_eq!(changed, Ok(true));
    // Tried at 1.7 s, seen at 1.8 s.
    until(&mut cluster, 1800);
    assert!(is_running(&cluster, id));
}

/// The sync of 134 s needs the Secret `t` of 125 s, which was mounted at 128.3 s, and no more the Secret `s`.
#[test]
fn what_was_mounted_stays_so_while_others_are_missing() {
    let mut cluster = newest();
    let secret = make_secret(&mut cluster);
    let volume = |name: &str| json!({"name": name, "secret": {"secretName": name}});
    let id = bind(&mut cluster, &with_volumes(json!([volume("s"), volume("t")])));
    cluster.delete::<Secret>(secret).expect("the Secret exists");
    until(&mut cluster, 125_000);
    put(&mut cluster, json!({"kind": "Secret", "metadata": {"name": "t"}}));
    until(&mut cluster, 134_000);
    assert!(is_running(&cluster, id));
}

#[test]
fn a_volume_that_no_container_mounts_is_not_waited_for() {
    let mut cluster = newest();
    let secret = json!({"name": "v", "secret": {"secretName": "s"}});
    let mut spec = with_volumes(json!([secret, {"name": "w", "emptyDir": {}}]));
    spec["containers"][0]["volumeMounts"] = json!([{"name": "w", "mountPath": "/w"}]);
    let id = bind(&mut cluster, &spec);
    assert!(is_running(&cluster, id));
    assert_eq!(failed_mounts(&mut cluster), []);
}

#[test]
fn a_pod_that_has_its_volumes_keeps_them() {
    let mut cluster = newest();
    let runs_for_5s = Program::ends(Duration::from_secs(5), 0);
    cluster.environment_mut().programs.script("p", "main", vec![runs_for_5s]);
    let secret = make_secret(&mut cluster);
    let claim = make_bound_claim(&mut cluster);
    let id = bind(&mut cluster, &with_both());
    run(&mut cluster, 2);
    cluster.delete::<Secret>(secret).expect("the Secret exists");
    cluster
        .patch::<PersistentVolumeClaim>(claim, |claim| claim.status.phase = "Lost".into())
        .expect("it exists");
    run(&mut cluster, 30);
    assert!(pod(&cluster, id).status.container_statuses[0].restart_count >= 2);
    assert_eq!(failed_mounts(&mut cluster), []);
}

/// A pod is gone two relists after its sync has ended, which in 1.23 is when the wait is over.
#[test]
fn the_deletion_of_a_pod_ends_its_wait_since_1_30() {
    for (release, ends) in [
        (KubernetesRelease::V1_36, 20_000),
        (KubernetesRelease::V1_30, 20_000),
        (KubernetesRelease::V1_23, 123_000),
    ] {
        let mut cluster = cluster_with_image(release);
        let id = bind(&mut cluster, &with_secret());
        until(&mut cluster, 20_000);
        cluster.delete::<Pod>(id).expect("the pod exists");
        until(&mut cluster, ends);
        assert!(cluster.view().get::<Pod>(id).is_some(), "{release:?}");
        until(&mut cluster, ends + 2500);
        assert!(cluster.view().get::<Pod>(id).is_none(), "{release:?}");
        assert_ne!(failed_mounts(&mut cluster), [], "{release:?}");
        run(&mut cluster, 600);
        assert_eq!(failed_mounts(&mut cluster), [], "{release:?}");
    }
}

#[test]
fn a_lost_machine_goes_on_with_its_wait_when_it_is_back() {
    let mut cluster = newest();
    make_claim(&mut cluster, "c", json!({}));
    let id = bind(&mut cluster, &with_claim());
    until(&mut cluster, 100);
    cluster.set_machine("node", true);
    until(&mut cluster, 5050);
    cluster.set_machine("node", false);
    until(&mut cluster, 6000);
    // The poll after 5.05 s. As the machine is back each pod is synced once more, at the next relist.
    assert_eq!(instants(&failed_mounts(&mut cluster)), [5100, 5802]);
    assert_eq!(reason(&cluster, id), "ContainerCreating");
}

#[test]
fn a_pod_without_volumes_waits_for_none() {
    let mut cluster = cluster();
    cluster.environment_mut().machines.store_image(IMAGE, START);
    let id = bind(&mut cluster, &one_container());
    assert!(is_running(&cluster, id));
    assert_eq!(
        cluster
            .take_journal()
            .iter()
            .filter(|entry| matches!(entry, Entry::Event { reason, .. } if reason == "FailedMount"))
            .count(),
        0
    );
}
