//! What set off what: in every scenario of the catalog each status of a machine leads back to something from outside.

use stuckvm_scenarios::catalog::{Tree, load_all};
use stuckvm_scenarios::format::Step;
use stuckvm_scenarios::run::{RunOptions, run};
use stuckvm_sim::trace::{Keep, TraceLine};

/// The first cause.
fn root<'a>(trace: &'a [TraceLine], line: &'a TraceLine) -> &'a TraceLine {
    let mut first = line;
    while let Some(number) = first.because {
        assert!(number < first.number, "a cause comes before what it sets off: {number} {first}");
        let index = usize::try_from(number - 1).expect("a few lines");
        first = &trace[index];
        assert_eq!(first.number, number, "a whole trace has every line");
    }
    first
}

/// Whether a step does what no write shows: agents notice a lost machine, a guest that ends, or an image that arrives, by
/// themselves.
fn acts_beside_the_api(step: &Step) -> bool {
    let guests = [&step.panic, &step.power_off, &step.pause, &step.unpause];
    let breaks_or_sends = step.breaks.is_some() || step.heal.is_some() || step.upload.is_some();
    breaks_or_sends || guests.into_iter().any(Option::is_some)
}

#[test]
fn each_status_leads_back_to_a_user_or_to_a_fault() {
    let mut statuses = 0;
    for loaded in load_all(&Tree::Embedded).expect("the catalog reads") {
        let faults = loaded.scenario.steps.iter().any(acts_beside_the_api);
        let trace = run(&loaded, RunOptions { keep_trace: Keep::Everything, ..RunOptions::default() }).trace;
        let is_status = |line: &&TraceLine| {
            line.actor == "virtual-machine"
                && line.verb == "update"
                && line.object.starts_with("VirtualMachine ")
        };
        for line in trace.iter().filter(is_status) {
            let root = root(&trace, line);
            let from_outside = root.actor == "user" || faults;
            assert!(from_outside, "{}: {line}\nleads back to {root}", loaded.scenario.scenario);
            statuses += 1;
        }
    }
    assert!(statuses > 1000, "the catalog has many: {statuses}");
}
