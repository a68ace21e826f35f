//! Multi-stage imports (vddk, imageio): one checkpoint after the other into the same claim.
//!
//! CDI main 2026-08: `pkg/controller/common/checkpoint-util.go`.

use super::annotations as ann;
use super::claims::{Claim, is_bound, parse_bool};
use super::errors::CdiError;
use crate::context::Context;
use crate::objects::{Rest, StrMap};
use arcstr::ArcStr;
use serde_json::Value;

/// The checkpoints that a DataVolume or a VolumeImportSource asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    checkpoints: Vec<(ArcStr, ArcStr)>,
    is_final: bool,
}

/// The next checkpoint to copy.
struct Next {
    current: ArcStr,
    previous: ArcStr,
    is_final: bool,
}

impl Wanted {
    /// Reads `checkpoints` and `finalCheckpoint` of a spec.
    pub(crate) fn of(spec: &Rest) -> Self {
        let list = spec.get("checkpoints").and_then(Value::as_array);
        let text =
            |entry: &Value, field| ArcStr::from(entry.get(field).and_then(Value::as_str).unwrap_or_default());
        let checkpoints =
            list.into_iter().flatten().map(|it| (text(it, "current"), text(it, "previous"))).collect();
        let is_final = spec.get("finalCheckpoint").and_then(Value::as_bool).unwrap_or(false);
        Self { checkpoints, is_final }
    }

    /// `GetNextCheckpoint`: the first that the claim has not yet.
    fn next(&self, annotations: &StrMap) -> Option<Next> {
        let started = annotations.get(&ann::CURRENT_CHECKPOINT).is_some_and(|current| !current.is_empty());
        let is_open =
            |current: &ArcStr| !started || (!current.is_empty() && !is_copied(annotations, current));
        let at = self.checkpoints.iter().position(|(current, _)| is_open(current))?;
        let (current, previous) = self.checkpoints[at].clone();
        Some(Next { current, previous, is_final: self.is_final && at + 1 == self.checkpoints.len() })
    }

    /// Sets the annotations of the next checkpoint, if there is one.
    pub(crate) fn annotate(&self, annotations: &mut StrMap) -> bool {
        let Some(Next { current, previous, is_final }) = self.next(annotations) else { return false };
        annotations.insert(ann::CURRENT_CHECKPOINT, current);
        annotations.insert(ann::PREVIOUS_CHECKPOINT, previous);
        annotations.insert(ann::FINAL_CHECKPOINT, if is_final { "true" } else { "false" });
        true
    }
}

fn is_copied(annotations: &StrMap, checkpoint: &str) -> bool {
    annotations.contains_key(&format!("{}{checkpoint}", ann::CHECKPOINTS_COPIED))
}

/// `UpdatesMultistageImportSucceeded`: goes on to the next checkpoint, or ends after the last.
///
/// It is the stored claim that goes on; who called works on with the claim as it was.
pub(crate) fn succeeded(cx: &mut Context<'_>, claim: &Claim, wanted: &Wanted) -> Result<(), CdiError> {
    let annotations = &claim.object.metadata.annotations;
    let Some(current) = annotations.get(&ann::CURRENT_CHECKPOINT) else { return Ok(()) };
    let is_final = annotations.get(&ann::FINAL_CHECKPOINT).is_some_and(|it| parse_bool(it).unwrap_or(false));
    if is_final && is_copied(annotations, current) {
        let mut claim = claim.clone();
        end(&mut claim.object.metadata.annotations);
        return claim.update(cx);
    }
    advance(cx, claim, wanted)
}

/// `MaybeSetPvcMultiStageAnnotation`: begins with the first checkpoint.
pub(crate) fn begin(cx: &mut Context<'_>, claim: &Claim, wanted: &Wanted) -> Result<(), CdiError> {
    let annotations = &claim.object.metadata.annotations;
    let begun = annotations.contains_key(&ann::CURRENT_CHECKPOINT)
        || annotations.contains_key(&ann::MULTI_STAGE_IMPORT_DONE);
    if !is_bound(&claim.object) || wanted.checkpoints.is_empty() || begun {
        return Ok(());
    }
    advance(cx, claim, wanted)
}

/// `setPvcMultistageImportAnnotations`.
fn advance(cx: &mut Context<'_>, claim: &Claim, wanted: &Wanted) -> Result<(), CdiError> {
    let (before, mut claim) = (&claim.object.metadata.annotations, claim.clone());
    let annotations = &mut claim.object.metadata.annotations;
    let pod = annotations.get(&ann::CURRENT_POD_ID).cloned().unwrap_or_default();
    let used = annotations
        .iter()
        .any(|(key, value)| key.starts_with(ann::CHECKPOINTS_COPIED.as_str()) && *value == pod);
    let current = annotations.get(&ann::CURRENT_CHECKPOINT).cloned().unwrap_or_default();
    if !used && !current.is_empty() {
        annotations.insert(arcstr::format!("{}{current}", ann::CHECKPOINTS_COPIED), pod);
    }
    if wanted.annotate(annotations) && annotations.has(&ann::POD_PHASE, "Succeeded") {
        // So that the import controller makes a pod for the next checkpoint.
        annotations.insert(ann::POD_PHASE, "Unknown");
        annotations.remove(&ann::IMPORT_POD);
    }
    if annotations == before { Ok(()) } else { claim.update(cx) }
}

/// `deleteMultistageImportAnnotations`.
fn end(annotations: &mut StrMap) {
    let stale: Vec<ArcStr> = annotations
        .iter()
        .map(|(key, _)| key)
        .filter(|key| {
            key.starts_with(ann::CHECKPOINTS_COPIED.as_str())
                || [
                    ann::CURRENT_CHECKPOINT,
                    ann::PREVIOUS_CHECKPOINT,
                    ann::FINAL_CHECKPOINT,
                    ann::CURRENT_POD_ID,
                ]
                .contains(key)
        })
        .cloned()
        .collect();
    for key in stale {
        annotations.remove(&key);
    }
    annotations.insert(ann::MULTI_STAGE_IMPORT_DONE, "true");
}
