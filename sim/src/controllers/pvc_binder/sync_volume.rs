//! What is to be done about a volume (`syncVolume`).

use super::cache::{Claim, Volume};
use super::matching::modes_mismatch;
use super::{DYNAMICALLY_PROVISIONED, Outcome, PvcBinder, Synced};
use crate::context::{Context, EventType};
use crate::kind::ObjectId;
use crate::objects::{ObjectReference, PersistentVolumeClaim};
use arcstr::literal;
use std::sync::Arc;

impl PvcBinder {
    /// Syncs the volume that the informers show, if they do.
    pub(super) fn sync_volume_of(&mut self, id: ObjectId, cx: &mut Context<'_>) -> Synced {
        let Some(volume) = self.cache.to_sync(cx.view(), id) else { return Ok(Outcome::Settled) };
        let volume = self.migrate_volume(volume, cx)?;
        let claim_ref = volume.object.spec.claim_ref.as_ref();
        let Some(claim_ref) = claim_ref.filter(|claim_ref| !claim_ref.uid.is_empty()) else {
            // Free, or kept for a claim that has not been bound to it yet.
            self.cache.update_volume_phase(&volume, literal!("Available"), cx)?;
            return Ok(Outcome::Settled);
        };
        match self.claim_of(claim_ref, cx) {
            None => self.release(&volume, cx),
            Some(claim) if claim.object.spec.volume_name.is_empty() => {
                Ok(finish_binding(&volume, &claim, cx))
            }
            Some(claim) if claim.object.spec.volume_name == volume.object.metadata.name => {
                self.cache.update_volume_phase(&volume, literal!("Bound"), cx)?;
                Ok(Outcome::Settled)
            }
            Some(_) => self.claim_is_bound_elsewhere(&volume, cx),
        }
    }

    /// The claim that a volume names, if it is still that one. What the cache lacks or has with another uid is asked of
    /// the API server.
    fn claim_of(&self, claim_ref: &ObjectReference, cx: &Context<'_>) -> Option<Claim> {
        let ObjectReference { namespace, name, uid, .. } = claim_ref;
        let same = |claim: &Claim| claim.object.metadata.uid == *uid;
        let cached = self.cache.claim_named(cx.view(), namespace, name).filter(same);
        cached.or_else(|| {
            let (id, object) = cx.newest().named::<PersistentVolumeClaim>(namespace, name)?;
            Some(Claim { id, object: Arc::clone(object) }).filter(same)
        })
    }

    /// The claim is gone.
    fn release(&mut self, volume: &Volume, cx: &mut Context<'_>) -> Synced {
        let ended = matches!(volume.object.status.phase.as_str(), "Released" | "Failed");
        let released = match ended {
            true => volume.clone(),
            false => self.cache.update_volume_phase(volume, literal!("Released"), cx)?,
        };
        self.reclaim(&released, cx)
    }

    fn claim_is_bound_elsewhere(&mut self, volume: &Volume, cx: &mut Context<'_>) -> Synced {
        let provisioned = volume.object.metadata.annotations.contains_key(DYNAMICALLY_PROVISIONED);
        let delete = volume.object.spec.reclaim_policy.as_deref() == Some("Delete");
        match provisioned && delete {
            true => self.release(volume, cx),
            false => self.cache.unbind_volume(volume, cx),
        }
    }
}

/// The other half is up to the claim's sync, which is called for: a provisioner saves the volume only.
fn finish_binding(volume: &Volume, claim: &Claim, cx: &mut Context<'_>) -> Outcome {
    if !modes_mismatch(&claim.object, &volume.object) {
        cx.requeue_at(cx.now, claim.id);
        return Outcome::AwaitsResync;
    }
    let (volume, claim) = (&volume.object, &claim.object);
    let message = format!(
        "Cannot bind PersistentVolume to requested PersistentVolumeClaim \"{}\" due to incompatible volumeMode.",
        claim.metadata.name
    );
    cx.event(&**volume, EventType::Warning, "VolumeMismatch", &message);
    let message = format!(
        "Cannot bind PersistentVolume \"{}\" to requested PersistentVolumeClaim due to incompatible volumeMode.",
        volume.metadata.name
    );
    cx.event(&**claim, EventType::Warning, "VolumeMismatch", &message);
    Outcome::AwaitsResync
}
