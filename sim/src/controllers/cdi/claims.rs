//! Reading and writing claims as CDI's controllers do.

use super::annotations as ann;
use super::errors::CdiError;
use crate::config::Config;
use crate::context::Context;
use crate::kind::{Kind, ObjectId, Resource};
use crate::objects::{
    DataVolume, ObjectMeta, OwnerReference, PersistentVolumeClaim, Rest, TypedLocalObjectReference,
};
use crate::store::{ApiError, View};
use arcstr::{ArcStr, literal};

/// A claim that a reconcile works on: its own copy, at the revision that it last read or wrote.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    pub(crate) id: ObjectId,
    pub(crate) object: PersistentVolumeClaim,
}

impl Claim {
    /// The claim of a name in the caches.
    pub(crate) fn named(cx: &Context<'_>, namespace: &str, name: &str) -> Option<Self> {
        let (id, object) = cx.view().named::<PersistentVolumeClaim>(namespace, name)?;
        Some(Self { id, object: PersistentVolumeClaim::clone(object) })
    }

    /// Writes the copy back and takes over the revision that this gives.
    pub(crate) fn update(&mut self, cx: &mut Context<'_>) -> Result<(), CdiError> {
        cx.update(self.id, self.object.clone())?;
        let newest = cx.newest().get::<PersistentVolumeClaim>(self.id);
        if let Some(newest) = newest {
            self.object.metadata.resource_version = newest.metadata.resource_version;
        }
        Ok(())
    }

    /// Changes the newest version and takes it over.
    pub(crate) fn patch(
        &mut self,
        cx: &mut Context<'_>,
        change: impl FnOnce(&mut PersistentVolumeClaim),
    ) -> Result<(), CdiError> {
        cx.patch(self.id, change)?;
        if let Some(newest) = cx.newest().get::<PersistentVolumeClaim>(self.id) {
            self.object = PersistentVolumeClaim::clone(newest);
        }
        Ok(())
    }

    pub(crate) fn annotation(&self, annotation: &str) -> Option<&ArcStr> {
        self.object.metadata.annotations.get(annotation)
    }

    pub(crate) fn has(&self, annotation: &str, value: &str) -> bool {
        self.object.metadata.annotations.has(annotation, value)
    }
}

pub(crate) fn is_bound(claim: &PersistentVolumeClaim) -> bool {
    claim.status.phase == "Bound"
}

/// Whether the worker pod has succeeded.
pub(crate) fn is_complete(claim: &PersistentVolumeClaim) -> bool {
    claim.metadata.annotations.has(&ann::POD_PHASE, "Succeeded")
}

pub(crate) fn is_multi_stage_import_in_progress(claim: &PersistentVolumeClaim) -> bool {
    let annotations = &claim.metadata.annotations;
    annotations.contains_key(&ann::CURRENT_CHECKPOINT)
        && !annotations.contains_key(&ann::MULTI_STAGE_IMPORT_DONE)
}

pub(crate) fn immediate_binding_requested(claim: &PersistentVolumeClaim) -> bool {
    claim.metadata.annotations.contains_key(&ann::IMMEDIATE_BINDING)
}

/// `IsPopulated`: filled, unless it belongs to a DataVolume that has not succeeded.
pub(crate) fn is_populated(view: View<'_>, claim: &PersistentVolumeClaim) -> Result<bool, CdiError> {
    let Some(owner) = claim.metadata.controller().filter(|owner| owner.kind == "DataVolume") else {
        return Ok(true);
    };
    match view.named::<DataVolume>(&claim.metadata.namespace, &owner.name) {
        Some((_, dv)) => Ok(dv.status.phase == "Succeeded"),
        None => Err(ApiError::NotFound { kind: Kind::DataVolume, name: owner.name.clone() }.into()),
    }
}

/// `ShouldDeletePod`: whether the worker pod goes when it is finished.
pub(crate) fn should_delete_pod(claim: &PersistentVolumeClaim) -> bool {
    let has = |annotation: ArcStr| claim.metadata.annotations.has(&annotation, "true");
    !has(ann::POD_RETAIN_AFTER_COMPLETION)
        || has(ann::REQUIRES_SCRATCH)
        || has(ann::REQUIRES_DIRECT_IO)
        || claim.metadata.is_deleting()
}

/// Filesystem unless the claim says Block.
pub(crate) fn is_filesystem(volume_mode: Option<&ArcStr>) -> bool {
    volume_mode.is_none_or(|mode| mode != "Block")
}

/// Whether the claim says which populator fills it.
pub(crate) fn is_data_source_ref_kind(claim: &PersistentVolumeClaim, kind: &str) -> bool {
    claim.spec.data_source_ref.as_ref().is_some_and(|source| {
        source.api_group.as_deref() == Some("cdi.kubevirt.io")
            && !source.name.is_empty()
            && source.kind == kind
    })
}

/// The name of the helper claim that is filled in the claim's stead.
pub(crate) fn prime_name(claim: &PersistentVolumeClaim) -> ArcStr {
    arcstr::format!("prime-{}", claim.metadata.uid)
}

/// `strconv.ParseBool`.
pub(crate) fn parse_bool(text: &ArcStr) -> Result<bool, CdiError> {
    match text.as_str() {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(CdiError::NotABool(text.clone())),
    }
}

/// `CheckPVCUsingPopulators`.
pub(crate) fn uses_populator(claim: &PersistentVolumeClaim) -> Result<bool, CdiError> {
    match (&claim.spec.data_source_ref, claim.metadata.annotations.get(&ann::USE_POPULATOR)) {
        (Some(_), Some(value)) => parse_bool(value),
        _ => Ok(false),
    }
}

/// Whether the DataVolume may take the claim as it is, because it was there before.
pub(crate) fn allow_claim_adoption(config: &Config, claim: &PersistentVolumeClaim, dv: &DataVolume) -> bool {
    if claim.metadata.annotations.has(&ann::CREATED_FOR_DATA_VOLUME, &dv.metadata.uid) {
        return false;
    }
    match dv.metadata.annotations.get(&ann::ALLOW_CLAIM_ADOPTION) {
        Some(value) => parse_bool(value).unwrap_or(false),
        None => config.cdi.claim_adoption,
    }
}

/// Whether the claim has yet to be filled for the DataVolume.
pub(crate) fn requires_work(config: &Config, claim: &PersistentVolumeClaim, dv: &DataVolume) -> bool {
    let populated = claim.metadata.annotations.has(&ann::POPULATED_FOR, &dv.metadata.name);
    !populated && !allow_claim_adoption(config, claim, dv)
}

/// A reference to one of CDI's own sources.
pub(crate) fn data_source_ref(kind: &'static str, name: ArcStr) -> TypedLocalObjectReference {
    TypedLocalObjectReference {
        api_group: Some(literal!("cdi.kubevirt.io")),
        kind: kind.into(),
        name,
        rest: Rest::default(),
    }
}

/// A reference to the object as the owner that controls.
pub(crate) fn controller_reference<T: Resource>(meta: &ObjectMeta) -> OwnerReference {
    OwnerReference {
        api_version: T::KIND.api_version().into(),
        kind: T::KIND.as_str().into(),
        name: meta.name.clone(),
        uid: meta.uid.clone(),
        controller: true,
        block_owner_deletion: true,
    }
}

pub(crate) fn is_controlled_by(meta: &ObjectMeta, owner_uid: &str) -> bool {
    meta.controller().is_some_and(|owner| owner.uid == owner_uid)
}
