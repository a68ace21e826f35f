//! What nodes have answered to pods of one shape, remembered until the node changes: pods of one template ask the same
//! again and again, and from one to the next hardly a node in a thousand is another.

use super::cycle::{CycleState, filter_node};
use super::matches::same_selector;
use super::node_info::NodeInfo;
use super::pod_info::{Needs, PodInfo};
use super::score::{ResourceScores, resource_scores};
use super::snapshot::{Slot, Snapshot};
use super::status::Rejection;
use crate::objects::PodSpec;
use std::sync::Arc;

/// What the pods of one shape were told. Of a shape that is met for the first time nothing is kept.
#[derive(Debug)]
pub(super) struct Answers {
    spec: Arc<PodSpec>,
    needs: Arc<Needs>,
    met_before: bool,
    /// By slot.
    answers: Vec<Answer>,
}

/// What a node says as far as it alone is concerned: to the pod itself, its taints, labels, ports and room.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    /// The version of the node that says so.
    revision: u64,
    /// Whether it takes the pod.
    pub(super) verdict: Result<(), Rejection>,
    /// How much it would like it.
    pub(super) scores: ResourceScores,
}

impl Answers {
    fn new(pod: &PodInfo) -> Self {
        let (spec, needs) = (Arc::clone(&pod.pod.spec), Arc::clone(&pod.needs));
        Self { spec, needs, met_before: false, answers: Vec::new() }
    }

    /// The answer of a node.
    pub(super) fn of(
        &mut self,
        snapshot: &Snapshot,
        state: &CycleState,
        (pod, slot): (&PodInfo, Slot),
    ) -> Answer {
        if !self.met_before {
            return Answer::of(snapshot, state, (pod, slot));
        }
        let (at, revision) = (slot as usize, snapshot.revision(slot));
        if let Some(known) = self.answers.get(at).filter(|known| known.revision == revision) {
            return *known;
        }
        if self.answers.len() <= at {
            self.answers.resize(snapshot.nodes.len(), Answer::NONE);
        }
        self.answers[at] = Answer::of(snapshot, state, (pod, slot));
        self.answers[at]
    }

    /// Whether no node alone can tell this pod from those before.
    fn suits(&self, pod: &PodInfo) -> bool {
        let (needs, spec) = (&pod.needs, &pod.pod.spec);
        self.needs.requests == needs.requests
            && self.needs.ports == needs.ports
            && self.spec.tolerations == spec.tolerations
            && same_selector(&self.spec, spec)
    }
}

impl Answer {
    /// No version of a node has the number 0.
    const NONE: Self = Self { revision: 0, verdict: Ok(()), scores: ResourceScores::NONE };

    fn of(snapshot: &Snapshot, state: &CycleState, (pod, slot): (&PodInfo, Slot)) -> Self {
        let node: &NodeInfo = snapshot.node(slot);
        Self {
            revision: snapshot.revision(slot),
            verdict: filter_node(snapshot, state, pod, (slot, node)),
            scores: resource_scores(&pod.needs.requests, node, snapshot.profile),
        }
    }
}

/// The answers to the shapes met last.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    /// Most recently used last.
    shapes: Vec<Answers>,
}

const REMEMBERED: usize = 16;

impl Remembered {
    /// Takes out what pods of this one's shape were told, to be put back after the cycle.
    pub(super) fn take(&mut self, pod: &PodInfo) -> Answers {
        match self.shapes.iter().rposition(|answers| answers.suits(pod)) {
            Some(at) => Answers { met_before: true, ..self.shapes.remove(at) },
            None => Answers::new(pod),
        }
    }

    /// Keeps the answers for the next pod of the shape.
    pub(super) fn put_back(&mut self, answers: Answers) {
        if self.shapes.len() == REMEMBERED {
            self.shapes.remove(0);
        }
        self.shapes.push(answers);
    }
}
