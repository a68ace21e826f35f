//! `nodes/*`: what the node lifecycle, taint eviction and pod garbage collection controllers of 1.36.2 write.
//!
//! Compared as sets an instant: the order within one instant is not part of the answer.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};
use stuckvm_detector::Time;
use stuckvm_sim::journal::Entry;
use stuckvm_sim::objects::{Condition, Conditions as _, Node, Pod, Taint, Truth};
use stuckvm_sim::{Cluster, Config, ControllerManagerFlags, Kind, Latency, Object, ObjectId, WHOLE};

/// Instants may differ by so many seconds, those of taints and evictions a little more.
const TOLERANCE: f64 = 0.02;
const TAINT_TOLERANCE: f64 = 0.1;

/// The controllers start so long before the first pass.
const HEAD_START: Duration = Duration::from_millis(50);

/// Plays one case.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    let start: Time = text(&case["start"]).parse().expect("an instant");
    let mut cluster = cluster(case, start);
    for object in list(&case["objects"]) {
        create(&mut cluster, object);
    }
    cluster.settle().map_err(|error| error.to_string())?;
    let until = after(start, case["until"].as_f64().expect("seconds"));
    for (at, step) in script(case, start).into_iter().filter(|(at, _)| *at < until) {
        play_until(&mut cluster, Time::from_nanos(at.as_nanos() - 1))?;
        cluster.run_until(at).map_err(|error| error.to_string())?;
        play(&mut cluster, step);
        cluster.settle().map_err(|error| error.to_string())?;
    }
    play_until(&mut cluster, Time::from_nanos(until.as_nanos() - 1))?;
    let got = written(&mut cluster, start);
    compare(list(&case["expect"]), got)
}

fn play_until(cluster: &mut Cluster, at: Time) -> Result<(), String> {
    if at > cluster.now() { cluster.run_until(at).map_err(|error| error.to_string()) } else { Ok(()) }
}

fn cluster(case: &Value, start: Time) -> Cluster {
    let controllers = list(&case["controllers"]);
    let flags = flags(&case["flags"]);
    let start = Time::from_nanos(start.as_nanos() - HEAD_START.as_nanos() as u64);
    let period = flags.node_monitor_period;
    let config = Config {
        start,
        latency: Latency::none(),
        controller_manager: flags,
        keep_journal: true,
        ..Config::default()
    };
    let mut cluster = Cluster::with_some(config, |name| controllers.iter().any(|wanted| wanted == name));
    cluster.environment_mut().leases.play();
    let first = Duration::from_secs_f64(case["gcFirst"].as_f64().unwrap_or(0.0)) + HEAD_START;
    let share = |part: Duration, whole: Duration| {
        u32::try_from(part.as_nanos() * u128::from(WHOLE) / whole.as_nanos()).expect("a part")
    };
    cluster.random_mut().give("node-lifecycle", [share(HEAD_START, period)]);
    cluster.random_mut().give("pod-gc", [share(first, Duration::from_secs(20))]);
    cluster
}

fn flags(given: &Value) -> ControllerManagerFlags {
    let mut flags = ControllerManagerFlags::default();
    for (flag, value) in given.as_object().into_iter().flatten() {
        let seconds = || Duration::from_secs_f64(value.as_f64().expect("seconds"));
        match flag.as_str() {
            "node-monitor-grace-period" => flags.node_monitor_grace_period = Some(seconds()),
            "node-monitor-period" => flags.node_monitor_period = seconds(),
            "node-eviction-rate" => flags.node_eviction_rate = value.as_f64().expect("a rate") as f32,
            "terminated-pod-gc-threshold" => {
                flags.terminated_pod_gc_threshold = value.as_i64().expect("a number")
            }
            _ => panic!("a flag that is not known: {flag}"),
        }
    }
    flags
}

/// The steps in order, repeats written out.
fn script(case: &Value, start: Time) -> Vec<(Time, &Value)> {
    let mut steps = Vec::new();
    for step in list(&case["script"]) {
        let mut at = step["at"].as_f64().expect("seconds");
        let last = step["until"].as_f64().unwrap_or(at);
        while at <= last {
            steps.push((after(start, at), step));
            let Some(every) = step["every"].as_f64() else { break };
            at += every;
        }
    }
    steps.sort_by_key(|(at, _)| *at);
    steps
}

fn play(cluster: &mut Cluster, step: &Value) {
    let node = step["node"].as_str().unwrap_or_default();
    let taint = || serde_json::from_value::<Taint>(step["taint"].clone()).expect("a taint");
    let now = cluster.now();
    match text(&step["do"]) {
        "lease" => cluster.environment_mut().leases.renew(node, now),
        "delete-lease" => cluster.environment_mut().leases.remove(node),
        "status" => on_node(cluster, node, |node| post_status(node, &step["set"], now)),
        "cordon" => on_node(cluster, node, |node| node.spec.unschedulable = true),
        "uncordon" => on_node(cluster, node, |node| node.spec.unschedulable = false),
        // The fake API server of the cases lets a taint stand twice.
        "taint" => on_node(cluster, node, |node| node.spec.taints.push(taint())),
        "untaint" => on_node(cluster, node, |node| {
            let taint = taint();
            node.spec.taints.retain(|found| found.key != taint.key || found.effect != taint.effect);
        }),
        "label" => on_node(cluster, node, |node| {
            for (label, value) in step["set"].as_object().into_iter().flatten() {
                node.metadata.labels.insert(label.as_str(), text(value));
            }
        }),
        "delete-node" => {
            if let Some((id, _)) = cluster.find(Kind::Node, "", node) {
                cluster.delete::<Node>(id).expect("it is there");
            }
        }
        "create" => create(cluster, &step["object"]),
        _ => play_on_pod(cluster, step),
    }
}

fn play_on_pod(cluster: &mut Cluster, step: &Value) {
    let Some((id, _)) = cluster.find(Kind::Pod, "default", text(&step["pod"])) else { return };
    match text(&step["do"]) {
        "delete-pod" => cluster.delete::<Pod>(id).expect("it is there"),
        "remove-pod" => cluster.remove_pod(id).expect("it is there"),
        "bind" => on_pod(cluster, id, |pod| pod.node_name = text(&step["node"]).into()),
        "pod" => on_pod(cluster, id, |pod| set_pod(pod, &step["set"])),
        "tolerate" => on_pod(cluster, id, |pod| {
            let more: Vec<_> = serde_json::from_value(step["tolerations"].clone()).expect("tolerations");
            std::sync::Arc::make_mut(&mut pod.spec).tolerations.extend::<Vec<_>>(more);
        }),
        step => panic!("a step that is not known: {step}"),
    }
}

fn set_pod(pod: &mut Pod, set: &Value) {
    for (field, value) in set.as_object().into_iter().flatten() {
        match field.as_str() {
            "phase" => pod.status.phase = text(value).into(),
            kind => {
                let found = pod.status.conditions.iter_mut().find(|condition| condition.kind == kind);
                found.expect("it has the condition").status = truth(value);
            }
        }
    }
}

fn create(cluster: &mut Cluster, object: &Value) {
    if object["kind"] == "Lease" {
        let renewed = text(&object["spec"]["renewTime"]).parse().expect("an instant");
        cluster.environment_mut().leases.renew(text(&object["metadata"]["name"]), renewed);
        return;
    }
    let object = Object::from_value(object).expect("an object").expect("a kind that is modelled");
    // What exists stays: such a step does nothing.
    let _ = cluster.put(&object);
}

fn on_node(cluster: &mut Cluster, name: &str, change: impl FnOnce(&mut Node)) {
    if let Some((id, _)) = cluster.find(Kind::Node, "", name) {
        cluster.patch::<Node>(id, change).expect("it is there");
    }
}

fn on_pod(cluster: &mut Cluster, id: ObjectId, change: impl FnOnce(&mut Pod)) {
    cluster.patch::<Pod>(id, change).expect("it is there");
}

/// What a kubelet posts: all four conditions with a heartbeat now.
fn post_status(node: &mut Node, set: &Value, now: Time) {
    let well =
        [("MemoryPressure", "False"), ("DiskPressure", "False"), ("PIDPressure", "False"), ("Ready", "True")];
    let mut wanted: BTreeMap<&str, Truth> =
        well.iter().map(|(kind, status)| (*kind, truth(&json!(status)))).collect();
    for (kind, status) in set.as_object().into_iter().flatten() {
        wanted.insert(kind, truth(status));
    }
    let order = well.iter().map(|(kind, _)| *kind);
    let others: Vec<&str> =
        wanted.keys().copied().filter(|kind| well.iter().all(|(known, _)| known != kind)).collect();
    for kind in order.chain(others) {
        let before = node.status.conditions.condition(kind);
        let same = before.filter(|before| before.status == wanted[kind]);
        let since = same.and_then(|before| before.last_transition_time).unwrap_or(now);
        let condition = Condition {
            last_heartbeat_time: Some(now.truncate_to_secs()),
            ..Condition::new(kind, wanted[kind], "Kubelet", since)
        };
        match node.status.conditions.iter_mut().find(|found| found.kind == kind) {
            Some(found) => *found = condition,
            None => node.status.conditions.push(condition),
        }
    }
}

/// The journal of the controllers, spelled as the cases spell it.
fn written(cluster: &mut Cluster, start: Time) -> Vec<Value> {
    let journal = cluster.take_journal();
    let mut all: Vec<Value> = Vec::new();
    let seconds = |at: Time| (at.as_nanos() as f64 - start.as_nanos() as f64) / 1e9;
    let mut names: BTreeMap<ObjectId, String> = BTreeMap::new();
    for entry in &journal {
        match entry {
            Entry::Write { at, actor, verb, id, old, new } => {
                let object = new.as_ref().or(old.as_ref()).expect("an object");
                names.insert(*id, name_of(object));
                if *actor != "user" {
                    write(&mut all, (seconds(*at), actor, verb), old.as_ref(), new.as_ref());
                }
            }
            Entry::Event { at, actor, kind, namespace, name, severity, reason, message, .. } => {
                let separator = if namespace.is_empty() { "" } else { "/" };
                let what = format!("{} {namespace}{separator}{name}", kind.to_lowercase());
                all.push(json!({"t": seconds(*at), "by": actor, "do": "event", "what": what,
                    "type": severity.as_str(), "reason": reason, "message": message}));
            }
            Entry::Unchanged { at, actor, id, .. } if *actor != "user" => {
                all.push(deletion(seconds(*at), actor, &names[id]));
            }
            Entry::Unchanged { .. } | Entry::Refused { .. } => {}
        }
    }
    all
}

fn write(all: &mut Vec<Value>, (t, by, verb): (f64, &str, &str), old: Option<&Object>, new: Option<&Object>) {
    let old = old.expect("controllers create nothing");
    let what = name_of(old);
    let Some(new) = new else {
        all.push(deletion(t, by, &what));
        all.push(json!({"t": t, "by": by, "do": "gone", "what": what}));
        return;
    };
    let (before, after) = (old.to_value(), new.to_value());
    if verb == "delete" {
        all.push(deletion(t, by, &what));
        let meta = &after["metadata"];
        let set = json!({"metadata": {"deletionGracePeriodSeconds": meta["deletionGracePeriodSeconds"],
            "deletionTimestamp": meta["deletionTimestamp"]}});
        all.push(json!({"t": t, "by": by, "do": "deleting", "what": what, "set": set}));
        return;
    }
    let status = status_changes(&before["status"], &after["status"]);
    if !status.is_empty() {
        let verb = if by == "node-lifecycle" { "update status" } else { "patch status" };
        all.push(json!({"t": t, "by": by, "do": verb, "what": what, "set": {"status": status}}));
    }
    let changes = label_changes(&before["metadata"]["labels"], &after["metadata"]["labels"]);
    if !changes.is_empty() {
        all.push(
            json!({"t": t, "by": by, "do": "patch", "what": what, "set": {"metadata": {"labels": changes}}}),
        );
    }
    if before["spec"]["taints"] != after["spec"]["taints"] {
        set_taints(all, (t, by, &what), &after["spec"]["taints"]);
    }
}

/// Writes of a node's taints at one instant are one.
fn set_taints(all: &mut Vec<Value>, (t, by, what): (f64, &str, &str), after: &Value) {
    let mut taints = after.as_array().cloned().unwrap_or_default();
    taints.sort_by_key(|taint| (taint["key"].to_string(), taint["effect"].to_string()));
    let taints = if taints.is_empty() { Value::Null } else { Value::Array(taints) };
    let same = |entry: &&mut Value| {
        entry["t"] == json!(t) && entry["what"] == what && entry["set"]["spec"].is_object()
    };
    if let Some(entry) = all.iter_mut().find(same) {
        entry["set"]["spec"]["taints"] = taints;
        return;
    }
    all.push(json!({"t": t, "by": by, "do": "patch", "what": what, "set": {"spec": {"taints": taints}}}));
}

fn status_changes(before: &Value, after: &Value) -> Map<String, Value> {
    let mut changes = Map::new();
    let conditions = list(&after["conditions"])
        .iter()
        .filter(|condition| !list(&before["conditions"]).contains(condition));
    let conditions: Vec<Value> = conditions.cloned().collect();
    if !conditions.is_empty() {
        changes.insert("conditions".into(), conditions.into());
    }
    if before["phase"] != after["phase"] {
        changes.insert("phase".into(), after["phase"].clone());
    }
    changes
}

fn label_changes(before: &Value, after: &Value) -> Map<String, Value> {
    let labels = after.as_object().into_iter().flatten();
    labels
        .filter(|(label, value)| before[label] != **value)
        .map(|(label, value)| (label.clone(), value.clone()))
        .collect()
}

fn deletion(t: f64, by: &str, what: &str) -> Value {
    let mut entry = json!({"t": t, "by": by, "do": "delete", "what": what});
    if by == "pod-gc" {
        entry["grace"] = json!(0);
    }
    entry
}

fn name_of(object: &Object) -> String {
    let meta = object.metadata();
    let separator = if meta.namespace.is_empty() { "" } else { "/" };
    format!("{} {}{separator}{}", object.kind().as_str().to_lowercase(), meta.namespace, meta.name)
}

fn compare(expected: &[Value], mut got: Vec<Value>) -> Result<(), String> {
    let mut expected = expected.to_vec();
    expected.iter_mut().for_each(drop_nulls);
    got.iter_mut().for_each(drop_nulls);
    for entry in &expected {
        let Some(at) = got.iter().position(|found| is_same(entry, found)) else {
            let near: Vec<_> = got.iter().filter(|found| found["what"] == entry["what"]).collect();
            return Err(format!("lacks {entry}\nhas {}", json!(near)));
        };
        got.swap_remove(at);
    }
    if got.is_empty() { Ok(()) } else { Err(format!("has besides {}", json!(got))) }
}

fn is_same(expected: &Value, got: &Value) -> bool {
    let t = |entry: &Value| entry["t"].as_f64().expect("seconds");
    let taints = expected["set"]["spec"].is_object() || expected["by"] == "taint-eviction";
    let tolerance = if taints { TAINT_TOLERANCE } else { TOLERANCE };
    let fields = |entry: &Value| {
        let mut fields = entry.as_object().expect("fields").clone();
        fields.remove("t");
        fields
    };
    (t(expected) - t(got)).abs() <= tolerance && fields(expected) == fields(got)
}

/// `lastProbeTime: null` says nothing; `taints: null` says that none is left.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|field, value| !value.is_null() || field == "taints");
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(values) => values.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

fn after(start: Time, seconds: f64) -> Time {
    start + Duration::from_nanos((seconds * 1e6).round() as u64 * 1000)
}

fn truth(value: &Value) -> Truth {
    serde_json::from_value(value.clone()).expect("True, False or Unknown")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a text: {value}"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
