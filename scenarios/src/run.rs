//! Runs scenarios: plays each, judges it, in parallel and in the order of their names.

use crate::format::VmName;
use crate::judge::judge;
use crate::load::Loaded;
use crate::pins;
use crate::play::{PlayOptions, Played, play};
use crate::verdict::{Outcome, StatusEntry, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use stuckvm_sim::trace::{Keep, TraceLine};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// How scenarios are run.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunOptions<'a> {
    /// Replaces every scenario's seed; then only the contract is judged, not what the files pin.
    pub seed: Option<u64>,
    /// Which lines of the trace are kept.
    pub keep_trace: Keep,
    /// Once it is true, what is being played ends as interrupted and nothing more is begun.
    pub stop: Option<&'a AtomicBool>,
}

impl RunOptions<'_> {
    fn is_stopped(&self) -> bool {
        self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }
}

/// What a run gave, with the lines of its trace where they are kept.
pub struct Run {
    /// The verdict and what it stands on.
    pub outcome: Outcome,
    /// The lines of the trace.
    pub trace: Vec<TraceLine>,
    /// How many moments the trace has besides ([`Keep::Moments`]).
    pub moments_left_out: usize,
}

/// Runs one scenario.
pub fn run(loaded: &Loaded, options: RunOptions<'_>) -> Run {
    let RunOptions { seed, keep_trace, stop } = options;
    let mut played = play(loaded, PlayOptions { seed, keep_trace, stop, until: None });
    let verdict = verdict(loaded, &played, options.seed.is_none());
    let outcome = Outcome {
        scenario: loaded.scenario.scenario.clone(),
        start: played.start,
        verdict,
        digest: digest(&played),
        events: played.cluster.trace().events(),
        statuses: shown_statuses(loaded, &played),
        alerts: played.alerts,
    };
    let trace = played.cluster.trace_mut();
    Run { outcome, moments_left_out: trace.moments_left_out(), trace: trace.take_lines() }
}

/// Runs scenarios on the current thread pool and hands over what came of each: in the order of the input, each as soon as
/// it and all before it have ended.
pub fn run_all(scenarios: &[Loaded], options: RunOptions<'_>, each: impl FnMut(&Loaded, Run) + Send) {
    let in_order = Mutex::new(InOrder { scenarios, next: 0, ended: BTreeMap::new(), each });
    let in_order = &in_order;
    rayon::scope_fifo(|scope| {
        for (index, loaded) in scenarios.iter().enumerate() {
            scope.spawn_fifo(move |_| {
                if !options.is_stopped() {
                    let run = run(loaded, options);
                    in_order.lock().expect("whoever is handed a run returns").hand_over(index, run);
                }
            });
        }
    });
}

/// Puts runs that end in any order into that of the input.
struct InOrder<'a, F> {
    scenarios: &'a [Loaded],
    /// Index of the first that has not been handed over.
    next: usize,
    /// What has ended before its turn.
    ended: BTreeMap<usize, Run>,
    each: F,
}

impl<F: FnMut(&Loaded, Run)> InOrder<'_, F> {
    fn hand_over(&mut self, index: usize, run: Run) {
        self.ended.insert(index, run);
        while let Some(run) = self.ended.remove(&self.next) {
            (self.each)(&self.scenarios[self.next], run);
            self.next += 1;
        }
    }
}

fn verdict(loaded: &Loaded, played: &Played, pinned: bool) -> Verdict {
    if let Some(error) = &played.error {
        return Verdict::Error(error.clone());
    }
    if let Some(breach) = judge(&played.thresholds, &played.inputs, &played.alerts) {
        return Verdict::Broken(Box::new(breach));
    }
    let unmet = || pins::check(&loaded.scenario, played);
    match pinned.then(unmet).flatten() {
        Some(unmet) => Verdict::Unmet(unmet),
        None => Verdict::Pass,
    }
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
    let is_named = |entry: &&StatusEntry| {
        let vm = VmName { namespace: entry.vm.namespace.clone(), name: entry.vm.name.clone() };
        named.contains(&vm)
    };
    entries.filter(is_named).cloned().collect()
}
