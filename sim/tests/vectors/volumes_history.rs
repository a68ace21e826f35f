//! `volumes/binder-history` and `volumes/protection`: claims, volumes and pods over time.

use serde_json::{Map, Value, json};
use std::time::Duration;
use stuckvm_detector::Time;
use stuckvm_sim::journal::Entry;
use stuckvm_sim::objects::{PersistentVolume, PersistentVolumeClaim, Pod, StorageClass};
use stuckvm_sim::{Cluster, Config, Kind, Latency, ObjectId, Resource};

use crate::patches::{merge, with_plain_sizes};
use crate::volume_world::{Names, START, changes, find, lines, names, object, objects, snapshot};

/// Plays one case.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    let start = Time::from_secs(START);
    let config = Config { start, latency: Latency::none(), keep_journal: true, ..Config::default() };
    let controllers = case["controllers"].as_array().expect("controllers");
    let mut cluster =
        Cluster::with_some(config, |name| controllers.iter().any(|wanted| wanted.as_str() == Some(name)));
    cluster.load([]).map_err(|error| error.to_string())?;
    cluster.restore(objects(case)).map_err(|error| error.to_string())?;
    cluster.settle().map_err(|error| error.to_string())?;
    let mut world = World { before: given(case), cluster, script: steps(case) };
    let mut stops = Vec::new();
    for stop in case["stops"].as_array().expect("stops") {
        stops.push(world.play_until(stop)?);
    }
    let journal = world.cluster.take_journal();
    let log = log(&journal, &names(&journal, &world.cluster));
    compare("stops", &case["expect"]["stops"], &Value::Array(stops))?;
    compare("log", &case["expect"]["log"], &Value::Array(log))
}

struct World {
    cluster: Cluster,
    script: Vec<(Time, Value)>,
    before: Map<String, Value>,
}

impl World {
    fn play_until(&mut self, stop: &Value) -> Result<Value, String> {
        let until = instant(stop);
        while self.script.first().is_some_and(|(at, _)| *at <= until) {
            let (at, step) = self.script.remove(0);
            self.cluster.run_until(at).map_err(|error| error.to_string())?;
            self.step(&step)?;
            self.cluster.settle().map_err(|error| error.to_string())?;
        }
        self.cluster.run_until(until).map_err(|error| error.to_string())?;
        let now = snapshot(&self.cluster);
        let set = changes(&self.before, &now);
        self.before = now;
        Ok(json!({"t": stop, "state": states(&self.cluster), "set": set}))
    }

    fn step(&mut self, step: &Value) -> Result<(), String> {
        let verb = step["do"].as_str().expect("what to do");
        if verb == "create" {
            let created = object(&step["object"]).map(|object| self.cluster.restore([object]));
            // A create of what exists does nothing.
            return created.map_or(Ok(()), |result| result.map(drop).or(Ok(())));
        }
        let what = step["what"].as_str().expect("on what");
        let Some(id) = find(&self.cluster, what) else { return Ok(()) };
        match id.kind {
            Kind::PersistentVolumeClaim => self.change::<PersistentVolumeClaim>(id, verb, &step["patch"]),
            Kind::PersistentVolume => self.change::<PersistentVolume>(id, verb, &step["patch"]),
            Kind::StorageClass => self.change::<StorageClass>(id, verb, &step["patch"]),
            Kind::Pod if verb == "remove" => self.cluster.remove_pod(id).map_err(|error| error.to_string()),
            Kind::Pod => self.change::<Pod>(id, verb, &step["patch"]),
            other => Err(format!("no step on a {other}")),
        }
    }

    fn change<T: Resource>(&mut self, id: ObjectId, verb: &str, patch: &Value) -> Result<(), String> {
        if matches!(verb, "delete" | "remove") {
            return self.cluster.delete::<T>(id).map_err(|error| error.to_string());
        }
        let changed = self.cluster.patch(id, |object: &mut T| {
            let mut value = serde_json::to_value(&*object).expect("objects serialize");
            merge(&mut value, patch);
            *object = serde_json::from_value(value).expect("a patched object is one");
        });
        changed.map(drop).map_err(|error| error.to_string())
    }
}

fn given(case: &Value) -> Map<String, Value> {
    let mut cluster = Cluster::with_some(Config::default(), |_| false);
    cluster.load(objects(case)).expect("a case's objects have names of their own");
    snapshot(&cluster)
}

fn steps(case: &Value) -> Vec<(Time, Value)> {
    let steps = case["script"].as_array().into_iter().flatten();
    steps.map(|step| (instant(&step["at"]), step.clone())).collect()
}

fn instant(seconds: &Value) -> Time {
    let seconds = seconds.as_f64().expect("seconds");
    let passed = Duration::from_millis((seconds * 1000.0).round() as u64);
    Time::from_secs(START).checked_add(passed).expect("an instant")
}

/// The state of each claim and volume in words.
fn states(cluster: &Cluster) -> Value {
    let mut states = Map::new();
    for (what, object) in snapshot(cluster) {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or("").to_owned();
        let mut words = vec![text("/status/phase"), text("/spec/volumeName")];
        if object.pointer("/spec/claimRef").is_some() {
            words.push(format!("{}/{}", text("/spec/claimRef/namespace"), text("/spec/claimRef/name")));
            let has_uid = object.pointer("/spec/claimRef/uid").is_some();
            words.push(if has_uid { String::new() } else { "(no uid)".to_owned() });
        }
        if object.pointer("/metadata/deletionTimestamp").is_some() {
            words.push("deleting".to_owned());
        }
        words.retain(|word| !word.is_empty());
        states.insert(what, words.join(" ").into());
    }
    Value::Object(states)
}

/// The controllers' lines in the vectors' order: by instant, object and
/// controller, an event once an instant, none about an object
/// that goes then.
fn log(journal: &[Entry], names: &Names) -> Vec<Value> {
    let mut log: Vec<(Time, String, Value)> = Vec::new();
    for entry in journal {
        let (at, actor) = match entry {
            Entry::Write { at, actor, .. }
            | Entry::Event { at, actor, .. }
            | Entry::Unchanged { at, actor, .. } => (*at, *actor),
            Entry::Refused { .. } => continue,
        };
        if actor == "user" {
            continue;
        }
        for mut line in lines(entry, names) {
            let passed = at.saturating_since(Time::from_secs(START)).as_millis();
            line["t"] = json!(passed as f64 / 1000.0);
            line["by"] = actor.into();
            log.push((at, line["what"].as_str().expect("on what").to_owned(), line));
        }
    }
    let by = |line: &Value| line["by"].as_str().map(str::to_owned);
    log.sort_by(|a, b| (a.0, &a.1, by(&a.2)).cmp(&(b.0, &b.1, by(&b.2))));
    let mut kept: Vec<(Time, String, Value)> = Vec::new();
    for (at, what, line) in &log {
        let event = line["do"] == "event";
        let goes =
            |other: &(Time, String, Value)| other.0 == *at && other.1 == *what && other.2["do"] == "gone";
        let twice = kept.iter().any(|other| other.0 == *at && other.2 == *line);
        if !event || !(twice || log.iter().any(goes)) {
            kept.push((*at, what.clone(), line.clone()));
        }
    }
    kept.into_iter().map(|(_, _, line)| line).collect()
}

fn compare(key: &str, expected: &Value, got: &Value) -> Result<(), String> {
    let expected = with_floats(with_plain_sizes(expected.clone()));
    let got = with_floats(got.clone());
    let expected_items = expected.as_array().expect("a list");
    let got_items = got.as_array().expect("a list");
    for at in 0..expected_items.len().max(got_items.len()) {
        let (wanted, found) = (expected_items.get(at), got_items.get(at));
        if wanted != found {
            let shown = |item: Option<&Value>| item.map_or("nothing".to_owned(), Value::to_string);
            return Err(format!("{key}[{at}]\nexpected {}\ngot      {}", shown(wanted), shown(found)));
        }
    }
    Ok(())
}

/// Instants as floats on both sides.
fn with_floats(mut list: Value) -> Value {
    for item in list.as_array_mut().into_iter().flatten() {
        item["t"] = json!(item["t"].as_f64());
    }
    list
}
