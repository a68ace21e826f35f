//! CDI's controllers together over time: suite `dv-history`. The case's script plays binder, scheduler and kubelet.

use crate::datavolume_environment::{Act, Environment};
use crate::datavolume_step::{cdi, classes};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use stuckvm_detector::Time;
use stuckvm_sim::journal::Entry;
use stuckvm_sim::objects::{Condition, Conditions, DataVolume, PersistentVolumeClaim, Pod};
use stuckvm_sim::{Cluster, Config, Kind, Latency, Object};

/// Plays one case; the error is what differs, in short.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    let start: Time = case["start"].as_str().expect("a start").parse().expect("a time");
    let config = Config {
        start,
        latency: Latency::none(),
        storage_object_in_use_protection: false,
        default_storage_class: false,
        keep_journal: true,
        cdi: cdi(&case["cluster"]),
        ..Config::default()
    };
    let is_cdi = |name: &str| {
        matches!(
            name,
            "data-volume" | "import" | "upload" | "import-populator" | "upload-populator" | "clone-populator"
        )
    };
    let mut play = Play {
        cluster: Cluster::with_some(config, is_cdi),
        environment: Environment::new(case),
        start,
        states: vec![],
    };
    play.begin(case);
    let seconds = case["script"]["until"].as_f64().expect("an end");
    play.run_until(after(start, seconds));
    play.compare(&case["expect"])
}

pub(crate) fn after(start: Time, seconds: f64) -> Time {
    let nanos = (seconds * 1000.0).round() as u64 * 1_000_000;
    start.checked_add(std::time::Duration::from_nanos(nanos)).expect("time goes on")
}

struct Play {
    cluster: Cluster,
    environment: Environment,
    start: Time,
    states: Vec<Value>,
}

impl Play {
    fn begin(&mut self, case: &Value) {
        let read = |object: &Value| Object::from_value(object).expect("an object");
        let stored: Vec<Object> = classes(&case["cluster"]).iter().filter_map(read).collect();
        self.cluster.load(stored).expect("the classes load");
        for (kind, why) in case["script"]["deny"].as_object().into_iter().flatten() {
            self.environment.deny(&mut self.cluster, kind, why.as_str().expect("words"));
        }
        // The informers list what is there already: every controller looks at it.
        for object in case["objects"].as_array().into_iter().flatten() {
            if object["kind"] == "DataVolume" {
                self.environment.data_volume = object.clone();
            }
            let Some(object) = read(object) else { continue };
            match object.kind() {
                Kind::DataVolume => self.environment.act(&mut self.cluster, &Act::CreateDataVolume),
                _ => {
                    let status = object.to_value()["status"].clone();
                    let id = self.cluster.apply(&object).expect("created");
                    self.environment.keep_status(&mut self.cluster, id, &status);
                }
            }
        }
    }

    fn run_until(&mut self, until: Time) {
        loop {
            self.settle();
            self.note();
            let next = [self.cluster.next_at(), self.environment.next_at()].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= until) else { return };
            self.cluster.advance_to(next);
        }
    }

    /// First the environment, then the controllers until none has anything to do, and so on until both rest.
    fn settle(&mut self) {
        loop {
            let before = (self.cluster.trace().events(), self.cluster.work_done());
            self.environment.react(&mut self.cluster);
            self.cluster.settle().expect("the instant comes to rest");
            self.environment.collect_garbage(&mut self.cluster);
            if before == (self.cluster.trace().events(), self.cluster.work_done()) {
                return;
            }
        }
    }

    fn note(&mut self) {
        let state = self.snapshot();
        if self.states.last().is_none_or(|last| without_at(last) != without_at(&state)) {
            self.states.push(state);
        }
    }

    fn seconds(&self, at: Time) -> f64 {
        at.saturating_since(self.start).as_millis() as f64 / 1000.0
    }

    fn snapshot(&self) -> Value {
        let view = self.cluster.view();
        let claims = view
            .iter::<PersistentVolumeClaim>()
            .map(|(_, claim)| (claim.metadata.name.to_string(), Value::from(claim.status.phase.as_str())));
        let pods =
            view.iter::<Pod>().map(|(_, pod)| (pod.metadata.name.to_string(), Value::from(shown(pod))));
        let mut state = json!({
            "at": self.seconds(self.cluster.now()),
            "claims": claims.collect::<Map<String, Value>>(),
            "pods": pods.collect::<Map<String, Value>>(),
            "phase": null
        });
        if let Some((_, dv)) = view.named::<DataVolume>("default", "disk") {
            state["phase"] = dv.status.phase.as_str().into();
            state["progress"] = dv.status.progress.as_str().into();
            state["restarts"] = dv.status.restart_count.into();
            for (field, kind) in [("bound", "Bound"), ("running", "Running"), ("ready", "Ready")] {
                if let Some(condition) = dv.status.conditions.condition(kind) {
                    state[field] = self.condition(condition);
                }
            }
        }
        state
    }

    fn condition(&self, condition: &Condition) -> Value {
        let since = condition.last_transition_time.map(|at| at.saturating_since(self.start).as_secs());
        json!({
            "status": condition.status.as_str(), "reason": condition.reason.as_str(),
            "message": condition.message.as_str(), "since": since
        })
    }

    fn compare(mut self, expect: &Value) -> Result<(), String> {
        let journal = self.cluster.take_journal();
        let uids = uids(&journal);
        let ours: Vec<Value> = self.states.iter().map(|state| plain(state, &uids)).collect();
        let theirs = filled(&expect["states"]);
        for (ours, theirs) in ours.iter().zip(&theirs) {
            if ours != theirs {
                return Err(format!("states\n  ours   {ours}\n  theirs {theirs}"));
            }
        }
        if ours.len() != theirs.len() {
            let next = ours.get(theirs.len()).or(theirs.get(ours.len()));
            return Err(format!("{} states, not {}: {}", ours.len(), theirs.len(), next.expect("one more")));
        }
        let ours = plain(&self.events(&journal), &uids);
        let theirs = expect["events"].clone();
        let of = |events: &Value| -> Vec<String> {
            let mut lines: Vec<String> =
                events.as_array().into_iter().flatten().map(ToString::to_string).collect();
            lines.sort();
            lines
        };
        let (ours, theirs) = (of(&ours), of(&theirs));
        let only = |one: &[String], other: &[String]| -> Vec<String> {
            one.iter().filter(|line| !other.contains(line)).cloned().collect()
        };
        let (more, less) = (only(&ours, &theirs), only(&theirs, &ours));
        if more.is_empty() && less.is_empty() {
            Ok(())
        } else {
            Err(format!("events\n  ours   {more:?}\n  theirs {less:?}"))
        }
    }

    /// Each text once, at its first instant, with the count.
    fn events(&self, journal: &[Entry]) -> Value {
        let mut events: Vec<Value> = Vec::new();
        let recorded = journal.iter().filter_map(|entry| match entry {
            Entry::Event { at, kind, name, severity, reason, message, .. } => Some((*at, json!({
                "on": format!("{kind}/{name}"), "type": severity.as_str(), "reason": reason, "message": message
            }))),
            _ => None,
        });
        let scripted = self.environment.events.iter().map(|(at, event)| (*at, event.clone()));
        for (at, event) in scripted.chain(recorded) {
            let same = |found: &&mut Value| {
                ["on", "type", "reason", "message"].iter().all(|key| found[key] == event[key])
            };
            if let Some(found) = events.iter_mut().find(same) {
                found["count"] = (found["count"].as_u64().unwrap_or(1) + 1).into();
                continue;
            }
            let mut event = event;
            event["at"] = number(self.seconds(at));
            events.push(event);
        }
        events.into()
    }
}

/// Whole seconds as integers, as the vectors write them.
fn number(seconds: f64) -> Value {
    if seconds.fract() == 0.0 { json!(seconds as u64) } else { json!(seconds) }
}

fn without_at(state: &Value) -> Value {
    let mut state = state.clone();
    state.as_object_mut().expect("a state").remove("at");
    state
}

/// A pod in short: phase and containers.
fn shown(pod: &Pod) -> String {
    let mut text = pod.status.phase.to_string();
    for status in &pod.status.container_statuses {
        let state = match (status.waiting(), status.terminated()) {
            (Some(waiting), _) => waiting.reason.to_string(),
            (_, Some(terminated)) => format!("exit {}", terminated.exit_code),
            _ => "running".to_owned(),
        };
        text.push_str(&format!(" {}:{state}", status.name));
    }
    text
}

/// The uids that were given, each with that of the vectors: by kind, name and how often there was such an object.
fn uids(journal: &[Entry]) -> Vec<(String, String)> {
    let mut made: BTreeMap<String, u32> = BTreeMap::new();
    let mut uids: Vec<(String, String)> = Vec::new();
    for entry in journal {
        let Entry::Write { verb: "create", new: Some(new), .. } = entry else { continue };
        let meta = new.metadata();
        if meta.uid.starts_with("uid-") {
            continue;
        }
        let name = uids.iter().fold(meta.name.to_string(), |name, (ours, theirs)| name.replace(ours, theirs));
        let base = format!("uid-{}-{name}", new.kind().as_str().to_lowercase());
        let count = made.entry(base.clone()).or_default();
        *count += 1;
        let theirs = if *count > 1 { format!("{base}-{count}") } else { base };
        uids.push((meta.uid.to_string(), theirs));
    }
    uids
}

fn plain(value: &Value, uids: &[(String, String)]) -> Value {
    let mut text = value.to_string();
    for (ours, theirs) in uids {
        text = text.replace(ours, theirs);
    }
    let mut value: Value = serde_json::from_str(&text).expect("JSON as before");
    if let Some(at) = value.get("at").and_then(Value::as_f64) {
        value["at"] = number(at);
    }
    value
}

/// The states with every field, without those in which nothing changed.
fn filled(states: &Value) -> Vec<Value> {
    let mut last = json!({ "claims": {}, "pods": {} });
    let mut filled: Vec<Value> = Vec::new();
    for state in states.as_array().into_iter().flatten() {
        if state["phase"].is_null() {
            last = json!({ "claims": {}, "pods": {} });
        }
        let fields = last.as_object_mut().expect("a state");
        for (key, value) in state.as_object().expect("a state") {
            if key != "dvError" {
                fields.insert(key.clone(), value.clone());
            }
        }
        if filled.last().is_none_or(|before| without_at(before) != without_at(&last)) {
            filled.push(last.clone());
        }
    }
    filled
}
