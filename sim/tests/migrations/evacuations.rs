//! Instances that a drain moves.

use crate::world::World;
use serde_json::{Value, json};
use std::time::Duration;
use stuckvm_sim::Kind;
use stuckvm_sim::objects::{Node, Pod, Taint, VirtualMachineInstance, VirtualMachineInstanceMigration};

fn evacuations(world: &World) -> Vec<VirtualMachineInstanceMigration> {
    let all = world.cluster.view().iter::<VirtualMachineInstanceMigration>();
    let own = all.filter(|(_, migration)| migration.metadata.name.starts_with("kubevirt-evacuation-"));
    own.map(|(_, migration)| VirtualMachineInstanceMigration::clone(migration)).collect()
}

fn strategy(word: &str) -> Value {
    json!({"evictionStrategy": word})
}

fn drain(world: &mut World) {
    world.cluster.drain_node("node-a").expect("there is such a node");
    world.settle();
}

#[test]
fn a_drain_moves_who_wants_to_be_moved() {
    let mut world = World::new();
    for (name, wants) in [("moves", "LiveMigrate"), ("may", "LiveMigrateIfPossible"), ("waits", "External")] {
        world.run(name, &strategy(wants));
    }
    drain(&mut world);
    let moved = evacuations(&world);
    let names: Vec<&str> = moved.iter().map(|migration| migration.spec.vmi_name.as_str()).collect();
    assert_eq!(names, ["moves", "may"]);
    assert!(moved[0].metadata.annotations.has("kubevirt.io/evacuationMigration", "node-a"));
    assert_eq!(moved[0].spec.priority, "system-critical");
    assert_eq!(world.vmi("waits").status.evacuation_node_name, "node-a");
    let requested = |world: &World, name: &str| {
        let conditions = world.vmi(name).status.conditions;
        conditions
            .iter()
            .any(|found| found.kind == "EvictionRequested" && found.message == "VMI is marked for eviction")
    };
    assert!(requested(&world, "moves") && requested(&world, "waits"));
    let asked = evacuations(&world).len();
    drain(&mut world);
    assert_eq!(evacuations(&world).len(), asked, "who is moved already is not moved again");
    world.start(world.target("moves"), "node-b");
    world.pass(Duration::from_secs(10));
    assert_eq!(world.vmi("moves").status.node_name, "node-b");
    assert_eq!(world.vmi("moves").status.evacuation_node_name, "", "it has moved");
    assert!(!requested(&world, "moves") && requested(&world, "waits"));
    world.pass(Duration::from_secs(60));
    assert_eq!(evacuations(&world).len(), 2, "nobody is moved twice");
}

#[test]
fn the_old_taint_moves_all_that_can_move() {
    let mut world = World::new();
    world.run("moves", &strategy("LiveMigrate"));
    let bridged = json!({"evictionStrategy": "LiveMigrate", "networks": [{"name": "n", "pod": {}}],
        "domain": {"memory": {"guest": "1Gi"}, "devices": {"interfaces": [{"name": "n", "bridge": {}}]}}});
    world.run("stays", &bridged);
    let (node, _) = world.cluster.find(Kind::Node, "", "node-a").expect("it exists");
    let taint = Taint { key: "kubevirt.io/drain".into(), effect: "NoSchedule".into(), ..Taint::default() };
    world.cluster.patch::<Node>(node, |node| node.spec.taints.push(taint)).expect("it exists");
    world.settle();
    assert_eq!(evacuations(&world).len(), 1);
    assert!(!world.reasons("stays").contains(&"FailedCreate".to_owned()), "nobody tells of those that stay");
}

#[test]
fn who_is_only_spread_anew_may_wait() {
    let mut world = World::new();
    world.run("vm1", &strategy("LiveMigrate"));
    let (vmi, _) = world.cluster.find(Kind::VirtualMachineInstance, "default", "vm1").expect("it runs");
    let by_descheduler = |vmi: &mut VirtualMachineInstance| {
        vmi.metadata.annotations.insert("kubevirt.io/eviction-source", "descheduler");
    };
    world.cluster.patch(vmi, by_descheduler).expect("it exists");
    drain(&mut world);
    assert_eq!(evacuations(&world)[0].spec.priority, "system-maintenance");
    world.start(world.target("vm1"), "node-b");
    world.pass(Duration::from_secs(10));
    assert!(
        world.vmi("vm1").metadata.annotations.get("kubevirt.io/eviction-source").is_none(),
        "it has moved"
    );
}

#[test]
fn two_evacuations_take_the_places_of_a_node_and_the_third_comes_later() {
    let mut world = World::new();
    for name in ["vm1", "vm2", "vm3", "vm4"] {
        world.run(name, &strategy("LiveMigrate"));
    }
    drain(&mut world);
    assert_eq!(evacuations(&world).len(), 4, "all are asked for at once");
    let with_target = |world: &World| -> Vec<&str> {
        ["vm1", "vm2", "vm3", "vm4"].into_iter().filter(|name| world.pods(name).len() > 1).collect()
    };
    world.pass(Duration::from_secs(6));
    assert_eq!(with_target(&world), ["vm1", "vm2"]);
    world.end(world.target("vm1"), "Failed");
    assert_eq!(with_target(&world), ["vm1", "vm2", "vm3"], "a place that is free is taken at once");
}

#[test]
fn a_launcher_that_the_guest_is_not_in_stays_through_a_drain() {
    let mut world = World::new();
    world.run("vm1", &strategy("LiveMigrate"));
    world.migrate("m1", "vm1").expect("it is accepted");
    let (source, target) = (world.pods("vm1")[0], world.target("vm1"));
    world.start(target, "node-b");
    let goes = |world: &World, pod| {
        world.cluster.view().get::<Pod>(pod).is_none_or(|pod| pod.metadata.is_deleting())
    };
    world.cluster.drain_node("node-b").expect("there is such a node");
    world.settle();
    assert!(!goes(&world, target), "the guest has not come yet");
    assert_eq!(world.vmi("vm1").status.evacuation_node_name, "", "it is on another node");
    world.pass(Duration::from_secs(10));
    drain(&mut world);
    assert!(!goes(&world, source), "the guest has left, and its launcher ends by itself");
}

#[test]
fn each_failure_doubles_the_time_until_the_next_try() {
    let mut world = World::new();
    world.run("vm1", &strategy("LiveMigrate"));
    drain(&mut world);
    for wait in [20, 40, 80] {
        world.end(world.target("vm1"), "Failed");
        let pods = world.pods("vm1").len();
        world.pass(Duration::from_secs(wait) - Duration::from_millis(1));
        assert_eq!(world.pods("vm1").len(), pods, "{wait} s have not passed");
        assert_eq!(world.reasons("vm1").last().expect("events"), "MigrationBackoff");
        world.pass(Duration::from_millis(1));
        assert_eq!(world.pods("vm1").len(), pods + 1);
    }
}
