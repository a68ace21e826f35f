//! The snapshot controller and the snapshotters of CSI drivers: kubernetes-csi/external-snapshotter 8.x
//! (`pkg/common-controller/snapshot_controller.go`, `pkg/sidecar-controller/snapshot_controller.go`).
//!
//! Only snapshots that are taken of a claim. Whether a driver works is a matter of [`crate::environment::Provisioners`].

use crate::context::{Context, EventType};
use crate::controller::{Action, Controller};
use crate::environment::ProvisionerState;
use crate::kind::{Kind, ObjectId};
use crate::objects::{
    PersistentVolumeClaim, VolumeSnapshot, VolumeSnapshotClass, VolumeSnapshotContent,
    VolumeSnapshotContentSpec, VolumeSnapshotStatus,
};
use crate::store::{ApiError, Change, View};
use crate::work_queue::{Work, WorkQueue};
use arcstr::ArcStr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Takes snapshots.
#[derive(Debug, Default)]
pub(crate) struct Snapshotter {
    /// Snapshots that are being taken.
    busy: BTreeSet<ObjectId>,
    /// The contents that were made, by snapshot.
    contents: BTreeMap<ObjectId, ObjectId>,
}

impl Controller for Snapshotter {
    fn name(&self) -> &'static str {
        "snapshotter"
    }

    fn on_change(&mut self, change: &Change, _view: View<'_>, queue: &mut WorkQueue) {
        if change.id.kind == Kind::VolumeSnapshot {
            queue.add(change.id);
        }
    }

    fn reconcile(&mut self, work: Work, cx: &mut Context<'_>) -> Action {
        let Some(snapshot) = cx.view().get::<VolumeSnapshot>(work.id).cloned() else {
            return self.delete_content(work.id, cx);
        };
        if snapshot.status.is_some() || self.busy.contains(&work.id) {
            return Action::Done;
        }
        match source(cx, &snapshot) {
            Ok(_) => {
                self.busy.insert(work.id);
                cx.complete_after(cx.config.latency.provision, work);
                Action::Done
            }
            Err(why) => {
                let text = format!("Failed to create snapshot content with error {why}");
                cx.event(&*snapshot, EventType::Warning, "SnapshotContentCreationFailed", &text);
                Action::Fail(why.into())
            }
        }
    }

    fn complete(&mut self, work: Work, cx: &mut Context<'_>) {
        self.busy.remove(&work.id);
        let Some(snapshot) = cx.view().get::<VolumeSnapshot>(work.id).cloned() else { return };
        let Ok((claim, driver)) = source(cx, &snapshot) else {
            cx.requeue_at(cx.now, work);
            return;
        };
        if *cx.environment.provisioners.state(&driver) != ProvisionerState::Works {
            // It is tried again until the driver works.
            self.busy.insert(work.id);
            cx.complete_after(cx.config.latency.provision, work);
            return;
        }
        self.taken(work.id, (&snapshot, &claim, driver), cx);
    }
}

impl Snapshotter {
    fn taken(
        &mut self,
        id: ObjectId,
        (snapshot, claim, driver): (&VolumeSnapshot, &PersistentVolumeClaim, ArcStr),
        cx: &mut Context<'_>,
    ) {
        let spec = VolumeSnapshotContentSpec {
            driver,
            source_volume_mode: claim.spec.volume_mode.clone(),
            ..VolumeSnapshotContentSpec::default()
        };
        let mut content = VolumeSnapshotContent { spec, ..VolumeSnapshotContent::default() };
        let name = arcstr::format!("snapcontent-{}", snapshot.metadata.uid);
        content.metadata.name = name.clone();
        if let Ok(made) = cx.create(content) {
            self.contents.insert(id, made);
        }
        let status = VolumeSnapshotStatus {
            bound_volume_snapshot_content_name: Some(name),
            creation_time: Some(cx.now.truncate_to_secs()),
            ready_to_use: true,
            restore_size: claim.status.capacity.get("storage").cloned(),
            ..VolumeSnapshotStatus::default()
        };
        // Whoever deleted it meanwhile wants no status.
        let _ = cx.patch::<VolumeSnapshot>(id, |snapshot| snapshot.status = Some(status));
    }

    fn delete_content(&mut self, id: ObjectId, cx: &mut Context<'_>) -> Action {
        let Some(content) = self.contents.remove(&id) else { return Action::Done };
        match cx.delete::<VolumeSnapshotContent>(content) {
            Ok(()) | Err(ApiError::Gone { .. }) => Action::Done,
            Err(error) => Action::Fail(error.to_string().into()),
        }
    }
}

/// The claim and the driver.
fn source(
    cx: &Context<'_>,
    snapshot: &VolumeSnapshot,
) -> Result<(Arc<PersistentVolumeClaim>, ArcStr), String> {
    let name = snapshot.spec.volume_snapshot_class_name.as_deref().unwrap_or_default();
    let class = cx.view().named::<VolumeSnapshotClass>("", name);
    let Some((_, class)) = class else {
        return Err(format!("failed to retrieve snapshot class {name} from the informer"));
    };
    let claim = snapshot.spec.source.persistent_volume_claim_name.as_deref().unwrap_or_default();
    let found = cx.view().named::<PersistentVolumeClaim>(&snapshot.metadata.namespace, claim);
    match found {
        Some((_, found)) if found.status.phase == "Bound" => Ok((Arc::clone(found), class.driver.clone())),
        Some(_) => Err(format!("the PVC {claim} is not yet bound to a PV")),
        None => Err(format!("failed to retrieve PVC {claim} from the lister")),
    }
}
