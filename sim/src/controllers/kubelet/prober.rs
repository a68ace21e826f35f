//! kubelet probes, Kubernetes 1.36.2: `pkg/kubelet/prober/worker.go`, `prober_manager.go`.
//!
//! A probe that can only say again what it said before sleeps until its container changes.

use super::conditions;
use super::phase::Phase;
use super::pod_actions::Verdict;
use super::pod_worker::Turn;
use super::profile::Profile;
use super::runtime::{RunState, Slots};
use super::status::{Observation, Probed, restarts_after};
use super::task::Task;
use crate::context::EventType;
use crate::objects::{Condition, Conditions, ContainerStatus, Pod, PodStatus, Probe};
use std::sync::Arc;
use std::time::Duration;
use stuckvm_detector::Time;

/// The worker of one probe of one container.
#[derive(Debug)]
pub(super) struct ProbeWorker {
    slot: usize,
    kind: ProbeKind,
    period: Duration,
    /// An instant at which the ticker came round.
    ticker: Time,
    /// The next tick that is waited for; `None` sleeps.
    next: Option<Time>,
    /// What it last saw of its container.
    seen: Seen,
    /// The result that counts, for the container that it last saw.
    result: Option<bool>,
    /// The last result, and how often in a row it came.
    last: Option<(bool, i32)>,
    /// It rests until there is a new container.
    on_hold: bool,
    /// It has given up on a container that is not started again. The next sync sets up another in its place.
    gone: bool,
}

/// What a probe is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ProbeKind {
    Startup,
    Readiness,
    Liveness,
}

/// What a probe's worker sees of its container in the pod's status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    /// Which run.
    run: Option<u32>,
    running: Option<Time>,
    started: bool,
}

impl ProbeKind {
    const ALL: [Self; 3] = [Self::Startup, Self::Readiness, Self::Liveness];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Startup => "Startup",
            Self::Readiness => "Readiness",
            Self::Liveness => "Liveness",
        }
    }

    fn of(self, pod: &Pod, slot: usize) -> Option<&Arc<Probe>> {
        let container = pod.container(slot);
        match self {
            Self::Startup => container.startup_probe.as_ref(),
            Self::Readiness => container.readiness_probe.as_ref(),
            Self::Liveness => container.liveness_probe.as_ref(),
        }
    }
}

impl Seen {
    fn of(status: &ContainerStatus) -> Self {
        let ran = super::phase::has_started(status);
        let running = status.running().and_then(|running| running.started_at);
        Self { run: ran.then_some(status.restart_count), running, started: status.started == Some(true) }
    }
}

impl ProbeWorker {
    fn new(slot: usize, kind: ProbeKind, period: Duration, ticker: Time) -> Self {
        let seen = Seen::default();
        Self {
            slot,
            kind,
            period,
            ticker,
            next: None,
            seen,
            result: None,
            last: None,
            on_hold: false,
            gone: false,
        }
    }
}

impl Turn<'_, '_> {
    /// Sets up the workers of the pod's probes that are not there (`AddPod`).
    ///
    /// What takes the place of one that has given up does the same at once, and what it says of its container asks for
    /// another sync: such a pod is synced at every relist.
    pub(super) fn add_probes(&mut self) {
        if !self.worker.probes.is_empty() {
            for number in 0..self.worker.probes.len() {
                let ProbeWorker { slot, kind, period, gone, .. } = self.worker.probes[number];
                if gone {
                    self.worker.probes[number] = ProbeWorker::new(slot, kind, period, self.cx.now);
                    self.schedule(number, self.cx.now);
                }
            }
            return;
        }
        let pod = Arc::clone(&self.worker.pod);
        for slot in 0..pod.slots() {
            for kind in ProbeKind::ALL {
                if let Some(probe) = kind.of(&pod, slot) {
                    let seconds = u64::try_from(probe.period_seconds).ok().filter(|seconds| *seconds > 0);
                    let period = Duration::from_secs(seconds.unwrap_or(10));
                    self.worker.probes.push(ProbeWorker::new(slot, kind, period, self.cx.now));
                }
            }
        }
    }

    /// What the probes say of the containers as the last relist saw them, by slot.
    pub(super) fn probed(&self) -> Vec<Probed> {
        let mut probed = vec![Probed::default(); self.worker.pod.slots()];
        for probe in self.current_probes() {
            match probe.kind {
                ProbeKind::Startup => probed[probe.slot].startup = probe.result,
                ProbeKind::Readiness => probed[probe.slot].readiness = probe.result,
                ProbeKind::Liveness => {}
            }
        }
        probed
    }

    /// What the probes want killed, by slot.
    pub(super) fn verdicts(&self) -> Vec<Verdict> {
        let mut verdicts = vec![Verdict::default(); self.worker.pod.slots()];
        for probe in self.current_probes() {
            match probe.kind {
                ProbeKind::Startup => verdicts[probe.slot].startup = probe.result,
                ProbeKind::Liveness => verdicts[probe.slot].liveness_failed = probe.result == Some(false),
                ProbeKind::Readiness => {}
            }
        }
        verdicts
    }

    fn current_probes(&self) -> impl Iterator<Item = &ProbeWorker> {
        self.worker.probes.iter().filter(|probe| {
            let newest = self.worker.cache.newest(probe.slot);
            newest.is_some_and(|newest| probe.seen.run == Some(newest.restarts))
        })
    }

    /// A container that runs but is not known to be ready is asked at once (`UpdatePodStatus`).
    pub(super) fn trigger_probes(&mut self, status: &PodStatus) {
        for number in 0..self.worker.probes.len() {
            let probe = &self.worker.probes[number];
            let container = container_status(status, &self.worker.pod, probe.slot);
            let asks = probe.kind == ProbeKind::Readiness
                && !probe.gone
                && container.is_some_and(|found| found.started == Some(true) && !found.ready);
            if asks {
                self.worker.probes[number].ticker = self.cx.now;
                self.schedule(number, self.cx.now);
            }
        }
    }

    /// Wakes the probes whose container has changed.
    pub(super) fn wake_probes(&mut self, status: &PodStatus) {
        for number in 0..self.worker.probes.len() {
            let probe = &self.worker.probes[number];
            let container = container_status(status, &self.worker.pod, probe.slot);
            let seen = container.map(Seen::of).unwrap_or_default();
            if probe.next.is_none() && !probe.gone && seen != probe.seen {
                self.schedule(number, self.next_tick(number));
            }
        }
    }

    /// A container has ended, of which its probes that sleep do not know yet.
    pub(super) fn wake_probes_of(&mut self, slot: usize) {
        for number in 0..self.worker.probes.len() {
            let probe = &self.worker.probes[number];
            if probe.slot == slot && probe.next.is_none() && !probe.gone {
                self.schedule(number, self.next_tick(number));
            }
        }
    }

    /// From now on only readiness is asked for.
    pub(super) fn stop_liveness_and_startup(&mut self) {
        self.worker.probes.retain(|probe| probe.kind == ProbeKind::Readiness);
    }

    /// A probe's ticker comes round.
    pub(super) fn probe(&mut self, number: u32) {
        let number = number as usize;
        let due = self.worker.probes.get(number).is_some_and(|probe| probe.next == Some(self.cx.now));
        if !due {
            return;
        }
        self.worker.probes[number].next = None;
        if self.do_probe(number) {
            self.schedule(number, self.next_tick(number));
        }
    }

    fn next_tick(&self, number: usize) -> Time {
        let probe = &self.worker.probes[number];
        let passed = self.cx.now.saturating_since(probe.ticker).as_nanos() / probe.period.as_nanos();
        let rounds = u32::try_from(passed + 1).unwrap_or(u32::MAX);
        probe.ticker.checked_add(probe.period.saturating_mul(rounds)).unwrap_or(Time::MAX)
    }

    fn schedule(&mut self, number: usize, at: Time) {
        self.worker.probes[number].next = Some(at);
        let number = u32::try_from(number).expect("a pod has few probes");
        self.cx.requeue_at(at, Task::Probe.of(self.id, number));
    }

    /// Looks at the container, and asks it if it is time; returns whether the next tick may tell something new.
    fn do_probe(&mut self, number: usize) -> bool {
        let pod = Arc::clone(&self.worker.pod);
        let Some(status) = self.kept_status() else { return false };
        let (slot, kind) = (self.worker.probes[number].slot, self.worker.probes[number].kind);
        let Some(container) = container_status(&status, &pod, slot) else { return false };
        let seen = Seen::of(container);
        let new = seen.run != self.worker.probes[number].seen.run;
        self.worker.probes[number].seen = seen;
        if seen.run.is_none() {
            return false;
        }
        if new {
            self.worker.probes[number].on_hold = false;
            let initial = (kind != ProbeKind::Startup).then_some(kind == ProbeKind::Liveness);
            self.set_result(number, initial, true);
        }
        if self.worker.probes[number].on_hold {
            return false;
        }
        let Some(started) = seen.running else {
            let ended = container.terminated().map(|end| end.exit_code);
            let over = ended.is_some_and(|code| !pod.is_sidecar(slot) && !restarts_after(&pod, slot, code));
            self.not_running(number, over);
            return false;
        };
        let probe = kind.of(&pod, slot).expect("the worker is that of a probe");
        let delay = Duration::from_secs(u64::try_from(probe.initial_delay_seconds).unwrap_or(0));
        if self.cx.now.saturating_since(started).as_secs() < delay.as_secs() {
            return true;
        }
        if seen.started == (kind == ProbeKind::Startup) {
            return false;
        }
        self.ask(number, probe)
    }

    /// A container does not run; `over`: nor will it again.
    fn not_running(&mut self, number: usize, over: bool) {
        self.worker.probes[number].gone = over;
        self.set_result(number, Some(false), false);
        let probe = &mut self.worker.probes[number];
        if probe.gone {
            (probe.seen, probe.result) = (Seen::default(), None);
        }
    }

    /// Asks the container; returns whether the next answer may be another, or shows again.
    fn ask(&mut self, number: usize, probe: &Probe) -> bool {
        let (slot, kind) = (self.worker.probes[number].slot, self.worker.probes[number].kind);
        let Some(RunState::Running { started }) =
            self.worker.runtime.newest(slot).map(|run| run.state.clone())
        else {
            let kind = kind.as_str();
            let message =
                format!("{kind} probe errored and resulted in unknown state: container not running");
            self.container_event(slot, EventType::Warning, "Unhealthy", &message);
            return true;
        };
        let result = self.cx.now.saturating_since(started) >= self.program(slot).ready_after;
        if !result {
            let message = format!("{} probe failed: not yet", kind.as_str());
            self.container_event(slot, EventType::Warning, "Unhealthy", &message);
        }
        let worker = &mut self.worker.probes[number];
        let run = match worker.last {
            Some((last, run)) if last == result => run + 1,
            _ => 1,
        };
        worker.last = Some((result, run));
        let threshold = match (result, probe.success_threshold, probe.failure_threshold) {
            (true, 0, _) => 1,
            (true, threshold, _) => threshold,
            (false, _, 0) => 3,
            (false, _, threshold) => threshold,
        };
        if run < threshold {
            return true;
        }
        if kind == ProbeKind::Startup || (kind == ProbeKind::Liveness && !result) {
            worker.on_hold = true;
            worker.last = Some((result, 0));
        }
        self.set_result(number, Some(result), false);
        let probe = self.worker.probes.get(number);
        probe.is_some_and(|probe| !probe.on_hold && !result)
    }

    /// Keeps a result; if it is another than before, the pod's status follows and the pod is synced.
    fn set_result(&mut self, number: usize, result: Option<bool>, first: bool) {
        let probe = &mut self.worker.probes[number];
        if probe.result == result && !first {
            return;
        }
        probe.result = result;
        let (slot, kind) = (probe.slot, probe.kind);
        match kind {
            ProbeKind::Readiness => self.set_container(slot, |status| status.ready = result == Some(true)),
            ProbeKind::Startup => {
                self.set_container(slot, |status| status.started = Some(result == Some(true)))
            }
            ProbeKind::Liveness if result == Some(false) => {}
            ProbeKind::Liveness => return,
        }
        self.update();
    }

    /// Changes one container's status between two syncs (`SetContainerReadiness`, `SetContainerStartup`).
    fn set_container(&mut self, slot: usize, change: impl FnOnce(&mut ContainerStatus)) {
        let pod = Arc::clone(&self.worker.pod);
        let Some(old) = self.kept_status() else { return };
        let mut status = old.clone();
        let name = &pod.container(slot).name;
        let list = match pod.is_init(slot) {
            true => &mut status.init_container_statuses,
            false => &mut status.container_statuses,
        };
        let Some(found) = list.iter_mut().find(|found| found.name == *name) else { return };
        change(found);
        let by_slot = (0..pod.slots()).map(|slot| container_status(&status, &pod, slot).cloned());
        let Some(statuses) = by_slot.collect::<Option<Vec<ContainerStatus>>>() else { return };
        let probed = self.probed();
        let seen = Observation {
            pod: &pod,
            old: &old,
            runtime: &self.worker.cache,
            reasons: &self.worker.reasons,
            probes: &probed,
            terminal: false,
        };
        let mut fresh: Vec<Condition> = status.conditions.to_vec();
        fresh.retain(|found| !conditions::is_kubelets(&found.kind));
        let phase = Phase::parse(&status.phase).unwrap_or(Phase::Pending);
        conditions::generate(&seen, &statuses, (phase, Profile::of(self.cx.config.kubernetes)), &mut fresh);
        for kind in [conditions::READY, conditions::CONTAINERS_READY] {
            let new = fresh.condition(&kind).expect("it was just computed");
            status
                .conditions
                .iter_mut()
                .filter(|found| found.kind == kind)
                .for_each(|old| *old = new.clone());
        }
        self.set_status(status, true);
    }
}

fn container_status<'a>(status: &'a PodStatus, pod: &Pod, slot: usize) -> Option<&'a ContainerStatus> {
    let list = if pod.is_init(slot) { &status.init_container_statuses } else { &status.container_statuses };
    let name = &pod.container(slot).name;
    list.iter().find(|found| found.name == *name && found.state.is_some())
}
