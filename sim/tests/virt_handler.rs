//! Guests between their start and their end.

mod play;

use play::{apply, cluster, fail_pod, instance, run_pod, vmi};
use serde_json::{Value, json};
use std::time::Duration;
use stuckvm_sim::environment::LauncherFault;
use stuckvm_sim::journal::Entry;
use stuckvm_sim::objects::{Conditions, Node, Pod, VirtualMachineInstance};
use stuckvm_sim::{ApiError, Cluster, Config, Latency, ObjectId};

const BOTH: &[&str] = &["virtual-machine-instance", "virt-handler"];

fn run_for(cluster: &mut Cluster, time: Duration) {
    cluster.settle().expect("it comes to rest");
    let until = cluster.now() + time;
    cluster.run_until(until).expect("it comes to rest");
}

/// No delays but for the guest's own.
fn latency() -> Latency {
    let Latency { guest_boot, guest_shutdown, .. } = Latency::default();
    Latency { guest_boot, guest_shutdown, ..Latency::none() }
}

/// An instance with a launcher that has just come up.
fn scheduled() -> (Cluster, ObjectId) {
    let (mut cluster, id) = cluster(latency(), BOTH);
    run_pod(&mut cluster);
    cluster.settle().expect("it comes to rest");
    assert_eq!(vmi(&cluster, id).status.phase, "Scheduled");
    (cluster, id)
}

fn running() -> (Cluster, ObjectId) {
    let (mut cluster, id) = scheduled();
    run_for(&mut cluster, Duration::from_secs(1));
    (cluster, id)
}

/// Reasons of the events on the instance so far.
fn events(cluster: &mut Cluster) -> Vec<String> {
    let journal = cluster.take_journal().into_iter();
    let reason = |entry| match entry {
        Entry::Event { kind: "VirtualMachineInstance", reason, .. } => Some(reason),
        _ => None,
    };
    journal.filter_map(reason).collect()
}

#[test]
fn a_guest_runs_after_it_has_booted() {
    let (mut cluster, id) = scheduled();
    run_for(&mut cluster, Duration::from_millis(999));
    assert_eq!(vmi(&cluster, id).status.phase, "Scheduled");
    run_for(&mut cluster, Duration::from_millis(1));
    let instance = vmi(&cluster, id);
    assert_eq!(instance.status.phase, "Running");
    assert!(instance.status.conditions.is_true("Ready"));
    assert_eq!(events(&mut cluster), ["SuccessfulCreate", "Created", "Started"]);
}

#[test]
fn a_launcher_that_dies_is_noticed_within_forty_seconds() {
    let (mut cluster, id) = running();
    cluster.random_mut().give("virt-handler", [500_000_000]);
    fail_pod(&mut cluster);
    run_for(&mut cluster, Duration::from_millis(19_999));
    assert_eq!(vmi(&cluster, id).status.phase, "Running");
    run_for(&mut cluster, Duration::from_millis(2));
    assert_eq!(vmi(&cluster, id).status.phase, "Failed");
    assert_eq!(events(&mut cluster).last().expect("events"), "Stopped");
}

#[test]
fn a_deleted_guest_shuts_down_in_order_and_succeeds() {
    let (mut cluster, id) = running();
    cluster.delete::<VirtualMachineInstance>(id).expect("it exists");
    run_for(&mut cluster, Duration::from_millis(3_999));
    assert_eq!(vmi(&cluster, id).status.phase, "Running");
    run_for(&mut cluster, Duration::from_millis(1));
    assert_eq!(vmi(&cluster, id).status.phase, "Succeeded");
    let events = events(&mut cluster);
    assert!(events.ends_with(&["ShuttingDown", "Stopped", "Deleted"].map(String::from)), "{events:?}");
}

#[test]
fn a_guest_without_enough_grace_is_destroyed_and_fails() {
    let (mut cluster, id) = running();
    let shorten = |vmi: &mut VirtualMachineInstance| {
        let mut spec = (*vmi.spec).clone();
        spec.termination_grace_period_seconds = Some(1);
        vmi.spec = spec.into();
    };
    cluster.patch(id, shorten).expect("it exists");
    cluster.delete::<VirtualMachineInstance>(id).expect("it exists");
    run_for(&mut cluster, Duration::from_secs(1));
    assert_eq!(vmi(&cluster, id).status.phase, "Failed");
    let events = events(&mut cluster);
    // Destroyed, which is seen, and forgotten.
    assert!(
        events.ends_with(&["ShuttingDown", "Deleted", "Stopped", "Deleted"].map(String::from)),
        "{events:?}"
    );
}

#[test]
fn guests_end_by_themselves() {
    let (mut panicking, id) = running();
    assert!(panicking.panic_guest("default", "vm1"));
    assert_eq!(vmi(&panicking, id).status.phase, "Failed");
    let (mut ending, id) = running();
    assert!(ending.power_off_guest("default", "vm1"));
    assert_eq!(vmi(&ending, id).status.phase, "Succeeded");
    assert!(!ending.panic_guest("default", "vm2"), "there is no such guest");
}

#[test]
fn a_domain_that_cannot_start_is_shown_and_does_not_fail_the_instance() {
    let (mut cluster, id) = cluster(latency(), BOTH);
    let fault = LauncherFault::DomainCannotStart;
    cluster.environment_mut().launchers.break_launcher("default", "vm1", fault);
    run_pod(&mut cluster);
    run_for(&mut cluster, Duration::from_secs(200));
    let instance = vmi(&cluster, id);
    assert_eq!(instance.status.phase, "Scheduled");
    let refused = instance.status.conditions.condition("Synchronized").expect("it was refused");
    assert!(refused.is_false_because("Synchronizing with the Domain failed."));
    fail_pod(&mut cluster);
    run_for(&mut cluster, Duration::from_secs(41));
    assert_eq!(vmi(&cluster, id).status.phase, "Failed");
}

#[test]
fn a_lost_machine_starts_no_guest_and_loses_its_label_after_five_minutes() {
    let (mut cluster, id) = scheduled();
    cluster.set_machine("node-a", true);
    let schedulable = |cluster: &Cluster| {
        let (_, node) = cluster.view().named::<Node>("", "node-a").expect("it exists");
        node.metadata.labels.has("kubevirt.io/schedulable", "true")
    };
    run_for(&mut cluster, Duration::from_secs(167));
    assert!(schedulable(&cluster), "the last heartbeat is less than five minutes old");
    run_for(&mut cluster, Duration::from_secs(360 - 167));
    assert!(!schedulable(&cluster));
    assert_eq!(vmi(&cluster, id).status.phase, "Scheduled", "its pod counts as alive");
    cluster.set_machine("node-a", false);
    run_for(&mut cluster, Duration::from_secs(1));
    assert!(schedulable(&cluster));
    assert_eq!(vmi(&cluster, id).status.phase, "Running");
}

#[test]
fn a_dead_launcher_on_an_unresponsive_node_fails_its_instance() {
    let (mut cluster, id) = running();
    cluster.set_machine("node-a", true);
    fail_pod(&mut cluster);
    run_for(&mut cluster, Duration::from_secs(167));
    assert_eq!(vmi(&cluster, id).status.phase, "Running", "nobody is there to notice");
    run_for(&mut cluster, Duration::from_secs(200));
    assert_eq!(vmi(&cluster, id).status.phase, "Failed");
    assert_eq!(vmi(&cluster, id).status.reason, "NodeUnresponsive");
}

/// A running guest that belongs to a machine, whose instance has these fields in its spec besides.
fn machine(fields: Value) -> (Cluster, ObjectId) {
    let config = Config { latency: latency(), keep_journal: true, ..Config::default() };
    let mut cluster = Cluster::with_some(config, |name| BOTH.contains(&name));
    let node = json!({"kind": "Node", "metadata": {"name": "node-a"}});
    let vm =
        json!({"kind": "VirtualMachine", "metadata": {"name": "vm1"}, "spec": {"runStrategy": "Halted"}});
    let mut manifest = instance(json!([]));
    for (field, value) in fields.as_object().expect("fields") {
        manifest["spec"][field] = value.clone();
    }
    apply(&mut cluster, node);
    apply(&mut cluster, vm);
    let id = apply(&mut cluster, manifest);
    cluster.settle().expect("it comes to rest");
    run_pod(&mut cluster);
    run_for(&mut cluster, Duration::from_secs(1));
    assert_eq!(vmi(&cluster, id).status.phase, "Running");
    (cluster, id)
}

fn is_unpaused(cluster: &Cluster) -> bool {
    let (_, launcher) = cluster.view().iter::<Pod>().next().expect("a launcher");
    launcher.status.conditions.is_true("kubevirt.io/virtual-machine-unpaused")
}

#[test]
fn a_paused_guest_is_shown_on_instance_and_launcher() {
    let (mut cluster, id) = machine(json!({}));
    assert!(is_unpaused(&cluster));
    cluster.pause_vm("default", "vm1").expect("it runs");
    cluster.settle().expect("it comes to rest");
    let conditions = vmi(&cluster, id).status.conditions;
    let paused = conditions.condition("Paused").expect("it is shown");
    assert_eq!((&*paused.reason, &*paused.message), ("PausedByUser", "VMI was paused by user"));
    assert!(conditions.is_true("Paused") && !is_unpaused(&cluster));
    assert!(cluster.panic_guest("default", "vm1"));
    assert_eq!(vmi(&cluster, id).status.phase, "Running", "a guest that stands still does not panic");
    cluster.unpause_vm("default", "vm1").expect("it is paused");
    cluster.settle().expect("it comes to rest");
    assert!(vmi(&cluster, id).status.conditions.condition("Paused").is_none() && is_unpaused(&cluster));
}

#[test]
fn a_guest_may_stand_still_from_the_start_on() {
    let (mut cluster, id) = machine(json!({"startStrategy": "Paused"}));
    assert!(vmi(&cluster, id).status.conditions.is_true("Paused"));
    cluster.unpause_vm("default", "vm1").expect("it is paused");
    assert!(vmi(&cluster, id).status.conditions.condition("Paused").is_none());
}

#[test]
fn a_paused_guest_takes_its_whole_grace_and_fails() {
    let (mut cluster, id) = machine(json!({"terminationGracePeriodSeconds": 20}));
    cluster.pause_vm("default", "vm1").expect("it runs");
    cluster.delete::<VirtualMachineInstance>(id).expect("it exists");
    run_for(&mut cluster, Duration::from_millis(19_999));
    assert_eq!(vmi(&cluster, id).status.phase, "Running");
    run_for(&mut cluster, Duration::from_millis(1));
    assert_eq!(vmi(&cluster, id).status.phase, "Failed");
}

#[test]
fn pauses_are_refused_in_virt_api_s_words() {
    let refused = |result: Result<(), ApiError>, why: &str| {
        assert_eq!(result.expect_err("it is refused").to_string(), why);
    };
    let conflict = |why: &str| {
        format!("Operation cannot be fulfilled on virtualmachineinstance.kubevirt.io \"vm1\": {why}")
    };
    let (mut cluster, id) = machine(json!({}));
    refused(cluster.pause_vm("default", "vm2"), "virtualmachines.kubevirt.io \"vm2\" not found");
    refused(cluster.unpause_vm("default", "vm1"), &conflict("VMI is not paused"));
    cluster.pause_vm("default", "vm1").expect("it runs");
    refused(cluster.pause_vm("default", "vm1"), &conflict("VMI is already paused"));
    cluster
        .patch::<VirtualMachineInstance>(id, |vmi| vmi.status.phase = "Scheduled".into())
        .expect("it exists");
    refused(cluster.pause_vm("default", "vm1"), &conflict("VM is not running"));
    refused(cluster.unpause_vm("default", "vm1"), &conflict("VMI is not running"));
    let (mut probed, _) = machine(json!({"livenessProbe": {"tcpSocket": {"port": 22}}}));
    refused(
        probed.pause_vm("default", "vm1"),
        "virtualmachineinstance.kubevirt.io \"vm1\" is forbidden: Pausing VMIs with a non-GuestAgentPing LivenessProbe is \
         not supported",
    );
    let (mut pinged, _) = machine(json!({"livenessProbe": {"guestAgentPing": {}}}));
    pinged.pause_vm("default", "vm1").expect("the ping of an agent may stand");
    let (mut lost, _) = machine(json!({}));
    lost.set_machine("node-a", true);
    assert!(lost.pause_vm("default", "vm1").is_err(), "nobody is there to do it");
}

/// The last two phases and whether the shutdown was signalled, of a machine that is deleted and waited for.
fn end_of(fields: Value, grace: Duration) -> (String, Vec<String>) {
    let (mut cluster, id) = machine(fields);
    cluster.take_journal();
    cluster.delete::<VirtualMachineInstance>(id).expect("it exists");
    if let Some(before) = grace.checked_sub(Duration::from_millis(1)) {
        run_for(&mut cluster, before);
        assert_eq!(vmi(&cluster, id).status.phase, "Running");
    }
    run_for(&mut cluster, Duration::from_millis(1));
    (vmi(&cluster, id).status.phase.to_string(), events(&mut cluster))
}

#[test]
fn a_guest_that_gets_no_grace_is_destroyed_at_once_and_succeeds() {
    let (phase, events) = end_of(json!({"terminationGracePeriodSeconds": 0}), Duration::ZERO);
    assert_eq!(phase, "Succeeded");
    assert_eq!(events, ["SuccessfulDelete", "Deleted", "Stopped", "Deleted"]);
}

#[test]
fn a_guest_without_acpi_hears_of_no_shutdown_and_succeeds_when_it_is_destroyed() {
    let domain = json!({"features": {"acpi": {"enabled": false}}});
    for fields in [json!({"domain": domain}), json!({"architecture": "s390x"})] {
        let mut fields = fields;
        fields["terminationGracePeriodSeconds"] = json!(10);
        let (phase, events) = end_of(fields, Duration::from_secs(10));
        assert_eq!(phase, "Succeeded");
        assert_eq!(events, ["SuccessfulDelete", "ShuttingDown", "Deleted", "Stopped", "Deleted"]);
    }
}
