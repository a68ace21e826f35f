//! What ends a run whose controllers would answer each other without end.

use serde_json::json;
use std::time::Duration;
use stuckvm_sim::{Cluster, Config, Object, Reach, StepBudget};

/// Plays a minute in which a machine is created that lacks its claim.
fn play(config: Config) -> Result<u64, StepBudget> {
    let machine = json!({
        "kind": "VirtualMachine",
        "metadata": {"name": "vm1", "namespace": "default"},
        "spec": {"runStrategy": "Always", "template": {"spec": {
            "domain": {"devices": {}},
            "volumes": [{"name": "root", "persistentVolumeClaim": {"claimName": "data"}}],
        }}},
    });
    let machine = Object::from_value(&machine).expect("it reads").expect("a known kind");
    let mut cluster = Cluster::new(config);
    cluster.apply(&machine).expect("a new machine");
    cluster.run_until(cluster.now() + Duration::from_secs(60))?;
    Ok(cluster.work_done())
}

#[test]
fn a_run_may_take_its_budget_and_no_more() {
    let needed = play(Config::default()).expect("a minute of one machine is little work");
    assert!(needed > 2, "the controllers had something to do");
    assert_eq!(play(Config { run_budget: needed, ..Config::default() }), Ok(needed));
    let error = play(Config { run_budget: needed - 1, ..Config::default() }).expect_err("one piece too much");
    assert_eq!((error.reach, error.budget), (Reach::Run, needed - 1));
    let words = format!("the run took more than {} pieces of work by 2022-10-03T11:1", needed - 1);
    assert!(error.to_string().starts_with(&words), "{error}");
}

#[test]
fn an_instant_has_a_budget_of_its_own() {
    let error =
        play(Config { instant_budget: 0, ..Config::default() }).expect_err("work at the first reaction");
    let words = "one instant took more than 0 pieces of work by 2022-10-03T11:11:07.05Z; \
                 the last to work was virtual-machine, on VirtualMachine default/vm1";
    assert_eq!((error.reach, error.to_string().as_str()), (Reach::Instant, words));
}
