//! DefaultPreemption: where a pod of a higher priority could make room for itself, and what is said when nowhere.
//!
//! kube-scheduler 1.36.2: `pkg/scheduler/framework/preemption`, `plugins/defaultpreemption`. PodDisruptionBudgets are
//! not modelled.

use super::cycle::{CycleState, filter_with_nominated};
use super::message::{Diagnosis, FitError, Histogram, sentence};
use super::node_info::NodeInfo;
use super::pod_info::PodInfo;
use super::profile::Profile;
use super::snapshot::{PodId, Slot, Snapshot};
use super::status::{Plugin, Reason, Rejection};
use crate::objects::{Conditions, Pod, Truth};
use stuckvm_detector::Time;

/// What the PostFilter plugins say and find.
#[derive(Debug, Default)]
pub(super) struct PostFilter {
    /// The end of the message.
    pub(super) message: String,
    /// The best nodes to preempt on, equals all of them; empty where preemption does not help.
    pub(super) best: Vec<Candidate>,
    /// Whether an earlier nomination has come to nothing.
    pub(super) clears: bool,
}

impl PostFilter {
    /// Nobody was asked: a nomination is taken back (`clearNominatedNode`).
    pub(super) fn clearing() -> Self {
        Self { clears: true, ..Self::default() }
    }
}

/// A node and the pods that must go there.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    /// The node.
    pub(super) slot: Slot,
    /// The pods, the most important first.
    pub(super) victims: Vec<PodId>,
}

/// Asks the PostFilter plugins. `now` stands in for the start of pods that have not started.
pub(super) fn post_filter(snapshot: &Snapshot, pod: &PodInfo, error: &FitError, now: Time) -> PostFilter {
    let profile = snapshot.profile;
    match &error.diagnosis {
        // DynamicResources finds no state of its own, and its error ends PostFilter.
        Diagnosis::PreFilter(_) if profile.dynamic_resources => {
            PostFilter { message: "not found".into(), ..PostFilter::default() }
        }
        Diagnosis::PreFilter(_) => preempt(snapshot, pod, (error.nodes, &[], None), now),
        Diagnosis::Filter { rejected, state, .. } => {
            preempt(snapshot, pod, (error.nodes, rejected, Some(state)), now)
        }
    }
}

/// What Filter left: the number of nodes, those that were looked at, and the plugins' state.
type Rejected<'a> = (usize, &'a [(Slot, Rejection)], Option<&'a CycleState>);

fn preempt(snapshot: &Snapshot, pod: &PodInfo, rejected: Rejected<'_>, now: Time) -> PostFilter {
    let profile = snapshot.profile;
    let says = |text: String| {
        let before = if profile.dynamic_resources { "no new claims to deallocate, " } else { "" };
        let message =
            if profile.preemption_message { format!("{before}preemption: {text}") } else { String::new() };
        PostFilter { message, ..PostFilter::default() }
    };
    let (nodes, rejected, state) = rejected;
    if let Some(why) = ineligible(snapshot, pod, rejected) {
        return says(why.into());
    }
    let mut histogram = Histogram::default();
    let mut candidates = Vec::new();
    let mut tried = 0;
    let potential = || rejected.iter().filter(|(_, rejection)| rejection.is_resolvable());
    let wanted = enough(potential().count());
    for (slot, _) in potential() {
        if candidates.len() == wanted {
            break;
        }
        tried += 1;
        let mut dry_run = DryRun::new(snapshot, state.expect("Filter has run"), pod, *slot);
        match dry_run.select_victims() {
            Ok(victims) => candidates.push(Candidate { slot: *slot, victims }),
            Err(rejection) => histogram.add((*slot, &dry_run.node), pod, &rejection),
        }
    }
    if candidates.is_empty() {
        histogram.add_many(Reason::PreemptionNotHelpful, nodes - tried);
        return PostFilter { clears: true, ..says(sentence(nodes, histogram.parts(snapshot, pod))) };
    }
    PostFilter { best: pick(snapshot, candidates, now), ..PostFilter::default() }
}

/// `calculateNumCandidates`: at most so many of the nodes where preemption may help are looked for.
fn enough(potential: usize) -> usize {
    (potential / 10).max(100)
}

/// `PodEligibleToPreemptOthers`.
fn ineligible(snapshot: &Snapshot, pod: &PodInfo, rejected: &[(Slot, Rejection)]) -> Option<&'static str> {
    if pod.pod.spec.preemption_policy.as_deref() == Some("Never") {
        return Some("not eligible due to preemptionPolicy=Never.");
    }
    let slot = snapshot.slot(&pod.pod.status.nominated_node_name)?;
    // A nominated node that will never do is given up; one without a status of its own is such a node.
    let (_, status) = rejected.iter().find(|(found, _)| *found == slot)?;
    let mut there = snapshot.node(slot).pods.iter().map(|id| snapshot.pod(*id));
    let leaving =
        there.any(|other| is_leaving(&other.pod, snapshot.profile) && other.priority() < pod.priority());
    (status.is_resolvable() && leaving)
        .then_some("not eligible due to a terminating pod on the nominated node.")
}

/// `podTerminatingByPreemption`; before victims were marked, every pod that is being deleted.
fn is_leaving(pod: &Pod, profile: Profile) -> bool {
    let condition = pod.status.conditions.condition("DisruptionTarget");
    let victim =
        condition.is_some_and(|found| found.status == Truth::True && found.reason == "PreemptionByScheduler");
    pod.metadata.is_deleting() && (victim || !profile.knows_its_victims)
}

/// A node, and the plugins' state, as they would be with other pods on it.
struct DryRun<'a> {
    snapshot: &'a Snapshot,
    pod: &'a PodInfo,
    state: CycleState,
    slot: Slot,
    node: NodeInfo,
}

impl<'a> DryRun<'a> {
    fn new(snapshot: &'a Snapshot, state: &CycleState, pod: &'a PodInfo, slot: Slot) -> Self {
        Self { snapshot, pod, state: state.clone(), slot, node: snapshot.node(slot).clone() }
    }

    /// `SelectVictimsOnNode`: takes every less important pod away, then lets those stay that do no harm.
    fn select_victims(&mut self) -> Result<Vec<PodId>, Rejection> {
        let lower = |id: &PodId| self.snapshot.pod(*id).priority() < self.pod.priority();
        let mut potential: Vec<PodId> = self.node.pods.iter().copied().filter(lower).collect();
        if potential.is_empty() {
            return Err(Rejection::unresolvable(Plugin::NodeResourcesFit, Reason::NoVictims));
        }
        potential.iter().for_each(|id| self.take(*id));
        self.fits()?;
        potential.sort_by_key(|id| importance(self.snapshot.pod(*id)));
        let mut victims = Vec::new();
        for id in potential {
            self.put_back(id);
            if self.fits().is_err() {
                self.take(id);
                victims.push(id);
            }
        }
        Ok(victims)
    }

    fn fits(&self) -> Result<(), Rejection> {
        filter_with_nominated(self.snapshot, &self.state, self.pod, (self.slot, &self.node))
    }

    fn take(&mut self, id: PodId) {
        let other = self.snapshot.pod(id);
        self.node.remove(id, other);
        self.state.update(other, (self.slot, &self.node), -1);
    }

    fn put_back(&mut self, id: PodId) {
        let other = self.snapshot.pod(id);
        self.node.add(id, other);
        self.state.update(other, (self.slot, &self.node), 1);
    }
}

/// `MoreImportantPod`: higher priority, then longer running; one that has not started counts as started now.
fn importance(pod: &PodInfo) -> (std::cmp::Reverse<i32>, Time) {
    (std::cmp::Reverse(pod.priority()), pod.pod.status.start_time.unwrap_or(Time::MAX))
}

/// `pickOneNodeForPreemption`: rule after rule keeps the best, until one is left or the rules end.
fn pick(snapshot: &Snapshot, mut candidates: Vec<Candidate>, now: Time) -> Vec<Candidate> {
    if candidates.iter().any(|candidate| candidate.victims.is_empty()) {
        candidates.retain(|candidate| candidate.victims.is_empty());
        return candidates;
    }
    let priorities = |candidate: &Candidate| {
        candidate.victims.iter().map(|id| i64::from(snapshot.pod(*id).priority())).collect::<Vec<_>>()
    };
    let highest = |candidate: &Candidate| priorities(candidate).into_iter().max().expect("there are victims");
    let shifted = i64::from(i32::MAX) + 1;
    let sum =
        |candidate: &Candidate| priorities(candidate).into_iter().map(|priority| priority + shifted).sum();
    let number = |candidate: &Candidate| i64::try_from(candidate.victims.len()).expect("few victims");
    let earliest = |candidate: &Candidate| {
        let top = highest(candidate);
        let pods = candidate.victims.iter().map(|id| snapshot.pod(*id));
        let starts = pods
            .filter(|pod| i64::from(pod.priority()) == top)
            .map(|pod| pod.pod.status.start_time.unwrap_or(now));
        let start = starts.min().expect("one has the highest priority");
        -i64::try_from(start.as_nanos()).unwrap_or(i64::MAX)
    };
    let rules: [&dyn Fn(&Candidate) -> i64; 4] = [&highest, &sum, &number, &earliest];
    for rule in rules {
        let best = candidates.iter().map(rule).min().expect("there are candidates");
        candidates.retain(|candidate| rule(candidate) == best);
    }
    candidates
}
