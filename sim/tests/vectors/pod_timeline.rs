//! Suite kubelet/pod-timeline: whole lives of pods on one node.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use stuckvm_detector::Time;
use stuckvm_sim::environment::{Image, KubeletStart, Program, Pull, RuntimeRequest, ScriptedPull, Stop};
use stuckvm_sim::journal::Entry;
use stuckvm_sim::kubelet::PullLimits;
use stuckvm_sim::objects::{Condition, ContainerState, ContainerStatus, Pod, SharedVec, Terminated};
use stuckvm_sim::{Cluster, Config, EventCorrelator, Latency, Object, ObjectId, WHOLE};

const START: u64 = 1_000_000;
const TOLERANCE: f64 = 0.0101;
/// The runtime of the vectors makes sandboxes, and starts and stops containers, in 0.1 to 0.2 ms.
const RUNTIME_MOMENT: Duration = Duration::from_micros(150);
/// A call of that runtime's takes as long as a relist, which is one. A pull is another: chains of eight pulls end less than
/// 0.5 ms later than what the case says adds up to, and a back-off that would end on a tick ends after it.
const RUNTIME_CALL: Duration = Duration::from_micros(20);

/// Plays a case; `Err` tells what differs first.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    let mut world = World::new(case);
    world.play(case);
    let (expect, got) = (&case["expect"], world.record());
    compare("write", &thin(list(expect, "writes")), &thin(&got.writes))?;
    compare("pull", &by_owner(list(expect, "pulls")), &by_owner(&got.pulls))?;
    compare("start", &by_owner(list(expect, "starts")), &by_owner(&got.starts))?;
    let kinds = list(expect, "event_kinds");
    let events: Vec<Value> = list(expect, "events").iter().map(|event| named_event(event, kinds)).collect();
    compare("event", &sorted(events), &sorted(got.events))?;
    compare("deletion", list(expect, "deleted"), &got.deleted)
}

struct World {
    cluster: Cluster,
    ids: BTreeMap<String, ObjectId>,
}

#[derive(Default)]
struct Record {
    writes: Vec<Value>,
    pulls: Vec<Value>,
    starts: Vec<Value>,
    events: Vec<Value>,
    deleted: Vec<Value>,
}

impl World {
    fn new(case: &Value) -> Self {
        let mut latency = Latency::none();
        latency.sandbox = seconds(&case["sandbox_takes"]).unwrap_or(RUNTIME_MOMENT);
        latency.container_start = RUNTIME_MOMENT;
        latency.pod_sync = Duration::from_micros(400);
        let config =
            Config { start: Time::from_secs(START), keep_journal: true, latency, ..Config::default() };
        let mut cluster = Cluster::with_some(config, |name| name == "kubelet");
        let phase = |name: &str| {
            let phase = seconds(&case["phases"][name]).unwrap_or_default();
            Time::from_secs(START - 120).checked_add(phase).expect("early")
        };
        let start = KubeletStart {
            tick: phase("sync"),
            relist: phase("relist") + Duration::from_secs(1),
            // No case gives it; wherever it shows it is this.
            status: Time::from_secs(START - 120) + Duration::from_millis(950),
        };
        let environment = cluster.environment_mut();
        environment.machines.start_kubelet("node", start);
        environment.runtime_log.keep();
        environment.registry.answer = Duration::from_secs(1) + RUNTIME_CALL;
        if let Some(limit) = case["max_parallel_pulls"].as_u64() {
            let parallel = u32::try_from(limit).ok().filter(|limit| *limit > 0);
            environment.machines.limit_pulls(PullLimits { parallel, ..PullLimits::default() });
        }
        for (image, entry) in map(&case["images"]) {
            if let Some(from) = seconds(&entry["local"]) {
                environment.machines.store_image(image, at(from));
            }
            environment.registry.script(image, list(entry, "pulls").iter().map(called_pull).collect());
        }
        for (name, starts) in map(&case["containers"]) {
            let (pod, container) = name.split_once('/').expect("POD/CONTAINER");
            let starts = starts.as_array().expect("a list").iter().map(program).collect();
            environment.programs.script(pod, container, starts);
        }
        for pod in list(case, "pods") {
            let name = pod["pod"]["metadata"]["name"].as_str().expect("a name");
            let draws: Vec<u32> = match &case["jitter"] {
                Value::Number(one) => vec![fraction(one.as_f64().expect("a number")); 2000],
                draws => {
                    let of_pod = draws.get(name).and_then(Value::as_array).into_iter().flatten();
                    of_pod.map(|draw| fraction(draw.as_f64().expect("a number"))).collect()
                }
            };
            cluster.random_mut().give_part("kubelet", name, draws);
        }
        Self { cluster, ids: BTreeMap::new() }
    }

    fn play(&mut self, case: &Value) {
        let mut steps: Vec<(Duration, &Value)> = Vec::new();
        for list_name in ["pods", "deletes"] {
            steps
                .extend(list(case, list_name).iter().map(|step| (seconds(&step["at"]).expect("when"), step)));
        }
        steps.sort_by_key(|(at, _)| *at);
        let end = seconds(&case["end"]).expect("an end");
        for (when, step) in steps.into_iter().filter(|(when, _)| *when <= end) {
            self.cluster.run_until(at(when)).expect("it comes to rest");
            match step.get("grace") {
                None => self.bind(&step["pod"]),
                Some(grace) => {
                    self.delete(step["pod"].as_str().expect("a name"), grace.as_u64().expect("seconds"))
                }
            }
            self.cluster.settle().expect("it comes to rest");
        }
        self.cluster.run_until(at(end)).expect("it comes to rest");
    }

    fn bind(&mut self, pod: &Value) {
        let mut pod = pod.clone();
        let name = pod["metadata"]["name"].as_str().expect("a name").to_owned();
        pod["metadata"]["uid"] = json!(format!("uid-{name}"));
        pod["metadata"]["namespace"] = json!("default");
        pod["spec"]["nodeName"] = json!("node");
        pod["status"]["phase"] = json!("Pending");
        if pod["spec"].get("restartPolicy").is_none() {
            pod["spec"]["restartPolicy"] = json!("Always");
        }
        let object = Object::from_value(&pod).expect("a pod").expect("a pod");
        let id = self.cluster.apply(&object).expect("the pod is new");
        self.ids.insert(name, id);
    }

    fn delete(&mut self, pod: &str, grace: u64) {
        let id = self.ids[pod];
        let now = self.cluster.now();
        if grace == 0 {
            self.cluster.remove_pod(id).expect("the pod exists");
            return;
        }
        let seconds = u32::try_from(grace).expect("few seconds");
        let marked = self.cluster.patch::<Pod>(id, |pod| {
            pod.metadata.deletion_grace_period_seconds = Some(seconds);
            pod.metadata.deletion_timestamp = Some(now + Duration::from_secs(grace));
        });
        marked.expect("the pod exists");
    }

    fn record(mut self) -> Record {
        let mut record = Record::default();
        let mut correlator = EventCorrelator::default();
        let mut conditions: BTreeMap<String, SharedVec<Condition>> = BTreeMap::new();
        for entry in self.cluster.take_journal() {
            match entry {
                Entry::Write { at, actor: "kubelet", new: Some(Object::Pod(pod)), .. } => {
                    record.writes.push(write(at, &pod, &mut conditions));
                }
                Entry::Write { at, actor: "kubelet", old: Some(Object::Pod(pod)), .. } => {
                    record.deleted.push(json!({"t": since(at), "pod": pod.metadata.name}));
                }
                Entry::Event { at, name, field, severity, reason, message, .. } => {
                    let key = format!("{name} {field} {reason} {message}");
                    let source = format!("{name} {}", severity.as_str());
                    let count = correlator.count(&source, &key, at);
                    let kind = json!({"pod": name, "field": field, "type": severity.as_str(), "reason": reason,
                                      "message": message});
                    record.events.push(json!({"t": since(at), "kind": kind, "count": count}));
                }
                _ => {}
            }
        }
        for request in self.cluster.environment_mut().runtime_log.take() {
            record.add(request, self.cluster.now());
        }
        record
    }
}

impl Record {
    fn add(&mut self, request: RuntimeRequest, now: Time) {
        match request {
            RuntimeRequest::Pull { at, pod, image, end, error } => {
                let mut pull = json!({"t": since(at), "pod": pod, "image": image, "end": null});
                if end <= now {
                    pull["end"] = json!(since(end));
                    error.into_iter().for_each(|error| pull["error"] = json!(error));
                }
                self.pulls.push(pull);
            }
            RuntimeRequest::Start { at, pod, container, attempt } => {
                self.starts
                    .push(json!({"t": since(at), "pod": pod, "container": container, "attempt": attempt}));
            }
            RuntimeRequest::End { at, pod, container, attempt, exit_code } => {
                let run = json!({"pod": pod, "container": container, "attempt": attempt});
                let same = |start: &&mut Value| {
                    ["pod", "container", "attempt"].iter().all(|key| start[*key] == run[*key])
                };
                let start = self.starts.iter_mut().find(same).expect("what ends has started");
                start["end"] = json!(since(at));
                start["exit"] = json!(exit_code);
            }
        }
    }
}

fn write(at: Time, pod: &Pod, known: &mut BTreeMap<String, SharedVec<Condition>>) -> Value {
    let name = pod.metadata.name.to_string();
    let containers = |list: &[ContainerStatus]| list.iter().map(container).collect::<Vec<Value>>();
    let mut write = json!({"t": since(at), "pod": name, "phase": pod.status.phase,
                           "containers": containers(&pod.status.container_statuses)});
    if !pod.status.init_container_statuses.is_empty() {
        write["init"] = json!(containers(&pod.status.init_container_statuses));
    }
    if known.get(&name) != Some(&pod.status.conditions) {
        write["conditions"] = pod.status.conditions.iter().map(condition).collect();
        known.insert(name, pod.status.conditions.clone());
    }
    write
}

/// Shared with the other kubelet suites.
pub(crate) fn condition(found: &Condition) -> Value {
    let mut shown = json!({"type": found.kind, "status": found.status.as_str(),
                           "since": whole(found.last_transition_time)});
    for (key, text) in [("reason", &found.reason), ("message", &found.message)] {
        if !text.is_empty() {
            shown[key] = json!(text);
        }
    }
    shown
}

/// A container's status as the vectors write it.
pub(crate) fn container(status: &ContainerStatus) -> Value {
    let mut shown = json!({"name": status.name, "ready": status.ready, "started": status.started,
                           "restarts": status.restart_count, "state": state(status.state.as_ref())});
    if status.last_state.is_some() {
        shown["last"] = state(status.last_state.as_ref());
    }
    shown
}

fn state(state: Option<&ContainerState>) -> Value {
    match state {
        None => json!({}),
        Some(ContainerState::Running(running)) => json!({"running": {"started": whole(running.started_at)}}),
        Some(ContainerState::Waiting(waiting)) => {
            let mut shown = json!({});
            shown["reason"] = json!(waiting.reason);
            if !waiting.message.is_empty() {
                shown["message"] = json!(waiting.message);
            }
            json!({"waiting": shown})
        }
        Some(ContainerState::Terminated(end)) => json!({"terminated": terminated(end)}),
    }
}

fn terminated(end: &Terminated) -> Value {
    let mut shown = json!({"exit": end.exit_code, "reason": end.reason,
                           "started": whole(end.started_at), "finished": whole(end.finished_at)});
    if !end.message.is_empty() {
        shown["message"] = json!(end.message);
    }
    shown
}

/// Whole seconds since the case's start; -999: not set. The case starts two minutes into the year 2000.
fn whole(at: Option<Time>) -> i64 {
    if at == Some(Time::ZERO) {
        return -946_684_920;
    }
    at.map_or(-999, |at| i64::try_from(at.as_secs()).expect("early") - i64::try_from(START).expect("early"))
}

/// Seconds since the case's start.
pub(crate) fn since(at: Time) -> f64 {
    let nanos = at.as_nanos().saturating_sub(START * 1_000_000_000);
    nanos as f64 / 1e9
}

/// The instant so long after the case's start.
pub(crate) fn at(since: Duration) -> Time {
    Time::from_secs(START) + since
}

/// Shared with the other kubelet suites.
pub(crate) fn seconds(value: &Value) -> Option<Duration> {
    value.as_f64().map(Duration::from_secs_f64)
}

fn fraction(draw: f64) -> u32 {
    (draw * f64::from(WHOLE)).round() as u32
}

/// Shared with the other kubelet suites.
pub(crate) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// Shared with the other kubelet suites.
pub(crate) fn map(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(key, value)| (key.as_str(), value))
}

/// Shared with the other kubelet suites.
pub(crate) fn pull(entry: &Value) -> ScriptedPull {
    let error = entry.get("error").and_then(Value::as_str);
    let result = match error {
        Some(error) => Err(error.into()),
        None => Ok(Image { size_bytes: 50_000_000 }),
    };
    let takes = seconds(&entry["takes"]).unwrap_or_default();
    ScriptedPull { before: seconds(&entry["before"]).map(at), pull: Pull { takes, result } }
}

fn called_pull(entry: &Value) -> ScriptedPull {
    let mut scripted = pull(entry);
    scripted.pull.takes += RUNTIME_CALL;
    scripted
}

fn program(entry: &Value) -> Program {
    let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
    let code = |value: &Value| i32::try_from(value.as_i64().unwrap_or(0)).expect("an exit code");
    let stop = entry.get("stop").map_or(Stop::default(), |stop| Stop {
        // The runtime of the vectors takes a moment for whatever it does.
        after: seconds(&stop["after"]).unwrap_or_default() + RUNTIME_MOMENT,
        exit_code: code(&stop["exit"]),
    });
    Program {
        runs: seconds(&entry["runs"]),
        exit_code: code(&entry["exit"]),
        reason: text("reason").into(),
        message: text("message").into(),
        stop,
        start_error: entry.get("start_error").and_then(Value::as_str).map(Into::into),
        ready_after: seconds(&entry["ready_after"]).unwrap_or_default(),
    }
}

fn named_event(event: &Value, kinds: &[Value]) -> Value {
    let kind = usize::try_from(event[1].as_u64().expect("an index")).expect("an index");
    json!({"t": event[0], "kind": kinds[kind], "count": event[2]})
}

/// What several pods or containers do at one instant has no order: theirs each by itself, as it came.
fn by_owner(list: &[Value]) -> Vec<Value> {
    let mut sorted = list.to_vec();
    sorted.sort_by_key(|entry| (entry["pod"].to_string(), entry["container"].to_string()));
    sorted
}

/// Events of one instant have no order: by pod and kind, then as they came.
fn sorted(mut events: Vec<Value>) -> Vec<Value> {
    events.sort_by_key(|event| event["kind"].to_string());
    events
}

/// Of writes of a pod that lie closer than the tolerance the last, with the conditions that stood before it.
fn thin(writes: &[Value]) -> Vec<Value> {
    let mut kept: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for write in writes {
        let of_pod = kept.entry(write["pod"].to_string()).or_default();
        let mut write = write.clone();
        let t = write["t"].as_f64().unwrap_or(0.0);
        let close = |last: &Value| t - last["t"].as_f64().unwrap_or(0.0) < TOLERANCE;
        if write.get("conditions").is_none() {
            write["conditions"] = of_pod.last().map_or(Value::Null, |last| last["conditions"].clone());
        }
        if of_pod.last().is_some_and(close) {
            of_pod.pop();
        }
        of_pod.push(write);
    }
    kept.into_values().flatten().collect()
}

fn compare(what: &str, want: &[Value], got: &[Value]) -> Result<(), String> {
    for (number, (want, got)) in want.iter().zip(got).enumerate() {
        if !same(want, got) {
            return Err(format!("{what} {number} {} {}: {}", want["t"], want["pod"], difference(want, got)));
        }
    }
    if want.len() == got.len() {
        return Ok(());
    }
    let shorter = want.len().min(got.len());
    let extra = want.get(shorter).or(got.get(shorter));
    Err(format!("{} {what}s instead of {}: {}", got.len(), want.len(), extra.expect("one is longer")))
}

/// Shared with the other kubelet suites.
pub(crate) fn same(want: &Value, got: &Value) -> bool {
    match (want, got) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap_or(0.0), b.as_f64().unwrap_or(0.0));
            (a - b).abs() <= TOLERANCE
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        (a, b) => a == b,
    }
}

/// Where two values differ first.
pub(crate) fn difference(want: &Value, got: &Value) -> String {
    match (want, got) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys());
            let mut keys = keys.filter(|key| !same(&want[key.as_str()], &got[key.as_str()]));
            let key = keys.next().map_or("", String::as_str);
            format!(".{key}{}", difference(&want[key], &got[key]))
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let at = a.iter().zip(b).position(|(a, b)| !same(a, b)).unwrap_or(0);
            format!("[{at}]{}", difference(&a[at], &b[at]))
        }
        _ => format!(" want {want} got {got}"),
    }
}
