//! A claim's events: copied from the helper claim, and told as the reason why a claim is not bound.

use super::annotations as ann;
use super::claims::{Claim, is_bound};
use super::errors::CdiError;
use crate::claim_events::ClaimEvent;
use crate::context::Context;
use crate::objects::StrMap;
use arcstr::ArcStr;
use std::cmp::Reverse;

/// `UpdatePVCBoundContionFromEvents`: the newest event of a pending claim becomes its bound condition.
pub(crate) fn update_bound_condition(cx: &mut Context<'_>, claim: &mut Claim) -> Result<(), CdiError> {
    if claim.object.metadata.annotations.is_empty() {
        return Ok(());
    }
    if is_bound(&claim.object) {
        let stale = BOUND_ANNOTATIONS.iter().any(|annotation| claim.annotation(annotation).is_some());
        return if stale {
            claim.patch(cx, |claim| remove_bound_condition(&mut claim.metadata.annotations))
        } else {
            Ok(())
        };
    }
    if claim.object.status.phase != "Pending" {
        return Ok(());
    }
    let Some(message) = bound_message(cx, claim) else { return Ok(()) };
    // Without a change this still brings the newest version of the claim.
    claim.patch(cx, |claim| {
        let annotations = &mut claim.metadata.annotations;
        annotations.insert(ann::BOUND_CONDITION, "false");
        annotations.insert(ann::BOUND_CONDITION_REASON, "Pending");
        annotations.insert(ann::BOUND_CONDITION_MESSAGE, message);
    })
}

const BOUND_ANNOTATIONS: [ArcStr; 3] =
    [ann::BOUND_CONDITION, ann::BOUND_CONDITION_MESSAGE, ann::BOUND_CONDITION_REASON];

/// Whether the override of the bound condition is an event's text.
pub(crate) fn is_bound_condition_of_event(annotations: &StrMap) -> bool {
    annotations.has(&ann::BOUND_CONDITION_REASON, "Pending")
}

/// Removes the override of the bound condition.
pub(crate) fn remove_bound_condition(annotations: &mut StrMap) {
    for annotation in &BOUND_ANNOTATIONS {
        annotations.remove(annotation);
    }
}

/// The text of the newest event; of a claim with a helper, of the newest that came from there.
fn bound_message(cx: &Context<'_>, claim: &Claim) -> Option<ArcStr> {
    let events = cx.claim_events(&claim.object.metadata.uid);
    let Some(prime) = claim.annotation(&ann::PVC_PRIME_NAME) else {
        return newest(events.iter()).map(|event| event.message.clone());
    };
    let event = newest(events.iter().filter(|event| event.message.contains(prime.as_str())))?;
    let prefix = arcstr::format!("[{prime}] : ");
    let at = event.message.find(prefix.as_str())?;
    Some(ArcStr::from(&event.message[at + prefix.len()..]))
}

/// Of several of one second, the longest text counts.
fn newest<'a>(events: impl Iterator<Item = &'a ClaimEvent>) -> Option<&'a ClaimEvent> {
    events.min_by_key(|event| Reverse((event.last, event.message.len())))
}

/// `CopyEvents`: the helper claim's events that the target has not yet.
pub(crate) fn copy(cx: &mut Context<'_>, prime: &Claim, target: &Claim) {
    let name = &prime.object.metadata.name;
    let known = cx.claim_events(&target.object.metadata.uid);
    let is_known = |message: &str| known.iter().any(|event| event.message == message);
    let new: Vec<(ClaimEvent, ArcStr)> = cx
        .claim_events(&prime.object.metadata.uid)
        .iter()
        // That the helper claim loses its volume is what a rebind is about.
        .filter(|event| event.reason != "ClaimMisbound")
        .map(|event| (event.clone(), arcstr::format!("[{name}] : {}", event.message)))
        .filter(|(event, copied)| !is_known(&event.message) && !is_known(copied))
        .collect();
    for (event, copied) in new {
        cx.event(&target.object, event.severity, &event.reason, &copied);
    }
}
