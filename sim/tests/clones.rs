//! Copies that two pods make, copies across namespaces, uploads, and what older releases of CDI do otherwise: on a cluster with
//! every controller.

use serde_json::{Value, json};
use std::time::Duration;
use stuckvm_sim::journal::Entry;
use stuckvm_sim::objects::{DataVolume, PersistentVolumeClaim, Pod, VolumeCloneSource};
use stuckvm_sim::{CdiConfig, CdiRelease, Cluster, Config, Kind, Object, ObjectId, UploadError};

/// A node, a class whose driver takes no snapshots, and `golden` of it in a namespace.
fn cluster(namespace: &str) -> Cluster {
    cluster_with(CdiConfig::default(), namespace)
}

fn cluster_with(cdi: CdiConfig, namespace: &str) -> Cluster {
    let mut cluster = Cluster::new(Config { keep_journal: true, cdi, ..Config::default() });
    let requests = json!({ "requests": { "storage": "1Gi" } });
    let claim = json!({ "accessModes": ["ReadWriteOnce"], "storageClassName": "csi", "resources": requests });
    let node = json!({ "kind": "Node", "metadata": { "name": "node-a" }, "status": { "allocatable": {
        "cpu": "8", "memory": "32Gi", "pods": "110", "ephemeral-storage": "100G"
    } } });
    let class =
        json!({ "kind": "StorageClass", "metadata": { "name": "csi" }, "provisioner": "csi.example.com" });
    let golden = json!({
        "kind": "PersistentVolumeClaim", "metadata": { "name": "golden", "namespace": namespace }, "spec": claim
    });
    apply(&mut cluster, &[node, class, golden]);
    run_for(&mut cluster, 5);
    cluster
}

fn apply(cluster: &mut Cluster, objects: &[Value]) {
    for object in objects {
        let object = Object::from_value(object).expect("a manifest").expect("a known kind");
        cluster.apply_manifest(&object).expect("created");
    }
}

fn run_for(cluster: &mut Cluster, seconds: u64) {
    let until = cluster.now() + Duration::from_secs(seconds);
    cluster.run_until(until).expect("it comes to rest");
}

/// A DataVolume `default/disk` of the class.
fn data_volume(source: &Value) -> Value {
    json!({ "kind": "DataVolume", "metadata": { "name": "disk", "namespace": "default" }, "spec": {
        "source": source,
        "pvc": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "csi",
            "resources": { "requests": { "storage": "1Gi" } }
        }
    } })
}

fn clone_of(namespace: &str) -> Value {
    data_volume(&json!({ "pvc": { "name": "golden", "namespace": namespace } }))
}

fn disk(cluster: &Cluster) -> &DataVolume {
    cluster.view().named::<DataVolume>("default", "disk").expect("the DataVolume").1
}

/// A pod whose name ends or begins so.
fn pod(cluster: &Cluster, part: &str) -> Option<(ObjectId, Pod)> {
    let mut pods = cluster.view().iter::<Pod>().map(|(id, pod)| (id, Pod::clone(pod)));
    pods.find(|(_, pod)| pod.metadata.name.contains(part))
}

/// The claims as `namespace/name phase`.
fn claims(cluster: &Cluster) -> Vec<String> {
    let claims = cluster.view().iter::<PersistentVolumeClaim>().map(|(_, claim)| {
        let meta = &claim.metadata;
        format!("{}/{} {}", meta.namespace, meta.name, claim.status.phase)
    });
    claims.collect()
}

/// What the journal tells of phases and progress of the DataVolume, each once in a row, and of events.
struct Told {
    phases: Vec<String>,
    progress: Vec<String>,
    /// Kind, reason and text.
    events: Vec<(String, String, String)>,
}

fn told(cluster: &mut Cluster) -> Told {
    let mut told = Told { phases: Vec::new(), progress: Vec::new(), events: Vec::new() };
    for entry in cluster.take_journal() {
        match entry {
            Entry::Write { new: Some(Object::DataVolume(dv)), .. } => {
                told.phases.push(dv.status.phase.to_string());
                told.progress.push(dv.status.progress.to_string());
            }
            Entry::Event { kind, reason, message, .. } => {
                told.events.push((kind.to_owned(), reason, message));
            }
            _ => {}
        }
    }
    told.phases.dedup();
    told.progress.dedup();
    told
}

impl Told {
    fn has(&self, kind: &str, reason: &str, text: &str) -> bool {
        self.events.iter().any(|event| event.0 == kind && event.1 == reason && event.2 == text)
    }

    fn count(&self, reason: &str) -> usize {
        self.events.iter().filter(|event| event.1 == reason).count()
    }
}

#[test]
fn without_snapshots_two_pods_make_the_copy() {
    let mut cluster = cluster("default");
    apply(&mut cluster, &[clone_of("default")]);
    run_for(&mut cluster, 20);
    let (_, source) = pod(&cluster, "-source-pod").expect("the pod that reads");
    let (_, target) = pod(&cluster, "cdi-upload-tmp-pvc-").expect("the pod that writes");
    assert_eq!((source.status.phase.as_str(), target.status.phase.as_str()), ("Running", "Running"));
    let mounts = source.spec.containers[0].rest.get("volumeMounts").expect("a mount");
    assert_eq!(mounts[0]["readOnly"], json!(true), "the source is only read");
    assert_eq!(target.spec.volumes.len(), 1, "a copy needs no scratch space");
    run_for(&mut cluster, 20);
    assert_eq!(disk(&cluster).status.phase, "Succeeded");
    assert_eq!(disk(&cluster).status.progress, "100.0%");
    assert_eq!(
        claims(&cluster),
        ["default/golden Bound", "default/disk Bound"],
        "nothing is left on the way"
    );
    assert_eq!(cluster.count::<Pod>(), 0);
    assert_eq!(cluster.count::<VolumeCloneSource>(), 0);
    let told = told(&mut cluster);
    let order = ["CloneScheduled", "CloneInProgress", "Succeeded"];
    let seen: Vec<&str> =
        told.phases.iter().map(String::as_str).filter(|phase| order.contains(phase)).collect();
    assert_eq!(seen, order);
    assert!(told.has(
        "PersistentVolumeClaim",
        "NoVolumeSnapshotClass",
        "No compatible volumesnapshotclass found"
    ));
    assert!(told.has("PersistentVolumeClaim", "CloneSucceeded", "Clone Complete"));
    let text = "Successfully cloned from default/golden into default/disk";
    assert!(told.has("DataVolume", "CloneSucceeded", text));
    let part = |progress: &&String| progress.ends_with('%') && *progress != "100.0%";
    assert!(told.progress.iter().filter(part).count() >= 2, "it grows: {:?}", told.progress);
}

#[test]
fn without_a_driver_the_claim_itself_is_filled() {
    let without_csi_driver = ["csi.example.com".into()].into();
    let mut cluster = cluster_with(CdiConfig { without_csi_driver, ..CdiConfig::default() }, "default");
    apply(&mut cluster, &[clone_of("default")]);
    run_for(&mut cluster, 20);
    assert!(pod(&cluster, "-source-pod").is_some() && pod(&cluster, "cdi-upload-disk").is_some());
    run_for(&mut cluster, 20);
    assert_eq!(disk(&cluster).status.phase, "Succeeded");
    assert_eq!(claims(&cluster), ["default/golden Bound", "default/disk Bound"]);
    assert_eq!(cluster.count::<Pod>(), 0);
    let told = told(&mut cluster);
    let order = ["CloneScheduled", "CloneInProgress", "Succeeded"];
    let mut seen: Vec<&str> =
        told.phases.iter().map(String::as_str).filter(|phase| order.contains(phase)).collect();
    seen.dedup();
    assert_eq!(seen, order);
    let part = |progress: &&String| progress.ends_with('%') && *progress != "100.0%";
    assert!(told.progress.iter().filter(part).count() >= 2, "it grows: {:?}", told.progress);
    let text = "In tree storage class does not support snapshot/clone";
    assert!(told.has("PersistentVolumeClaim", "NoPopulator", text));
}

#[test]
fn until_1_43_whatever_is_filled_fails_with_its_pod() {
    let upload = data_volume(&json!({ "upload": {} }));
    for (source, later) in [(clone_of("default"), "CloneScheduled"), (upload, "UploadScheduled")] {
        let of = |release| {
            let without_csi_driver = ["csi.example.com".into()].into();
            let cdi = CdiConfig { release, without_csi_driver, ..CdiConfig::default() };
            let mut cluster = cluster_with(cdi, "default");
            apply(&mut cluster, std::slice::from_ref(&source));
            run_for(&mut cluster, 20);
            // Nobody says any more how the pod is, but that it has failed.
            cluster.set_machine("node-a", true);
            let (id, _) = pod(&cluster, "cdi-upload-disk").expect("the pod that writes");
            let failed = cluster.patch::<Pod>(id, |pod| pod.status.phase = "Failed".into());
            failed.expect("the pod is there");
            run_for(&mut cluster, 1);
            disk(&cluster).status.phase.to_string()
        };
        assert_eq!(CdiRelease::ALL.map(of), ["Failed", later, later]);
    }
}

#[test]
fn a_checksum_is_stored_since_1_65() {
    let http = json!({ "url": "http://images.example/disk.img", "checksum": "sha256:00" });
    let of = |release| {
        let mut cluster = cluster_with(CdiConfig { release, ..CdiConfig::default() }, "default");
        apply(&mut cluster, &[data_volume(&json!({ "http": http }))]);
        disk(&cluster).spec.source.as_ref().expect("a source")["http"].get("checksum").is_some()
    };
    assert_eq!(CdiRelease::ALL.map(of), [false, false, true]);
}

/// A pod that mounts `golden`.
fn user(read_only: bool) -> Value {
    json!({ "kind": "Pod", "metadata": { "name": "user", "namespace": "default" }, "spec": {
        "containers": [{ "name": "main", "image": "registry.example/user:v1", "volumeMounts": [
            { "name": "data", "mountPath": "/data", "readOnly": read_only }
        ] }],
        "volumes": [{ "name": "data", "persistentVolumeClaim": { "claimName": "golden" } }]
    } })
}

#[test]
fn a_source_that_somebody_writes_is_waited_for() {
    let mut cluster = cluster("default");
    apply(&mut cluster, &[user(false), clone_of("default")]);
    run_for(&mut cluster, 60);
    assert_eq!(disk(&cluster).status.phase, "CloneInProgress");
    assert!(pod(&cluster, "-source-pod").is_none(), "nobody reads what somebody writes");
    let (id, _) = pod(&cluster, "user").expect("the user");
    cluster.delete_object(id).expect("deleted");
    run_for(&mut cluster, 60);
    assert_eq!(disk(&cluster).status.phase, "Succeeded");
    let told = told(&mut cluster);
    let text = "pod default/user using PersistentVolumeClaim golden";
    let on_target = |event: &&(String, String, String)| event.1 == "CloneSourceInUse" && event.2 == text;
    assert!(told.events.iter().filter(on_target).count() > 10, "it looks every two seconds");
}

#[test]
fn a_source_that_somebody_reads_is_copied_all_the_same() {
    let mut cluster = cluster("default");
    apply(&mut cluster, &[user(true), clone_of("default")]);
    run_for(&mut cluster, 60);
    assert_eq!(disk(&cluster).status.phase, "Succeeded");
    assert_eq!(told(&mut cluster).count("CloneSourceInUse"), 0);
}

#[test]
fn a_copy_whose_receiver_goes_is_made_again() {
    let mut cluster = cluster("default");
    apply(&mut cluster, &[clone_of("default")]);
    run_for(&mut cluster, 20);
    let (id, receiver) = pod(&cluster, "cdi-upload-tmp-pvc-").expect("the pod that writes");
    assert_eq!(receiver.status.phase, "Running");
    cluster.delete_object(id).expect("deleted");
    run_for(&mut cluster, 120);
    assert_eq!(disk(&cluster).status.phase, "Succeeded");
    let exits: Vec<i32> = cluster
        .take_journal()
        .into_iter()
        .filter_map(|entry| match entry {
            Entry::Write { new: Some(Object::Pod(pod)), .. }
                if pod.metadata.name.ends_with("-source-pod") =>
            {
                pod.status.container_statuses.first()?.terminated().map(|ended| ended.exit_code)
            }
            _ => None,
        })
        .collect();
    assert!(exits.contains(&255) && exits.contains(&0), "{exits:?}");
}

#[test]
fn a_copy_into_another_namespace_is_made_beside_its_source() {
    let mut cluster = cluster("images");
    apply(&mut cluster, &[clone_of("images")]);
    run_for(&mut cluster, 20);
    let dv = disk(&cluster);
    assert!(dv.metadata.has_finalizer("cdi.kubevirt.io/dataVolumeFinalizer"));
    let (_, source) = pod(&cluster, "-source-pod").expect("the pod that reads");
    let (_, target) = pod(&cluster, "cdi-upload-tmp-pvc-").expect("the pod that writes");
    assert_eq!(
        [source.metadata.namespace.as_str(), target.metadata.namespace.as_str()],
        ["images", "images"]
    );
    run_for(&mut cluster, 20);
    assert_eq!(disk(&cluster).status.phase, "Succeeded");
    assert_eq!(claims(&cluster), ["images/golden Bound", "default/disk Bound"]);
    assert_eq!(cluster.count::<VolumeCloneSource>(), 0, "it has gone with its purpose");
    assert!(!disk(&cluster).metadata.has_finalizer("cdi.kubevirt.io/dataVolumeFinalizer"));
}

/// What becomes of a copy from `images` with another token than the webhook's.
fn with_token(token: &Value) -> Cluster {
    let mut cluster = cluster("images");
    apply(&mut cluster, &[clone_of("images")]);
    let (id, _) = cluster.find(Kind::DataVolume, "default", "disk").expect("the DataVolume");
    let patch = json!({ "metadata": { "annotations": { "cdi.kubevirt.io/storage.clone.token": token } } });
    cluster.merge_patch(id, &patch).expect("patched");
    run_for(&mut cluster, 60);
    cluster
}

#[test]
fn without_a_token_nothing_leaves_a_namespace() {
    let cluster = with_token(&Value::Null);
    assert_eq!(claims(&cluster), ["images/golden Bound"]);
}

#[test]
fn a_token_for_another_source_does_not_count() {
    let token = json!({
        "operation": "Clone", "name": "other", "namespace": "images", "resource": "persistentvolumeclaims",
        "targetNamespace": "default", "targetName": "disk"
    });
    let cluster = with_token(&token.to_string().into());
    assert_eq!(claims(&cluster), ["images/golden Bound", "default/disk Pending"]);
    let (_, claim) = cluster.view().named::<PersistentVolumeClaim>("default", "disk").expect("the claim");
    assert!(claim.metadata.annotations.has("cdi.kubevirt.io/cloneError", "invalid token"));
}

#[test]
fn an_upload_ends_when_the_server_has_it_all() {
    let mut cluster = cluster("default");
    apply(&mut cluster, &[data_volume(&json!({ "upload": {} }))]);
    let size = 500_000_000;
    let early = cluster.upload_image("default", "disk", size);
    assert!(matches!(early, Err(UploadError::NotReady { .. })), "{early:?}");
    run_for(&mut cluster, 30);
    assert_eq!(disk(&cluster).status.phase, "UploadReady");
    let large = cluster.upload_image("default", "disk", 2 << 30);
    assert!(matches!(large, Err(UploadError::TooLarge { available: 1_012_924_416, .. })), "{large:?}");
    cluster.upload_image("default", "disk", size).expect("sent");
    run_for(&mut cluster, 4);
    assert_eq!(disk(&cluster).status.phase, "UploadReady", "500 MB take five seconds");
    run_for(&mut cluster, 16);
    assert_eq!(disk(&cluster).status.phase, "Succeeded");
    assert_eq!(claims(&cluster), ["default/golden Bound", "default/disk Bound"]);
    let told = told(&mut cluster);
    let phases = ["UploadScheduled", "UploadReady", "Succeeded"];
    let seen: Vec<&str> =
        told.phases.iter().map(String::as_str).filter(|phase| phases.contains(phase)).collect();
    // A server that has ended is not ready, and has not succeeded before its pod has.
    assert_eq!(seen, ["UploadScheduled", "UploadReady", "UploadScheduled", "Succeeded"]);
    assert!(told.has("DataVolume", "UploadSucceeded", "Successfully uploaded into disk"));
}
