//! Scratch space: a second claim for importers that cannot stream.
//!
//! CDI main 2026-08: `pkg/controller/import-controller.go` (`requiresScratchSpace`, `createScratchPvcForPod`),
//! `pkg/controller/util.go` (`createScratchPersistentVolumeClaim`).

use super::pod::source;
use super::volumes::SCRATCH_VOLUME;
use crate::context::{Context, EventType};
use crate::controllers::cdi::annotations as ann;
use crate::controllers::cdi::claims::{Claim, controller_reference, is_filesystem, parse_bool};
use crate::controllers::cdi::errors::CdiError;
use crate::controllers::cdi::{resource_name, set_recommended_labels};
use crate::controllers::data_volume::{filesystem_overhead, required_space, usable_space};
use crate::kind::{Kind, ObjectId};
use crate::objects::{PersistentVolumeClaim, Pod};
use crate::quantity::Quantity;
use crate::store::ApiError;
use arcstr::{ArcStr, literal};

/// `requiresScratchSpace`.
pub(super) fn is_required(claim: &Claim) -> bool {
    let by_kind = match source(claim) {
        _ if claim.has(&ann::CONTENT_TYPE, "archive") => true,
        "glance" => true,
        "imageio" => {
            claim.annotation(&ann::CURRENT_CHECKPOINT).is_some_and(|checkpoint| !checkpoint.is_empty())
        }
        "registry" => !claim.has(&ann::REGISTRY_IMPORT_METHOD, "node"),
        _ => false,
    };
    by_kind
        || claim.annotation(&ann::REQUIRES_SCRATCH).is_some_and(|value| parse_bool(value).unwrap_or(false))
}

/// The name of the scratch claim.
pub(super) fn name(claim: &Claim) -> ArcStr {
    resource_name(&claim.object.metadata.name, "scratch")
}

/// `createScratchPvcForPod`.
pub(super) fn create_for_pod(
    cx: &mut Context<'_>,
    claim: &mut Claim,
    pod_id: ObjectId,
    pod: &Pod,
) -> Result<(), CdiError> {
    let volume = pod.spec.volumes.iter().find(|volume| volume.name == SCRATCH_VOLUME);
    let Some(source) = volume.and_then(|volume| volume.persistent_volume_claim.as_ref()) else {
        return Err(CdiError::Import(literal!("Scratch Volume not configured for pod")));
    };
    let namespace = &claim.object.metadata.namespace;
    let found = cx.view().named::<PersistentVolumeClaim>(namespace, &source.claim_name);
    match found.map(|(_, scratch)| scratch.metadata.is_deleting()) {
        None => {
            create(cx, claim, pod, &source.claim_name)?;
            let annotations = &mut claim.object.metadata.annotations;
            annotations.insert(ann::BOUND_CONDITION, "false");
            annotations.insert(ann::BOUND_CONDITION_MESSAGE, "Creating scratch space");
            annotations.insert(ann::BOUND_CONDITION_REASON, "CreatingScratchSpace");
        }
        Some(true) => {
            // Pod and old scratch space would wait for each other.
            cx.delete::<Pod>(pod_id)?;
            let name = &pod.metadata.name;
            return Err(CdiError::Import(arcstr::format!(
                "terminating scratch space found, deleting pod {name}"
            )));
        }
        Some(false) => {}
    }
    claim.object.metadata.annotations.insert(ann::REQUIRES_SCRATCH, "false");
    Ok(())
}

/// `createScratchPersistentVolumeClaim`. It reads the new claim back from the cache, which does not have it yet, so the
/// first try always fails there.
pub(in crate::controllers) fn create(
    cx: &mut Context<'_>,
    claim: &Claim,
    pod: &Pod,
    name: &ArcStr,
) -> Result<(), CdiError> {
    let scratch = new_claim(cx, claim, pod, name);
    let namespace = scratch.metadata.namespace.clone();
    if let Err(error) = cx.create(scratch) {
        let quota = CdiError::from(error.clone());
        if quota.is_quota_exceeded() {
            cx.event(&claim.object, EventType::Warning, "ErrExceededQuota", &quota.text());
        }
        if !matches!(error, ApiError::AlreadyExists { .. }) {
            return Err(CdiError::ApiIn { context: "scratch PVC API create errored", error });
        }
    }
    match cx.view().named::<PersistentVolumeClaim>(&namespace, name) {
        Some(_) => Ok(()),
        None => Err(ApiError::NotFound { kind: Kind::PersistentVolumeClaim, name: name.clone() }.into()),
    }
}

/// `newScratchPersistentVolumeClaimSpec`, with the size.
fn new_claim(cx: &Context<'_>, claim: &Claim, pod: &Pod, name: &ArcStr) -> PersistentVolumeClaim {
    let from = &claim.object;
    let mut scratch = PersistentVolumeClaim::default();
    let meta = &mut scratch.metadata;
    meta.name = name.clone();
    meta.namespace = from.metadata.namespace.clone();
    meta.labels.insert("app", "containerized-data-importer");
    meta.labels.insert("velero.io/exclude-from-backup", "true");
    set_recommended_labels(&mut meta.labels);
    for (key, value) in from.metadata.annotations.iter() {
        // CDI's own would start another import into the scratch space.
        if key.contains("kubevirt.io/") && !key.contains("cdi.kubevirt.io/") {
            meta.annotations.insert(key.clone(), value.clone());
        }
    }
    let selected = claim.annotation(&ann::SELECTED_NODE).filter(|node| !node.is_empty());
    if let (Some(node), true) = (selected, claim.annotation(&ann::POPULATOR_KIND).is_some()) {
        meta.annotations.insert(ann::SELECTED_NODE, node.clone());
    }
    meta.owner_references = vec![controller_reference::<Pod>(&pod.metadata)].into();
    scratch.spec.access_modes = vec![literal!("ReadWriteOnce")];
    scratch.spec.resources = from.spec.resources.clone();
    let class = cx.config.cdi.scratch_storage_class.clone().or_else(|| from.spec.storage_class_name.clone());
    scratch.spec.storage_class_name = class.filter(|class| !class.is_empty());
    let size = Quantity::from_value(size(cx, claim, scratch.spec.storage_class_name.as_ref()));
    scratch.spec.resources.requests.insert("storage", size);
    scratch
}

/// Room for the same disk: what the file systems take is taken off and added again.
fn size(cx: &Context<'_>, claim: &Claim, class: Option<&ArcStr>) -> i64 {
    const MIB: i64 = 1024 * 1024;
    let spec = &claim.object.spec;
    let requested = spec.resources.requests.get("storage").map_or(0, Quantity::value);
    let own = if is_filesystem(spec.volume_mode.as_ref()) {
        filesystem_overhead(&cx.config.cdi, spec.storage_class_name.as_ref())
    } else {
        0.0
    };
    let raw = required_space(filesystem_overhead(&cx.config.cdi, class), usable_space(own, requested));
    (raw + MIB - 1) / MIB * MIB
}
