//! Plays a scenario: drives the cluster, feeds the detector, collects what it says.

use crate::feed::{feed, stream_alert};
use crate::fleet::Fleet;
use crate::format::{Scenario, Span, Step, Target};
use crate::internal_error::Note;
use crate::judge::{Asked, Heard, Profile};
use crate::load::Loaded;
use crate::oracle::Thresholds;
use crate::pins::{ObjectPins, Recorded};
use crate::set_up;
use crate::steps::Hands;
use crate::stream::{Alert, Event, Input, Observed, Vm};
use crate::verdict::{ErrorKind, RunError, StatusEntry, Unmet};
use arcstr::ArcStr;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use stuckvm_detector::{NamedDetector, PrintableStatus, Rule, Time};
use stuckvm_sim::trace::Keep;
use stuckvm_sim::{Cluster, Config, Reach, StatusWrite, StepBudget};

/// A run may last as long as this in virtual time: ten years.
pub const TIME_LIMIT: Duration = Duration::from_secs(10 * 366 * 86_400);

/// How a scenario is played.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlayOptions<'a> {
    /// Replaces the scenario's seed.
    pub seed: Option<u64>,
    /// Which lines of the trace are kept.
    pub keep_trace: Keep,
    /// Once it is true, the run ends as interrupted.
    pub stop: Option<&'a AtomicBool>,
    /// Ends the run at this time from the start, in place of the scenario's own end.
    pub until: Option<Duration>,
}

/// What a run gave.
pub struct Played {
    /// The instant 0s.
    pub start: Time,
    /// The thresholds of the detector.
    pub thresholds: Thresholds,
    /// Everything that was delivered to the detector, in order.
    pub inputs: Vec<Input>,
    /// After how many of the inputs the detector was stopped, in ascending order.
    pub restarts: Vec<usize>,
    /// What the detector said, in order.
    pub alerts: Vec<Alert>,
    /// With which of the inputs each of the alerts came, by the input's place.
    pub came_with: Vec<usize>,
    /// The longest that a status write of the cluster waited for its delivery.
    pub lag: Duration,
    /// Every entry of a virtual machine into a status, in order.
    pub statuses: Vec<StatusEntry>,
    /// Every Kubernetes event, in order; kept only where the file names some.
    pub(crate) events: Vec<Recorded>,
    /// The first object that did not show what the file pins.
    pub(crate) unmet_object: Option<Unmet>,
    /// The cluster as it stands at the end.
    pub cluster: Cluster,
    /// What ended the run before its end.
    pub error: Option<RunError>,
}

impl Played {
    /// What the detector said, as the judge takes it.
    pub fn heard(&self) -> Heard {
        let alerts = self.came_with.iter().copied().zip(self.alerts.iter().cloned()).collect();
        Heard { alerts, ..Heard::default() }
    }

    /// What it was put to, as the judge takes it.
    pub fn asked(&self) -> Asked<'_> {
        Asked { rule: None, thresholds: &self.thresholds, inputs: &self.inputs, profile: Profile::Exact }
    }
}

/// Someone who looks at the cluster from outside, at instants of their own. Nothing comes of it for the cluster.
pub trait Watcher {
    /// The next instant to be called at; no earlier than the last.
    fn next_at(&self) -> Option<Time>;

    /// Looks, when all that happens at [`Watcher::next_at`] has happened.
    fn watch(&mut self, cluster: &Cluster);
}

/// Plays a scenario to its end, or to what ends it before.
pub fn play(loaded: &Loaded, options: PlayOptions<'_>) -> Played {
    play_until_end(Player::new(loaded, options, None), loaded)
}

/// Plays a scenario while someone watches.
pub fn play_watched(loaded: &Loaded, options: PlayOptions<'_>, watcher: &mut dyn Watcher) -> Played {
    play_until_end(Player::new(loaded, options, Some(watcher)), loaded)
}

fn play_until_end(mut player: Player<'_>, loaded: &Loaded) -> Played {
    let error = player.run().err();
    Played {
        start: player.start,
        thresholds: thresholds(&loaded.scenario),
        inputs: player.inputs,
        restarts: player.restarts,
        alerts: player.alerts,
        came_with: player.came_with,
        lag: player.lag,
        statuses: player.statuses,
        events: player.cluster.take_journal().into_iter().filter_map(Recorded::of).collect(),
        unmet_object: player.pins.unmet(),
        cluster: player.cluster,
        error,
    }
}

struct Player<'a> {
    scenario: &'a Scenario,
    start: Time,
    /// How long the run lasts.
    span: Duration,
    cluster: Cluster,
    detector: NamedDetector,
    /// While the detector is down: until when, and what it knew.
    down: Option<(Time, String)>,
    hands: Hands<'a>,
    fleet: Fleet,
    /// Index of the next step.
    step: usize,
    /// The newest status of each live machine, for the relist after a crash; kept only where the detector crashes.
    live: Option<BTreeMap<Vm, PrintableStatus>>,
    pins: ObjectPins,
    watcher: Option<&'a mut dyn Watcher>,
    inputs: Vec<Input>,
    restarts: Vec<usize>,
    alerts: Vec<Alert>,
    came_with: Vec<usize>,
    /// The first write that no detector was there to hear.
    missed: Option<Time>,
    lag: Duration,
    statuses: Vec<StatusEntry>,
    words: Words,
    stop: Option<&'a AtomicBool>,
    note: Note,
}

/// The words of statuses, each as one text that all its entries share; `deleted` for a machine that is gone.
#[derive(Default)]
struct Words(BTreeMap<Option<PrintableStatus>, ArcStr>);

impl Words {
    fn of(&mut self, status: Option<PrintableStatus>) -> ArcStr {
        let word = || status.map_or(crate::pins::DELETED, PrintableStatus::as_str).into();
        self.0.entry(status).or_insert_with(word).clone()
    }
}

impl<'a> Player<'a> {
    fn new(loaded: &'a Loaded, options: PlayOptions<'a>, watcher: Option<&'a mut dyn Watcher>) -> Self {
        let scenario = &loaded.scenario;
        let start = scenario.start.map_or_else(|| Config::default().start, |start| start.0);
        let cluster = set_up::cluster(scenario, start, options);
        let note = Note::playing(&scenario.scenario, cluster.config().seed, start);
        let rule = Rule::new(threshold(scenario)).expect("the loader has checked the threshold");
        let crashes = scenario.steps.iter().any(|step| step.crash_detector.is_some());
        Self {
            scenario,
            start,
            span: options.until.unwrap_or(scenario.until.0),
            cluster,
            detector: NamedDetector::new(rule),
            down: None,
            hands: Hands::new(&loaded.files),
            fleet: Fleet::new(&scenario.cluster.generate, start),
            step: 0,
            live: crashes.then(BTreeMap::new),
            pins: ObjectPins::new(scenario, start),
            watcher,
            inputs: Vec::new(),
            restarts: Vec::new(),
            alerts: Vec::new(),
            came_with: Vec::new(),
            missed: None,
            lag: Duration::ZERO,
            statuses: Vec::new(),
            words: Words::default(),
            stop: options.stop,
            note,
        }
    }

    fn run(&mut self) -> Result<(), RunError> {
        let (span, limit) = (self.span, TIME_LIMIT);
        let until = self.start.checked_add(span.min(limit)).unwrap_or(Time::MAX);
        self.hands
            .apply(&self.scenario.cluster.manifests, &mut self.cluster)
            .map_err(|error| step_error(&error, "cluster"))?;
        self.generate(self.cluster.now())?;
        self.settle()?;
        while let Some(at) = self.next_at().filter(|at| *at <= until) {
            self.note.at(at);
            self.check_interrupt(at)?;
            self.cluster.advance_to(at);
            self.recover_detector(at);
            self.generate(at)?;
            self.take_steps(at)?;
            self.settle()?;
            self.pins.look(&self.cluster);
            if let Some(watcher) = self.watcher.as_mut().filter(|watcher| watcher.next_at() == Some(at)) {
                watcher.watch(&self.cluster);
            }
        }
        self.deliver(Input { at: until, event: Event::Advance });
        if span > limit {
            let limit = stuckvm_sim::duration::format(limit);
            let because = format!("`until` lies beyond the limit of virtual time, {limit} (ten years)");
            return Err(RunError { kind: ErrorKind::TimeLimit, because: vec![because] });
        }
        Ok(())
    }

    fn check_interrupt(&self, at: Time) -> Result<(), RunError> {
        if self.stop.is_none_or(|stop| !stop.load(Ordering::Relaxed)) {
            return Ok(());
        }
        let because = format!("the run had come to {}", crate::pins::since(self.start, at));
        Err(RunError { kind: ErrorKind::Interrupted, because: vec![because] })
    }

    fn next_at(&self) -> Option<Time> {
        let step = self.scenario.steps.get(self.step).map(|step| self.instant(step.at));
        let back = self.down.as_ref().map(|(until, _)| *until);
        let pin = self.pins.next_at();
        let watcher = self.watcher.as_ref().and_then(|watcher| watcher.next_at());
        [self.cluster.next_at(), self.fleet.next_at(), step, back, pin, watcher].into_iter().flatten().min()
    }

    fn generate(&mut self, at: Time) -> Result<(), RunError> {
        if self.fleet.next_at().is_none_or(|due| due > at) {
            return Ok(());
        }
        for object in self.fleet.take_until(at, self.cluster.random_mut()) {
            let name = object.metadata().name.clone();
            self.cluster.apply(&object).map_err(|error| step_error(&error, &format!("generate: {name}")))?;
        }
        for fault in self.fleet.take_faults_until(at) {
            let name = format!("generate: break of {}", fault.vmi);
            let broken = self.hands.faults.break_target(&Target::Phase(fault), &mut self.cluster);
            broken.map_err(|error| step_error(&error, &name))?;
        }
        Ok(())
    }

    fn take_steps(&mut self, at: Time) -> Result<(), RunError> {
        while let Some(step) = self.scenario.steps.get(self.step) {
            if self.instant(step.at) > at {
                break;
            }
            let name = format!("steps[{}]", self.step);
            self.step += 1;
            self.hands.carry_out(step, &mut self.cluster).map_err(|error| step_error(&error, &name))?;
            self.crash_detector(step, at);
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<(), RunError> {
        self.cluster.settle().map_err(|error| budget_error(&error))?;
        for write in self.cluster.take_status_writes() {
            self.observe(write);
        }
        Ok(())
    }

    fn observe(&mut self, write: StatusWrite) {
        let StatusWrite { at, namespace, name, uid, status, .. } = write;
        let vm = Vm { namespace, name, uid };
        if let Some(live) = &mut self.live {
            match status {
                Some(status) => drop(live.insert(vm.clone(), status)),
                None => drop(live.remove(&vm)),
            }
        }
        let word = self.words.of(status);
        self.statuses.push(StatusEntry { at, vm: vm.clone(), status: word.clone() });
        let event = match status {
            Some(_) => Event::Observed(Observed { vm, status: word }),
            None => Event::Deleted(vm),
        };
        if self.down.is_none() {
            self.deliver(Input { at, event });
        } else {
            self.missed.get_or_insert(at);
        }
    }

    fn deliver(&mut self, input: Input) {
        let output = feed(&mut self.detector, &input).expect("virtual time moves forward");
        self.alerts.extend(output.alerts.iter().map(stream_alert));
        self.came_with.resize(self.alerts.len(), self.inputs.len());
        self.inputs.push(input);
    }

    /// The detector is stopped; of all that it knew only its snapshot is left, as text.
    fn crash_detector(&mut self, step: &Step, at: Time) {
        let Some(crash) = &step.crash_detector else { return };
        let snapshot = serde_json::to_string(&self.detector.snapshot()).expect("a snapshot serializes");
        self.restarts.push(self.inputs.len());
        let until = at.checked_add(crash.down.map_or(Duration::ZERO, |down| down.0)).unwrap_or(Time::MAX);
        self.down = Some((until, snapshot));
        self.recover_detector(at);
    }

    /// It comes back and lists every machine, as an informer does that starts.
    fn recover_detector(&mut self, at: Time) {
        let Some((_, snapshot)) = self.down.take_if(|(until, _)| *until <= at) else { return };
        let snapshot = serde_json::from_str(&snapshot).expect("a snapshot reads");
        self.detector = NamedDetector::restore(&snapshot).expect("a snapshot of the detector is consistent");
        let words = &mut self.words;
        let live = self.live.iter().flatten();
        let list =
            live.map(|(vm, status)| Observed { vm: vm.clone(), status: words.of(Some(*status)) }).collect();
        self.deliver(Input { at, event: Event::Relist(list) });
        let waited = self.missed.take().map_or(Duration::ZERO, |written| at - written);
        self.lag = self.lag.max(waited);
    }

    fn instant(&self, at: Span) -> Time {
        self.start.checked_add(at.0).unwrap_or(Time::MAX)
    }
}

fn threshold(scenario: &Scenario) -> Duration {
    scenario.threshold.map_or(Rule::THRESHOLD, |threshold| threshold.0)
}

fn thresholds(scenario: &Scenario) -> Thresholds {
    Thresholds { default: threshold(scenario), ..Thresholds::default() }
}

fn step_error(error: &dyn std::fmt::Display, step: &str) -> RunError {
    RunError { kind: ErrorKind::Step, because: vec![format!("{step}: {error}")] }
}

fn budget_error(error: &StepBudget) -> RunError {
    let advice = (error.reach == Reach::Run).then(|| "`stepBudget` in the file allows more".to_owned());
    RunError { kind: ErrorKind::StepBudget, because: [error.to_string()].into_iter().chain(advice).collect() }
}
