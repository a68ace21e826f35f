//! SCHEDULING QUEUE: which pod is tried next, and when one that found no node is tried again.
//!
//! kube-scheduler 1.36.2: `pkg/scheduler/backend/queue/{scheduling_queue,active_queue,backoff_queue}.go`.

use super::pod_info::PodInfo;
use super::snapshot::PodId;
use super::status::{Plugin, PluginSet};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use stuckvm_detector::Time;

/// Every pod that waits for a node.
#[derive(Debug)]
pub(super) struct SchedulingQueue {
    pods: IndexMap<PodId, QueuedPod, FxBuildHasher>,
    /// Ready to be tried.
    active: BTreeSet<Rank>,
    /// Back-off after a rejection, by the instant at which it ends.
    backoff: BTreeSet<(Time, Rank)>,
    /// Back-off after an error; not cut short.
    error_backoff: BTreeSet<(Time, Rank)>,
    /// Waiting for an event, in the order of arrival.
    unschedulable: BTreeMap<u64, PodId>,
    /// How many of them each plugin rejected, by its number: most events concern none.
    rejected_by: [u32; 16],
    arrivals: u64,
    /// Whether a pod in back-off is tried when nothing else waits, and back-offs end on whole seconds.
    pops_backoff: bool,
    /// The instant from which the flushes are counted.
    epoch: Time,
}

/// The order among ready pods: the highest priority, then the longest wait.
type Rank = (Reverse<i32>, Time, u64, PodId);

/// A pod in the queue.
#[derive(Debug)]
pub(super) struct QueuedPod {
    /// The pod.
    pub(super) info: PodInfo,
    /// The plugins that rejected it last.
    pub(super) rejectors: PluginSet,
    /// When it came, or failed last.
    since: Time,
    /// Breaks ties.
    arrival: u64,
    /// Rejections so far.
    rejections: u32,
    /// Errors in a row.
    errors: u32,
    place: Place,
}

/// Where in the queue a pod is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Gated: not in any queue.
    Gated,
    Active,
    Backoff(Time),
    ErrorBackoff(Time),
    Unschedulable(u64),
    /// Popped.
    InFlight,
}

/// How an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attempt {
    /// These plugins rejected the pod.
    Rejected(PluginSet),
    /// Something broke; no event is waited for.
    Error,
}

const BACKOFF_INITIAL: Duration = Duration::from_secs(1);
const BACKOFF_MAX: Duration = Duration::from_secs(10);
const FLUSH_BACKOFF_PERIOD: Duration = Duration::from_secs(1);
const FLUSH_UNSCHEDULABLE_PERIOD: Duration = Duration::from_secs(30);
const MAX_IN_UNSCHEDULABLE: Duration = Duration::from_secs(300);

impl SchedulingQueue {
    /// An empty queue; `epoch` is when the scheduler started.
    pub(super) fn new(pops_backoff: bool, epoch: Time) -> Self {
        Self {
            pods: IndexMap::default(),
            active: BTreeSet::new(),
            backoff: BTreeSet::new(),
            error_backoff: BTreeSet::new(),
            unschedulable: BTreeMap::new(),
            rejected_by: [0; 16],
            arrivals: 0,
            pops_backoff,
            epoch,
        }
    }

    /// A pod of the queue.
    pub(super) fn get(&self, id: PodId) -> Option<&QueuedPod> {
        self.pods.get(&id)
    }

    /// Adds a new pod; a gated one only waits for its gates to go.
    pub(super) fn add(&mut self, id: PodId, info: PodInfo, now: Time) {
        let gated = !info.pod.spec.scheduling_gates.is_empty();
        let arrival = self.next_arrival();
        let pod = QueuedPod {
            info,
            rejectors: PluginSet::default(),
            since: now,
            arrival,
            rejections: 0,
            errors: 0,
            place: Place::Gated,
        };
        self.pods.insert(id, pod);
        if !gated {
            self.place(id, Place::Active);
        }
    }

    /// Takes over a newer version of a pod, which leaves the gate when its gates are gone.
    pub(super) fn update(&mut self, id: PodId, info: PodInfo) {
        let Some(pod) = self.pods.get(&id) else { return };
        let place = pod.place;
        // The rank follows the priority, so the pod is taken out under its old one.
        self.place(id, Place::Gated);
        let open = info.pod.spec.scheduling_gates.is_empty();
        self.pods[&id].info = info;
        let place = if place == Place::Gated && open { Place::Active } else { place };
        self.place(id, place);
    }

    /// Removes a pod that is gone or has its node.
    pub(super) fn remove(&mut self, id: PodId) -> Option<QueuedPod> {
        self.pods.get(&id)?;
        self.place(id, Place::Gated);
        self.pods.swap_remove(&id)
    }

    /// Whether a pod can be popped now.
    pub(super) fn is_ready(&self) -> bool {
        !self.active.is_empty() || (self.pops_backoff && !self.backoff.is_empty())
    }

    /// The pod to try next; it stays in flight until [`SchedulingQueue::failed`] or [`SchedulingQueue::remove`].
    pub(super) fn pop(&mut self) -> Option<PodId> {
        let early = || self.backoff.first().filter(|_| self.pops_backoff).map(|(_, rank)| rank);
        let (.., id) = *self.active.first().or_else(early)?;
        self.place(id, Place::InFlight);
        Some(id)
    }

    /// Puts a pod back that found no node (`AddUnschedulableIfNotPresent`).
    pub(super) fn failed(&mut self, id: PodId, attempt: Attempt, now: Time) {
        let arrival = self.next_arrival();
        let pod = self.pods.get_mut(&id).expect("the pod is in flight");
        assert_eq!(pod.place, Place::InFlight, "only what was popped fails");
        pod.since = now;
        pod.arrival = arrival;
        let place = match attempt {
            Attempt::Rejected(plugins) => {
                pod.rejectors = plugins;
                pod.rejections += 1;
                pod.errors = 0;
                Place::Unschedulable(arrival)
            }
            Attempt::Error => {
                pod.rejectors = PluginSet::default();
                pod.errors += 1;
                Place::ErrorBackoff(self.expiry(id))
            }
        };
        self.place(id, place);
    }

    /// The pods that wait for an event, in the order of arrival.
    pub(super) fn unschedulable(&self) -> impl Iterator<Item = (PodId, &QueuedPod)> {
        self.unschedulable.values().map(|id| (*id, &self.pods[id]))
    }

    /// Whether one of these plugins has rejected a pod that waits for an event.
    pub(super) fn is_waited_for(&self, plugins: &[Plugin]) -> bool {
        plugins.iter().any(|plugin| self.rejected_by[*plugin as usize] > 0)
    }

    /// An event may help the pod: it is tried at once if its back-off is over.
    pub(super) fn wake(&mut self, id: PodId, now: Time) {
        if !self.pods.get(&id).is_some_and(|pod| matches!(pod.place, Place::Unschedulable(_))) {
            return;
        }
        let expiry = self.expiry(id);
        self.place(id, if self.is_over(expiry, now) { Place::Active } else { Place::Backoff(expiry) });
    }

    /// Lets those go on whose back-off is over, and those that have waited for an event too long.
    pub(super) fn flush(&mut self, now: Time) {
        let due = |queue: &BTreeSet<(Time, Rank)>| {
            let over = queue.iter().take_while(|(expiry, _)| self.flushed_at(*expiry) <= now);
            over.map(|(_, (.., id))| *id).collect::<Vec<_>>()
        };
        for id in due(&self.backoff).into_iter().chain(due(&self.error_backoff)) {
            self.place(id, Place::Active);
        }
        while let Some((_, id)) = self.unschedulable.first_key_value() {
            let id = *id;
            if self.moved_at(self.pods[&id].since) > now {
                break;
            }
            self.wake(id, now);
        }
    }

    /// When [`SchedulingQueue::flush`] has something to do next.
    pub(super) fn next_flush(&self) -> Option<Time> {
        let backoff = [&self.backoff, &self.error_backoff].into_iter().filter_map(BTreeSet::first);
        let oldest = self.unschedulable.first_key_value().map(|(_, id)| self.moved_at(self.pods[id].since));
        backoff.map(|(expiry, _)| self.flushed_at(*expiry)).chain(oldest).min()
    }

    /// When the back-off of a pod ends: 1, 2, 4, 8, then 10 seconds after it failed.
    fn expiry(&self, id: PodId) -> Time {
        let pod = &self.pods[&id];
        let failures = if pod.errors > 0 { pod.errors } else { pod.rejections };
        if failures == 0 {
            return pod.since;
        }
        let delay = BACKOFF_INITIAL.saturating_mul(1 << (failures - 1).min(10)).min(BACKOFF_MAX);
        let ends = pod.since.checked_add(delay).unwrap_or(Time::MAX);
        if self.pops_backoff { ends.truncate_to_secs() } else { ends }
    }

    fn is_over(&self, expiry: Time, now: Time) -> bool {
        if self.pops_backoff { expiry < now.truncate_to_secs() } else { expiry <= now }
    }

    /// The first flush of back-offs that finds one over.
    fn flushed_at(&self, expiry: Time) -> Time {
        if self.pops_backoff {
            return expiry.truncate_to_secs().checked_add(FLUSH_BACKOFF_PERIOD).unwrap_or(Time::MAX);
        }
        self.tick_from(expiry, FLUSH_BACKOFF_PERIOD)
    }

    /// The first flush that finds a pod waiting for more than five minutes.
    fn moved_at(&self, since: Time) -> Time {
        let limit = MAX_IN_UNSCHEDULABLE + Duration::from_nanos(1);
        self.tick_from(since.checked_add(limit).unwrap_or(Time::MAX), FLUSH_UNSCHEDULABLE_PERIOD)
    }

    /// The first tick of a period, counted from the start, that is not before `at`.
    fn tick_from(&self, at: Time, period: Duration) -> Time {
        let (at, epoch) = (at.as_nanos().max(self.epoch.as_nanos()), self.epoch.as_nanos());
        let period = u64::try_from(period.as_nanos()).expect("a short period");
        let ticks = (at - epoch).div_ceil(period);
        ticks
            .checked_mul(period)
            .and_then(|after| after.checked_add(epoch))
            .map_or(Time::MAX, Time::from_nanos)
    }

    fn next_arrival(&mut self) -> u64 {
        self.arrivals += 1;
        self.arrivals
    }

    /// Takes a pod out of the queue in which it is, and puts it into another.
    fn place(&mut self, id: PodId, to: Place) {
        let pod = self.pods.get_mut(&id).expect("the pod is in the queue");
        let rank = (Reverse(pod.info.priority()), pod.since, pod.arrival, id);
        match pod.place {
            Place::Active => assert!(self.active.remove(&rank), "an active pod is in activeQ"),
            Place::Backoff(at) => assert!(self.backoff.remove(&(at, rank)), "it is in backoffQ"),
            Place::ErrorBackoff(at) => {
                assert!(self.error_backoff.remove(&(at, rank)), "it is in errorBackoffQ")
            }
            Place::Unschedulable(arrival) => {
                self.unschedulable.remove(&arrival);
                pod.rejectors.numbers().for_each(|plugin| self.rejected_by[plugin] -= 1);
            }
            Place::Gated | Place::InFlight => {}
        }
        pod.place = to;
        match to {
            Place::Active => {
                self.active.insert(rank);
            }
            Place::Backoff(at) => {
                self.backoff.insert((at, rank));
            }
            Place::ErrorBackoff(at) => {
                self.error_backoff.insert((at, rank));
            }
            Place::Unschedulable(arrival) => {
                self.unschedulable.insert(arrival, id);
                pod.rejectors.numbers().for_each(|plugin| self.rejected_by[plugin] += 1);
            }
            Place::Gated | Place::InFlight => {}
        }
    }
}
