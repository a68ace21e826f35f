//! What a host-assisted clone copies, and whether it fits into the copy.
//!
//! CDI main 2026-08: `pkg/controller/clone-controller.go` (`ValidateCanCloneSourceAndTarget…`, `getUsableSpace`),
//! `upload-controller.go` (`getCloneRequestSourcePVC`).

use crate::context::Context;
use crate::controllers::cdi::CLONE_FROM_SNAPSHOT_FALLBACK;
use crate::controllers::cdi::annotations as ann;
use crate::controllers::cdi::claims::{Claim, is_filesystem};
use crate::controllers::cdi::errors::CdiError;
use crate::controllers::cdi::tokens::{self, Subject};
use crate::controllers::data_volume::{filesystem_overhead, usable_space};
use crate::kind::Kind;
use crate::objects::PersistentVolumeClaim;
use crate::quantity::Quantity;
use crate::store::ApiError;
use arcstr::{ArcStr, literal};

/// Whether a source fits into its copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::controllers) enum Fit {
    /// It does.
    Fits,
    /// It never will; upstream's words.
    Not(ArcStr),
}

/// `getCloneRequestSourcePVC`: the claim that the copy's annotation names.
pub(in crate::controllers) fn find(
    cx: &Context<'_>,
    copy: &Claim,
) -> Result<PersistentVolumeClaim, CdiError> {
    let request = copy.annotation(&ann::CLONE_REQUEST).and_then(|request| request.split_once('/'));
    let Some((namespace, name)) = request.filter(|(_, name)| !name.contains('/')) else {
        return Err(CdiError::Resource(literal!("error parsing clone request annotation")));
    };
    let error = ApiError::NotFound { kind: Kind::PersistentVolumeClaim, name: name.into() };
    let found = Claim::named(cx, namespace, name).map(|claim| claim.object);
    found.ok_or(CdiError::ApiIn { context: "error getting clone source PVC", error })
}

/// `ValidateCanCloneSourceAndTargetContentType`, then `ValidateCanCloneSourceAndTargetSpec`.
pub(in crate::controllers) fn fit(
    cx: &Context<'_>,
    source: &PersistentVolumeClaim,
    copy: &Claim,
) -> Result<Fit, CdiError> {
    let (from, to) = (content_type(source), content_type(&copy.object));
    if from != to {
        return Err(CdiError::Resource(arcstr::format!(
            "source contentType ({from}) and target contentType ({to}) do not match"
        )));
    }
    let mode = |claim: &PersistentVolumeClaim| {
        if is_filesystem(claim.spec.volume_mode.as_ref()) { "Filesystem" } else { "Block" }
    };
    let (source_mode, copy_mode) = (mode(source), mode(&copy.object));
    if source_mode != copy_mode && from != "kubevirt" {
        return Ok(Fit::Not(arcstr::format!(
            "source volumeMode ({source_mode}) and target volumeMode ({copy_mode}) do not match, contentType ({from})"
        )));
    }
    let is_permissive = copy.annotation(&ann::PERMISSIVE_CLONE).is_some();
    if !is_permissive && room(cx, source) > room(cx, &copy.object) {
        return Ok(Fit::Not(literal!("target resources requests storage size is smaller than the source")));
    }
    Ok(Fit::Fits)
}

/// `validateSourceAndTarget`: the same before the pod that reads is made, and whether it may read.
pub(super) fn validate(
    cx: &Context<'_>,
    source: &PersistentVolumeClaim,
    copy: &Claim,
) -> Result<(), CdiError> {
    tokens::validate(&copy.object.metadata, &subject(source))?;
    match fit(cx, source, copy)? {
        Fit::Fits => Ok(()),
        Fit::Not(why) => Err(CdiError::Resource(why)),
    }
}

/// What a token for a claim names: the snapshot that a temporary claim was made of, else the claim.
fn subject(source: &PersistentVolumeClaim) -> Subject<'_> {
    let meta = &source.metadata;
    let is_temporary = meta.labels.has("cdi.kubevirt.io", CLONE_FROM_SNAPSHOT_FALLBACK);
    match source.spec.data_source_ref.as_ref().filter(|_| is_temporary) {
        Some(of) => Subject { resource: "volumesnapshots", namespace: &meta.namespace, name: &of.name },
        None => Subject { resource: "persistentvolumeclaims", namespace: &meta.namespace, name: &meta.name },
    }
}

/// `GetPVCContentType`.
fn content_type(claim: &PersistentVolumeClaim) -> &'static str {
    if claim.metadata.annotations.has(&ann::CONTENT_TYPE, "archive") { "archive" } else { "kubevirt" }
}

/// `getUsableSpace`: what was asked for, without what a file system takes of it.
fn room(cx: &Context<'_>, claim: &PersistentVolumeClaim) -> i64 {
    let size = claim.spec.resources.requests.get("storage").map_or(0, Quantity::value);
    disk_size(cx, claim, size)
}

/// How large a disk fits into a claim of a size.
pub(super) fn disk_size(cx: &Context<'_>, claim: &PersistentVolumeClaim, size: i64) -> i64 {
    if !is_filesystem(claim.spec.volume_mode.as_ref()) {
        return size;
    }
    usable_space(filesystem_overhead(&cx.config.cdi, claim.spec.storage_class_name.as_ref()), size)
}
