//! `status/chain`: KubeVirt's two controllers over time, with everything else played by a script.
//!
//! The recording had no latency but real goroutines, so that both controllers read before either had seen what the other
//! was writing. A reaction of a microsecond gives the same: it is far below the tolerance, and more than nothing.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use stuckvm_detector::Time;
use stuckvm_sim::journal::Entry;
use stuckvm_sim::objects::{Condition, Conditions, Truth, VirtualMachine, VirtualMachineInstance};
use stuckvm_sim::{
    Cluster, Config, Latency, MAX_START_BACK_OFF_SECONDS, Object, Resource, START_BACK_OFF_STREAM, WHOLE,
    duration,
};

use crate::status_chain_environment::Environment;

/// How far instants may differ.
const TOLERANCE: Duration = Duration::from_millis(10);
/// An instant of the recording has come to rest when nothing is due for so long.
const REST: Duration = Duration::from_millis(1);

/// Plays one case.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    let latency = Latency { reaction: Duration::from_micros(1), ..Latency::none() };
    let start = Time::from_secs(1_780_315_200);
    let config = Config { start, latency, keep_journal: true, ..Config::default() };
    let both = ["virtual-machine", "virtual-machine-instance"];
    let mut cluster = Cluster::with_some(config, |name| both.contains(&name));
    cluster.random_mut().give(START_BACK_OFF_STREAM, draws(&case["expect"]["states"])?);
    let vm = Object::from_value(&case["vm"]).map_err(|error| error.to_string())?.ok_or("no machine")?;
    let environment = Environment::new(&case["script"], start)?;
    cluster.put(&vm).map_err(|error| error.to_string())?;
    let mut play = Play { start, cluster, seen: Seen::default() };
    play.run(environment, span(&case["until"])?)?;
    play.seen.compare(&case["expect"])
}

/// The draws that give the recorded delays, one for each failure that was counted.
fn draws(states: &Value) -> Result<Vec<u32>, String> {
    let mut draws = Vec::new();
    let mut last = None;
    for state in states.as_array().into_iter().flatten() {
        let failure = (state.get("startFailure"), state.get("retryAfter"));
        if let ((Some(count), Some(retry_after)), true) = (failure, last != Some(failure)) {
            let delay = span(retry_after)?.saturating_sub(span(&state["at"])?);
            draws.push(draw(count.as_u64().ok_or("no count")?, (delay.as_secs_f64()).round() as u64));
        }
        last = Some(failure);
    }
    Ok(draws)
}

/// The fraction of the jitter's range that gives this delay; any where the delay is the longest there is.
fn draw(count: u64, delay: u64) -> u32 {
    let base = MAX_START_BACK_OFF_SECONDS / 30 * count * count;
    let jitter = delay.saturating_sub(base).min(base / 2);
    let fraction = (jitter * u64::from(WHOLE)).div_ceil(base / 2 + 1);
    u32::try_from(fraction).expect("a fraction of the whole")
}

/// A duration as Go spells it.
pub(crate) fn span(text: &Value) -> Result<Duration, String> {
    let text = text.as_str().ok_or("no duration")?;
    duration::parse(text).map_err(|error| format!("{text}: {error}"))
}

struct Play {
    cluster: Cluster,
    start: Time,
    seen: Seen,
}

impl Play {
    /// From tick to tick of the environment. What the controllers do at a tick's instant of their own accord comes
    /// before it, as it did in the recording.
    fn run(&mut self, mut environment: Environment, until: Duration) -> Result<(), String> {
        let until = self.start + until;
        let mut tick = self.start;
        while tick <= until {
            self.play_before(tick + REST)?;
            self.cluster.advance_to(tick.max(self.cluster.now()));
            environment.tick(tick, &mut self.cluster)?;
            self.rest()?;
            tick = tick + environment.every;
        }
        Ok(())
    }

    /// The controllers' own instants.
    fn play_before(&mut self, end: Time) -> Result<(), String> {
        while let Some(at) = self.cluster.next_at().filter(|at| *at < end) {
            self.cluster.advance_to(at);
            self.rest()?;
        }
        Ok(())
    }

    /// Plays what follows at once, and looks at what it has come to.
    fn rest(&mut self) -> Result<(), String> {
        let at = self.cluster.now();
        loop {
            self.cluster.settle().map_err(|error| error.to_string())?;
            match self.cluster.next_at().filter(|next| *next < at + REST) {
                Some(next) => self.cluster.advance_to(next),
                None => break,
            }
        }
        let left = self.cluster.take_journal().iter().rev().find_map(left_behind);
        self.seen.look(at.saturating_since(self.start), self.start, (&self.cluster, left.as_deref()));
        Ok(())
    }
}

/// The machine as a write left it or, if that was its end, as it was before.
fn left_behind(entry: &Entry) -> Option<Arc<VirtualMachine>> {
    let Entry::Write { old, new, .. } = entry else { return None };
    VirtualMachine::unwrap(new.as_ref().or(old.as_ref())?).cloned()
}

/// What every instant left behind, equal neighbours once.
#[derive(Default)]
struct Seen {
    states: Vec<(Duration, Value)>,
    gone: Vec<Duration>,
    vmi: Vec<(Duration, String)>,
}

impl Seen {
    /// `left` is the machine after its last write, if it was written.
    fn look(&mut self, at: Duration, start: Time, (cluster, left): (&Cluster, Option<&VirtualMachine>)) {
        if let Some(vm) = left {
            add(&mut self.states, at, state(vm, start));
        }
        let view = cluster.view();
        if view.named::<VirtualMachine>("default", "vm1").is_none() && self.gone.is_empty() {
            self.gone.push(at);
        }
        match view.named::<VirtualMachineInstance>("default", "vm1") {
            Some((_, vmi)) => add(&mut self.vmi, at, instance(vmi)),
            None if self.vmi.is_empty() => {}
            None => add(&mut self.vmi, at, "gone".to_owned()),
        }
    }

    fn compare(&self, expect: &Value) -> Result<(), String> {
        let states = list(expect, "states", |item| {
            let mut state = item.as_object().cloned().unwrap_or_default();
            let at = state.remove("at").unwrap_or_default();
            let retry_after = state.remove("retryAfter").map(|after| span(&after)).transpose()?;
            Ok((span(&at)?, with_retry(state, retry_after)))
        })?;
        same("states", &self.states, &states)?;
        let gone: Vec<_> = self.gone.iter().map(|at| (*at, ())).collect();
        same("gone", &gone, &list(expect, "gone", |item| Ok((span(item)?, ())))?)?;
        let instances = list(expect, "vmi", |item| {
            Ok((span(&item[0])?, item[1].as_str().unwrap_or_default().to_owned()))
        })?;
        same("vmi", &self.vmi, &instances)
    }
}

/// Keeps the last of an instant.
fn add<T: PartialEq>(list: &mut Vec<(Duration, T)>, at: Duration, item: T) {
    if list.last().is_some_and(|(last, _)| at - *last < REST) {
        list.pop();
    }
    if list.last().is_none_or(|(_, last)| *last != item) {
        list.push((at, item));
    }
}

fn list<T>(
    expect: &Value,
    key: &str,
    read: impl Fn(&Value) -> Result<(Duration, T), String>,
) -> Result<Vec<(Duration, T)>, String> {
    expect[key].as_array().ok_or_else(|| format!("no {key}"))?.iter().map(read).collect()
}

fn same<T: PartialEq + std::fmt::Debug>(
    what: &str,
    found: &[(Duration, T)],
    expected: &[(Duration, T)],
) -> Result<(), String> {
    for place in 0..found.len().max(expected.len()) {
        let (found, expected) = (found.get(place), expected.get(place));
        let agree = match (found, expected) {
            (Some((at, item)), Some((then, wanted))) => at.abs_diff(*then) <= TOLERANCE && item == wanted,
            _ => false,
        };
        if !agree {
            return Err(format!("{what}[{place}]: found {found:?}, expected {expected:?}"));
        }
    }
    Ok(())
}

fn state(vm: &VirtualMachine, start: Time) -> Value {
    let mut state = Map::new();
    state.insert("status".into(), vm.status.printable_status.as_str().into());
    let ready = vm.status.conditions.condition("Ready");
    if let Some(ready) = ready.filter(|ready| !ready.reason.is_empty()) {
        state.insert("readyReason".into(), ready.reason.as_str().into());
    }
    let failure = vm.status.start_failure.as_ref();
    if let Some(failure) = failure {
        state.insert("startFailure".into(), failure.consecutive_fail_count.into());
    }
    let retry_after = failure.and_then(|failure| failure.retry_after_timestamp);
    with_retry(state, retry_after.map(|after| after.saturating_since(start)))
}

/// With the retry's instant in whole tenths of a second, the environment's grid; a reaction's share goes.
fn with_retry(mut state: Map<String, Value>, after: Option<Duration>) -> Value {
    if let Some(after) = after {
        let tenths = (after.as_secs_f64() * 10.0).round() as u64;
        state.insert("retryAfterTenths".into(), json!(tenths));
    }
    Value::Object(state)
}

fn instance(vmi: &VirtualMachineInstance) -> String {
    let mut words = vec![vmi.status.phase.to_string()];
    words.extend(vmi.metadata.is_deleting().then(|| "deleting".to_owned()));
    for kind in ["PodScheduled", "Synchronized"] {
        words.extend(vmi.status.conditions.condition(kind).map(shown));
    }
    words.join(" ")
}

fn shown(condition: &Condition) -> String {
    let status = if condition.status == Truth::True { "True" } else { "False" };
    format!("{}={status}/{}", condition.kind, condition.reason)
}
