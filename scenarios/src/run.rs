//! Runs scenarios: plays each, judges it, in parallel and in the order of their names.

use crate::format::VmName;
use crate::judge::judge;
use crate::load::Loaded;
use crate::oracle::Thresholds;
use crate::pins;
use crate::play::{PlayOptions, Played, play};
use crate::stream::Input;
use crate::verdict::{Outcome, StatusEntry, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use stuckvm_sim::trace::{Keep, TraceLine};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// How scenarios are run.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunOptions<'a> {
    /// Replaces every scenario's seed; then only the contract is judged, not what the files pin.
    pub seed: Option<u64>,
    /// Replaces the threshold of every scenario that is checked; then, too, only the contract is judged.
    pub threshold: Option<Duration>,
    /// Which lines of the trace are kept.
    pub keep_trace: Keep,
    /// Once it is true, what is being played ends as interrupted and nothing more is begun.
    pub stop: Option<&'a AtomicBool>,
}

impl<'a> RunOptions<'a> {
    /// Whether what the files pin is judged.
    pub(crate) fn judges_pins(&self) -> bool {
        self.seed.is_none() && self.threshold.is_none()
    }

    pub(crate) fn play(&self) -> PlayOptions<'a> {
        let Self { seed, keep_trace, stop, .. } = *self;
        PlayOptions { seed, keep_trace, stop, until: None }
    }
}

/// What a run gave, with the lines of its trace where they are kept.
pub struct Run {
    /// The verdict and what it stands on.
    pub outcome: Outcome,
    /// The thresholds that held.
    pub thresholds: Thresholds,
    /// Everything that was delivered to the detector, in order.
    pub inputs: Vec<Input>,
    /// The lines of the trace.
    pub trace: Vec<TraceLine>,
    /// How many moments the trace has besides ([`Keep::Moments`]).
    pub moments_left_out: usize,
}

/// Runs one scenario.
pub fn run(loaded: &Loaded, options: RunOptions<'_>) -> Run {
    let played = play(loaded, options.play());
    let verdict = verdict(loaded, &played, options.judges_pins());
    outcome(loaded, played, verdict)
}

/// What a play comes to, with its verdict.
pub(crate) fn outcome(loaded: &Loaded, mut played: Played, verdict: Verdict) -> Run {
    let outcome = Outcome {
        scenario: loaded.scenario.scenario.clone(),
        start: played.start,
        verdict,
        digest: digest(&played),
        events: played.cluster.trace().events(),
        observations: observations(&played.inputs),
        statuses: shown_statuses(loaded, &played),
        alerts: played.alerts,
        lag: Some(played.lag),
    };
    let Played { thresholds, inputs, .. } = played;
    let trace = played.cluster.trace_mut();
    let moments_left_out = trace.moments_left_out();
    Run { outcome, thresholds, inputs, moments_left_out, trace: trace.take_lines() }
}

/// How many of the inputs are observations.
pub(crate) fn observations(inputs: &[Input]) -> usize {
    inputs.iter().filter(|input| input.is_observation()).count()
}

/// Runs scenarios on the current thread pool and hands over what came of each: in the order of the input, each as soon as
/// it and all before it have ended.
pub fn run_all(scenarios: &[Loaded], options: RunOptions<'_>, each: impl FnMut(&Loaded, Run) + Send) {
    in_order(scenarios, options.stop, |loaded| run(loaded, options), each);
}

/// Works on items side by side and hands over what comes of each in the order of the items. Nothing more is begun once `stop` is
/// true.
pub(crate) fn in_order<T: Sync>(
    items: &[T],
    stop: Option<&AtomicBool>,
    work: impl Fn(&T) -> Run + Sync,
    each: impl FnMut(&T, Run) + Send,
) {
    let in_order = Mutex::new(InOrder { items, next: 0, ended: BTreeMap::new(), each });
    let (in_order, work) = (&in_order, &work);
    rayon::scope_fifo(|scope| {
        for (index, item) in items.iter().enumerate() {
            scope.spawn_fifo(move |_| {
                if !stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
                    let run = work(item);
                    in_order.lock().expect("whoever is handed a run returns").hand_over(index, run);
                }
            });
        }
    });
}

/// Puts runs that end in any order into that of the items.
struct InOrder<'a, T, F> {
    items: &'a [T],
    /// Index of the first that has not been handed over.
    next: usize,
    /// What has ended before its turn.
    ended: BTreeMap<usize, Run>,
    each: F,
}

impl<T, F: FnMut(&T, Run)> InOrder<'_, T, F> {
    fn hand_over(&mut self, index: usize, run: Run) {
        self.ended.insert(index, run);
        while let Some(run) = self.ended.remove(&self.next) {
            (self.each)(&self.items[self.next], run);
            self.next += 1;
        }
    }
}

fn verdict(loaded: &Loaded, played: &Played, judges_pins: bool) -> Verdict {
    if let Some(error) = &played.error {
        return Verdict::Error(error.clone());
    }
    match judge(&played.asked(), &played.heard()) {
        Verdict::Pass if judges_pins => pinned(loaded, played),
        verdict => verdict,
    }
}

/// Whether what the file pins came so.
pub(crate) fn pinned(loaded: &Loaded, played: &Played) -> Verdict {
    pins::check(&loaded.scenario, played).map_or(Verdict::Pass, Verdict::Unmet)
}

/// The cluster's digest, and the alerts on top.
fn digest(played: &Played) -> u64 {
    let alerts = played.alerts.iter().map(|alert| serde_json::to_string(alert).expect("an alert serializes"));
    alerts.fold(played.cluster.trace().digest(), |digest, line| xxh3_64_with_seed(line.as_bytes(), digest))
}

/// Of machines that `generate:` made only those that `expect` names.
fn shown_statuses(loaded: &Loaded, played: &Played) -> Vec<StatusEntry> {
    let entries = played.statuses.iter().filter(|entry| !entry.status.is_empty());
    if loaded.scenario.cluster.generate.is_empty() {
        return entries.cloned().collect();
    }
    let named: BTreeSet<VmName> = pins::named(&loaded.scenario.expect);
    let named: BTreeSet<(&str, &str)> = named.iter().map(|vm| (&*vm.namespace, &*vm.name)).collect();
    let is_named = |entry: &&StatusEntry| named.contains(&(&*entry.vm.namespace, &*entry.vm.name));
    entries.filter(is_named).cloned().collect()
}
