//! The second half of a reconcile: phase, progress and conditions of a DataVolume.
//!
//! CDI main 2026-08: `pkg/controller/datavolume/controller-base.go` (`updateStatus`, `emitEvent`).

use super::conditions::{self, BOUND, READY, RUNNING, Why};
use super::phases;
use super::source::DataVolumeOp;
use super::sync::{PhaseEvent, PhaseSync};
use crate::context::{Context, EventType};
use crate::controllers::cdi::Poll;
use crate::controllers::cdi::annotations as ann;
use crate::controllers::cdi::claims::{Claim, is_complete, requires_work, uses_populator};
use crate::controllers::cdi::errors::CdiError;
use crate::controllers::cdi::storage_class::waits_for_first_consumer;
use crate::controllers::data_volume_cloner::source_pod_name;
use crate::kind::ObjectId;
use crate::objects::{Conditions, DataVolume, DataVolumeStatus, PersistentVolumeClaim, Pod, Truth};
use arcstr::{ArcStr, literal};
use std::sync::Arc;

/// The status of a DataVolume in the making.
pub(super) struct StatusUpdate<'a> {
    pub(super) dv: &'a DataVolume,
    pub(super) op: DataVolumeOp,
    pub(super) status: DataVolumeStatus,
    pub(super) event: Option<PhaseEvent>,
}

/// Brings the status up to date; returns when to look again.
///
/// The claim is looked up by its name, whoever owns it: a DataVolume that was created anew tells what the old one's
/// claim says until that is gone.
pub(super) fn update(
    cx: &mut Context<'_>,
    id: ObjectId,
    op: DataVolumeOp,
    sync: Option<PhaseSync>,
) -> Result<Option<Poll>, CdiError> {
    let Some(dv) = cx.view().get::<DataVolume>(id).cloned() else { return Ok(None) };
    let claim = Claim::named(cx, &dv.metadata.namespace, &dv.metadata.name);
    let mut update = StatusUpdate { dv: &dv, op, status: dv.status.clone(), event: None };
    if let Some(PhaseSync { phase, event }) = sync {
        update.status.phase = phase;
        conditions::update(&mut update.status, None, &event.why, cx.now);
        update.event = Some(event);
        update.write(cx, id)?;
        return Ok(None);
    }
    let is_static_pending = dv.metadata.annotations.contains_key(&ann::CHECK_STATIC_VOLUME)
        && claim.as_ref().is_some_and(|claim| claim.annotation(&ann::PERSISTENT_VOLUME_LIST).is_some());
    let is_pending = claim.is_none()
        && (dv.metadata.annotations.contains_key(&ann::PRE_POPULATED) || dv.status.phase.is_empty());
    let mut poll = None;
    if is_static_pending || is_pending {
        update.status.phase = literal!("Pending");
    } else if let Some(claim) = claim.as_ref().filter(|claim| !claim.object.metadata.is_deleting()) {
        poll = update.follow(cx, claim)?;
    }
    let claim = claim.as_ref().map(|claim| &claim.object);
    conditions::update(&mut update.status, claim, &Why::default(), cx.now);
    update.write(cx, id)?;
    Ok(poll)
}

impl StatusUpdate<'_> {
    /// Follows the claim: phase, restarts, progress.
    fn follow(&mut self, cx: &mut Context<'_>, claim: &Claim) -> Result<Option<Poll>, CdiError> {
        self.status.claim_name = claim.object.metadata.name.clone();
        self.follow_phase(cx, claim)?;
        let restarts = claim.annotation(&ann::POD_RESTARTS).and_then(|text| text.parse::<i32>().ok());
        if let Some(restarts) = restarts.filter(|restarts| *restarts >= 0) {
            self.status.restart_count = restarts;
        }
        self.follow_progress(cx, &claim.object)
    }

    fn follow_phase(&mut self, cx: &mut Context<'_>, claim: &Claim) -> Result<(), CdiError> {
        let requires_work = requires_work(cx.config, &claim.object, self.dv);
        if is_complete(&claim.object) && requires_work {
            return phases::update(self, cx, claim);
        }
        let phase = &mut self.status.phase;
        match claim.object.status.phase.as_str() {
            "Pending" | "Bound" if !requires_work => *phase = literal!("Succeeded"),
            "Pending" => self.follow_pending_claim(cx, claim)?,
            "Bound" => {
                if matches!(phase.as_str(), "Pending" | "WaitForFirstConsumer" | "Unknown") {
                    *phase = literal!("PVCBound");
                }
                phases::update(self, cx, claim)?;
            }
            "Lost" => {
                *phase = literal!("Failed");
                let text = arcstr::format!("PVC {} lost", claim.object.metadata.name);
                self.event = Some(PhaseEvent::new(EventType::Warning, "ErrClaimLost", text));
            }
            "" => {}
            _ => *phase = literal!("Unknown"),
        }
        Ok(())
    }

    /// `updateStatusPVCPending`.
    fn follow_pending_claim(&mut self, cx: &mut Context<'_>, claim: &Claim) -> Result<(), CdiError> {
        let object = &claim.object;
        let waits = waits_for_first_consumer(cx.view(), object);
        if uses_populator(object)? {
            let selected = claim.annotation(&ann::SELECTED_NODE).is_some_and(|node| !node.is_empty());
            if waits && !selected && claim.annotation(&ann::IMMEDIATE_BINDING).is_none() {
                self.status.phase = literal!("PendingPopulation");
                return Ok(());
            }
            return phases::update(self, cx, claim);
        }
        let honored = waits && cx.config.cdi.honor_wait_for_first_consumer;
        self.status.phase = if honored { literal!("WaitForFirstConsumer") } else { literal!("Pending") };
        Ok(())
    }

    /// `reconcileProgressUpdate`. Uploads and clones by populator are told no progress here.
    fn follow_progress(
        &mut self,
        cx: &Context<'_>,
        claim: &PersistentVolumeClaim,
    ) -> Result<Option<Poll>, CdiError> {
        if self.status.progress.is_empty() {
            self.status.progress = literal!("N/A");
        }
        if matches!(self.op, DataVolumeOp::Upload | DataVolumeOp::Populator) {
            return Ok(None);
        }
        // Upstream leaves a claim whose annotation is no bool to the direct flow here.
        if uses_populator(claim).unwrap_or(false) {
            let progress = claim.metadata.annotations.get(&ann::POPULATOR_PROGRESS).cloned();
            self.status.progress = progress.unwrap_or(literal!("N/A"));
            return Ok(None);
        }
        if matches!(self.status.phase.as_str(), "Succeeded" | "Failed") {
            return Ok(None);
        }
        let Some(pod) = worker_pod(cx, claim) else { return Ok(Some(Poll { is_visible: false })) };
        if pod.status.phase != "Running" {
            return Ok(None);
        }
        let sources = &cx.environment.sources;
        if let Some(progress) = sources.progress(&cx.config.latency, pod, cx.now) {
            self.status.progress = progress.text();
        }
        Ok(Some(Poll { is_visible: sources.has_progress(pod) }))
    }

    /// `emitEvent`: writes what is new and records the events of it.
    fn write(&self, cx: &mut Context<'_>, id: ObjectId) -> Result<(), CdiError> {
        let (old, new) = (&self.dv.status, &self.status);
        if old == new {
            return Ok(());
        }
        cx.patch::<DataVolume>(id, |dv| merge_status(old, new, &mut dv.status))?;
        if let Some(PhaseEvent { severity, why }) = &self.event
            && old.phase != new.phase
        {
            cx.event(self.dv, *severity, &why.reason, &why.message);
        }
        self.record_bound_event(cx);
        self.record_failure_event(cx, id);
        Ok(())
    }

    fn record_bound_event(&self, cx: &mut Context<'_>) {
        let Some(new) = self.status.conditions.condition(BOUND) else { return };
        let same = self.dv.status.conditions.condition(BOUND).is_some_and(|old| {
            old.status == new.status && old.reason == new.reason && old.message == new.message
        });
        if !same {
            cx.event(self.dv, EventType::Normal, &new.reason, &new.message);
        }
    }

    /// Neither ready nor running, although bound or being populated: the text of Running is news.
    fn record_failure_event(&self, cx: &mut Context<'_>, id: ObjectId) {
        let of = |kind| self.status.conditions.condition(kind);
        let (Some(ready), Some(bound), Some(running)) = (of(READY), of(BOUND), of(RUNNING)) else { return };
        // The answer to the write brings the newest annotations, those of the sync step among them.
        let Some(newest) = cx.newest().get::<DataVolume>(id) else { return };
        let populator = newest
            .metadata
            .annotations
            .get(&ann::USE_POPULATOR)
            .map(crate::controllers::cdi::claims::parse_bool);
        let is_populated = populator == Some(Ok(true))
            && !matches!(self.status.phase.as_str(), "Pending" | "PendingPopulation");
        let is_invalid = matches!(populator, Some(Err(_)));
        let is_bound = !is_invalid && (bound.status == Truth::True || is_populated);
        if ready.status != Truth::False || running.status != Truth::False || !is_bound {
            return;
        }
        let before = self.dv.status.conditions.condition(RUNNING);
        let is_news = before.is_none_or(|before| before.message != running.message);
        if is_news && !running.message.is_empty() && running.message != SCRATCH_SPACE_REQUIRED {
            cx.event(self.dv, EventType::Warning, &running.reason, &running.message);
        }
    }
}

const SCRATCH_SPACE_REQUIRED: &str = "scratch space required and none found";

/// Changes what differs between two statuses, as a merge patch does.
fn merge_status(old: &DataVolumeStatus, new: &DataVolumeStatus, target: &mut DataVolumeStatus) {
    if old.phase != new.phase {
        target.phase.clone_from(&new.phase);
    }
    if old.progress != new.progress {
        target.progress.clone_from(&new.progress);
    }
    if old.restart_count != new.restart_count {
        target.restart_count = new.restart_count;
    }
    if old.claim_name != new.claim_name {
        target.claim_name.clone_from(&new.claim_name);
    }
    if old.conditions != new.conditions {
        target.conditions.clone_from(&new.conditions);
    }
}

/// `GetPodFromPvc`: the worker pod that the claim owns, or the one that reads the source of a clone.
fn worker_pod<'a>(cx: &'a Context<'_>, claim: &'a PersistentVolumeClaim) -> Option<&'a Arc<Pod>> {
    let is_multi_stage =
        claim.metadata.annotations.get(&ann::CURRENT_CHECKPOINT).is_some_and(|it| !it.is_empty());
    let is_retained = claim.metadata.annotations.has(&ann::POD_RETAIN_AFTER_COMPLETION, "true");
    let pods = cx.view().owned::<Pod>(&claim.metadata.uid).map(|(_, pod)| pod);
    let is_ignored = |pod: &Pod| is_multi_stage && is_retained && pod.status.phase == "Succeeded";
    pods.filter(|pod| pod.metadata.labels.contains_key("prometheus.cdi.kubevirt.io"))
        .find(|pod| !is_ignored(pod))
        .or_else(|| clone_source_pod(cx, claim))
}

fn clone_source_pod<'a>(cx: &'a Context<'_>, claim: &PersistentVolumeClaim) -> Option<&'a Arc<Pod>> {
    let (namespace, _) = claim.metadata.annotations.get(&ann::CLONE_REQUEST)?.split_once('/')?;
    cx.view().named::<Pod>(namespace, &source_pod_name(claim)).map(|(_, pod)| pod)
}

/// A phase's name.
pub(super) fn phase(name: &'static str) -> ArcStr {
    name.into()
}
