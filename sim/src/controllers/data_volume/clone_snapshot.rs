//! DataVolumes that are copies of a snapshot.
//!
//! CDI main 2026-08: `pkg/controller/datavolume/snapshot-clone-controller.go`, `pkg/controller/common/util.go`
//! (`IsSnapshotValidForClone`).

use super::clone::{refuse, refuse_without_source, too_small};
use super::clone_source::CloneSource;
use super::clone_tokens;
use super::sync::{PhaseEvent, SyncState, merge};
use crate::context::{Context, EventType};
use crate::controllers::cdi::annotations as ann;
use crate::controllers::cdi::claims::is_filesystem;
use crate::controllers::cdi::errors::CdiError;
use crate::controllers::cdi::{CLONE_FROM_SNAPSHOT_FALLBACK, set_recommended_labels};
use crate::kind::Kind;
use crate::objects::{
    DataVolume, ObjectMeta, PersistentVolumeClaim, StorageClass, TypedLocalObjectReference, VolumeSnapshot,
    VolumeSnapshotClass, VolumeSnapshotStatus,
};
use crate::store::ApiError;
use arcstr::{ArcStr, literal};
use std::sync::Arc;

/// Whether the snapshot is there and fits, the size is known, and in the direct flow the claim is made that is copied.
pub(super) fn prepare(
    state: &mut SyncState,
    cx: &mut Context<'_>,
    source: &CloneSource,
) -> Result<bool, CdiError> {
    let found = cx.view().named::<VolumeSnapshot>(&source.namespace, &source.name);
    let Some(snapshot) = found.map(|(_, snapshot)| Arc::clone(snapshot)) else {
        refuse_without_source(state, source);
        return Ok(false);
    };
    if let Some(why) = mismatch(&snapshot, &state.dv) {
        refuse(state, &why);
        return Ok(false);
    }
    if state.dv.spec.storage.is_some() {
        detect_size(state, &snapshot);
    }
    if !state.use_populator {
        init_legacy_clone(state, cx, &snapshot)?;
    }
    Ok(true)
}

/// `validateSnapshotClone`: what speaks against copying this snapshot.
fn mismatch(snapshot: &VolumeSnapshot, dv: &DataVolume) -> Option<ArcStr> {
    let Some(status) = &snapshot.status else { return Some(literal!("no status on source snapshot yet")) };
    if let Some(why) = invalid(snapshot, status) {
        return Some(why);
    }
    let Some(size) = status.restore_size.as_ref().filter(|size| size.value() >= 0) else {
        return Some(literal!("snapshot has no restore size"));
    };
    let claim = dv.spec.pvc.as_ref().or(dv.spec.storage.as_ref())?;
    let wanted = claim.resources.requests.get("storage");
    // A driver that tells no size leaves it to the DataVolume, which may leave it open in `storage` only.
    let (is_told, is_open) = (size.value() > 0, wanted.is_none() && dv.spec.pvc.is_none());
    match (is_told, is_open) {
        (true, false) => too_small(wanted, Some(size)),
        (false, true) => {
            Some(literal!("size not specified by user/provisioner, can't tell how much needed for restore"))
        }
        _ => None,
    }
}

/// `IsSnapshotValidForClone`, of a snapshot with a status.
fn invalid(snapshot: &VolumeSnapshot, status: &VolumeSnapshotStatus) -> Option<ArcStr> {
    if let Some(error) = &status.error {
        let text = error.get("message").and_then(serde_json::Value::as_str).unwrap_or("no details");
        return Some(arcstr::format!("snapshot in error state with msg: {text}"));
    }
    let meta = &snapshot.metadata;
    let class = snapshot.spec.volume_snapshot_class_name.as_ref();
    class.is_none_or(|class| class.is_empty()).then(|| {
        arcstr::format!(
            "snapshot {}/{} does not have volume snap class populated, can't clone",
            meta.name,
            meta.namespace
        )
    })
}

/// `detectCloneSize`: without a size, that of the snapshot.
fn detect_size(state: &mut SyncState, snapshot: &VolumeSnapshot) {
    let requests = &mut state.spec.resources.requests;
    if requests.get("storage").is_some_and(|size| !size.is_zero()) {
        return;
    }
    let size = snapshot.status.as_ref().and_then(|status| status.restore_size.clone());
    size.into_iter().for_each(|size| {
        requests.insert("storage", size);
    });
}

/// `initLegacyClone`: the snapshot becomes a claim, which is then copied.
fn init_legacy_clone(
    state: &mut SyncState,
    cx: &mut Context<'_>,
    snapshot: &VolumeSnapshot,
) -> Result<(), CdiError> {
    let mut claim = temporary_claim(state, snapshot)?;
    let class = snapshot.spec.volume_snapshot_class_name.clone().unwrap_or_default();
    let Some((_, found)) = cx.view().named::<VolumeSnapshotClass>("", &class) else {
        return Err(ApiError::NotFound { kind: Kind::VolumeSnapshotClass, name: class }.into());
    };
    claim.spec.storage_class_name = Some(class_of_driver(cx, &found.driver)?);
    create_temporary_claim(state, cx, claim)
}

/// `getStorageClassCorrespondingToSnapClass`: the first by name. There are few classes, so they may be walked.
fn class_of_driver(cx: &Context<'_>, driver: &str) -> Result<ArcStr, CdiError> {
    let classes = cx.view().iter::<StorageClass>().map(|(_, class)| class);
    let names = classes.filter(|class| class.provisioner == driver).map(|class| &class.metadata.name);
    let none = || CdiError::Resource(literal!("no storage class match for snapshot driver"));
    names.min().cloned().ok_or_else(none)
}

/// `makePvcFromSnapshot`, `newPvcFromSnapshot`.
fn temporary_claim(state: &SyncState, snapshot: &VolumeSnapshot) -> Result<PersistentVolumeClaim, CdiError> {
    let dv = &state.dv.metadata;
    let size = snapshot.status.as_ref().and_then(|status| status.restore_size.clone());
    let Some(size) = size.filter(|size| size.value() >= 0) else {
        return Err(CdiError::Resource(literal!("snapshot has no RestoreSize")));
    };
    let mut claim = PersistentVolumeClaim { spec: state.spec.clone(), ..PersistentVolumeClaim::default() };
    let meta = &mut claim.metadata;
    meta.name = temporary_name(&state.dv);
    meta.namespace = snapshot.metadata.namespace.clone();
    meta.labels.insert("cdi-controller", snapshot.metadata.name.clone());
    meta.labels.insert("app", "containerized-data-importer");
    merge(&dv.labels, &mut meta.labels);
    meta.labels.insert("cdi.kubevirt.io", CLONE_FROM_SNAPSHOT_FALLBACK);
    if is_filesystem(claim.spec.volume_mode.as_ref()) {
        meta.labels.insert("alerts.k8s.io/KubePersistentVolumeFillingUp", "disabled");
    }
    set_recommended_labels(&mut meta.labels);
    meta.annotations.insert(ann::RUNNING_CONDITION, "False");
    meta.annotations.insert(ann::RUNNING_CONDITION_MESSAGE, "Clone Complete");
    meta.annotations.insert(ann::RUNNING_CONDITION_REASON, "Completed");
    merge(&dv.annotations, &mut meta.annotations);
    meta.annotations.insert(ann::OWNED_BY_DATA_VOLUME, arcstr::format!("{}/{}", dv.namespace, dv.name));
    meta.annotations.insert(ann::OWNER_UID, dv.uid.clone());
    if !size.is_zero() {
        claim.spec.resources.requests.insert("storage", size);
    }
    claim.spec.data_source_ref = Some(TypedLocalObjectReference {
        api_group: Some(literal!("snapshot.storage.k8s.io")),
        kind: literal!("VolumeSnapshot"),
        name: snapshot.metadata.name.clone(),
        ..TypedLocalObjectReference::default()
    });
    Ok(claim)
}

fn temporary_name(dv: &DataVolume) -> ArcStr {
    arcstr::format!("{}-host-assisted-source-pvc", dv.metadata.uid)
}

fn create_temporary_claim(
    state: &mut SyncState,
    cx: &mut Context<'_>,
    claim: PersistentVolumeClaim,
) -> Result<(), CdiError> {
    let meta = &claim.metadata;
    if cx.view().named::<PersistentVolumeClaim>(&meta.namespace, &meta.name).is_some() {
        return Ok(());
    }
    match cx.create(claim).map_err(CdiError::from) {
        Ok(_) => Ok(()),
        Err(error) => {
            if error.is_quota_exceeded() {
                let event = PhaseEvent::new(EventType::Warning, "ErrExceededQuota", error.text());
                state.set_phase(literal!("Pending"), event);
            }
            Err(error)
        }
    }
}

/// `updateAnnotations`: the clone controller copies the temporary claim.
pub(super) fn request(_: &Context<'_>, dv: &DataVolume, claim: &mut PersistentVolumeClaim) {
    let Some(source) = CloneSource::of(dv) else { return };
    clone_tokens::add(dv, claim);
    let request = arcstr::format!("{}/{}", source.namespace, temporary_name(dv));
    claim.metadata.annotations.insert(ann::CLONE_REQUEST, request);
}

/// `cleanupHostAssistedSnapshotClone`.
pub(super) fn delete_temporary_claim(state: &SyncState, cx: &mut Context<'_>) -> Result<(), CdiError> {
    let source = CloneSource::of(&state.dv).filter(|source| source.kind == "snapshot");
    let Some(source) = source else { return Ok(()) };
    let name = temporary_name(&state.dv);
    let found = cx.view().named::<PersistentVolumeClaim>(&source.namespace, &name);
    let dv = &state.dv.metadata;
    let is_ours = |meta: &ObjectMeta| {
        let owner = meta.annotations.get(&ann::OWNED_BY_DATA_VOLUME).and_then(|owner| owner.split_once('/'));
        owner == Some((dv.namespace.as_str(), dv.name.as_str()))
            && meta.labels.has("cdi.kubevirt.io", CLONE_FROM_SNAPSHOT_FALLBACK)
    };
    match found.filter(|(_, claim)| is_ours(&claim.metadata)) {
        Some((id, _)) => Ok(cx.delete::<PersistentVolumeClaim>(id)?),
        None => Ok(()),
    }
}
