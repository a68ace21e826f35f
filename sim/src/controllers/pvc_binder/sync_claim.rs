//! What is to be done about a claim (`syncClaim`).

use super::cache::Claim;
use super::class::{claim_class, claim_has_class, default_class};
use super::error::SyncError;
use super::matching::{find_best_match, is_bound_to, mismatch};
use super::pods::users;
use super::{BIND_COMPLETED, BOUND_BY_CONTROLLER, Outcome, PvcBinder, SELECTED_NODE, Synced};
use crate::context::{Context, EventType};
use crate::kind::ObjectId;
use crate::objects::{ObjectMeta, PersistentVolumeClaim, StorageClass};
use arcstr::{ArcStr, literal};

const NO_VOLUME: &str = "no persistent volumes available for this claim and no storage class is set";
const LOST_REFERENCE: &str =
    "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!";
const LOST_VOLUME: &str = "Bound claim has lost its PersistentVolume. Data on the volume is lost!";
const MISBOUND: &str = "Two claims are bound to the same volume, this one is bound incorrectly";

impl PvcBinder {
    /// Syncs the claim that the informers show, if they do.
    pub(super) fn sync_claim_of(&mut self, id: ObjectId, cx: &mut Context<'_>) -> Synced {
        let Some(claim) = self.cache.to_sync(cx.view(), id) else { return Ok(Outcome::Settled) };
        let claim = self.migrate_claim(claim, cx)?;
        if claim.object.metadata.annotations.contains_key(BIND_COMPLETED) {
            self.sync_bound_claim(&claim, cx)
        } else if claim.object.spec.volume_name.is_empty() {
            self.sync_unbound_claim(&claim, cx)
        } else {
            self.sync_prebound_claim(&claim, cx)
        }
    }

    /// The user did not care which volume it gets.
    fn sync_unbound_claim(&mut self, claim: &Claim, cx: &mut Context<'_>) -> Synced {
        let delayed = is_delayed(&claim.object, cx);
        if let Some(volume) = find_best_match(&self.cache, cx.view(), &claim.object, delayed) {
            return self.cache.bind(&volume, claim, cx);
        }
        if self.assign_default_class(claim, cx)? {
            return Ok(Outcome::AwaitsResync);
        }
        let chosen = claim.object.metadata.annotations.contains_key(SELECTED_NODE);
        if delayed && !chosen {
            waits_for_consumer(&claim.object, cx);
        } else if !claim_class(&claim.object).is_empty() {
            self.provision(claim, cx)?;
            return Ok(Outcome::AwaitsResync);
        } else {
            cx.event(&*claim.object, EventType::Normal, "FailedBinding", NO_VOLUME);
        }
        self.pending(claim, cx)
    }

    /// The user asked for one volume.
    fn sync_prebound_claim(&mut self, claim: &Claim, cx: &mut Context<'_>) -> Synced {
        let name = &claim.object.spec.volume_name;
        let Some(volume) = self.cache.volume_named(cx.view(), name) else {
            return self.pending(claim, cx);
        };
        let Some(claim_ref) = &volume.object.spec.claim_ref else {
            let Some(why) = mismatch(&volume.object, &claim.object) else {
                return self.cache.bind(&volume, claim, cx);
            };
            let message = format!("Cannot bind to requested volume \"{name}\": {why}");
            cx.event(&*claim.object, EventType::Warning, "VolumeMismatch", &message);
            return self.pending(claim, cx);
        };
        if is_bound_to(&volume.object, &claim.object) {
            return self.cache.bind(&volume, claim, cx);
        }
        let message = format!("volume \"{name}\" already bound to a different claim.");
        cx.event(&*claim.object, EventType::Warning, "FailedBinding", &message);
        if claim.object.metadata.annotations.contains_key(BOUND_BY_CONTROLLER) {
            return Err(SyncError::AlreadyClaimed {
                claim: key(&claim.object.metadata),
                volume: name.clone(),
                other: format!("{}/{}", claim_ref.namespace, claim_ref.name),
            });
        }
        self.pending(claim, cx)
    }

    /// The claim was bound before.
    fn sync_bound_claim(&mut self, claim: &Claim, cx: &mut Context<'_>) -> Synced {
        let name = &claim.object.spec.volume_name;
        if name.is_empty() {
            return self.cache.lose_claim(claim, ("ClaimLost", LOST_REFERENCE), cx);
        }
        let Some(volume) = self.cache.volume_named(cx.view(), name) else {
            return self.cache.lose_claim(claim, ("ClaimLost", LOST_VOLUME), cx);
        };
        match &volume.object.spec.claim_ref {
            Some(claim_ref) if claim_ref.uid != claim.object.metadata.uid => {
                self.cache.lose_claim(claim, ("ClaimMisbound", MISBOUND), cx)
            }
            _ => self.cache.bind(&volume, claim, cx),
        }
    }

    fn pending(&mut self, claim: &Claim, cx: &mut Context<'_>) -> Synced {
        self.cache.update_claim_status(claim, literal!("Pending"), None, cx)?;
        Ok(Outcome::AwaitsResync)
    }

    /// A claim that came before any default class gets it now (`assignDefaultStorageClass`).
    fn assign_default_class(&mut self, claim: &Claim, cx: &mut Context<'_>) -> Result<bool, SyncError> {
        if claim_has_class(&claim.object) {
            return Ok(false);
        }
        let Some(class) = default_class(cx.view()) else { return Ok(false) };
        let name = class.metadata.name.clone();
        self.cache.update(claim, cx, |claim| claim.spec.storage_class_name = Some(name))?;
        Ok(true)
    }
}

fn is_delayed(claim: &PersistentVolumeClaim, cx: &Context<'_>) -> bool {
    let class = claim_class(claim);
    let found = cx.view().named::<StorageClass>("", &class);
    found.is_some_and(|(_, class)| class.waits_for_first_consumer())
}

/// Says for whom a delayed claim waits: for a pod, or for the scheduler to place those that use it.
fn waits_for_consumer(claim: &PersistentVolumeClaim, cx: &mut Context<'_>) {
    let meta = &claim.metadata;
    let unscheduled = users(cx.view(), &meta.namespace, &meta.name).filter(|pod| pod.node().is_none());
    let names: Vec<ArcStr> = unscheduled.map(|pod| pod.metadata.name.clone()).collect();
    let (reason, message) = match names.as_slice() {
        [] => {
            let message = "waiting for first consumer to be created before binding".to_owned();
            ("WaitForFirstConsumer", message)
        }
        [pod] => ("WaitForPodScheduled", format!("waiting for pod {pod} to be scheduled")),
        pods => ("WaitForPodScheduled", format!("waiting for pods {} to be scheduled", pods.join(","))),
    };
    cx.event(claim, EventType::Normal, reason, &message);
}

fn key(meta: &ObjectMeta) -> String {
    format!("{}/{}", meta.namespace, meta.name)
}
