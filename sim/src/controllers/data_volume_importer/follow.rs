//! A claim follows its importer pod.
//!
//! CDI main 2026-08: `pkg/controller/import-controller.go` (`updatePvcFromPod`).

use super::pod::clean_up;
use super::scratch;
use super::termination::{self, TerminationMessage, simplify};
use crate::context::{Context, EventType};
use crate::controllers::cdi::annotations as ann;
use crate::controllers::cdi::claims::{Claim, is_complete, should_delete_pod};
use crate::controllers::cdi::errors::CdiError;
use crate::controllers::cdi::events::{is_bound_condition_of_event, remove_bound_condition};
use crate::kind::ObjectId;
use crate::objects::{Container, ContainerStatus, Pod, StrMap};
use crate::store::ApiError;
use arcstr::ArcStr;

/// `updatePvcFromPod`.
pub(super) fn update_from_pod(
    cx: &mut Context<'_>,
    claim: &mut Claim,
    pod_id: ObjectId,
    pod: &Pod,
) -> Result<(), CdiError> {
    let message = TerminationMessage::of(pod);
    let before = claim.object.clone();
    let annotations = &mut claim.object.metadata.annotations;
    termination::set_annotations(annotations, pod, message.as_ref(), &ann::TARGET_SIDE);
    fail_for_good_on_checksum_mismatch(cx, claim, message.as_ref());
    let remake =
        note_failure(cx, claim, pod) || message.as_ref().is_some_and(TerminationMessage::requires_scratch);
    let is_fatal = claim.has(&ann::IMPORT_FATAL_ERROR, "true");
    note_pod(claim, pod, remake || is_fatal);
    if pod.status.phase == "Pending" && scratch::is_required(claim) {
        match scratch::create_for_pod(cx, claim, pod_id, pod) {
            Ok(()) | Err(CdiError::Api(ApiError::AlreadyExists { .. })) => {}
            Err(error) => return Err(error),
        }
    } else if !is_bound_condition_of_event(&claim.object.metadata.annotations) {
        remove_bound_condition(&mut claim.object.metadata.annotations);
    }
    note_labels(claim, message.as_ref());
    if claim.object != before {
        claim.update(cx)?;
    }
    finish(cx, claim, pod_id, remake)
}

/// Exit code 0 with a message of a checksum mismatch: trying again is of no use.
fn fail_for_good_on_checksum_mismatch(
    cx: &mut Context<'_>,
    claim: &mut Claim,
    message: Option<&TerminationMessage>,
) {
    let text = message.and_then(|message| message.message.as_ref());
    let Some(text) = text.filter(|text| text.contains("checksum mismatch")) else { return };
    let annotations = &mut claim.object.metadata.annotations;
    annotations.insert(ann::POD_PHASE, "Failed");
    annotations.insert(ann::IMPORT_FATAL_ERROR, "true");
    annotations.insert(ann::RUNNING_CONDITION, "false");
    if annotations.get(&ann::RUNNING_CONDITION_MESSAGE).is_none_or(ArcStr::is_empty) {
        annotations.insert(ann::RUNNING_CONDITION_MESSAGE, simplify(text));
    }
    annotations.insert(ann::RUNNING_CONDITION_REASON, "ChecksumError");
    cx.event(&claim.object, EventType::Warning, "ErrImportFailed", &simplify(text));
}

/// An exit code is an event each time it is seen. Returns whether the pod died of memory and is to be made again.
fn note_failure(cx: &mut Context<'_>, claim: &mut Claim, pod: &Pod) -> bool {
    let Some(status) = pod.status.container_statuses.first() else { return false };
    let is_oom_killed = is_oom_killed(status);
    if is_oom_killed {
        claim.object.metadata.annotations.insert(ann::REQUIRES_DIRECT_IO, "true");
    }
    if let Some(terminated) = status.terminated().filter(|terminated| terminated.exit_code > 0) {
        cx.event(&claim.object, EventType::Warning, "ErrImportFailed", &terminated.message);
    }
    is_oom_killed
}

/// The exit code of the importer, if it has ended.
pub(super) fn exit_code(pod: &Pod) -> Option<i32> {
    let first = pod.status.container_statuses.first()?;
    first.terminated().map(|terminated| terminated.exit_code)
}

/// Now or at the end of the run before.
fn is_oom_killed(status: &ContainerStatus) -> bool {
    let states = [&status.state, &status.last_state].into_iter().flatten();
    states.into_iter().any(|state| match state {
        crate::objects::ContainerState::Terminated(terminated) => terminated.reason == "OOMKilled",
        _ => false,
    })
}

/// Name, phase and schedulability of the pod, and what its variables say.
fn note_pod(claim: &mut Claim, pod: &Pod, keep_phase: bool) {
    let annotations = &mut claim.object.metadata.annotations;
    if annotations.get(&ann::CURRENT_CHECKPOINT).is_some_and(|checkpoint| !checkpoint.is_empty()) {
        annotations.insert(ann::CURRENT_POD_ID, pod.metadata.uid.clone());
    }
    annotations.insert(ann::IMPORT_POD, pod.metadata.name.clone());
    if !keep_phase {
        // A pod that ends well because it lacks something must not count as finished.
        annotations.insert(ann::POD_PHASE, pod.status.phase.clone());
    }
    let unschedulable = annotations.has(&ann::POD_PHASE, "Pending")
        && pod.status.conditions.iter().any(|it| it.kind == "PodScheduled" && it.reason == "Unschedulable");
    annotations.insert(ann::POD_SCHEDULABLE, if unschedulable { "false" } else { "true" });
    if pod.spec.containers.first().is_some_and(tries_cache_mode_none) {
        annotations.insert(ann::REQUIRES_DIRECT_IO, "false");
    }
}

fn tries_cache_mode_none(importer: &Container) -> bool {
    importer.variable("CACHE_MODE") == Some("TRYNONE")
}

fn note_labels(claim: &mut Claim, message: Option<&TerminationMessage>) {
    let is_complete = is_complete(&claim.object);
    let labels: &mut StrMap = &mut claim.object.metadata.labels;
    labels.insert("app", "containerized-data-importer");
    for (label, value) in message.filter(|_| is_complete).into_iter().flat_map(|message| &message.labels) {
        if !labels.contains_key(label) {
            labels.insert(label.clone(), value.clone());
        }
    }
}

/// The pod goes when it is finished, has failed for good or is to be made again.
fn finish(cx: &mut Context<'_>, claim: &mut Claim, pod_id: ObjectId, remake: bool) -> Result<(), CdiError> {
    if claim.has(&ann::IMPORT_FATAL_ERROR, "true") {
        return clean_up(cx, claim, pod_id);
    }
    if !is_complete(&claim.object) && !remake {
        return Ok(());
    }
    if !remake {
        cx.event(&claim.object, EventType::Normal, "ImportSucceeded", "Import Successful");
    }
    if should_delete_pod(&claim.object) {
        clean_up(cx, claim, pod_id)?;
    }
    Ok(())
}
