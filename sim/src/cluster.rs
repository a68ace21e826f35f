//! The cluster: the loop that turns instants into writes.

use crate::causes::Causes;
use crate::claim_events::{ClaimEvent, ClaimEvents};
use crate::config::Config;
use crate::context::{Context, Event, StatusWrite};
use crate::controller::{Action, Controller};
use crate::controllers::kubelet::container_exits;
use crate::environment::{Environment, Image};
use crate::event_queue::{EventQueue, Phase};
use crate::journal::Entry;
use crate::kind::{Object, ObjectId, Resource, Visit};
use crate::objects::Pod;
use crate::random::Random;
use crate::seat::{Process, Seat, State};
use crate::store::{ApiError, Change, Store, View};
use crate::trace::Trace;
use crate::work_queue::{Work, WorkQueue};
use arcstr::ArcStr;
use std::collections::VecDeque;
use std::time::Duration;
use stuckvm_detector::Time;

/// A fake cluster on virtual time.
///
/// Whoever drives it asks for [`Cluster::next_at`], goes there with [`Cluster::advance_to`], may change things as a
/// user would, and lets the instant settle.
pub struct Cluster {
    now: Time,
    config: Config,
    pub(crate) store: Store,
    events: EventQueue<Event>,
    pub(crate) seats: Vec<Seat>,
    pub(crate) environment: Environment,
    random: Random,
    trace: Trace,
    status_writes: Vec<StatusWrite>,
    claim_events: ClaimEvents,
    journal: Option<Vec<Entry>>,
    deliveries: VecDeque<Delivery>,
    /// Pieces of work in all.
    work_done: u64,
}

/// CDI's own images are there wherever CDI is installed.
const CDI_IMAGE: Image = Image { size_bytes: 300_000_000 };

/// Stores an object as it stands.
struct Load<'a>(&'a mut Store, Time);

impl Visit for Load<'_> {
    type Output = Result<ObjectId, ApiError>;

    fn visit<T: Resource>(self, object: &std::sync::Arc<T>) -> Self::Output {
        self.0.create(T::clone(object), self.1)
    }
}

/// The writes up to a revision reach the informers at an instant.
struct Delivery {
    at: Time,
    revision: u64,
}

/// More work than a run, or one of its instants, may take: controllers that answer each other without end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{reach} took more than {budget} pieces of work by {at}; the last to work was {controller}, on {last}"
)]
pub struct StepBudget {
    /// What the budget is for.
    pub reach: Reach,
    /// The instant.
    pub at: Time,
    /// The limit that was reached.
    pub budget: u64,
    /// The controller that worked last.
    pub controller: &'static str,
    /// What it worked on.
    pub last: String,
}

/// What a budget of work is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reach {
    /// One instant, which did not come to rest: [`Config::instant_budget`].
    #[error("one instant")]
    Instant,
    /// The run from its beginning: [`Config::run_budget`].
    #[error("the run")]
    Run,
}

impl Cluster {
    /// An empty cluster with every controller.
    pub fn new(config: Config) -> Self {
        Self::with_controllers(config, crate::controllers::all)
    }

    /// An empty cluster with the controllers of these names only, for whoever plays the others' parts.
    pub fn with_some(config: Config, wanted: impl Fn(&str) -> bool) -> Self {
        let some = |config: &Config| {
            let all = crate::controllers::all(config).into_iter();
            all.filter(|controller| wanted(controller.name())).collect()
        };
        Self::with_controllers(config, some)
    }

    /// An empty cluster with these controllers.
    pub(crate) fn with_controllers(
        config: Config,
        controllers: impl FnOnce(&Config) -> Vec<Box<dyn Controller>>,
    ) -> Self {
        let lanes = config.recurring_delays();
        let lanes =
            lanes.into_iter().flat_map(|delay| [(delay, Phase::Controller), (delay, Phase::Environment)]);
        let mut cluster = Self {
            now: config.start,
            store: Store::new(config.seed),
            events: EventQueue::with_lanes(lanes),
            seats: controllers(&config).into_iter().map(Seat::new).collect(),
            environment: Environment::default(),
            random: Random::new(config.seed),
            trace: Trace::new(config.keep_trace),
            status_writes: Vec::new(),
            claim_events: ClaimEvents::default(),
            journal: config.keep_journal.then(Vec::new),
            deliveries: VecDeque::new(),
            work_done: 0,
            config,
        };
        let cdi = &cluster.config.cdi;
        for image in cdi.images() {
            cluster.environment.registry.push(image.clone(), CDI_IMAGE);
        }
        for index in 0..cluster.seats.len() {
            cluster.with_controller(index, |controller, cx| controller.start(cx));
        }
        cluster
    }

    /// The names of the controllers, in the order of their turns.
    pub fn controllers(&self) -> impl Iterator<Item = &'static str> {
        self.seats.iter().map(|seat| seat.controller.name())
    }

    /// Virtual time.
    pub fn now(&self) -> Time {
        self.now
    }

    /// The next instant at which something is due.
    pub fn next_at(&self) -> Option<Time> {
        self.events.next_at()
    }

    /// Goes to an instant, which must not lie before now nor behind something that is due.
    pub fn advance_to(&mut self, at: Time) {
        assert!(at >= self.now, "time moves forward: from {} to {at}", self.now);
        assert!(self.next_at().is_none_or(|due| due >= at), "nothing due is left behind");
        self.now = at;
    }

    /// Lets everything happen that is due at this instant, again and again until nothing is left to do.
    pub fn settle(&mut self) -> Result<(), StepBudget> {
        let Config { instant_budget, run_budget, .. } = self.config;
        let of_instant = (self.work_done.saturating_add(instant_budget), Reach::Instant, instant_budget);
        let of_run = (run_budget, Reach::Run, run_budget);
        let (limit, reach, budget) = if of_instant.0 < of_run.0 { of_instant } else { of_run };
        loop {
            while let Some(event) = self.events.pop_at(self.now) {
                self.handle(event);
            }
            match self.turn() {
                None => return Ok(()),
                Some((controller, work)) if self.work_done > limit => {
                    return Err(StepBudget {
                        reach,
                        at: self.now,
                        budget,
                        controller,
                        last: self.called(work.id),
                    });
                }
                Some(_) => {}
            }
        }
    }

    /// Plays every instant up to and including `until`.
    pub fn run_until(&mut self, until: Time) -> Result<(), StepBudget> {
        while let Some(at) = self.next_at().filter(|at| *at <= until) {
            self.advance_to(at);
            self.settle()?;
        }
        self.advance_to(until);
        Ok(())
    }

    /// The store as the API server itself sees it.
    pub fn view(&self) -> View<'_> {
        View::newest(&self.store)
    }

    /// The store as far as a controller's informers have been told of it; `None` where no controller has the name.
    pub fn view_of(&self, controller: &str) -> Option<View<'_>> {
        let seat = &self.seats[self.seat_of(controller)?];
        Some(View::new(&self.store, &seat.horizon))
    }

    /// How many objects of a kind exist.
    pub fn count<T: Resource>(&self) -> usize {
        self.store.count::<T>()
    }

    /// What happened.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// What happened so far, to take its lines.
    pub fn trace_mut(&mut self) -> &mut Trace {
        &mut self.trace
    }

    /// Settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The world outside of the API, to set it up or to break it. What agents notice, they notice by themselves.
    pub fn environment_mut(&mut self) -> &mut Environment {
        &mut self.environment
    }

    /// The generator, to determine draws.
    pub fn random_mut(&mut self) -> &mut Random {
        &mut self.random
    }

    /// Takes the writes of printable statuses since the last call, in order, unmerged.
    pub fn take_status_writes(&mut self) -> Vec<StatusWrite> {
        std::mem::take(&mut self.status_writes)
    }

    /// Pieces of work that controllers have done.
    pub fn work_done(&self) -> u64 {
        self.work_done
    }

    /// Takes the journal so far; empty unless [`Config::keep_journal`] is set.
    pub fn take_journal(&mut self) -> Vec<Entry> {
        self.journal.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Puts stored objects into the store as they stand, uid and status included, known to every informer at once.
    /// Nothing is filled in, traced or queued.
    pub fn load(&mut self, objects: impl IntoIterator<Item = Object>) -> Result<Vec<ObjectId>, ApiError> {
        let before = self.store.revision();
        let ids = self.load_unseen(objects);
        let revision = self.store.revision();
        for Seat { controller, horizon, .. } in &mut self.seats {
            let mut unused = WorkQueue::default();
            for known in before + 1..=revision {
                controller.on_change(self.store.change(known), View::new(&self.store, horizon), &mut unused);
            }
        }
        self.store.forget_seen(revision);
        ids
    }

    /// The same for caches that were filled while no controller watched: what one expects to see stays outstanding.
    pub(crate) fn load_unseen(
        &mut self,
        objects: impl IntoIterator<Item = Object>,
    ) -> Result<Vec<ObjectId>, ApiError> {
        let store = &mut self.store;
        let ids = objects.into_iter().map(|object| object.visit(Load(store, self.now))).collect();
        let revision = self.store.revision();
        self.seats.iter_mut().for_each(|seat| seat.horizon.advance(revision));
        ids
    }

    /// Puts stored objects into the store as they stand, new to every informer, as when the whole control plane starts.
    /// Nothing is filled in or traced.
    pub fn restore(&mut self, objects: impl IntoIterator<Item = Object>) -> Result<Vec<ObjectId>, ApiError> {
        let before = self.store.revision();
        let store = &mut self.store;
        let ids = objects.into_iter().map(|object| object.visit(Load(store, self.now))).collect();
        self.publish(before);
        ids
    }

    /// Records a Kubernetes event on a claim as a component does that is not simulated, first seen at `at`.
    pub fn claim_event(&mut self, claim_uid: &ArcStr, event: ClaimEvent) {
        self.claim_events.record(claim_uid, event);
        self.claim_events.publish();
    }

    /// Lets one controller look at one thing, and nothing else happen. Returns `None` where no controller has the name.
    pub fn reconcile_once(&mut self, controller: &str, work: impl Into<Work>) -> Option<Action> {
        let index = self.seat_of(controller)?;
        let work = work.into();
        Some(self.with_controller(index, |seat, cx| seat.reconcile(work, cx)))
    }

    /// Tells one controller that something in the world has ended. Returns `None` where no controller has the name.
    pub(crate) fn complete_once(&mut self, controller: &str, work: Work) -> Option<()> {
        let index = self.seat_of(controller)?;
        self.with_controller(index, |seat, cx| seat.complete(work, cx));
        Some(())
    }

    /// Takes a machine away, or brings it back.
    pub fn set_machine(&mut self, node: &str, lost: bool) {
        if lost {
            self.environment.machines.lose(node);
        } else {
            self.environment.machines.recover(node);
        }
        for index in 0..self.seats.len() {
            self.with_controller(index, |seat, cx| seat.on_machine(node, lost, cx));
        }
    }

    /// The seat of the controller of this name.
    pub(crate) fn seat_of(&self, controller: &str) -> Option<usize> {
        self.seats.iter().position(|seat| seat.controller.name() == controller)
    }

    pub(crate) fn is_up(&self, index: usize) -> bool {
        self.seats[index].state == State::Up
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Deliver => {
                let delivery = self.deliveries.pop_front().expect("a delivery is pending");
                assert_eq!(delivery.at, self.now, "deliveries come in order");
                self.deliver(delivery.revision);
            }
            Event::Requeue { process, work } => {
                if let Some(index) = self.running(process) {
                    self.seats[index].queue.add(work);
                    self.trace_cause(index, work, Causes::timer_ran_out);
                }
            }
            Event::Delayed { process, work } => {
                if let Some(index) = self.running(process)
                    && self.seats[index].queue.add_delayed(work, self.now)
                {
                    self.trace_cause(index, work, Causes::timer_ran_out);
                }
            }
            Event::Complete { process, work } => {
                if let Some(index) = self.running(process) {
                    self.trace_cause(index, work, Causes::begin_pending);
                    self.with_controller(index, |controller, cx| controller.complete(work, cx));
                    self.trace_cause(index, work, |causes, _, _| causes.end());
                }
            }
            Event::Answered { process, work } => {
                if let Some(index) = self.running(process) {
                    self.answered(index, work);
                }
            }
        }
    }

    /// The seat of a process, unless another one has it by now or it is empty.
    fn running(&self, process: Process) -> Option<usize> {
        let index = process.seat as usize;
        (self.seats[index].incarnation == process.incarnation).then_some(index)
    }

    fn process(&self, index: usize) -> Process {
        let seat = u32::try_from(index).expect("there are a few controllers");
        Process { seat, incarnation: self.seats[index].incarnation }
    }

    /// Every controller takes one piece of work, in their order. Returns the last that had one.
    fn turn(&mut self) -> Option<(&'static str, Work)> {
        let mut last = None;
        for index in 0..self.seats.len() {
            while let Some(work) = self.seats[index].pop() {
                self.work_done += 1;
                last = Some((self.seats[index].controller.name(), work));
                self.work(index, work);
                if !self.seats[index].controller.goes_on() {
                    break;
                }
            }
        }
        last
    }

    /// A controller does a piece of work, or has sent its requests where the API server is slow.
    fn work(&mut self, index: usize, work: Work) {
        self.trace_cause(index, work, Causes::begin);
        if let Some(latency) = self.environment.api.latency(self.seats[index].controller.name()) {
            let event = Event::Answered { process: self.process(index), work };
            self.seats[index].send(work);
            self.trace_cause(index, work, Causes::set_timer);
            self.events.push_after(self.now, latency, Phase::Controller, event);
            return;
        }
        let action = self.with_controller(index, |controller, cx| controller.reconcile(work, cx));
        self.follow_up(index, work, action);
    }

    /// The requests of a look are answered: what it knew is what was known when it began.
    fn answered(&mut self, index: usize, work: Work) {
        let (seen, again) = self.seats[index].answered(work);
        self.trace_cause(index, work, Causes::begin_pending);
        let now_known = std::mem::replace(&mut self.seats[index].horizon, seen);
        let action = self.with_controller(index, |controller, cx| controller.reconcile(work, cx));
        self.seats[index].horizon = now_known;
        self.follow_up(index, work, action);
        if again {
            self.seats[index].queue.add(work);
        }
    }

    fn follow_up(&mut self, index: usize, work: Work, action: Action) {
        self.put_off(index, work, action);
        self.trace_cause(index, work, |causes, _, _| causes.end());
    }

    /// Puts work off for as long as its outcome asks.
    fn put_off(&mut self, index: usize, work: Work, action: Action) {
        let process = self.process(index);
        let queue = &mut self.seats[index].queue;
        let delay = match action {
            Action::Done => {
                queue.forget(work);
                queue.end_idling(work);
                return;
            }
            Action::Idle(period) => {
                queue.forget(work);
                queue.delay_idly(work, self.now, period);
                return;
            }
            Action::RequeueAfter(delay) => {
                queue.forget(work);
                delay
            }
            Action::Fail(_) | Action::Requeue => queue.back_off(work),
        };
        if let Some(until) = queue.delay(work, self.now, delay) {
            self.events.push_at(until, Phase::Controller, Event::Delayed { process, work });
            self.trace_cause(index, work, Causes::set_timer);
        }
    }

    pub(crate) fn as_user<R>(&mut self, act: impl FnOnce(&mut Context<'_>) -> R) -> R {
        let before = self.store.revision();
        let result = act(&mut Context {
            now: self.now,
            config: &self.config,
            environment: &mut self.environment,
            random: &mut self.random,
            actor: "user",
            process: Process::USER,
            store: &mut self.store,
            horizon: None,
            rehearses: false,
            held_events: None,
            events: &mut self.events,
            trace: &mut self.trace,
            status_writes: &mut self.status_writes,
            claim_events: &mut self.claim_events,
            journal: self.journal.as_mut(),
        });
        self.publish(before);
        result
    }

    pub(crate) fn with_controller<R>(
        &mut self,
        index: usize,
        act: impl FnOnce(&mut dyn Controller, &mut Context<'_>) -> R,
    ) -> R {
        let before = self.store.revision();
        let process = self.process(index);
        let Seat { controller, horizon, .. } = &mut self.seats[index];
        let mut context = Context {
            now: self.now,
            config: &self.config,
            environment: &mut self.environment,
            random: &mut self.random,
            actor: controller.name(),
            process,
            store: &mut self.store,
            horizon: Some(horizon),
            rehearses: false,
            held_events: None,
            events: &mut self.events,
            trace: &mut self.trace,
            status_writes: &mut self.status_writes,
            claim_events: &mut self.claim_events,
            journal: self.journal.as_mut(),
        };
        let result = act(controller.as_mut(), &mut context);
        self.publish(before);
        self.end_launchers();
        result
    }

    /// Lets the kubelets see that launchers have ended which had nothing left to wait for.
    fn end_launchers(&mut self) {
        for id in self.environment.launchers.take_ending() {
            let exits = self.view().get::<Pod>(id).map(|pod| container_exits(id, pod)).unwrap_or_default();
            if let Some(kubelet) = self.seat_of("kubelet") {
                let end = |work| self.with_controller(kubelet, |_, cx| cx.complete_at(cx.now, work));
                exits.into_iter().for_each(end);
            }
        }
    }

    /// Sends what was written since `before` on its way to the informers.
    fn publish(&mut self, before: u64) {
        self.claim_events.publish();
        let revision = self.store.revision();
        if revision == before {
            return;
        }
        let reaction = self.config.latency.reaction;
        if reaction == Duration::ZERO {
            self.deliver(revision);
            return;
        }
        let Some(at) = self.now.checked_add(reaction) else { return };
        match self.deliveries.back_mut() {
            Some(last) if last.at == at => last.revision = revision,
            _ => {
                self.deliveries.push_back(Delivery { at, revision });
                self.events.push_after(self.now, reaction, Phase::Controller, Event::Deliver);
            }
        }
    }

    /// Tells every controller of the changes up to a revision. One that was started in the meantime has listed them.
    fn deliver(&mut self, revision: u64) {
        for index in 0..self.seats.len() {
            let horizon = &mut self.seats[index].horizon;
            let from = horizon.delivered();
            horizon.advance(revision.max(from));
            for missed in from + 1..=revision {
                let change = self.store.change(missed);
                if !self.seats[index].horizon.is_held(change.id.kind) {
                    self.seats[index].hear(change, &self.store, self.trace.causes());
                }
            }
        }
        let oldest = self.seats.iter().map(Seat::oldest);
        self.store.forget_seen(oldest.min().unwrap_or(revision));
    }

    /// Tells one controller of a change.
    pub(crate) fn tell(&mut self, index: usize, change: &Change) {
        self.seats[index].hear(change, &self.store, self.trace.causes());
    }
}
