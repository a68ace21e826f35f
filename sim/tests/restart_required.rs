//! Which changes of a template ask for a restart of the machine: each by a patch of a running machine.

use serde_json::{Value, json};
use stuckvm_sim::objects::{Condition, VirtualMachine, VirtualMachineInstance};
use stuckvm_sim::{Cluster, Config, Kind, KubeVirtRelease, Latency, Object};

/// A cluster of the VM controller alone, whose machine has just started with this template.
struct Play {
    cluster: Cluster,
}

impl Play {
    fn new(release: KubeVirtRelease, template: Value) -> Self {
        let config = Config { kubevirt: release, latency: Latency::none(), ..Config::default() };
        let mut cluster = Cluster::with_some(config, |name| name == "virtual-machine");
        let manifest = json!({
            "kind": "VirtualMachine", "metadata": {"name": "vm1", "namespace": "default"},
            "spec": {"runStrategy": "Always", "template": {"spec": template}},
        });
        let object = Object::from_value(&manifest).expect("a machine").expect("a known kind");
        cluster.apply_manifest(&object).expect("a good machine");
        cluster.settle().expect("a rest");
        Self { cluster }
    }

    fn patch(&mut self, spec: Value) {
        let (id, _) = self.cluster.find(Kind::VirtualMachine, "default", "vm1").expect("the machine");
        self.cluster.merge_patch(id, &json!({ "spec": spec })).expect("a good patch");
        self.cluster.settle().expect("a rest");
    }

    /// The condition, if it is there.
    fn required(&self) -> Option<&Condition> {
        let (_, vm) = self.cluster.view().named::<VirtualMachine>("default", "vm1").expect("the machine");
        vm.status.conditions.iter().find(|condition| condition.kind == "RestartRequired")
    }
}

/// A template with a disk of each sort.
fn template() -> Value {
    json!({
        "terminationGracePeriodSeconds": 30,
        "networks": [{"name": "n", "pod": {}}],
        "domain": {
            "cpu": {"sockets": 1}, "memory": {"guest": "1Gi"},
            "devices": {
                "interfaces": [{"name": "n", "masquerade": {}}],
                "disks": [{"name": "root", "disk": {}}, {"name": "cd", "cdrom": {}}, {"name": "extra", "disk": {}}],
            },
        },
        "volumes": [
            {"name": "root", "persistentVolumeClaim": {"claimName": "root"}},
            {"name": "cd", "persistentVolumeClaim": {"claimName": "cd", "hotpluggable": true}},
            {"name": "extra", "dataVolume": {"name": "extra", "hotpluggable": true}},
        ],
    })
}

/// Whether each of these patches of the template, or of the spec, asks for a restart.
fn asked(release: KubeVirtRelease, patches: &[(&str, Value)]) -> Vec<String> {
    let asks = |(_, patch): &&(&str, Value)| {
        let mut play = Play::new(release, template());
        assert_eq!(play.required(), None);
        play.patch(patch.clone());
        play.required().is_some()
    };
    patches.iter().filter(asks).map(|(name, _)| (*name).to_owned()).collect()
}

fn of_template(spec: Value) -> Value {
    json!({"template": { "spec": spec }})
}

/// The template's volumes and disks without some, and with others in front.
fn storage(without: &[&str], volumes: Value, disks: Value) -> Value {
    let stays = |item: &&Value| !without.contains(&item["name"].as_str().unwrap_or_default());
    let list = |new: Value, old: &Value| {
        let old: Vec<Value> = old.as_array().expect("a list").iter().filter(stays).cloned().collect();
        Value::from([new.as_array().expect("a list").clone(), old].concat())
    };
    let old = template();
    let volumes = list(volumes, &old["volumes"]);
    let disks = list(disks, &old["domain"]["devices"]["disks"]);
    of_template(json!({"volumes": volumes, "domain": {"devices": {"disks": disks}}}))
}

#[test]
fn fields_that_no_running_guest_gets_ask_for_a_restart() {
    let patches = [
        ("grace", of_template(json!({"terminationGracePeriodSeconds": 60}))),
        ("cores", of_template(json!({"domain": {"cpu": {"cores": 2}}}))),
        ("hugepages", of_template(json!({"domain": {"memory": {"hugepages": {"pageSize": "2Mi"}}}}))),
        ("sockets", of_template(json!({"domain": {"cpu": {"sockets": 2}}}))),
        ("memory", of_template(json!({"domain": {"memory": {"guest": "2Gi"}}}))),
        ("selector", of_template(json!({"nodeSelector": {"disk": "fast"}}))),
        ("tolerations", of_template(json!({"tolerations": [{"key": "a", "operator": "Exists"}]}))),
        ("affinity", of_template(json!({"affinity": {"nodeAffinity": {}}}))),
        ("labels", json!({"template": {"metadata": {"labels": {"a": "b"}}}})),
        ("the same in other words", of_template(json!({"domain": {"memory": {"guest": "1024Mi"}}}))),
    ];
    assert_eq!(asked(KubeVirtRelease::Main2026_08, &patches), ["grace", "cores", "hugepages"]);
    // Stage, the default before 1.6: only what is no change at all does not.
    let staged = ["grace", "cores", "hugepages", "sockets", "memory", "selector", "tolerations", "affinity"];
    assert_eq!(asked(KubeVirtRelease::V1_3, &patches), staged);
    assert_eq!(asked(KubeVirtRelease::V0_59, &patches), [""; 0]);
}

#[test]
fn volumes_that_are_plugged_in_and_out_ask_for_none() {
    let plugged = json!([{"name": "new", "dataVolume": {"name": "new", "hotpluggable": true}}]);
    let fixed = json!([{"name": "new", "dataVolume": {"name": "new"}}]);
    let disk = json!([{"name": "new", "disk": {}}]);
    let other_claim = json!([{"name": "root", "persistentVolumeClaim": {"claimName": "other"}}]);
    let root = json!([{"name": "root", "disk": {}}]);
    let mut migrated = storage(&["root"], other_claim.clone(), root.clone());
    migrated["updateVolumesStrategy"] = "Migration".into();
    let patches = [
        ("plugged in", storage(&[], plugged, disk.clone())),
        ("a fixed one more", storage(&[], fixed, disk)),
        ("plugged out", storage(&["extra"], json!([]), json!([]))),
        ("a CD-ROM less", storage(&["cd"], json!([]), json!([]))),
        ("a fixed one less", storage(&["root"], json!([]), json!([]))),
        ("another claim", storage(&["root"], other_claim, root.clone())),
        ("another claim by migration", migrated),
        (
            "another disk",
            storage(
                &["root"],
                json!([{"name": "root", "persistentVolumeClaim": {"claimName": "root"}}]),
                json!([{"name": "root", "disk": {"bus": "sata"}}]),
            ),
        ),
    ];
    let expected = ["a fixed one more", "a CD-ROM less", "a fixed one less", "another claim", "another disk"];
    assert_eq!(asked(KubeVirtRelease::Main2026_08, &patches), expected);
}

#[test]
fn interfaces_may_come_and_change_their_state() {
    let networks = |interfaces: Value, networks: Value| {
        of_template(json!({"networks": networks, "domain": {"devices": {"interfaces": interfaces}}}))
    };
    let own = json!({"name": "n", "masquerade": {}});
    let more = json!({"name": "m", "bridge": {}});
    let pod = json!({"name": "n", "pod": {}});
    let multus = |of: &str| json!({"name": "m", "multus": {"networkName": of}});
    let down = json!({"name": "n", "masquerade": {}, "state": "down"});
    let patches = [
        ("one more", networks(json!([own, more]), json!([pod, multus("a")]))),
        ("its state", networks(json!([down]), json!([pod]))),
        ("none", networks(json!([]), json!([]))),
        ("another binding", networks(json!([{"name": "n", "bridge": {}}]), json!([pod]))),
        ("another network", networks(json!([own]), json!([{"name": "n", "multus": {"networkName": "a"}}]))),
    ];
    let expected = ["none", "another binding", "another network"];
    assert_eq!(asked(KubeVirtRelease::Main2026_08, &patches), expected);
}

#[test]
fn it_says_why_and_goes_when_the_template_is_as_it_was() {
    for (release, goes) in [(KubeVirtRelease::Main2026_08, true), (KubeVirtRelease::V1_3, false)] {
        let mut play = Play::new(release, template());
        play.patch(of_template(json!({"terminationGracePeriodSeconds": 60})));
        let required = play.required().expect("the condition").clone();
        assert_eq!((required.status.as_str(), required.reason.as_str()), ("True", ""));
        assert_eq!(required.message, "a non-live-updatable field was changed in the template spec");
        assert_eq!(required.last_transition_time, Some(play.cluster.now()));
        play.patch(of_template(json!({"terminationGracePeriodSeconds": 30})));
        assert_eq!(play.required().is_none(), goes, "{release:?}");
    }
}

/// The stop takes it away, the comparison after it puts it back: an instance that is going is still there.
#[test]
fn it_lasts_until_the_next_start() {
    let mut play = Play::new(KubeVirtRelease::default(), template());
    play.patch(of_template(json!({"terminationGracePeriodSeconds": 60})));
    play.patch(json!({"runStrategy": "Halted"}));
    assert!(play.required().is_some());
    let (vmi, _) = play.cluster.find(Kind::VirtualMachineInstance, "default", "vm1").expect("an instance");
    let ended = |vmi: &mut VirtualMachineInstance| {
        vmi.status.phase = "Succeeded".into();
        vmi.metadata.finalizers.retain(|name| name != "kubevirt.io/foregroundDeleteVirtualMachine");
    };
    play.cluster.patch::<VirtualMachineInstance>(vmi, ended).expect("an instance");
    play.cluster.settle().expect("a rest");
    assert!(play.cluster.find(Kind::VirtualMachineInstance, "default", "vm1").is_none());
    assert!(play.required().is_some(), "without an instance nothing is compared");
    play.patch(json!({"runStrategy": "Always"}));
    assert_eq!(play.required(), None);
}

#[test]
fn devices_that_are_no_mapping_are_compared_as_they_stand() {
    let mut play = Play::new(KubeVirtRelease::Main2026_08, json!({"domain": {"devices": ["odd"]}}));
    play.patch(of_template(json!({"domain": {"devices": {}}})));
    assert!(play.required().is_some());
}
