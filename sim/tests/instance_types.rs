//! Instance types and preferences in a cluster of the VM controller alone: what the webhooks refuse, what is kept, what starts.

use serde_json::{Value, json};
use stuckvm_sim::journal::Entry;
use stuckvm_sim::objects::{ControllerRevision, VirtualMachine, VirtualMachineInstance};
use stuckvm_sim::{Cluster, Config, Kind, KubeVirtRelease, Latency, Object, ObjectId, UserError};

const UID: &str = "00000000-0000-4000-a000-000000000001";

struct Play {
    cluster: Cluster,
}

impl Play {
    fn new(release: KubeVirtRelease) -> Self {
        let config =
            Config { kubevirt: release, latency: Latency::none(), keep_journal: true, ..Config::default() };
        Self { cluster: Cluster::with_some(config, |name| name == "virtual-machine") }
    }

    /// A cluster of main with a type of two vCPUs and 1 Gi.
    fn with_type() -> Self {
        let mut play = Self::new(KubeVirtRelease::default());
        play.apply(json!({
            "kind": "VirtualMachineClusterInstancetype", "metadata": {"name": "u1", "uid": UID},
            "spec": {"cpu": {"guest": 2}, "memory": {"guest": "1Gi"}},
        }))
        .expect("a good type");
        play
    }

    fn apply(&mut self, manifest: Value) -> Result<ObjectId, UserError> {
        let object = Object::from_value(&manifest).expect("an object").expect("a known kind");
        let applied = self.cluster.apply_manifest(&object);
        self.settle();
        applied
    }

    fn patch(&mut self, kind: Kind, name: &str, patch: Value) {
        let namespace = if kind.is_namespaced() { "default" } else { "" };
        let (id, _) = self.cluster.find(kind, namespace, name).expect("it is there");
        self.cluster.merge_patch(id, &patch).expect("a good patch");
        self.settle();
    }

    fn delete(&mut self, kind: Kind, name: &str) {
        let namespace = if kind.is_namespaced() { "default" } else { "" };
        let (id, _) = self.cluster.find(kind, namespace, name).expect("it is there");
        self.cluster.delete_object(id).expect("it goes");
        self.settle();
    }

    fn settle(&mut self) {
        self.cluster.settle().expect("an instant that comes to rest");
    }

    fn machine(&self) -> &VirtualMachine {
        self.cluster.view().named::<VirtualMachine>("default", "vm1").expect("the machine").1
    }

    fn instance(&self) -> Option<Value> {
        let (_, vmi) = self.cluster.view().named::<VirtualMachineInstance>("default", "vm1")?;
        Some(Object::VirtualMachineInstance(vmi.clone()).to_value())
    }

    /// Reason and message of the condition Failure.
    fn failure(&self) -> Option<(String, String)> {
        let mut conditions = self.machine().status.conditions.iter();
        let failure = conditions.find(|condition| condition.kind == "Failure")?;
        Some((failure.reason.to_string(), failure.message.to_string()))
    }

    fn revisions(&self) -> Vec<String> {
        let revisions = self.cluster.view().iter::<ControllerRevision>();
        revisions.map(|(_, revision)| revision.metadata.name.to_string()).collect()
    }

    fn warnings(&mut self) -> Vec<String> {
        let warning = |entry: &Entry| match entry {
            Entry::Event { severity, reason, message, .. } if severity.as_str() == "Warning" => {
                Some(format!("{reason} {message}"))
            }
            _ => None,
        };
        let mut found: Vec<String> = self.cluster.take_journal().iter().filter_map(warning).collect();
        found.dedup();
        found
    }
}

/// A machine with these fields of its spec, and this spec of its template.
fn machine(fields: Value, template: Value) -> Value {
    let mut manifest = json!({
        "kind": "VirtualMachine", "metadata": {"name": "vm1", "namespace": "default"},
        "spec": {"runStrategy": "Always", "template": {"spec": template}},
    });
    for (key, value) in fields.as_object().expect("fields") {
        manifest["spec"][key] = value.clone();
    }
    manifest
}

fn sized(template: Value) -> Value {
    machine(json!({"instancetype": {"name": "u1"}}), template)
}

fn empty() -> Value {
    json!({"domain": {"devices": {}}})
}

#[test]
fn a_template_must_not_say_what_the_type_says() {
    let refused = |template: Value| {
        let error = Play::with_type().apply(sized(template)).expect_err("a refusal").to_string();
        error.strip_prefix("VirtualMachine \"vm1\" is invalid: ").expect("the API's words").to_owned()
    };
    let conflict = |field: &str| {
        let field = format!("spec.template.spec.{field}");
        format!("{field}: VM field(s) {field} conflicts with selected instance type")
    };
    assert_eq!(
        refused(json!({"domain": {"cpu": {"sockets": 1, "cores": 2}, "devices": {}}})),
        format!("[{}, {}]", conflict("domain.cpu.sockets"), conflict("domain.cpu.cores"))
    );
    assert_eq!(
        refused(json!({"domain": {"resources": {"requests": {"cpu": 1}}, "devices": {}}})),
        conflict("domain.resources.requests.cpu")
    );
    // Of memory the first objection is the only one.
    assert_eq!(
        refused(
            json!({"domain": {"memory": {"guest": "1Gi"}, "resources": {"limits": {"memory": "1Gi"}}, "devices": {}}})
        ),
        conflict("domain.memory.guest")
    );
    // The other rules are put to the machine with its type filled in.
    let mut play = Play::with_type();
    let below = json!({"spec": {"memory": {"guest": "-1Gi"}}});
    play.patch(Kind::VirtualMachineClusterInstancetype, "u1", below);
    let error = play.apply(sized(empty())).expect_err("a refusal").to_string();
    assert!(error.contains("spec.template.spec.domain.memory.guest '-1Gi': must be greater"), "{error}");
}

#[test]
fn vcpus_must_divide_as_the_preference_wants_it() {
    let refused = |spread: Value, vcpus: u32| {
        let mut play = Play::with_type();
        play.patch(Kind::VirtualMachineClusterInstancetype, "u1", json!({"spec": {"cpu": {"guest": vcpus}}}));
        play.apply(json!({
            "kind": "VirtualMachinePreference", "metadata": {"name": "p", "namespace": "default"},
            "spec": {"cpu": {"preferredCPUTopology": "spread", "spreadOptions": spread}},
        }))
        .expect("a good preference");
        let fields = json!({
            "instancetype": {"name": "u1"}, "preference": {"name": "p", "kind": "VirtualMachinePreference"},
        });
        match play.apply(machine(fields, empty())) {
            Ok(_) => play.instance().expect("an instance")["spec"]["domain"]["cpu"].to_string(),
            Err(error) => error.to_string(),
        }
    };
    let start = |vcpus: u32| {
        format!(
            "VirtualMachine \"vm1\" is invalid: instancetype.spec.cpu.guest: {vcpus} vCPUs provided by the \
             instance type are not divisible by the "
        )
    };
    let ratio = "Spec.PreferSpreadSocketToCoreRatio or Spec.CPU.PreferSpreadOptions.Ratio of";
    assert_eq!(refused(json!({}), 3), format!("{}{ratio} 2 provided by the preference", start(3)));
    assert_eq!(
        refused(json!({"across": "CoresThreads", "ratio": 4}), 6),
        format!("{}number of threads per core 4", start(6))
    );
    assert_eq!(
        refused(json!({"across": "SocketsCoresThreads", "ratio": 3}), 8),
        format!("{}number of threads per core 2 and {ratio} 3", start(8))
    );
    // Twice the ratio is more than 32 bits hold.
    let huge = refused(json!({"across": "SocketsCoresThreads", "ratio": 3_000_000_000_u32}), 8);
    assert_eq!(huge, format!("{}number of threads per core 2 and {ratio} 3000000000", start(8)));
    let fits = refused(json!({"across": "SocketsCoresThreads", "ratio": 3}), 12);
    assert!(
        fits.contains("\"cores\":3") && fits.contains("\"sockets\":2") && fits.contains("\"threads\":2"),
        "{fits}"
    );
}

#[test]
fn who_comes_past_the_webhook_starts_with_vcpus_that_do_not_divide() {
    let mut play = Play::with_type();
    play.patch(Kind::VirtualMachineClusterInstancetype, "u1", json!({"spec": {"cpu": {"guest": 3}}}));
    let names = json!({"instancetype": {"name": "u1"}, "preference": {"name": "late"}});
    play.apply(machine(names, empty())).expect("what is not there is let pass");
    play.apply(json!({
        "kind": "VirtualMachineClusterPreference", "metadata": {"name": "late"},
        "spec": {"cpu": {"preferredCPUTopology": "spread"}},
    }))
    .expect("a good preference");
    play.patch(Kind::VirtualMachine, "vm1", json!({"metadata": {"labels": {"looked": "again"}}}));
    let cpu = play.instance().expect("an instance")["spec"]["domain"]["cpu"].clone();
    assert_eq!((&cpu["sockets"], &cpu["cores"]), (&json!(1), &json!(2)), "half a socket is none");
}

#[test]
fn a_machine_names_its_type() {
    let refused = |matcher: Value| {
        let error = Play::with_type().apply(machine(json!({ "preference": matcher }), empty()));
        error.expect_err("a refusal").to_string()
    };
    assert_eq!(
        refused(json!({"kind": "VirtualMachinePreference"})),
        "VirtualMachine \"vm1\" is invalid: spec.preference: Either Name or InferFromVolume should be provided \
         within the PreferenceMatcher"
    );
    assert_eq!(
        refused(json!({"name": "p", "inferFromVolume": "root", "inferFromVolumeFailurePolicy": "Maybe"})),
        "VirtualMachine \"vm1\" is invalid: [spec.preference.name: Name already set, should be cleared before \
         setting inferFromVolume, spec.preference.inferFromVolumeFailurePolicy: Invalid value 'Maybe' for \
         InferFromVolumeFailurePolicy]"
    );
    // Where both are wrong, only the instance type is told of.
    let neither = json!({"instancetype": {}, "preference": {}});
    let error = Play::with_type().apply(machine(neither, empty())).expect_err("a refusal").to_string();
    assert!(error.ends_with("within the InstancetypeMatcher"), "{error}");
}

#[test]
fn a_type_says_how_much_less_the_launcher_asks_for() {
    let refused = |memory: Value| {
        let manifest = json!({
            "kind": "VirtualMachineClusterInstancetype", "metadata": {"name": "a"},
            "spec": {"cpu": {"guest": 1}, "memory": memory},
        });
        Play::with_type().apply(manifest).expect_err("a refusal").to_string()
    };
    let named = "VirtualMachineClusterInstancetype \"a\" is invalid: spec.memory.overcommitPercent: \
                 spec.memory.overcommitPercent";
    assert_eq!(
        refused(json!({"guest": "1Gi", "overcommitPercent": 101})),
        format!("{named} '101': must be in range between 0 and 100.")
    );
    assert_eq!(
        refused(json!({"guest": "1Gi", "overcommitPercent": 10, "hugepages": {"pageSize": "2Mi"}})),
        format!("{named} and spec.memory.hugepages should not be requested together.")
    );
}

#[test]
fn what_is_not_there_is_refused_before_1_6_and_waited_for_since() {
    for (field, kind, resource) in [
        ("instancetype", "", "virtualmachineclusterinstancetypes"),
        ("instancetype", "VirtualMachineInstancetype", "virtualmachineinstancetypes"),
        ("preference", "", "virtualmachineclusterpreferences"),
        ("preference", "virtualmachinepreference", "virtualmachinepreferences"),
    ] {
        let missing = format!("{resource}.instancetype.kubevirt.io \"none\" not found");
        let memory = json!({"domain": {"memory": {"guest": "1Gi"}, "devices": {}}});
        let manifest = || machine(json!({field: {"name": "none", "kind": kind}}), memory.clone());
        for release in [KubeVirtRelease::V0_59, KubeVirtRelease::V1_3] {
            let refused = Play::new(release).apply(manifest()).expect_err("a refusal").to_string();
            let expected = format!(
                "VirtualMachine \"vm1\" is invalid: spec.{field}: Failure to find {field}: {missing}"
            );
            assert_eq!(refused, expected, "{release:?}");
        }
        let mut play = Play::new(KubeVirtRelease::Main2026_08);
        play.apply(manifest()).expect("it is stored");
        let reason = if field == "preference" { "FailedFindPreference" } else { "FailedFindInstancetype" };
        assert_eq!(play.failure(), Some((reason.to_owned(), missing)));
        assert_eq!(play.machine().status.printable_status.as_str(), "Stopped");
        assert!(play.instance().is_none());
    }
}

#[test]
fn a_kind_that_is_none_is_told() {
    let mut play = Play::with_type();
    play.apply(machine(json!({"instancetype": {"name": "u1", "kind": "foobar"}}), empty()))
        .expect("it is stored");
    let told = "got unexpected kind in InstancetypeMatcher: foobar";
    assert_eq!(play.failure(), Some(("FailedFindInstancetype".to_owned(), told.to_owned())));
}

#[test]
fn what_the_type_said_is_kept_for_the_machine() {
    let mut play = Play::with_type();
    play.apply(sized(empty())).expect("a good machine");
    let kept = format!("vm1-u1-v1beta1-{UID}-1");
    let started = format!("revision-start-vm-{}-1", play.machine().metadata.uid);
    assert_eq!(play.revisions(), [kept.clone(), started.clone()]);
    let vmi = play.instance().expect("an instance");
    assert_eq!(vmi["status"]["virtualMachineRevisionName"], started);
    assert_eq!(vmi["spec"]["domain"]["cpu"]["sockets"], 2);
    let status = Object::VirtualMachine(play.machine().clone().into()).to_value()["status"].clone();
    assert_eq!(status["instancetypeRef"], json!({"name": "u1", "controllerRevisionRef": {"name": kept}}));
    let (_, start) = play.cluster.view().named::<ControllerRevision>("default", &started).expect("the start");
    let start = serde_json::to_value(&**start).expect("objects serialize");
    assert_eq!(start["data"]["spec"]["instancetype"], json!({"name": "u1", "revisionName": kept}));
    // Neither a change nor the end of the type concerns the machine.
    play.patch(Kind::VirtualMachineClusterInstancetype, "u1", json!({"spec": {"memory": {"guest": "2Gi"}}}));
    play.delete(Kind::VirtualMachineClusterInstancetype, "u1");
    play.patch(Kind::VirtualMachine, "vm1", json!({"metadata": {"labels": {"looked": "again"}}}));
    assert_eq!(play.failure(), None);
    // The end of what was kept does.
    play.delete(Kind::ControllerRevision, &kept);
    play.patch(Kind::VirtualMachine, "vm1", json!({"metadata": {"labels": {"looked": "twice"}}}));
    let missing = format!("controllerrevisions.apps \"{kept}\" not found");
    assert_eq!(play.failure(), Some(("FailedFindInstancetype".to_owned(), missing)));
}

#[test]
fn another_name_or_kind_is_kept_anew() {
    let mut play = Play::with_type();
    play.apply(json!({
        "kind": "VirtualMachineInstancetype", "metadata": {"name": "u1", "namespace": "default", "uid": "of-namespace"},
        "spec": {"cpu": {"guest": 2}, "memory": {"guest": "1Gi"}},
    }))
    .expect("a good type");
    play.apply(sized(empty())).expect("a good machine");
    play.patch(
        Kind::VirtualMachine,
        "vm1",
        json!({"spec": {"instancetype": {"kind": "VirtualMachineInstancetype"}}}),
    );
    let status = Object::VirtualMachine(play.machine().clone().into()).to_value()["status"].clone();
    let kept = json!({"name": "vm1-u1-v1beta1-of-namespace-1"});
    assert_eq!(
        status["instancetypeRef"],
        json!({"name": "u1", "kind": "VirtualMachineInstancetype", "controllerRevisionRef": kept})
    );
    // A revision that the machine names itself counts before all others.
    play.patch(
        Kind::VirtualMachine,
        "vm1",
        json!({"spec": {"instancetype": {"revisionName": format!("vm1-u1-v1beta1-{UID}-1")}}}),
    );
    let status = Object::VirtualMachine(play.machine().clone().into()).to_value()["status"].clone();
    assert_eq!(status["instancetypeRef"]["controllerRevisionRef"]["name"], format!("vm1-u1-v1beta1-{UID}-1"));
}

/// What is kept of another type does not count, so that the new name is looked for. The guest runs on.
#[test]
fn another_name_that_is_nobodys_is_told() {
    let mut play = Play::with_type();
    play.apply(sized(empty())).expect("a good machine");
    play.patch(Kind::VirtualMachine, "vm1", json!({"spec": {"instancetype": {"name": "none"}}}));
    let missing = "virtualmachineclusterinstancetypes.instancetype.kubevirt.io \"none\" not found";
    assert_eq!(play.failure(), Some(("FailedFindInstancetype".to_owned(), missing.to_owned())));
    assert!(play.instance().is_some());
}

/// The webhook has let the machine pass, and then the type changed: the controller looks once more.
#[test]
fn a_type_that_conflicts_when_it_is_kept_is_not_kept() {
    let mut play = Play::with_type();
    let manifest = sized(json!({"nodeSelector": {"disk": "fast"}, "domain": {"devices": {}}}));
    let object = Object::from_value(&manifest).expect("a machine").expect("a known kind");
    let selector = json!({"spec": {"nodeSelector": {"disk": "slow"}}});
    play.patch(Kind::VirtualMachineClusterInstancetype, "u1", selector);
    play.cluster.apply(&object).expect("past the webhook");
    play.settle();
    let told = "error encountered while storing instancetype.kubevirt.io controllerRevisions: VM field(s) \
                spec.template.spec.nodeSelector conflicts with selected instance type";
    assert_eq!(play.failure(), Some(("FailedCreate".to_owned(), told.to_owned())));
    assert_eq!(play.warnings(), [format!("FailedCreate {told}")]);
    assert_eq!(play.revisions(), [""; 0]);
}

#[test]
fn a_template_that_conflicts_when_it_starts_does_not_start() {
    let mut play = Play::with_type();
    let mut manifest = sized(empty());
    manifest["spec"]["runStrategy"] = "Manual".into();
    play.apply(manifest).expect("a good machine");
    let vm = play.cluster.find(Kind::VirtualMachine, "default", "vm1").expect("the machine").0;
    let template = json!({"domain": {"cpu": {"cores": 2}, "memory": {"guest": "1Gi"}, "devices": {}}});
    let spec =
        machine(json!({"runStrategy": "Manual", "instancetype": {"name": "u1"}}), template)["spec"].clone();
    let spec = serde_json::from_value(spec).expect("a spec");
    play.cluster
        .patch::<VirtualMachine>(vm, |vm| vm.spec = std::sync::Arc::new(spec))
        .expect("past the webhook");
    play.cluster.start_vm("default", "vm1").expect("a start");
    play.settle();
    let told =
        "VMI conflicts with instancetype spec in fields: [spec.domain.cpu.cores, spec.domain.memory.guest]";
    assert_eq!(
        play.failure(),
        Some(("FailedCreate".to_owned(), format!("Failure while starting VMI: {told}")))
    );
    let warned =
        format!("FailedCreate Error creating virtual machine instance: Failed to apply instancetype: {told}");
    assert_eq!(play.warnings(), [warned]);
    assert!(play.instance().is_none());
}

#[test]
fn a_revision_of_that_name_must_say_the_same() {
    let mut play = Play::with_type();
    let name = format!("vm1-u1-v1beta1-{UID}-1");
    let mut revision = json!({
        "kind": "ControllerRevision", "metadata": {"name": name, "namespace": "default"},
        "data": {"apiVersion": "instancetype.kubevirt.io/v1beta1", "kind": "VirtualMachineClusterInstancetype",
            "spec": {"cpu": {"guest": 15}, "memory": {"guest": "1Gi"}}},
        "revision": 0,
    });
    play.apply(revision.clone()).expect("a good revision");
    play.apply(sized(empty())).expect("a good machine");
    let told = format!(
        "error encountered while storing instancetype.kubevirt.io controllerRevisions: found existing \
         ControllerRevision with unexpected data: {name}"
    );
    assert_eq!(play.failure(), Some(("FailedCreate".to_owned(), told)));
    // One that does is as good as a new one.
    let mut play = Play::with_type();
    revision["data"]["spec"]["cpu"]["guest"] = 2.into();
    play.apply(revision).expect("a good revision");
    play.apply(sized(empty())).expect("a good machine");
    assert_eq!((play.failure(), play.instance().is_some()), (None, true));
}

#[test]
fn a_preference_fills_in_the_instance() {
    let mut play = Play::with_type();
    play.apply(json!({
        "kind": "VirtualMachineClusterPreference", "metadata": {"name": "p", "uid": "of-preference"},
        "spec": {"cpu": {"preferredCPUTopology": "cores"}, "preferredTerminationGracePeriodSeconds": 7,
            "devices": {"preferredInterfaceModel": "e1000"}},
    }))
    .expect("a good preference");
    let fields = json!({"instancetype": {"name": "u1"}, "preference": {"name": "p"}});
    play.apply(machine(fields, empty())).expect("a good machine");
    let vmi = play.instance().expect("an instance");
    assert_eq!(vmi["spec"]["domain"]["cpu"]["cores"], 2);
    assert_eq!(vmi["spec"]["terminationGracePeriodSeconds"], 7);
    assert_eq!(vmi["spec"]["domain"]["devices"]["interfaces"][0]["model"], "e1000");
    assert_eq!(vmi["metadata"]["annotations"]["kubevirt.io/cluster-preference-name"], "p");
    let status = Object::VirtualMachine(play.machine().clone().into()).to_value()["status"].clone();
    let kept = json!({"name": "p", "controllerRevisionRef": {"name": "vm1-p-v1beta1-of-preference-1"}});
    assert_eq!(status["preferenceRef"], kept);
}

/// The start before is forgotten when the next one is kept.
#[test]
fn of_a_machine_one_start_is_kept() {
    let mut play = Play::new(KubeVirtRelease::default());
    let memory = |guest: &str| json!({"domain": {"memory": {"guest": guest}, "devices": {}}});
    play.apply(machine(json!({"runStrategy": "Halted"}), memory("1Gi"))).expect("a good machine");
    assert_eq!(play.revisions(), [""; 0]);
    let prefix = format!("revision-start-vm-{}", play.machine().metadata.uid);
    play.patch(Kind::VirtualMachine, "vm1", json!({"spec": {"runStrategy": "Always"}}));
    assert_eq!(play.revisions(), [format!("{prefix}-2")]);
    // Another run strategy is no other template: the instance is as good as one of this generation.
    play.patch(Kind::VirtualMachine, "vm1", json!({"spec": {"runStrategy": "RerunOnFailure"}}));
    let generation = |play: &Play| {
        let vmi = play.instance().expect("an instance");
        vmi["metadata"]["annotations"]["kubevirt.io/vm-generation"].as_str().map(str::to_owned)
    };
    assert_eq!(generation(&play).as_deref(), Some("3"));
    assert_eq!(play.machine().status.observed_generation, 3);
    play.patch(Kind::VirtualMachine, "vm1", json!({"spec": {"template": {"spec": memory("2Gi")}}}));
    assert_eq!(generation(&play).as_deref(), Some("3"), "another template is");
    let vmi = play.cluster.find(Kind::VirtualMachineInstance, "default", "vm1").expect("an instance").0;
    let ended = |vmi: &mut VirtualMachineInstance| {
        vmi.status.phase = "Failed".into();
        vmi.metadata.finalizers.retain(|name| name != "kubevirt.io/foregroundDeleteVirtualMachine");
    };
    play.cluster.patch::<VirtualMachineInstance>(vmi, ended).expect("an instance");
    play.settle();
    play.cluster.run_until(play.cluster.now() + std::time::Duration::from_secs(20)).expect("a rest");
    assert_eq!(play.revisions(), [format!("{prefix}-4")]);
}
