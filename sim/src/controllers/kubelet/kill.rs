//! Killing containers, Kubernetes 1.36.2: `pkg/kubelet/kuberuntime/kuberuntime_container.go` (`killContainer`) and
//! `kuberuntime_termination_order.go`.

use super::pod_worker::{Step, Turn};
use super::runtime::{Exit, RunState, Sandbox, Slots};
use super::task::{Task, run_number, slot_and_restarts};
use crate::context::EventType;
use crate::environment::{Program, RuntimeRequest, Stop};
use arcstr::{ArcStr, literal};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use stuckvm_detector::Time;

/// A container gets at least so long to end.
const MINIMUM_GRACE: u64 = 2;

/// Containers that are being killed.
#[derive(Debug)]
pub(super) struct Kill {
    /// What is to stop: the first wave has been told to; the others come when the one before has ended.
    waves: VecDeque<Vec<Stopping>>,
    /// Requests to stop that the runtime has not answered yet.
    open: usize,
    since: Time,
    grace_seconds: u64,
    then: AfterKill,
    /// Exit codes of those that have been told to stop.
    codes: Vec<(usize, i32)>,
}

/// One run of a container that is to stop, and how it does.
#[derive(Clone, Copy, Debug)]
struct Stopping {
    slot: usize,
    restarts: u32,
    stop: Stop,
}

/// What comes after a kill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AfterKill {
    /// The sync goes on.
    Proceed,
    /// The sandbox is stopped too; then the sync goes on.
    StopSandbox,
    /// The sandbox is stopped too; then the pod has ended.
    Terminated,
}

impl Turn<'_, '_> {
    /// Kills everything that runs, sidecars last and in reverse order.
    pub(super) fn kill_pod(&mut self, grace_seconds: Option<u32>, then: AfterKill) {
        let pod = Arc::clone(&self.worker.pod);
        let running = |slot: &usize| self.worker.runtime.is_running(*slot);
        let mut waves: VecDeque<Vec<usize>> = VecDeque::from([(0..pod.slots())
            .filter(|slot| !pod.is_sidecar(*slot))
            .filter(running)
            .collect()]);
        let sidecars = (0..pod.slots()).rev().filter(|slot| pod.is_sidecar(*slot)).filter(running);
        waves.extend(sidecars.map(|slot| vec![slot]));
        let mut all: Vec<usize> = waves.iter().flatten().copied().collect();
        all.sort_unstable();
        for slot in all {
            let message = format!("Stopping container {}", pod.container(slot).name);
            self.container_event(slot, EventType::Normal, "Killing", &message);
        }
        let grace = grace_seconds.map_or_else(|| self.own_grace(), u64::from);
        self.kill_waves(waves, grace, then);
    }

    /// Kills some containers, for the reasons given.
    pub(super) fn kill_containers(&mut self, slots: Vec<(usize, String)>) {
        for (slot, message) in &slots {
            self.container_event(*slot, EventType::Normal, "Killing", message);
        }
        let slots = slots.into_iter().map(|(slot, _)| slot).collect();
        let grace = self.own_grace();
        self.kill_waves(VecDeque::from([slots]), grace, AfterKill::Proceed);
    }

    /// A container has ended by itself.
    pub(super) fn exited(&mut self, number: u32) {
        let (slot, restarts) = slot_and_restarts(number);
        if !self.runs(slot, restarts) {
            return;
        }
        let Program { exit_code, reason, message, .. } = self.program(slot);
        let reason = if reason.is_empty() { Program::reason_of(exit_code) } else { reason };
        self.end_container(slot, exit_code, reason, message);
    }

    /// The runtime has answered a request to stop, which takes its time also where the container has ended before.
    pub(super) fn stop_returned(&mut self, number: u32) {
        let (slot, restarts) = slot_and_restarts(number);
        let kill = self.worker.kill.as_mut().expect("what returns was asked for");
        kill.open -= 1;
        let code = kill.codes.iter().find(|(of, _)| *of == slot).expect("it was told to stop").1;
        if self.runs(slot, restarts) {
            self.end_container(slot, code, Program::reason_of(code), ArcStr::new());
        }
        self.next_wave();
    }

    fn runs(&self, slot: usize, restarts: u32) -> bool {
        let newest = self.worker.runtime.newest(slot);
        newest.is_some_and(|record| record.restarts == restarts && record.is_running())
    }

    /// What the container in a slot does.
    pub(super) fn program(&self, slot: usize) -> Program {
        let found = self.worker.programs.iter().find(|(of, _)| *of == slot);
        found.map_or_else(Program::forever, |(_, program)| Program::clone(program))
    }

    fn own_grace(&self) -> u64 {
        let seconds = self.worker.pod.spec.termination_grace_period_seconds.unwrap_or(30);
        u64::try_from(seconds).unwrap_or(1)
    }

    fn kill_waves(&mut self, waves: VecDeque<Vec<usize>>, grace_seconds: u64, then: AfterKill) {
        assert!(self.worker.kill.is_none(), "one kill at a time");
        self.worker.step = Step::Kill;
        let stopping = |slot: &usize| {
            let record = self.worker.runtime.newest(*slot).filter(|record| record.is_running())?;
            let (program, container) = (self.program(*slot), self.worker.pod.container(*slot));
            let latency = &self.cx.config.latency;
            let stop = self.cx.environment.stop(latency, &self.worker.pod, container, &program);
            Some(Stopping { slot: *slot, restarts: record.restarts, stop })
        };
        let waves = waves.iter().map(|wave| wave.iter().filter_map(stopping).collect()).collect();
        let since = self.cx.now;
        let kill = Kill { waves, open: 0, since, grace_seconds, then, codes: Vec::new() };
        self.worker.kill = Some(Box::new(kill));
        self.stop_wave();
        self.next_wave();
    }

    /// Tells the first wave to stop.
    fn stop_wave(&mut self) {
        let kill = self.worker.kill.as_ref().expect("something is being killed");
        let waited = self.cx.now.saturating_since(kill.since).as_secs();
        let grace = Duration::from_secs(kill.grace_seconds.saturating_sub(waited).max(MINIMUM_GRACE));
        let Some(wave) = kill.waves.front().cloned() else { return };
        for Stopping { slot, restarts, stop } in wave {
            let Stop { after, exit_code } =
                if stop.after < grace { stop } else { Stop { after: grace, exit_code: 137 } };
            let kill = self.worker.kill.as_mut().expect("something is being killed");
            kill.codes.push((slot, exit_code));
            if after > Duration::ZERO {
                kill.open += 1;
                self.cx.complete_after(after, Task::Stopped.of(self.id, run_number(slot, restarts)));
            } else if self.runs(slot, restarts) {
                self.end_container(slot, exit_code, Program::reason_of(exit_code), ArcStr::new());
            }
        }
    }

    /// Goes on when the first wave has ended.
    fn next_wave(&mut self) {
        loop {
            let kill = self.worker.kill.as_mut().expect("something is being killed");
            if kill.open > 0 {
                return;
            }
            kill.waves.pop_front();
            if kill.waves.is_empty() {
                break;
            }
            self.stop_wave();
        }
        let kill = self.worker.kill.take().expect("something was killed");
        if kill.then != AfterKill::Proceed && self.worker.runtime.sandbox == Sandbox::Ready {
            Arc::make_mut(&mut self.worker.runtime).sandbox = Sandbox::NotReady;
            self.worker.plan.acted = true;
            self.changed();
        }
        self.worker.plan.acted |= !kill.codes.is_empty();
        match kill.then {
            AfterKill::Proceed | AfterKill::StopSandbox => self.proceed(),
            AfterKill::Terminated => self.stopped(),
        }
    }

    fn end_container(&mut self, slot: usize, code: i32, reason: ArcStr, message: ArcStr) {
        let now = self.cx.now;
        let record = &mut Arc::make_mut(&mut self.worker.runtime).containers[slot][0];
        let RunState::Running { started } = record.state else { unreachable!("only what runs ends") };
        let pod = &self.worker.pod;
        self.cx.environment.runtime_log.push(|| RuntimeRequest::End {
            at: now,
            pod: pod.metadata.name.clone(),
            container: pod.container(slot).name.clone(),
            attempt: record.restarts,
            exit_code: code,
        });
        record.state = RunState::Exited(Box::new(Exit {
            code,
            reason,
            message,
            started: Some(started),
            finished: Some(now),
        }));
        self.worker.programs.retain(|(of, _)| *of != slot);
        self.changed();
        self.wake_probes_of(slot);
    }

    /// Records an event on a container of the pod.
    pub(super) fn container_event(&mut self, slot: usize, kind: EventType, reason: &str, message: &str) {
        let pod = Arc::clone(&self.worker.pod);
        let list = if pod.is_init(slot) { literal!("initContainers") } else { literal!("containers") };
        let field = format!("spec.{list}{{{}}}", pod.container(slot).name);
        self.cx.event_on(&*pod, &field, kind, (reason, message));
    }
}
