//! Migrations: what is refused, how a guest moves, and what ends that early.

#[path = "migrations/evacuations.rs"]
mod evacuations;
#[path = "migrations/migratable.rs"]
mod migratable;
#[path = "migrations/targets.rs"]
mod targets;
#[path = "migrations/world.rs"]
mod world;

use serde_json::json;
use std::time::Duration;
use stuckvm_sim::Kind;
use stuckvm_sim::objects::{VirtualMachineInstance, VirtualMachineInstanceMigration};
use stuckvm_sim::validation::validate;
use world::{MIGRATION, SENT, World};

/// A world in which a guest is on its way to node-b.
fn sending() -> World {
    let mut world = World::with_running_vm1();
    send(&mut world);
    world
}

fn send(world: &mut World) {
    world.migrate(MIGRATION, "vm1").expect("it is accepted");
    world.start(world.target("vm1"), "node-b");
    assert_eq!(world.phase(), "Running");
}

#[test]
fn the_webhook_refuses_in_upstreams_words() {
    let mut world = World::with_running_vm1();
    let refusal = |world: &mut World, vmi: &str| world.migrate("another", vmi).unwrap_err().to_string();
    let denied = "admission webhook \"migration-create-validator.kubevirt.io\" denied the request: ";
    let expected = format!("{denied}the VMI \"default/nobody\" does not exist");
    assert_eq!(refusal(&mut world, "nobody"), expected);
    world.migrate(MIGRATION, "vm1").expect("it is accepted");
    let uid = world.migration(MIGRATION).metadata.uid;
    let expected = format!(
        "{denied}in-flight migration detected. Active migration job ({uid}) is currently already in progress for VMI vm1."
    );
    assert_eq!(refusal(&mut world, "vm1"), expected);
    world.run(
        "bridged",
        &json!({"networks": [{"name": "n", "pod": {}}],
        "domain": {"memory": {"guest": "1Gi"}, "devices": {"interfaces": [{"name": "n", "bridge": {}}]}}}),
    );
    let why = refusal(&mut world, "bridged");
    let expected =
        format!("{denied}Cannot migrate VMI, Reason: InterfaceNotLiveMigratable, Message: cannot migrate");
    assert!(why.starts_with(&expected), "{why}");
    world.cluster.overwrite_instance_phase("default", "bridged", "Succeeded");
    assert_eq!(refusal(&mut world, "bridged"), format!("{denied}Cannot migrate VMI in finalized state."));
    let nameless = json!({"kind": "VirtualMachineInstanceMigration", "metadata": {"name": "m"}, "spec": {}});
    let errors: Vec<String> = validate(&nameless).iter().map(ToString::to_string).collect();
    assert_eq!(errors, ["spec.vmiName: vmiName is missing"]);
    let urgent = json!({"kind": "VirtualMachineInstanceMigration", "metadata": {"name": "m"},
        "spec": {"vmiName": "vm1", "priority": "system-critical"}});
    let errors: Vec<String> = validate(&urgent).iter().map(ToString::to_string).collect();
    let only = "spec.migrationPriority: Migration priority queue, only virt-controller is allowed to set priority field";
    assert_eq!(errors, [only]);
}

#[test]
fn a_guest_moves_and_is_migrating_from_its_first_byte_to_its_last() {
    let mut world = World::with_running_vm1();
    world.migrate(MIGRATION, "vm1").expect("it is accepted");
    let migration = world.migration(MIGRATION);
    assert!(migration.metadata.labels.has("kubevirt.io/vmi-name", "vm1"));
    assert!(migration.metadata.has_finalizer("kubevirt.io/migrationJobFinalize"));
    let source = world.pods("vm1")[0];
    let name = |world: &World, pod| {
        world.cluster.view().get::<stuckvm_sim::objects::Pod>(pod).unwrap().metadata.name.clone()
    };
    assert_eq!(migration.status.migration_state.expect("it is pending").source_pod, name(&world, source));
    world.start(world.target("vm1"), "node-b");
    world.pass(SENT - Duration::from_nanos(1));
    let vmi = world.vmi("vm1");
    assert_eq!((vmi.status.node_name.as_str(), world.phase().as_str()), ("node-a", "Running"));
    let state = vmi.status.migration_state.expect("it is moved");
    assert_eq!((state.source_node.as_str(), state.target_node.as_str()), ("node-a", "node-b"));
    assert_eq!((state.target_node_address.as_str(), state.mode.as_str()), ("10.0.0.b", "PreCopy"));
    assert_eq!((state.start_timestamp.is_some(), state.end_timestamp), (true, None));
    world.pass(Duration::from_nanos(1));
    let vmi = world.vmi("vm1");
    assert_eq!((vmi.status.node_name.as_str(), vmi.status.phase.as_str()), ("node-b", "Running"));
    assert!(vmi.metadata.labels.has("kubevirt.io/nodeName", "node-b"));
    assert!(!vmi.metadata.labels.contains_key("kubevirt.io/migrationTargetNodeName"));
    let state = vmi.status.migration_state.clone().expect("it was moved");
    assert!(state.completed && !state.failed && state.end_timestamp.is_some());
    let phases =
        ["Pending", "Scheduling", "Scheduled", "PreparingTarget", "TargetReady", "Running", "Succeeded"];
    assert_eq!(world.phases(MIGRATION), phases);
    let migration = world.migration(MIGRATION);
    assert_eq!((migration.metadata.finalizers.len(), migration.status.migration_state), (0, Some(state)));
    assert_eq!(world.reasons(MIGRATION), ["SuccessfulCreate", "SuccessfulHandOver", "SuccessfulMigration"]);
    let events = ["PreparingTarget", "Migrating", "Migrated", "Migrated"];
    assert_eq!(world.reasons("vm1")[3..], events);
}

#[test]
fn a_target_that_ends_meanwhile_leaves_the_guest_where_it_is() {
    let mut world = sending();
    world.pass(Duration::from_secs(3));
    world.end(world.target("vm1"), "Failed");
    let vmi = world.vmi("vm1");
    assert_eq!((vmi.status.node_name.as_str(), vmi.status.phase.as_str()), ("node-a", "Running"));
    let state = vmi.status.migration_state.expect("it was moved");
    assert!(state.failed && state.completed && state.end_timestamp.is_some());
    let reason = "virError(Code=1, Domain=7, Message='internal error: client socket is closed')";
    assert_eq!(state.failure_reason, reason);
    assert_eq!(world.phase(), "Failed");
    world.pass(SENT);
    assert_eq!(world.vmi("vm1").status.node_name, "node-a", "what was on its way does not come later");
}

#[test]
fn a_target_that_ends_before_it_is_prepared_ends_the_migration_on_the_instance_too() {
    let mut world = World::with_running_vm1();
    world.migrate(MIGRATION, "vm1").expect("it is accepted");
    world.cluster.set_machine("node-b", true);
    world.start(world.target("vm1"), "node-b");
    assert_eq!(world.phase(), "PreparingTarget");
    world.end(world.target("vm1"), "Failed");
    assert_eq!(world.phase(), "Failed");
    let state = world.vmi("vm1").status.migration_state.expect("it was handed off");
    assert!(state.failed && state.completed && state.start_timestamp == state.end_timestamp);
    assert_eq!(state.failure_reason, "Target pod is down");
    assert!(world.reasons("vm1").contains(&"FailedMigration".to_owned()));
    // The migration fails and says so on the instance in one pass.
    let mut world = World::lagging();
    world.run("vm1", &json!({}));
    world.migrate(MIGRATION, "vm1").expect("it is accepted");
    world.cluster.set_machine("node-b", true);
    world.start(world.target("vm1"), "node-b");
    world.rest = Duration::ZERO;
    world.end(world.target("vm1"), "Failed");
    world.pass(Duration::from_millis(50));
    assert_eq!(world.phase(), "Failed");
    assert!(world.vmi("vm1").status.migration_state.expect("it was handed off").failed);
}

#[test]
fn a_machine_that_is_lost_on_either_side_fails_the_migration_when_somebody_notices() {
    let mut world = sending();
    world.pass(Duration::from_secs(9));
    world.cluster.set_machine("node-b", true);
    world.pass(Duration::from_millis(29_999));
    assert!(!world.vmi("vm1").status.migration_state.expect("it is moved").failed);
    world.pass(Duration::from_millis(1));
    let state = world.vmi("vm1").status.migration_state.expect("it was moved");
    assert!(state.failed && state.failure_reason.contains("keepalive"), "{state:?}");

    let mut world = sending();
    world.cluster.set_machine("node-a", true);
    world.pass(Duration::from_secs(60));
    assert_eq!(world.vmi("vm1").status.migration_state.expect("it is moved").end_timestamp, None);
    world.cluster.set_machine("node-a", false);
    world.pass(Duration::from_secs(1));
    assert!(world.vmi("vm1").status.migration_state.expect("it was moved").failed);
    assert_eq!(world.vmi("vm1").status.node_name, "node-a");
}

#[test]
fn a_guest_that_takes_longer_than_it_may_is_called_back() {
    let mut world = World::with(Duration::from_secs(302));
    world.run("vm1", &json!({}));
    send(&mut world);
    world.pass(Duration::from_millis(301_199));
    assert!(!world.vmi("vm1").status.migration_state.expect("it is moved").failed);
    world.pass(Duration::from_millis(1));
    let state = world.vmi("vm1").status.migration_state.expect("it was moved");
    assert_eq!(state.failure_reason, "Live migration has been aborted");
    assert_eq!(state.abort_status, "Succeeded");
}

#[test]
fn who_deletes_a_migration_calls_the_guest_back() {
    let mut world = sending();
    let (id, _) = world
        .cluster
        .view()
        .named::<VirtualMachineInstanceMigration>("default", MIGRATION)
        .expect("it exists");
    world.cluster.delete::<VirtualMachineInstanceMigration>(id).expect("it exists");
    world.settle();
    let state = world.vmi("vm1").status.migration_state.expect("it was moved");
    assert_eq!((state.failed, state.abort_status.as_str()), (true, "Succeeded"));
    assert!(world.cluster.view().get::<VirtualMachineInstanceMigration>(id).is_none());
    let reasons = world.reasons(MIGRATION);
    assert_eq!(reasons[2..], ["SuccessfulAbortMigration", "FailedMigration"]);
}

#[test]
fn a_guest_that_ends_on_its_way_ends_the_migration() {
    let mut world = sending();
    world.cluster.panic_guest("default", "vm1");
    world.settle();
    assert_eq!((world.vmi("vm1").status.phase.as_str(), world.phase().as_str()), ("Failed", "Failed"));
    world.pass(SENT);
    let vmi = world.vmi("vm1");
    assert_eq!((vmi.status.node_name.as_str(), vmi.status.phase.as_str()), ("node-a", "Failed"));
    let state = vmi.status.migration_state.expect("it was moved");
    assert!(state.failed && state.completed && state.end_timestamp.is_some());
    assert_eq!(state.failure_reason, "Target pod is down", "what is true of another case");
    // Nor does it come where nobody writes that the migration has failed.
    let mut world = sending();
    assert!(world.cluster.stop_controller("migration"));
    world.cluster.panic_guest("default", "vm1");
    world.pass(SENT);
    assert_eq!((world.vmi("vm1").status.node_name.as_str(), world.phase().as_str()), ("node-a", "Running"));
}

#[test]
fn an_abort_is_tried_again_where_the_instance_has_changed_meanwhile() {
    let mut world = World::lagging();
    world.run("vm1", &json!({}));
    let id = world.migrate(MIGRATION, "vm1").expect("it is accepted");
    world.start(world.target("vm1"), "node-b");
    let (vmi, _) = world.cluster.find(Kind::VirtualMachineInstance, "default", "vm1").expect("it runs");
    world.cluster.delete::<VirtualMachineInstanceMigration>(id).expect("it exists");
    world.pass(Duration::from_millis(10));
    let noted = |vmi: &mut VirtualMachineInstance| vmi.status.reason = "noted".into();
    world.cluster.patch(vmi, noted).expect("it exists");
    world.pass(Duration::from_secs(2));
    let reasons = world.reasons(MIGRATION);
    assert_eq!(
        (reasons[2].as_str(), reasons.last().expect("events").as_str()),
        ("FailedAbortMigration", "FailedMigration")
    );
    assert_eq!(reasons.iter().filter(|reason| *reason == "SuccessfulAbortMigration").count(), 1);
}

#[test]
fn a_migration_that_somebody_else_says_has_ended_has_failed_where_no_guest_came() {
    let mut world = sending();
    let (vmi, _) = world.cluster.find(Kind::VirtualMachineInstance, "default", "vm1").expect("it runs");
    let now = world.cluster.now();
    let end = |vmi: &mut VirtualMachineInstance| {
        vmi.status.migration_state.as_mut().expect("it is moved").end_timestamp = Some(now);
    };
    world.cluster.patch(vmi, end).expect("it exists");
    world.settle();
    let vmi = world.vmi("vm1");
    let state = vmi.status.migration_state.expect("it was moved");
    assert_eq!((state.failed, state.completed, vmi.status.node_name.as_str()), (true, true, "node-a"));
}

#[test]
fn of_migrations_that_have_ended_five_stay_and_none_outlives_its_instance() {
    let mut world = World::with_running_vm1();
    for number in 0..6 {
        world.migrate(&format!("m{number}"), "vm1").expect("the one before has ended");
        assert_eq!(world.pods("vm1").len(), number + 2, "who asks by hand need not wait");
        if number == 0 {
            world.start(world.target("vm1"), "node-b");
        }
        world.end(world.target("vm1"), "Failed");
        world.pass(Duration::from_secs(1));
    }
    let names = |world: &World| -> Vec<String> {
        let all = world.cluster.view().iter::<VirtualMachineInstanceMigration>();
        all.map(|(_, migration)| migration.metadata.name.to_string()).collect()
    };
    assert_eq!(names(&world), ["m1", "m2", "m3", "m4", "m5"]);
    assert_eq!(world.pods("vm1").len(), 6, "the target of m0 has gone with it");
    let (id, _) = world.cluster.view().named::<VirtualMachineInstance>("default", "vm1").expect("it exists");
    world
        .cluster
        .patch::<VirtualMachineInstance>(id, |vmi| vmi.metadata.finalizers.clear())
        .expect("it exists");
    world.cluster.delete::<VirtualMachineInstance>(id).expect("it exists");
    world.settle();
    assert!(names(&world).is_empty());
}

#[test]
fn a_target_may_be_prepared_for_an_instance_of_whose_deletion_virt_handler_has_not_heard() {
    for late in (0..300).step_by(10) {
        let mut world = World::lagging();
        world.run("vm1", &json!({}));
        world.migrate(MIGRATION, "vm1").expect("it is accepted");
        world.rest = Duration::from_millis(late);
        world.start(world.target("vm1"), "node-b");
        let found = world.cluster.view().named::<VirtualMachineInstance>("default", "vm1").map(|(id, _)| id);
        world.cluster.delete::<VirtualMachineInstance>(found.expect("it runs")).expect("it is there");
        world.pass(Duration::from_secs(1));
        assert!(world.vmi("vm1").metadata.is_deleting());
    }
}
