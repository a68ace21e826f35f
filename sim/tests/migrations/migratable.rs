//! Which guests can be moved.

use crate::world::World;
use serde_json::{Value, json};
use stuckvm_sim::Kind;
use stuckvm_sim::objects::{Conditions, Node, Truth};

/// The reason why an instance with these fields cannot be moved; none if it can.
fn obstacle(world: &mut World, name: &str, besides: &Value) -> Option<(String, String)> {
    world.run(name, besides);
    let vmi = world.vmi(name);
    let found = vmi.status.conditions.condition("LiveMigratable").expect("it is judged when it runs");
    (found.status == Truth::False).then(|| (found.reason.to_string(), found.message.to_string()))
}

fn domain(devices: &Value) -> Value {
    json!({"domain": {"memory": {"guest": "1Gi"}, "devices": devices}})
}

#[test]
fn the_network_the_cpu_the_devices_and_the_disks_decide() {
    let mut world = World::new();
    let claim = |name: &str, mode: &str| json!({"kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": {"accessModes": [mode]}});
    world.apply(&claim("shared", "ReadWriteMany")).expect("it is accepted");
    world.apply(&claim("own", "ReadWriteOnce")).expect("it is accepted");
    let mut asked = |name: &str, besides: Value| obstacle(&mut world, name, &besides);
    let disk =
        |claim: &str| json!({"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": claim}}]});
    assert_eq!(asked("plain", json!({})), None);
    assert_eq!(asked("shared", disk("shared")), None);
    let rule = "live migration requires that all PVCs must be shared (using ReadWriteMany access mode)";
    let expected = format!("cannot migrate VMI: PVC own is not shared, {rule}");
    assert_eq!(asked("own", disk("own")), Some(("DisksNotLiveMigratable".into(), expected)));
    let host_disk =
        |shared: bool| json!({"volumes": [{"name": "d", "hostDisk": {"path": "/d", "shared": shared}}]});
    assert_eq!(asked("host-shared", host_disk(true)), None);
    let expected = "cannot migrate VMI with non-shared HostDisk".to_owned();
    assert_eq!(asked("host", host_disk(false)), Some(("DisksNotLiveMigratable".into(), expected)));
    let device = json!({"name": "g", "deviceName": "x/y"});
    for (name, devices, message) in [
        ("gpu", json!({"gpus": [device]}), "a GPU but feature gate VGPULiveMigration is not enabled"),
        ("gpus", json!({"gpus": [device, device]}), "too many GPUs"),
        ("device", json!({"hostDevices": [device]}), "non-migratable generic PCI host device"),
    ] {
        let expected = ("HostDeviceNotLiveMigratable".to_owned(), format!("VMI specifies {message}"));
        assert_eq!(asked(name, domain(&devices)), Some(expected));
    }
    let mut bridged = domain(&json!({"interfaces": [{"name": "n", "bridge": {}}]}));
    bridged["networks"] = json!([{"name": "n", "pod": {}}]);
    let message = "cannot migrate VMI which does not use masquerade or a migratable plugin to connect to the pod network";
    let expected = ("InterfaceNotLiveMigratable".to_owned(), message.to_owned());
    assert_eq!(asked("bridged", bridged.clone()), Some(expected));
    bridged["domain"]["devices"]["interfaces"] = json!([{"name": "n", "passtBinding": {}}]);
    assert_eq!(asked("passt", bridged.clone()), None);
    bridged["domain"]["devices"]["interfaces"] = json!([{"name": "n", "bridge": {}}]);
    bridged["networks"] = json!([{"name": "n", "multus": {"networkName": "x"}}]);
    assert_eq!(asked("multus", bridged), None);
}

#[test]
fn a_node_that_does_not_know_its_own_cpu_keeps_guests_that_have_it() {
    let mut world = World::new();
    let (node, _) = world.cluster.find(Kind::Node, "", "node-a").expect("it exists");
    let forget = |node: &mut Node| {
        node.metadata.labels.remove("host-model-cpu.node.kubevirt.io/Skylake");
    };
    world.cluster.patch(node, forget).expect("it exists");
    let expected = ("CPUModeLiveMigratable", "the node \"node-a\" does not allow migration with host-model");
    let found = obstacle(&mut world, "host-model", &json!({"evictionStrategy": "LiveMigrate"}));
    assert_eq!(found.expect("it cannot"), (expected.0.to_owned(), expected.1.to_owned()));
    assert!(world.reasons("host-model").contains(&"Migrated".to_owned()), "a drain would want it moved");
    let mut named = domain(&json!({}));
    named["domain"]["cpu"] = json!({"model": "Skylake"});
    assert_eq!(obstacle(&mut world, "named", &named), None);
}
