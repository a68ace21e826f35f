//! The launcher that a guest is to come to.

use crate::world::{MIGRATION, World};
use serde_json::{Value, json};
use std::time::Duration;
use stuckvm_sim::Kind;
use stuckvm_sim::objects::{
    Condition, Node, Pod, Truth, VirtualMachineInstance, VirtualMachineInstanceMigration,
};

fn pod(world: &World) -> Value {
    let pod = world.cluster.view().get::<Pod>(world.target("vm1")).expect("it exists");
    serde_json::to_value(&**pod).expect("objects serialize")
}

fn has_target(world: &World, vmi: &str) -> bool {
    world.pods(vmi).len() > 1
}

#[test]
fn a_target_is_a_launcher_for_another_node_of_the_same_cpu() {
    let mut world = World::with_running_vm1();
    let spec = json!({"vmiName": "vm1", "addedNodeSelector": {"zone": "b", "kubevirt.io/schedulable": "no"}});
    let migration =
        json!({"kind": "VirtualMachineInstanceMigration", "metadata": {"name": MIGRATION}, "spec": spec});
    world.apply(&migration).expect("it is accepted");
    let uid = |kind, name| world.cluster.find(kind, "default", name).unwrap().1.metadata().uid.to_string();
    let target = pod(&world);
    let metadata = &target["metadata"];
    let job = uid(Kind::VirtualMachineInstanceMigration, MIGRATION);
    assert_eq!(metadata["labels"]["kubevirt.io/migrationJobUID"], job);
    assert_eq!(metadata["annotations"]["kubevirt.io/migrationJobName"], MIGRATION);
    let away =
        &target["spec"]["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    let created_by = uid(Kind::VirtualMachineInstance, "vm1");
    let term = json!([{"labelSelector": {"matchLabels": {"kubevirt.io/created-by": created_by}},
        "topologyKey": "kubernetes.io/hostname"}]);
    assert_eq!(*away, term);
    let selector = &target["spec"]["nodeSelector"];
    assert_eq!(selector["cpu-model-migration.node.kubevirt.io/Skylake"], "true");
    assert_eq!(selector["cpu-feature.node.kubevirt.io/ssbd"], "true");
    assert_eq!((&selector["zone"], &selector["kubevirt.io/schedulable"]), (&json!("b"), &json!("true")));
}

#[test]
fn a_guest_that_has_moved_before_keeps_to_the_cpu_that_it_began_with() {
    let mut world = World::with_running_vm1();
    world.migrate(MIGRATION, "vm1").expect("it is accepted");
    world.start(world.target("vm1"), "node-b");
    world.pass(Duration::from_secs(10));
    world.end(world.pods("vm1")[0], "Succeeded");
    let (node, _) = world.cluster.find(Kind::Node, "", "node-b").expect("it exists");
    let newer = |node: &mut Node| {
        node.metadata.labels.insert("host-model-cpu.node.kubevirt.io/Granite", "true");
    };
    world.cluster.patch(node, newer).expect("it exists");
    world.migrate("again", "vm1").expect("the first has ended");
    let selector = &pod(&world)["spec"]["nodeSelector"];
    assert_eq!(selector["cpu-model-migration.node.kubevirt.io/Skylake"], "true");
    assert_eq!(selector["cpu-model-migration.node.kubevirt.io/Granite"], Value::Null);
}

/// Plays a migration whose target is not placed, or placed and not started, for so many seconds; whether it is still there.
fn waits(seconds: u64, fits: bool, annotations: &Value) -> bool {
    let mut world = World::with_running_vm1();
    world.pass(Duration::from_millis(700));
    let migration = json!({"kind": "VirtualMachineInstanceMigration", "spec": {"vmiName": "vm1"},
        "metadata": {"name": MIGRATION, "annotations": annotations}});
    world.apply(&migration).expect("it is accepted");
    if !fits {
        world.refuse(world.target("vm1"));
    }
    world.pass(Duration::from_secs(seconds));
    let waits = has_target(&world, "vm1");
    assert_eq!(world.phase(), if waits { "Scheduling" } else { "Failed" });
    waits
}

#[test]
fn a_target_that_stays_pending_is_given_up() {
    let none = json!({});
    assert!(waits(299, false, &none));
    assert!(!waits(300, false, &none));
    assert!(waits(899, true, &none));
    assert!(!waits(900, true, &none));
    let sooner = json!({"kubevirt.io/migrationUnschedulablePodTimeoutSeconds": "20",
        "kubevirt.io/migrationPendingPodTimeoutSeconds": "40"});
    assert!(waits(19, false, &sooner) && !waits(20, false, &sooner));
    assert!(waits(39, true, &sooner) && !waits(40, true, &sooner));
    let never = json!({"kubevirt.io/migrationPendingPodTimeoutSeconds": i64::MIN.to_string()});
    assert!(!waits(1, true, &never));
}

#[test]
fn a_target_has_a_cpu_of_the_same_make_and_needs_the_node_to_tell_which() {
    const MODEL: &str = "host-model-cpu.node.kubevirt.io/Skylake";
    let mut world = World::with_running_vm1();
    let (node, _) = world.cluster.find(Kind::Node, "", "node-a").expect("it exists");
    let of_intel = |node: &mut Node| {
        node.metadata.labels.insert("cpu-vendor.node.kubevirt.io/Intel", "yes");
        node.metadata.labels.remove(MODEL);
    };
    world.cluster.patch(node, of_intel).expect("it exists");
    world.migrate(MIGRATION, "vm1").expect("it is accepted");
    let selector = &pod(&world)["spec"]["nodeSelector"];
    assert_eq!(selector["cpu-vendor.node.kubevirt.io/Intel"], "true");
    let of_cpu = |key: &str| key.starts_with("cpu-model") || key.starts_with("cpu-feature");
    let keys: Vec<&String> = selector.as_object().expect("a selector").keys().collect();
    assert!(
        !keys.iter().any(|key| of_cpu(key)),
        "a node that has forgotten its model asks for none: {keys:?}"
    );
}

#[test]
fn a_namespace_that_lets_no_launcher_in_is_named() {
    let mut world = World::with_running_vm1();
    let why = "violates PodSecurity \"restricted:latest\": runAsNonRoot != true";
    world.cluster.environment_mut().admission.refuse(Kind::Pod, "default", why);
    world.migrate(MIGRATION, "vm1").expect("it is accepted");
    let told = world.messages("vm1");
    let start = "failed to render launch manifest: failed to create target pod for vmi default/vm1, \
        it needs a privileged namespace to run: pods \"virt-launcher-vm1-";
    assert!(told.iter().any(|message| message.starts_with(start)), "{told:?}");
}

#[test]
fn who_waits_for_a_place_asks_again_the_sooner_the_more_urgent_it_is() {
    // The third of a drain asks every whole second, at 6.5 s next at 7 s. Who is asked for by hand at 2 s asks every 5 s, at 9.5 s next
    // at 12 s.
    for (by_drain, seconds) in [(true, 1), (false, 3)] {
        let mut world = World::new();
        for name in ["vm1", "vm2", "vm3"] {
            world.run(name, &json!({"evictionStrategy": "LiveMigrate"}));
        }
        if by_drain {
            world.cluster.drain_node("node-a").expect("there is such a node");
            world.settle();
        } else {
            for name in ["vm1", "vm2", "vm3"] {
                world.migrate(name, name).expect("it is accepted");
                world.pass(Duration::from_secs(1));
            }
        }
        world.pass(Duration::from_millis(6_500));
        assert!(!has_target(&world, "vm3"));
        // A migration whose instance is gone does not end, so that nobody is told of its place.
        let (id, _) = world.cluster.find(Kind::VirtualMachineInstance, "default", "vm1").expect("it runs");
        let gone = |vmi: &mut VirtualMachineInstance| vmi.metadata.finalizers.clear();
        world.cluster.patch(id, gone).expect("it exists");
        world.cluster.delete::<VirtualMachineInstance>(id).expect("it exists");
        world.settle();
        let mut waited = 0;
        while !has_target(&world, "vm3") {
            world.pass(Duration::from_secs(1));
            waited += 1;
        }
        assert_eq!(waited, seconds, "by drain: {by_drain}");
    }
}

#[test]
fn a_quota_that_refuses_the_target_is_told_and_waited_for() {
    let mut world = World::with_running_vm1();
    world.cluster.environment_mut().admission.refuse(Kind::Pod, "default", "exceeded quota: q");
    world.migrate(MIGRATION, "vm1").expect("it is accepted");
    let rejected = |world: &World| {
        let conditions = world.migration(MIGRATION).status.conditions;
        conditions.iter().any(|found: &Condition| {
            found.kind == "migrationRejectedByResourceQuota" && found.status == Truth::True
        })
    };
    assert!(rejected(&world) && world.phase() == "Pending");
    assert_eq!(world.reasons("vm1").last().expect("events"), "FailedCreate");
    world.cluster.environment_mut().admission.allow(Kind::Pod, "default");
    world.pass(Duration::from_secs(10));
    assert!(!rejected(&world) && world.phase() == "Scheduling");
}

#[test]
fn two_leave_a_node_at_once_and_five_move_in_all() {
    let mut world = World::new();
    for number in 0..9 {
        let name = format!("vm{number}");
        world.run(&name, &json!({}));
        if number >= 3 {
            let node = ["node-b", "node-c"][number % 2];
            let (id, _) =
                world.cluster.find(Kind::VirtualMachineInstance, "default", &name).expect("it runs");
            let pod = world.target(&name);
            world.cluster.patch::<Pod>(pod, |pod| pod.node_name = node.into()).expect("it exists");
            let to = |vmi: &mut VirtualMachineInstance| vmi.status.node_name = node.into();
            world.cluster.patch(id, to).expect("it exists");
        }
    }
    for number in 0..9 {
        world.migrate(&format!("m{number}"), &format!("vm{number}")).expect("it is accepted");
        world.pass(Duration::from_secs(6));
    }
    let moving = |world: &World| -> Vec<usize> {
        (0..9).filter(|number| has_target(world, &format!("vm{number}"))).collect()
    };
    // Two of the three on node-a, two of node-b or node-c, and one of the other.
    assert_eq!(moving(&world), [0, 1, 3, 4, 5]);
    world.end(world.target("vm0"), "Failed");
    world.pass(Duration::from_secs(6));
    assert_eq!(moving(&world).len(), 6, "an ended one makes room for one");
}

#[test]
fn a_second_target_waits_until_old_launchers_have_ended() {
    let mut world = World::with_running_vm1();
    world.migrate(MIGRATION, "vm1").expect("it is accepted");
    world.start(world.target("vm1"), "node-b");
    world.pass(Duration::from_secs(10));
    world.migrate("again", "vm1").expect("the first has ended");
    world.pass(Duration::from_secs(30));
    assert_eq!(world.pods("vm1").len(), 2, "the source has not ended");
    world.end(world.pods("vm1")[0], "Succeeded");
    world.pass(Duration::from_secs(1));
    assert_eq!(world.pods("vm1").len(), 3);
}

#[test]
fn a_migration_that_is_deleted_before_it_is_handed_off_takes_its_target_along() {
    let mut world = World::with_running_vm1();
    let id = world.migrate(MIGRATION, "vm1").expect("it is accepted");
    world.cluster.delete::<VirtualMachineInstanceMigration>(id).expect("it exists");
    world.settle();
    assert!(!has_target(&world, "vm1"));
    assert!(world.cluster.view().get::<VirtualMachineInstanceMigration>(id).is_none());
    assert!(world.vmi("vm1").status.migration_state.is_none());
    assert!(world.reasons(MIGRATION).contains(&"FailedMigration".to_owned()));
}
