//! The writes that bind and unbind: claimRef and phase of the volume first, then volumeName and status of the claim.

use super::cache::{Cache, Claim, Volume};
use super::error::SyncError;
use super::matching::is_bound_to;
use super::{BIND_COMPLETED, BOUND_BY_CONTROLLER, Outcome, Synced};
use crate::context::{Context, EventType};
use crate::objects::{
    ObjectReference, PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimStatus, ResourceList,
};
use crate::quantity::Quantity;
use arcstr::{ArcStr, literal};

/// In a claim's status: the class of attributes that its volume has.
const CURRENT_ATTRIBUTES: &str = "currentVolumeAttributesClassName";
/// On a volume that is being enlarged: its size from before, until the file system has grown too.
const PRE_RESIZE_CAPACITY: &str = "volume.alpha.kubernetes.io/pre-resize-capacity";

impl Cache {
    /// Binds both sides, each only as far as it is not bound yet.
    pub(super) fn bind(&mut self, volume: &Volume, claim: &Claim, cx: &mut Context<'_>) -> Synced {
        let volume = self.bind_volume_to_claim(volume, claim, cx)?;
        let volume = self.update_volume_phase(&volume, literal!("Bound"), cx)?;
        let claim = self.bind_claim_to_volume(claim, &volume, cx)?;
        self.update_claim_status(&claim, literal!("Bound"), Some(&volume.object), cx)?;
        Ok(Outcome::Settled)
    }

    /// Frees a volume: a binding of the controller's is taken back, one of the user's loses its uid.
    pub(super) fn unbind_volume(&mut self, volume: &Volume, cx: &mut Context<'_>) -> Synced {
        let volume = self.update(volume, cx, |volume: &mut PersistentVolume| {
            if volume.metadata.annotations.remove(BOUND_BY_CONTROLLER).is_some() {
                volume.spec.claim_ref = None;
            } else if let Some(claim_ref) = &mut volume.spec.claim_ref {
                claim_ref.uid = ArcStr::new();
            }
        })?;
        self.update_volume_phase(&volume, literal!("Available"), cx)?;
        Ok(Outcome::Settled)
    }

    /// Writes a volume's phase if it is another; a message from before goes.
    pub(super) fn update_volume_phase(
        &mut self,
        volume: &Volume,
        phase: ArcStr,
        cx: &mut Context<'_>,
    ) -> Result<Volume, SyncError> {
        if volume.object.status.phase == phase {
            return Ok(volume.clone());
        }
        self.update(volume, cx, |volume| {
            volume.status.phase = phase;
            volume.status.message = ArcStr::new();
        })
    }

    /// Writes phase Failed with its message and says so once.
    pub(super) fn fail_volume(
        &mut self,
        volume: &Volume,
        (reason, message): (&str, &str),
        cx: &mut Context<'_>,
    ) -> Result<Volume, SyncError> {
        if volume.object.status.phase == "Failed" {
            return Ok(volume.clone());
        }
        let failed = self.update(volume, cx, |volume| {
            volume.status.phase = literal!("Failed");
            volume.status.message = message.into();
        })?;
        cx.event(&*failed.object, EventType::Warning, reason, message);
        Ok(failed)
    }

    /// Writes a claim's phase, with modes and size of the volume that it is bound to, or with neither.
    ///
    /// The size is copied only as the claim gets bound: later a difference is meant, while a file system grows.
    pub(super) fn update_claim_status(
        &mut self,
        claim: &Claim,
        phase: ArcStr,
        volume: Option<&PersistentVolume>,
        cx: &mut Context<'_>,
    ) -> Result<Claim, SyncError> {
        let mut status = claim.object.status.clone();
        match volume {
            None => {
                status.access_modes = Vec::new();
                status.capacity = ResourceList::default();
                status.rest.remove(CURRENT_ATTRIBUTES);
            }
            Some(volume) => {
                status.access_modes.clone_from(&volume.spec.access_modes);
                if status.phase != phase {
                    take_capacity(&mut status, volume)?;
                }
                if status.phase == "Pending" && phase == "Bound" {
                    take_attributes_class(&mut status, volume);
                }
            }
        }
        status.phase = phase;
        if status == claim.object.status {
            return Ok(claim.clone());
        }
        self.update(claim, cx, |claim| claim.status = status)
    }

    /// Writes phase Lost and says why, once.
    pub(super) fn lose_claim(
        &mut self,
        claim: &Claim,
        (reason, message): (&str, &str),
        cx: &mut Context<'_>,
    ) -> Synced {
        if claim.object.status.phase != "Lost" {
            let lost = self.update_claim_status(claim, literal!("Lost"), None, cx)?;
            cx.event(&*lost.object, EventType::Warning, reason, message);
        }
        Ok(Outcome::AwaitsResync)
    }

    fn bind_volume_to_claim(
        &mut self,
        volume: &Volume,
        claim: &Claim,
        cx: &mut Context<'_>,
    ) -> Result<Volume, SyncError> {
        let chosen_here = !is_bound_to(&volume.object, &claim.object);
        let wanted = reference(&claim.object);
        let named = volume.object.spec.claim_ref.as_ref().is_some_and(|found| {
            found.name == wanted.name && found.namespace == wanted.namespace && found.uid == wanted.uid
        });
        let marked = volume.object.metadata.annotations.contains_key(BOUND_BY_CONTROLLER);
        if named && (marked || !chosen_here) {
            return Ok(volume.clone());
        }
        self.update(volume, cx, |volume| {
            if !named {
                volume.spec.claim_ref = Some(wanted);
            }
            if chosen_here && !marked {
                volume.metadata.annotations.insert(literal!(BOUND_BY_CONTROLLER), literal!("yes"));
            }
        })
    }

    fn bind_claim_to_volume(
        &mut self,
        claim: &Claim,
        volume: &Volume,
        cx: &mut Context<'_>,
    ) -> Result<Claim, SyncError> {
        let name = &volume.object.metadata.name;
        let named = claim.object.spec.volume_name == *name;
        if named && claim.object.metadata.annotations.contains_key(BIND_COMPLETED) {
            return Ok(claim.clone());
        }
        self.update(claim, cx, |claim: &mut PersistentVolumeClaim| {
            let annotations = &mut claim.metadata.annotations;
            if !named {
                claim.spec.volume_name = name.clone();
                mark(annotations, literal!(BOUND_BY_CONTROLLER));
            }
            mark(annotations, literal!(BIND_COMPLETED));
        })
    }
}

/// A claim that turns Bound takes its volume's size; while the volume is being enlarged, the one from before.
fn take_capacity(
    status: &mut PersistentVolumeClaimStatus,
    volume: &PersistentVolume,
) -> Result<(), SyncError> {
    let Some(size) = volume.spec.capacity.get("storage") else {
        return Err(SyncError::NoCapacity(volume.metadata.name.clone()));
    };
    if let Some(before) = volume.metadata.annotations.get(PRE_RESIZE_CAPACITY) {
        status.capacity.insert("storage", Quantity::parse(before).unwrap_or_else(|_| size.clone()));
    } else if status.capacity.get("storage") != Some(size) {
        status.capacity = volume.spec.capacity.clone();
    }
    Ok(())
}

/// The class of attributes is the volume's, also where that has none.
fn take_attributes_class(status: &mut PersistentVolumeClaimStatus, volume: &PersistentVolume) {
    match volume.spec.rest.get("volumeAttributesClassName") {
        Some(class) => status.rest.insert(CURRENT_ATTRIBUTES, class.clone()),
        None => drop(status.rest.remove(CURRENT_ATTRIBUTES)),
    }
}

/// The reference by which a volume names a claim.
pub(crate) fn reference(claim: &PersistentVolumeClaim) -> ObjectReference {
    let meta = &claim.metadata;
    ObjectReference {
        kind: literal!("PersistentVolumeClaim"),
        api_version: literal!("v1"),
        namespace: meta.namespace.clone(),
        name: meta.name.clone(),
        uid: meta.uid.clone(),
        ..ObjectReference::default()
    }
}

fn mark(annotations: &mut crate::objects::StrMap, key: ArcStr) {
    if !annotations.contains_key(&key) {
        annotations.insert(key, literal!("yes"));
    }
}
