//! kubelet pod workers, Kubernetes 1.36.2: `pkg/kubelet/pod_workers.go`, with the pod's share of the sync loop
//! (`pkg/kubelet/kubelet.go`), of PLEG (`pkg/kubelet/pleg/generic.go`) and of the status cache.

use super::backoff::Backoff;
use super::kill::Kill;
use super::node::NodeState;
use super::phase::Phase;
use super::prober::ProbeWorker;
use super::profile::Profile;
use super::runtime::{ContainerRecord, PodRuntime};
use super::status::Reason;
use super::sync_pod::Plan;
use super::task::Task;
use super::volume_manager::PodVolumes;
use crate::context::Context;
use crate::environment::Program;
use crate::kind::ObjectId;
use crate::objects::Pod;
use crate::random::WHOLE;
use std::sync::Arc;
use std::time::Duration;
use stuckvm_detector::Time;

/// A sync that went well is repeated after this time, if nothing happens before.
const RESYNC: Duration = Duration::from_secs(60);
/// A sync that failed is repeated after this time.
const BACK_OFF: Duration = Duration::from_secs(10);

/// The kubelet's worker for one pod, from the pod's arrival on the node to its end.
#[derive(Debug)]
pub(super) struct PodWorker {
    /// The pod as the informer showed it last.
    pub(super) pod: Arc<Pod>,
    /// Which node, by its place in the list of nodes.
    pub(super) node: usize,
    pub(super) stage: Stage,
    /// The kubelet has taken it.
    pub(super) admitted: bool,
    /// The pod is to be ended as soon as the worker is free.
    pub(super) ending: bool,
    /// The object is gone from the API.
    pub(super) gone: bool,
    /// What the runtime holds.
    pub(super) runtime: Arc<PodRuntime>,
    /// What the last relist saw of it.
    pub(super) cache: Arc<PodRuntime>,
    /// When a relist last saw something new.
    looked: Time,
    /// The pod was relisted by itself after the last sync.
    relisted: bool,
    /// A relist that will find something, or is waited for.
    relist_at: Option<Time>,
    /// When the last sync ended.
    synced: Option<Time>,
    /// Another sync is wanted when this one ends.
    pending: bool,
    pub(super) step: Step,
    requeue: Requeue,
    pub(super) plan: Plan,
    pub(super) volumes: PodVolumes,
    pub(super) kill: Option<Box<Kill>>,
    /// Failed starts by slot.
    pub(super) reasons: Vec<Option<Reason>>,
    /// Crash back-offs by slot; empty before the first.
    pub(super) backoffs: Vec<Option<Backoff>>,
    /// What running containers do, unless they just run.
    pub(super) programs: Vec<(usize, Box<Program>)>,
    pub(super) probes: Vec<ProbeWorker>,
    /// The phase that kubelet keeps for itself until the pod holds nothing any more.
    pub(super) kept_phase: Option<Phase>,
}

/// Which of the three syncs a worker runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Syncing,
    Terminating,
    Terminated,
    /// It will never do anything again.
    Finished,
}

/// What a worker is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Idle,
    /// Waits for a runtime status newer than its last sync.
    AwaitCache,
    /// Waits for its volumes since then.
    AwaitVolumes(Time),
    CreateSandbox,
    /// Pulls an image for the container in this slot.
    Pull(usize),
    /// Starts the container in this slot.
    Start(usize),
    Kill,
}

/// The next sync by the work queue.
#[derive(Clone, Copy, Debug)]
struct Requeue {
    due: Time,
    /// Tells a timer that still counts from one that does not.
    number: u32,
    /// A sync then would see and do nothing, so no timer is set.
    idle: bool,
}

/// How a sync ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Well; `acted`: something was started or killed.
    Ok { acted: bool },
    /// With an error; `until`: when a crash back-off ends.
    Error { until: Option<Time> },
    /// The pod enters its next stage.
    Transition,
}

impl PodWorker {
    /// A worker for a pod that has just arrived.
    pub(super) fn new(pod: Arc<Pod>, node: usize) -> Self {
        let runtime = Arc::new(PodRuntime::of(&pod));
        Self {
            node,
            stage: Stage::Syncing,
            admitted: false,
            ending: false,
            gone: false,
            cache: Arc::clone(&runtime),
            reasons: vec![None; runtime.containers.len()],
            runtime,
            looked: Time::ZERO,
            relisted: false,
            relist_at: None,
            synced: None,
            pending: false,
            step: Step::Idle,
            requeue: Requeue { due: Time::MAX, number: 0, idle: false },
            plan: Plan::default(),
            volumes: PodVolumes::default(),
            kill: None,
            backoffs: Vec::new(),
            programs: Vec::new(),
            probes: Vec::new(),
            kept_phase: None,
            pod,
        }
    }

    /// Whether what the pod asks for is taken (`isPodInactive`).
    pub(super) fn takes_room(&self) -> bool {
        self.admitted && matches!(self.stage, Stage::Syncing | Stage::Terminating)
    }

    /// Whether a timer still counts.
    pub(super) fn is_requeued(&self, number: u32) -> bool {
        number == self.requeue.number && !self.requeue.idle
    }
}

/// One pod's worker at work: with its node, and the doors to the rest of the world.
pub(super) struct Turn<'a, 'b> {
    pub(super) id: ObjectId,
    pub(super) worker: &'a mut PodWorker,
    pub(super) node: &'a mut NodeState,
    pub(super) cx: &'a mut Context<'b>,
}

impl Turn<'_, '_> {
    /// What the kubelet's release does.
    pub(super) fn profile(&self) -> &'static Profile {
        Profile::of(self.cx.config.kubernetes)
    }

    /// Something asks for a sync (`UpdatePod`).
    pub(super) fn update(&mut self) {
        self.catch_up();
        match (self.worker.stage, self.worker.step) {
            (Stage::Finished, _) => {}
            (_, Step::Idle) => self.begin(),
            _ => self.worker.pending = true,
        }
    }

    /// The sync loop's tick finds the pod in the work queue.
    pub(super) fn tick(&mut self, number: u32) {
        if self.worker.is_requeued(number) {
            self.update();
        }
    }

    /// A relist has come that may show something new.
    pub(super) fn relist(&mut self) {
        if self.worker.relist_at != Some(self.cx.now) {
            return;
        }
        self.worker.relist_at = None;
        let changed = self.look();
        if self.worker.step == Step::AwaitCache {
            self.worker.pending = changed;
            self.run();
        } else if changed {
            self.update();
        }
    }

    /// The runtime holds something new: the next relist will see it.
    pub(super) fn changed(&mut self) {
        if self.worker.relist_at.is_none() {
            let at = self.node.clock.relist_after(self.cx.now);
            self.worker.relist_at = Some(at);
            self.cx.requeue_at(at, Task::Relist.of(self.id, 0));
        }
    }

    /// Ends a sync and sets the time of the next (`completeWork`).
    pub(super) fn complete(&mut self, outcome: Outcome) {
        assert!(self.worker.kill.is_none(), "nothing is left to be killed");
        // A tick that nobody would have seen found the worker busy.
        let requeue = self.worker.requeue;
        self.worker.pending |= requeue.idle && self.node.clock.tick_after(requeue.due) < self.cx.now;
        self.worker.synced = Some(self.cx.now);
        self.worker.relisted = false;
        self.worker.step = Step::Idle;
        match outcome {
            Outcome::Ok { acted } => {
                self.requeue(RESYNC, true);
                if acted && self.profile().relists_on_demand {
                    self.worker.relisted = true;
                    self.worker.pending |= self.look();
                }
            }
            Outcome::Error { until } => {
                let left = until.map_or(BACK_OFF, |until| until.saturating_since(self.cx.now));
                self.requeue(left.min(RESYNC), false);
            }
            Outcome::Transition => {
                if self.worker.stage == Stage::Terminating {
                    self.leave_room();
                }
                self.worker.stage = match self.worker.stage {
                    Stage::Syncing => Stage::Terminating,
                    Stage::Terminating => Stage::Terminated,
                    Stage::Terminated | Stage::Finished => Stage::Finished,
                };
                self.worker.pending = self.worker.stage != Stage::Finished;
            }
        }
        if self.worker.pending {
            self.begin();
        }
    }

    fn begin(&mut self) {
        self.worker.pending = false;
        if self.worker.ending && self.worker.stage == Stage::Syncing {
            self.worker.stage = Stage::Terminating;
        }
        let clock = self.node.clock;
        let newer = |synced| clock.relisted_since(synced, self.cx.now);
        if self.worker.relisted || self.worker.synced.is_none_or(newer) {
            self.run();
        } else {
            self.worker.step = Step::AwaitCache;
            self.changed();
        }
    }

    fn run(&mut self) {
        self.refresh_cache();
        match self.worker.stage {
            Stage::Syncing => self.sync_pod(),
            Stage::Terminating => self.sync_terminating_pod(),
            Stage::Terminated => self.sync_terminated_pod(),
            Stage::Finished => {}
        }
    }

    /// Compares what the runtime holds with what was seen before; returns whether that is news.
    fn look(&mut self) -> bool {
        let news = !self.worker.cache.looks_like(&self.worker.runtime);
        if news {
            self.worker.cache = Arc::clone(&self.worker.runtime);
            self.worker.looked = self.cx.now;
            self.delete_containers();
        }
        news
    }

    /// Of the ended runs of a container the newest is kept once its end has been seen
    /// (`pkg/kubelet/pod_container_deletor.go`).
    fn delete_containers(&mut self) {
        let over = |records: &Vec<ContainerRecord>| records.len() > 1 && records[0].exit().is_some();
        if self.worker.runtime.containers.iter().any(over) {
            let runtime = Arc::make_mut(&mut self.worker.runtime);
            runtime
                .containers
                .iter_mut()
                .filter(|records| over(records))
                .for_each(|records| records.truncate(1));
        }
    }

    /// What relists saw since the last news: only containers that were deleted.
    pub(super) fn refresh_cache(&mut self) {
        let same = Arc::ptr_eq(&self.worker.cache, &self.worker.runtime);
        if !same
            && self.worker.cache.looks_like(&self.worker.runtime)
            && self.node.clock.relisted_since(self.worker.looked, self.cx.now)
        {
            self.worker.cache = Arc::clone(&self.worker.runtime);
        }
    }

    fn requeue(&mut self, base: Duration, idle: bool) {
        let due = self.jittered(base, self.cx.now);
        let number = self.worker.requeue.number.wrapping_add(1);
        self.worker.requeue = Requeue { due, number, idle };
        if !idle {
            let at = self.node.clock.tick_after(due);
            let work = Task::Tick.of(self.id, number);
            self.node.requeued.entry(at).or_default().insert((self.cx.now, work));
            self.cx.requeue_at(at, work);
        }
    }

    /// Repeats the syncs that nobody could see since the last one: they only drew the time of the next.
    fn catch_up(&mut self) {
        while self.worker.requeue.idle && self.worker.step == Step::Idle {
            let at = self.node.clock.tick_after(self.worker.requeue.due);
            if at >= self.cx.now {
                return;
            }
            self.worker.synced = Some(at);
            self.worker.relisted = false;
            self.worker.requeue.due = self.jittered(RESYNC, at);
        }
    }

    /// `base` after `from`, lengthened by up to a half.
    fn jittered(&mut self, base: Duration, from: Time) -> Time {
        let fraction = self.cx.random.fraction_of("kubelet", &self.worker.pod.metadata.name);
        let extra = base.as_nanos() * u128::from(fraction) / (2 * u128::from(WHOLE));
        let extra = u64::try_from(extra).expect("half of a minute is few nanoseconds");
        let delay = self.cx.config.latency.pod_sync + base + Duration::from_nanos(extra);
        from.checked_add(delay).unwrap_or(Time::MAX)
    }
}
