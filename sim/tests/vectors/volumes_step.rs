//! `volumes/binder-table` and `volumes/binder-step`: one sync of the PersistentVolume controller.

use serde_json::{Value, json};
use stuckvm_detector::Time;
use stuckvm_sim::{Action, Cluster, Config, Latency};

use crate::patches::with_plain_sizes;
use crate::volume_world::{START, changes, find, lines, names, objects, snapshot};

/// Plays one case.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    let start = Time::from_secs(START);
    let config = Config { start, latency: Latency::none(), keep_journal: true, ..Config::default() };
    let mut cluster = Cluster::with_some(config, |name| name == "pv-binder");
    // The controller has started, with nothing there, before the one sync.
    cluster.settle().map_err(|error| error.to_string())?;
    cluster.load(objects(case)).map_err(|error| error.to_string())?;
    let before = snapshot(&cluster);
    let sync = case["sync"].as_str().expect("what to sync");
    let id = find(&cluster, sync).ok_or("nothing to sync")?;
    let result = match cluster.reconcile_once("pv-binder", id).expect("the controller is there") {
        Action::Fail(why) => format!("error: {why}"),
        _ => "ok".to_owned(),
    };
    let queued = cluster.next_at() == Some(start);
    let journal = cluster.take_journal();
    let names = names(&journal, &cluster);
    let log: Vec<Value> = journal.iter().flat_map(|entry| lines(entry, &names)).collect();
    let answer = json!({"result": result, "log": log, "after": changes(&before, &snapshot(&cluster))});
    agrees(case, &answer, queued)
}

fn agrees(case: &Value, answer: &Value, queued: bool) -> Result<(), String> {
    let expected = &case["expect"];
    if expected.get("queued").is_some() != queued {
        return Err(format!("queued: {queued}, expected {}", expected["queued"]));
    }
    let any = case.get("any").or(expected.get("any")).and_then(Value::as_array);
    let mut right = any.into_iter().flatten().chain([expected]);
    let same = |expected: &Value| {
        let expected = with_plain_sizes(expected.clone());
        ["result", "log", "after"].iter().all(|key| expected[key] == answer[key])
    };
    if right.any(same) {
        return Ok(());
    }
    Err(format!("expected {}\ngot      {answer}", with_plain_sizes(expected.clone())))
}
