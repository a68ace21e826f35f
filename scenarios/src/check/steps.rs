//! What the steps of a scenario must keep: the order of time, the end of the run, something to do, and names of controllers.

use super::Fault;
use crate::format::{ConflictTarget, Scenario, SlowApiTarget, Step, Target, WatchTarget};
use stuckvm_sim::control_plane::{COMPONENTS, controllers_of};
use stuckvm_sim::duration::format as shown;
use stuckvm_sim::{Cluster, Config};

/// Checks the steps but for their manifests.
pub(super) fn steps(scenario: &Scenario) -> Result<(), Fault> {
    in_order(&scenario.steps)?;
    for (index, step) in scenario.steps.iter().enumerate() {
        if step.at > scenario.until {
            let expected = format!("{} or earlier, since the run ends then", shown(scenario.until.0));
            let advice = "a later step would never be taken: lengthen `until`";
            return Err(Fault(format!("steps[{index}].at"), expected, shown(step.at.0), advice));
        }
        if *step == (Step { at: step.at, ..Step::default() }) {
            let expected = "something to do: apply, patch, delete, start, break, heal …".to_owned();
            let advice = "say what happens then, or leave the step out";
            return Err(Fault(format!("steps[{index}]"), expected, "only `at`".to_owned(), advice));
        }
        for (verb, target) in [("break", &step.breaks), ("heal", &step.heal)] {
            let field = format!("steps[{index}].{verb}");
            match target {
                Some(Target::Watch(watch)) => known_controller(watch, &field)?,
                Some(Target::Controller(name)) => of_control_plane(name, format!("{field}.controller"))?,
                Some(Target::Conflicts(ConflictTarget { controller, .. })) => {
                    of_control_plane(controller, format!("{field}.conflicts.controller"))?;
                }
                Some(Target::SlowApi(SlowApiTarget { controller: Some(name), .. })) => {
                    of_control_plane(name, format!("{field}.slow-api.controller"))?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn in_order(steps: &[Step]) -> Result<(), Fault> {
    for (index, pair) in steps.windows(2).enumerate() {
        if pair[1].at < pair[0].at {
            let [before, at] = [pair[0].at.0, pair[1].at.0].map(shown);
            let field = format!("steps[{}].at", index + 1);
            let expected = format!("{before} or later, as the step before");
            return Err(Fault(field, expected, at, "put the steps in order of time"));
        }
    }
    Ok(())
}

fn known_controller(watch: &WatchTarget, field: &str) -> Result<(), Fault> {
    let cluster = Cluster::new(Config::default());
    if cluster.controllers().any(|name| name == watch.controller) {
        return Ok(());
    }
    let known = cluster.controllers().collect::<Vec<_>>().join(", ");
    let field = format!("{field}.watch.controller");
    Err(Fault(field, format!("one of {known}"), watch.controller.clone(), "name it as the trace does"))
}

/// A process of the control plane or one of its controllers; agents of the nodes are down with their machine.
fn of_control_plane(name: &str, field: String) -> Result<(), Fault> {
    if !controllers_of(name).is_empty() {
        return Ok(());
    }
    let processes: Vec<&str> = COMPONENTS.iter().map(|(process, _)| *process).collect();
    let expected = format!("one of {}, or a controller in one of them", processes.join(", "));
    Err(Fault(field, expected, name.to_owned(), "an agent is down with its machine: break the node"))
}
