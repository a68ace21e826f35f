//! Instances that a drain moves.

use crate::world::World;
use serde_json::{Value, json};
use std::time::Duration;
use stuckvm_sim::Kind;
use stuckvm_sim::objects::{Node, Taint, VirtualMachineInstanceMigration};

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
    assert_eq!(world.vmi("waits").status.evacuation_node_name, "node-a");
    world.start(world.target("moves"), "node-b");
    world.pass(Duration::from_secs(10));
    assert_eq!(world.vmi("moves").status.node_name, "node-b");
    assert_eq!(world.vmi("moves").status.evacuation_node_name, "", "it has moved");
    world.pass(Duration::from_secs(60));
    assert_eq!(evacuations(&world).len(), 2, "nobody is moved twice");
}

#[test]
fn the_old_taint_moves_all_and_tells_of_those_that_cannot_move() {
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
    let told =
        |world: &World| world.reasons("stays").iter().filter(|reason| *reason == "FailedCreate").count();
    let before = told(&world);
    assert!(before > 0);
    world.pass(Duration::from_secs(60));
    assert!(told(&world) > before, "it is told again every minute");
}

#[test]
fn two_evacuations_take_the_places_of_a_node_and_the_third_comes_later() {
    let mut world = World::new();
    for name in ["vm1", "vm2", "vm3", "vm4"] {
        world.run(name, &strategy("LiveMigrate"));
    }
    drain(&mut world);
    // What is Pending takes no place, so that more are asked for until two have their targets.
    let asked = evacuations(&world).len();
    assert!((2..=4).contains(&asked), "{asked}");
    world.pass(Duration::from_secs(6));
    let with_target = ["vm1", "vm2", "vm3", "vm4"].iter().filter(|name| world.pods(name).len() > 1).count();
    assert_eq!(with_target, 2);
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
