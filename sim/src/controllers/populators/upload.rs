//! The claim that is uploaded to follows its helper claim, and takes its volume over at the end.
//!
//! CDI main 2026-08: `pkg/controller/populators/upload-populator.go`.

use super::import::{rebind, take_over};
use crate::context::{Context, EventType};
use crate::controllers::cdi::annotations as ann;
use crate::controllers::cdi::claims::{Claim, is_bound, is_complete};
use crate::controllers::cdi::errors::CdiError;
use crate::controllers::cdi::events;
use arcstr::ArcStr;

/// `reconcileTargetPVC`.
pub(super) fn reconcile(cx: &mut Context<'_>, target: &mut Claim, prime: &Claim) -> Result<(), CdiError> {
    let before = target.object.clone();
    let name = &before.metadata.name;
    let pod_phase = prime.annotation(&ann::POD_PHASE).map_or("", ArcStr::as_str);
    if pod_phase != "Succeeded" && target.annotation(&ann::PVC_PRIME_NAME).is_none() {
        let prime_name = prime.object.metadata.name.clone();
        target.object.metadata.annotations.insert(ann::PVC_PRIME_NAME, prime_name);
        // The rest waits for the claim to come back.
        return target.update(cx);
    }
    events::copy(cx, prime, target);
    events::update_bound_condition(cx, target)?;
    match pod_phase {
        "Failed" => {
            let text = arcstr::format!("Upload into {name} failed");
            cx.event(&before, EventType::Warning, "UploadFailed", &text);
        }
        "Succeeded" if !is_bound(&before) => rebind(cx, prime, target)?,
        _ => {}
    }
    let annotations = target.object.metadata.annotations.clone();
    take_over(target, prime);
    if pod_phase == "Succeeded" {
        target.object.metadata.annotations.remove(&ann::PVC_PRIME_NAME);
    }
    if target.object.metadata.annotations != annotations {
        target.update(cx)?;
    }
    if is_complete(&prime.object) {
        let text = arcstr::format!("Successfully uploaded into {name}");
        cx.event(&before, EventType::Normal, "UploadSucceeded", &text);
    }
    Ok(())
}
