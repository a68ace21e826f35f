//! FAILURE: what becomes of a pod that found no node.
//!
//! kube-scheduler 1.36.2: `handleSchedulingFailure` of `pkg/scheduler/schedule_one.go`, `prepareCandidate` of
//! `pkg/scheduler/framework/preemption/executor.go`.

use super::cycle::Failure;
use super::pod_info::PodInfo;
use super::preemption::{Candidate, PostFilter, post_filter};
use super::queue::Attempt;
use super::snapshot::{PodId, Slot, Snapshot};
use super::{Scheduler, pod_id};
use crate::context::{Context, EventType};
use crate::objects::{Condition, Pod, Rest, Truth};
use arcstr::ArcStr;
use std::sync::Arc;
use stuckvm_detector::Time;

/// A failed attempt in words.
#[derive(Debug)]
pub(super) struct Explanation {
    /// The condition's reason.
    pub(super) reason: &'static str,
    /// The condition's message.
    pub(super) message: String,
    /// Where preemption would help, equals all of them.
    pub(super) best: Vec<Candidate>,
    /// Whether an earlier nomination has come to nothing.
    pub(super) clears: bool,
}

/// What is written of a failed attempt.
#[derive(Debug)]
pub(super) struct Report {
    /// The condition's reason.
    pub(super) reason: &'static str,
    /// The condition's message.
    pub(super) message: String,
    /// The new nomination; an empty name takes the old one back.
    pub(super) nominated: Option<ArcStr>,
}

/// Says why an attempt failed, and looks where preemption would help.
pub(super) fn explain(snapshot: &Snapshot, pod: &PodInfo, failure: &Failure, now: Time) -> Explanation {
    let (reason, message, after) = match failure {
        Failure::NoNodes => {
            ("Unschedulable", "no nodes available to schedule pods".into(), PostFilter::clearing())
        }
        Failure::Error(message) => ("SchedulerError", message.to_string(), PostFilter::clearing()),
        Failure::Unfit(error) => {
            let after = post_filter(snapshot, pod, error, now);
            ("Unschedulable", error.text(snapshot, pod, &after.message), after)
        }
    };
    Explanation { reason, message, best: after.best, clears: after.clears }
}

impl Scheduler {
    /// `handleSchedulingFailure`: event, condition, perhaps preemption, and back into the queue.
    pub(super) fn handle_failure(
        &mut self,
        id: PodId,
        info: &PodInfo,
        failure: &Failure,
        cx: &mut Context<'_>,
    ) {
        let mut explanation = explain(&self.snapshot, info, failure, cx.now);
        let attempt = match failure {
            Failure::Unfit(error) => Attempt::Rejected(error.rejectors()),
            Failure::NoNodes | Failure::Error(_) => Attempt::Error,
        };
        self.queue.failed(id, attempt, cx.now);
        let nominated = match draw_one(&mut explanation.best, cx) {
            Some(candidate) => {
                self.preempt(info, &candidate, cx);
                Some(self.snapshot.node(candidate.slot).name.clone())
            }
            None => explanation.clears.then(ArcStr::new),
        };
        if let Some(node) = &nominated {
            self.snapshot.nominate(id, info, node);
        }
        let Explanation { reason, message, .. } = explanation;
        self.report(id, info, Report { reason, message, nominated }, cx);
    }

    /// Event and condition of a failed attempt.
    pub(super) fn report(&self, id: PodId, info: &PodInfo, report: Report, cx: &mut Context<'_>) {
        let Report { reason, message, nominated } = report;
        cx.event(&*info.pod, EventType::Warning, "FailedScheduling", &truncate_note(&message));
        let mut condition =
            Condition::new("PodScheduled", Truth::False, reason, cx.now).with_message(message);
        condition.rest = self.observed_generation(&info.pod);
        // A pod that is gone by now needs no condition.
        let _ = cx.patch(pod_id(id), |pod: &mut Pod| {
            condition.put_into(&mut pod.status.conditions);
            if let Some(node) = nominated {
                pod.status.nominated_node_name = node;
            }
        });
    }

    /// Conditions say since 1.34 which generation they speak of.
    pub(super) fn observed_generation(&self, pod: &Pod) -> Rest {
        match pod.metadata.generation {
            _ if !self.snapshot.profile.observes_generation => Rest::default(),
            0 | 1 => self.first_generation.clone(),
            generation => {
                let mut rest = Rest::default();
                rest.insert("observedGeneration", generation.into());
                rest
            }
        }
    }

    /// Less important pods lose their nomination to the node.
    fn outrank(&mut self, slot: Slot, priority: i32, cx: &mut Context<'_>) {
        let nominated = self.snapshot.nominated.get(&slot).map_or(&[][..], Vec::as_slice);
        let lower = nominated.iter().filter(|(_, other)| other.priority() < priority);
        for id in lower.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.snapshot.forget_nomination(id);
            // A pod that is gone by now has no nomination.
            let _ = cx.patch(pod_id(id), |pod: &mut Pod| pod.status.nominated_node_name = ArcStr::new());
        }
    }

    /// `prepareCandidate`: the victims are told why, and deleted.
    fn preempt(&mut self, info: &PodInfo, candidate: &Candidate, cx: &mut Context<'_>) {
        let node = self.snapshot.node(candidate.slot).name.clone();
        self.outrank(candidate.slot, info.priority(), cx);
        for id in &candidate.victims {
            let victim = Arc::clone(&self.snapshot.pod(*id).pod);
            if victim.metadata.is_deleting() {
                continue;
            }
            let message = "default-scheduler: preempting to accommodate a higher priority pod";
            let condition = Condition::new("DisruptionTarget", Truth::True, "PreemptionByScheduler", cx.now)
                .with_message(message);
            let condition = Condition { rest: self.observed_generation(&victim), ..condition };
            let told = cx.patch(pod_id(*id), |pod: &mut Pod| condition.put_into(&mut pod.status.conditions));
            if told.and_then(|_| cx.delete::<Pod>(pod_id(*id))).is_ok() {
                let message = format!("Preempted by pod {} on node {node}", info.pod.metadata.uid);
                cx.event(&*victim, EventType::Normal, "Preempted", &message);
            }
        }
    }
}

/// Equals come from a map: any of them may be first.
fn draw_one(best: &mut Vec<Candidate>, cx: &mut Context<'_>) -> Option<Candidate> {
    match best.len() {
        0 => None,
        1 => best.pop(),
        equals => {
            let at = cx.draw(0..=equals as u64 - 1);
            Some(best.swap_remove(usize::try_from(at).expect("below the number of equals")))
        }
    }
}

/// A note of an event has at most 1024 bytes.
fn truncate_note(message: &str) -> String {
    const LIMIT: usize = 1024;
    const SUFFIX: &str = " ...";
    if message.len() <= LIMIT {
        return message.to_owned();
    }
    let end = (0..=LIMIT - SUFFIX.len()).rev().find(|end| message.is_char_boundary(*end));
    format!("{}{SUFFIX}", &message[..end.expect("0 is a boundary")])
}
