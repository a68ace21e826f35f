//! Random claims, volumes and classes, and the volumes of pods.

use super::tape::Tape;
use serde_json::{Value, json};

/// How many claims there are names for; not each of them exists.
const CLAIMS: usize = 6;
const CLASSES: [&str; 4] = ["csi", "local", "now", "absent"];

/// Classes of both binding modes, and with the priority classes all that pods name.
pub(crate) fn classes(tape: &mut Tape) -> Vec<Value> {
    let class = |name: &str, provisioner: &str, mode: &str| {
        json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name},
            "provisioner": provisioner, "volumeBindingMode": mode})
    };
    let mut csi = class("csi", "csi.example.com", "WaitForFirstConsumer");
    tape.set(3, (&mut csi, "allowedTopologies"), |_| {
        json!([{"matchLabelExpressions": [{"key": "topology.kubernetes.io/zone", "values": ["zone-a"]}]}])
    });
    let local = class("local", "kubernetes.io/no-provisioner", "WaitForFirstConsumer");
    let priority = |name: &str, value: i64| json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}, "value": value});
    let mut polite = priority("polite", 500);
    polite["preemptionPolicy"] = json!("Never");
    vec![csi, local, class("now", "csi.example.com", "Immediate"), priority("high", 1000), polite]
}

/// Claims with their volumes, and volumes that nobody has yet.
pub(crate) fn claims(tape: &mut Tape) -> Vec<Value> {
    let mut objects = Vec::new();
    for index in 0..CLAIMS {
        let mut claim = claim(tape, index);
        match tape.below(10) {
            0..=3 => {
                claim["spec"]["volumeName"] = json!(format!("volume-{index}"));
                claim["metadata"]["annotations"] = json!({"pv.kubernetes.io/bind-completed": "yes"});
                claim["status"] = json!({"phase": "Bound"});
                if !tape.once_in(6) {
                    objects.push(bound(tape, &claim, index));
                }
            }
            4 => claim["status"] = json!({"phase": "Lost"}),
            5 => {
                claim["metadata"]["deletionTimestamp"] = json!("2022-10-03T11:11:00Z");
                claim["metadata"]["finalizers"] = json!(["kubernetes.io/pvc-protection"]);
            }
            6 => continue,
            _ => {}
        }
        objects.push(claim);
    }
    if tape.once_in(3) {
        // The name that an ephemeral volume's claim has, and another owner.
        let mut taken = claim(tape, CLAIMS);
        taken["metadata"]["name"] = json!("pod-0-v0");
        objects.push(taken);
    }
    let free = tape.below(4);
    objects.extend((0..free).map(|index| volume(tape, &format!("free-{index}"), "Available")));
    objects
}

fn claim(tape: &mut Tape, index: usize) -> Value {
    let mode = tape.pick(&["ReadWriteOnce", "ReadWriteOncePod"]);
    let mut claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": format!("claim-{index}"), "namespace": "default", "uid": format!("uid-{index}")},
        "spec": {"accessModes": [mode], "resources": {"requests": {"storage": tape.pick(&["1Gi", "2Gi", "5Gi"])}}},
        "status": {"phase": "Pending"},
    });
    if !tape.once_in(8) {
        claim["spec"]["storageClassName"] = json!(tape.pick(&CLASSES));
    }
    claim
}

fn bound(tape: &mut Tape, claim: &Value, index: usize) -> Value {
    let mut volume = volume(tape, &format!("volume-{index}"), "Bound");
    let meta = &claim["metadata"];
    volume["spec"]["claimRef"] = json!({"namespace": "default", "name": meta["name"], "uid": meta["uid"]});
    volume
}

/// A volume, perhaps of one zone, by affinity or by label.
fn volume(tape: &mut Tape, name: &str, phase: &str) -> Value {
    let mut volume = json!({
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
        "spec": {"capacity": {"storage": tape.pick(&["2Gi", "1Gi", "10Gi"])}, "storageClassName": "local",
            "accessModes": ["ReadWriteOnce", "ReadWriteOncePod"], "hostPath": {"path": "/data"}},
        "status": {"phase": phase},
    });
    let key = "topology.kubernetes.io/zone";
    let zone = tape.pick(&["zone-a", "zone-b"]);
    match tape.below(3) {
        0 => {}
        1 => volume["metadata"]["labels"] = json!({key: zone}),
        _ => {
            volume["spec"]["nodeAffinity"] = json!({"required": {"nodeSelectorTerms": [
                {"matchExpressions": [{"key": key, "operator": "In", "values": [zone]}]}]}});
        }
    }
    volume
}

/// A volume of a pod: a claim, or a disk in-line.
pub(crate) fn pod_volume(tape: &mut Tape, index: usize) -> Value {
    let mut volume = json!({"name": format!("v{index}")});
    let read_only = tape.once_in(3);
    match tape.below(14) {
        6 | 7 => volume["gcePersistentDisk"] = json!({"pdName": "disk", "readOnly": read_only}),
        8 | 13 => volume["awsElasticBlockStore"] = json!({"volumeID": "disk", "readOnly": read_only}),
        9 | 10 => {
            volume["iscsi"] =
                json!({"targetPortal": "10.0.0.1", "iqn": "iqn.2001-04.com.example:a", "lun": 0})
        }
        11 | 12 => volume["rbd"] = json!({"monitors": ["10.0.0.1"], "image": "disk", "readOnly": read_only}),
        5 => {
            volume["ephemeral"] = json!({"volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteOnce"]}}})
        }
        _ => {
            let name = format!("claim-{}", tape.below(CLAIMS));
            volume["persistentVolumeClaim"] = json!({"claimName": name});
        }
    }
    volume
}
