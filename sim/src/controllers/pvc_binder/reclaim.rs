//! What becomes of a volume whose claim is gone (`reclaimVolume`).

use super::cache::Volume;
use super::error::SyncError;
use super::migration::{MIGRATED_TO, backend_is_deleted};
use super::operations::Operation;
use super::plugins::{self, Deleter};
use super::pods::users;
use super::{DYNAMICALLY_PROVISIONED, Outcome, PvcBinder, Synced};
use crate::context::{Context, EventType};
use crate::kind::ObjectId;
use crate::objects::PersistentVolume;
use std::sync::Arc;

const UNKNOWN_POLICY: &str = "Volume has unrecognized PersistentVolumeReclaimPolicy";
const NO_RECYCLER: &str = "No recycler plugin found for the volume!";

impl PvcBinder {
    /// Follows the reclaim policy of a released volume. A migrated one is its CSI driver's matter.
    pub(super) fn reclaim(&mut self, volume: &Volume, cx: &mut Context<'_>) -> Synced {
        if volume.object.metadata.annotations.get(MIGRATED_TO).is_some_and(|driver| !driver.is_empty()) {
            return Ok(Outcome::Settled);
        }
        match volume.object.spec.reclaim_policy.as_deref() {
            Some("Retain") => Ok(Outcome::Settled),
            Some("Delete") => self.reclaim_by(Operation::Delete, volume, cx),
            Some("Recycle") => self.reclaim_by(Operation::Recycle, volume, cx),
            _ => {
                self.cache.fail_volume(volume, ("VolumeUnknownReclaimPolicy", UNKNOWN_POLICY), cx)?;
                Ok(Outcome::Settled)
            }
        }
    }

    /// Sets an operation off; what failed a moment ago waits for the next resync.
    fn reclaim_by(&mut self, operation: Operation, volume: &Volume, cx: &mut Context<'_>) -> Synced {
        if !self.operations.may_run(volume.id, operation, cx.now) {
            return Ok(Outcome::AwaitsResync);
        }
        self.set_off(operation, volume.id, cx)?;
        Ok(Outcome::Settled)
    }

    /// Deletes the backend, then the object. What fails here for good stays Failed; nothing waits for a resync.
    pub(super) fn delete_volume(&mut self, id: ObjectId, cx: &mut Context<'_>) -> Result<(), SyncError> {
        let Some(volume) = live_volume(id, cx) else { return Ok(()) };
        let provisioner = volume.object.metadata.annotations.get(DYNAMICALLY_PROVISIONED);
        let deleted = plugins::deleter(&volume.object, provisioner.map(|name| name.as_str()));
        let deleted = deleted.and_then(|deleter| match deleter {
            Deleter::External => Ok(false),
            Deleter::HostPath => plugins::delete_host_path(&volume.object).map(|()| true),
        });
        match deleted {
            Err(why) => {
                self.cache.fail_volume(&volume, ("VolumeFailedDelete", &why), cx)?;
                Err(SyncError::Plugin(why))
            }
            Ok(true) => self.delete_object(&volume, cx),
            Ok(false) => Ok(()),
        }
    }

    fn delete_object(&mut self, volume: &Volume, cx: &mut Context<'_>) -> Result<(), SyncError> {
        self.cache.update(volume, cx, backend_is_deleted)?;
        // Gone already, where that finalizer was the last: upstream takes no notice of what the API server refuses here.
        let _ = cx.delete::<PersistentVolume>(volume.id);
        Ok(())
    }

    /// Scrubbing itself, a pod that Kubernetes deprecated long ago, is not modelled: such a volume stays Released.
    pub(super) fn recycle_volume(&mut self, id: ObjectId, cx: &mut Context<'_>) -> Result<(), SyncError> {
        let Some(volume) = live_volume(id, cx) else { return Ok(()) };
        let Some(claim_ref) = &volume.object.spec.claim_ref else { return Ok(()) };
        let users = users(cx.view(), &claim_ref.namespace, &claim_ref.name);
        let names = users.map(|pod| format!("{}/{}", pod.metadata.namespace, pod.metadata.name));
        let names: Vec<String> = names.collect();
        let again = self.cache.claim_named(cx.view(), &claim_ref.namespace, &claim_ref.name).is_some();
        if !names.is_empty() && !again {
            let message = format!("Volume is used by pods: {}", names.join(","));
            cx.event(&*volume.object, EventType::Normal, "VolumeFailedRecycle", &message);
            self.resync.add(id, cx);
        } else if !plugins::is_recyclable(&volume.object) {
            self.cache.fail_volume(&volume, ("VolumeFailedRecycle", NO_RECYCLER), cx)?;
        }
        Ok(())
    }
}

/// A volume as the API server has it: operations ask it anew, since time may have passed.
fn live_volume(id: ObjectId, cx: &Context<'_>) -> Option<Volume> {
    let object = cx.newest().get::<PersistentVolume>(id).map(Arc::clone)?;
    Some(Volume { id, object })
}
