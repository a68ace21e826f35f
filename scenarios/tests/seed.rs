//! What another seed changes: every drawn phase, and which judges are asked.

use std::collections::BTreeSet;
use stuckvm_scenarios::catalog::{Tree, load_all, select};
use stuckvm_scenarios::run::{Run, RunOptions, run};
use stuckvm_sim::trace::Keep;
use stuckvm_sim::trace::TraceLine;

/// Runs a scenario of the catalog with each of four seeds.
fn with_four_seeds(name: &str) -> Vec<Run> {
    let catalog = load_all(&Tree::Embedded).expect("the catalog reads");
    let loaded = &select(catalog, &[name.to_owned()]).expect("it is there")[0];
    let play = |seed| {
        run(loaded, RunOptions { seed: Some(seed), keep_trace: Keep::Everything, ..RunOptions::default() })
    };
    (1..=4).map(play).collect()
}

/// Where the first event of a reason stands within a period, run by run.
fn phases(runs: &[Run], reason: &str, period_nanos: u64) -> BTreeSet<u64> {
    let is_it = |line: &&TraceLine| line.verb == "event" && line.detail.contains(reason);
    let first = |run: &Run| run.trace.iter().find(is_it).expect("it comes").at.as_nanos() % period_nanos;
    runs.iter().map(first).collect()
}

#[test]
fn a_seed_draws_when_the_kubelet_ticks() {
    // A pull that was put off is said to be so by a sync, which comes at a tick; there is one every second.
    let phases = phases(&with_four_seeds("fleet/seven-ways"), "BackOff", 1_000_000_000);
    assert_eq!(phases.len(), 4, "four seeds, four phases of the second: {phases:?}");
}

#[test]
fn a_seed_draws_when_the_node_lifecycle_controller_passes() {
    // That a node is lost is noticed by a pass; there is one every five seconds.
    let phases = phases(&with_four_seeds("nodes/node-lost"), "NodeNotReady", 5_000_000_000);
    assert_eq!(phases.len(), 4, "four seeds, four phases of five seconds: {phases:?}");
}
