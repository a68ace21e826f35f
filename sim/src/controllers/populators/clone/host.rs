//! Host-assisted clones: a claim of its own is filled by two pods, one that reads the source (the clone controller's) and one
//! that writes (the upload controller's).
//!
//! CDI main 2026-08: `pkg/controller/clone/host-clone.go`.

use super::claims::{self, Temporary};
use super::steps::{Wait, copy_events};
use super::{CloneOf, Told};
use crate::context::Context;
use crate::controllers::cdi::annotations as ann;
use crate::controllers::cdi::claims::{Claim, is_complete};
use crate::controllers::cdi::errors::CdiError;
use crate::controllers::data_volume::preallocation;
use crate::objects::Pod;
use arcstr::{ArcStr, literal};
use std::time::Duration;

/// How often the clone looks how far the pods are.
const PERIOD: Duration = Duration::from_secs(3);

/// Makes the claim and waits for its pods.
pub(super) fn reconcile(
    cx: &mut Context<'_>,
    clone: &CloneOf,
    from: &ArcStr,
) -> Result<Option<Wait>, CdiError> {
    let copy = Temporary::Copy.name(clone);
    match Claim::named(cx, clone.namespace(), &copy) {
        None => create(cx, clone, from)?,
        Some(copy) => {
            copy_events(cx, clone, &copy);
            if is_finished(clone, &copy) {
                return Ok(None);
            }
        }
    }
    Ok(Some(Wait(Some(PERIOD))))
}

/// `hostCloneComplete`: what is wanted of the storage is told last.
fn is_finished(clone: &CloneOf, copy: &Claim) -> bool {
    let wants_preallocation = preallocation(clone.source.spec.rest.get("preallocation")) == "true";
    is_complete(&copy.object) && (!wants_preallocation || copy.has(&ann::PREALLOCATION_APPLIED, "true"))
}

fn create(cx: &mut Context<'_>, clone: &CloneOf, from: &ArcStr) -> Result<(), CdiError> {
    let mut claim = claims::desired(clone);
    let target = &clone.target.metadata;
    let spec = &clone.source.spec.rest;
    let annotations = &mut claim.metadata.annotations;
    annotations.insert(ann::PREALLOCATION_REQUESTED, preallocation(spec.get("preallocation")));
    annotations.insert(ann::OWNER_UID, target.uid.clone());
    annotations.insert(ann::POD_RESTARTS, "0");
    annotations.insert(ann::CLONE_REQUEST, arcstr::format!("{}/{from}", clone.namespace()));
    annotations.insert(ann::IMMEDIATE_BINDING, "");
    if let Some(class) = spec.get("priorityClassName").and_then(serde_json::Value::as_str) {
        annotations.insert(ann::PRIORITY_CLASS_NAME, class);
    }
    claims::mark(clone, &mut claim);
    claims::create(cx, clone, claim)
}

/// What the claim's annotations say of its pods, and how far they are.
pub(super) fn tell(cx: &Context<'_>, clone: &CloneOf, told: &mut Told) {
    let copy = Claim::named(cx, clone.namespace(), &Temporary::Copy.name(clone));
    let Some(copy) = copy else { return };
    if let Some(pod) = copy.annotation(&ann::CLONE_SOURCE_POD) {
        told.progress = progress(cx, clone, &copy, pod);
    }
    told.annotations = copy.object.metadata.annotations;
}

/// `progressFromClaim`: what the metrics of the pod that reads say, while it runs.
fn progress(cx: &Context<'_>, clone: &CloneOf, copy: &Claim, pod: &str) -> Option<ArcStr> {
    if is_complete(&copy.object) {
        return Some(literal!("100.0%"));
    }
    let (_, pod) = cx.view().named::<Pod>(clone.namespace(), pod)?;
    let is_running = pod.status.phase == "Running";
    let progress = cx.environment.sources.progress(&cx.config.latency, pod, cx.now);
    progress.filter(|_| is_running).map(|progress| progress.text())
}
