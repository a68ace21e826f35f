//! Clones from snapshots: which class, and whether the storage can make a volume of one.
//!
//! CDI main 2026-08: `pkg/controller/clone/planner.go` (`computeStrategyForSourceSnapshot`), `snapshot.go`,
//! `pkg/controller/common/util.go` (`GetVolumeSnapshotClass`, `ValidateSnapshotClone…`).

use super::strategy::{
    Choice, INCOMPATIBLE_VOLUME_MODES, NO_VOLUME_EXPANSION, allows_expansion, common_driver,
};
use super::{CloneOf, OWNED_BY_UID, SourceRef};
use crate::cdi_config::CloneStrategy;
use crate::context::{Context, EventType};
use crate::controllers::cdi::claims::is_filesystem;
use crate::controllers::cdi::errors::CdiError;
use crate::kind::Kind;
use crate::objects::{
    PersistentVolumeClaim, StorageClass, VolumeSnapshot, VolumeSnapshotClass, VolumeSnapshotContent,
    VolumeSnapshotSource, VolumeSnapshotSpec,
};
use crate::store::ApiError;
use arcstr::{ArcStr, literal};
use std::sync::Arc;

/// `computeStrategyForSourceSnapshot`.
pub(super) fn choose(
    cx: &mut Context<'_>,
    target: &PersistentVolumeClaim,
    source: &SourceRef,
    class: &StorageClass,
) -> Result<Option<Choice>, CdiError> {
    let (namespace, name) = (&source.namespace, &source.name);
    let Some((_, snapshot)) = cx.view().named::<VolumeSnapshot>(namespace, name) else {
        let text = format!("The source snapshot {name} doesn't exist");
        cx.event(target, EventType::Warning, "CloneWithoutSource", &text);
        return Ok(None);
    };
    let snapshot = Arc::clone(snapshot);
    if content(cx, &snapshot)?.spec.driver != class.provisioner {
        let text = "The storageclass provisioner does not match the volumesnapshotcontent driver";
        return Ok(Some(Choice::fall_back(cx, target, "NoProvisionerMatch", text)));
    }
    let size = snapshot.status.as_ref().and_then(|status| status.restore_size.as_ref());
    let Some(size) = size else {
        return Err(CdiError::Resource(literal!("snapshot has no RestoreSize")));
    };
    let wanted = target.spec.resources.requests.get("storage");
    if wanted.is_some_and(|wanted| size.value() < wanted.value()) && !allows_expansion(class) {
        let (reason, text) = NO_VOLUME_EXPANSION;
        return Ok(Some(Choice::fall_back(cx, target, reason, text)));
    }
    let mode = content(cx, &snapshot)?.spec.source_volume_mode.clone();
    if is_filesystem(mode.as_ref()) != is_filesystem(target.spec.volume_mode.as_ref()) {
        let (reason, text) = INCOMPATIBLE_VOLUME_MODES;
        return Ok(Some(Choice::fall_back(cx, target, reason, text)));
    }
    Ok(Some(Choice { strategy: CloneStrategy::Snapshot, fallback_reason: None }))
}

/// The content that a snapshot is bound to.
pub(super) fn content<'a>(
    cx: &'a Context<'_>,
    snapshot: &VolumeSnapshot,
) -> Result<&'a Arc<VolumeSnapshotContent>, CdiError> {
    let none = || CdiError::Resource(literal!("volumeSnapshotContent name not found"));
    let status = snapshot.status.as_ref().ok_or_else(none)?;
    let name = status.bound_volume_snapshot_content_name.as_ref().ok_or_else(none)?;
    let found = cx.view().named::<VolumeSnapshotContent>("", name).map(|(_, content)| content);
    found.ok_or_else(|| ApiError::NotFound { kind: Kind::VolumeSnapshotContent, name: name.clone() }.into())
}

/// `GetCompatibleVolumeSnapshotClass`: the class that serves all claims, as the StorageProfile says it: the driver's
/// default, else the first by name. There are few classes, so they may be walked.
pub(super) fn snapshot_class(
    cx: &mut Context<'_>,
    target: &PersistentVolumeClaim,
    claims: &[&PersistentVolumeClaim],
) -> Result<Option<ArcStr>, CdiError> {
    let Some(driver) = common_driver(cx, claims) else { return Ok(None) };
    let is_default = |class: &VolumeSnapshotClass| {
        class.metadata.annotations.has("snapshot.storage.kubernetes.io/is-default-class", "true")
    };
    let classes = cx.view().iter::<VolumeSnapshotClass>().map(|(_, class)| class);
    let found = classes
        .filter(|class| class.driver == driver)
        .min_by_key(|class| (!is_default(class), class.metadata.name.clone()));
    let name = found.map(|class| class.metadata.name.clone());
    if let Some(name) = &name {
        let text = format!("VolumeSnapshotClass selected according to StorageProfile {name}");
        cx.event(target, EventType::Normal, "VolumeSnapshotClassSelected", &text);
    }
    Ok(name)
}

/// The class of the snapshot that is taken on the way, which an event tells at each look.
pub(super) fn class_for(cx: &mut Context<'_>, clone: &CloneOf) -> Result<ArcStr, CdiError> {
    let none = || CdiError::Resource(literal!("no compatible volumesnapshotclass"));
    snapshot_class(cx, &clone.target, &[&clone.target])?.ok_or_else(none)
}

/// The name of the snapshot that is taken on the way.
pub(super) fn name_of(clone: &CloneOf) -> ArcStr {
    name_for(&clone.target)
}

pub(super) fn name_for(target: &PersistentVolumeClaim) -> ArcStr {
    arcstr::format!("tmp-snapshot-{}", target.metadata.uid)
}

/// `createSnapshot`.
pub(super) fn create(cx: &mut Context<'_>, clone: &CloneOf, class: &ArcStr) -> Result<(), CdiError> {
    let source = VolumeSnapshotSource {
        persistent_volume_claim_name: Some(clone.source.name.clone()),
        ..VolumeSnapshotSource::default()
    };
    let spec = VolumeSnapshotSpec {
        source,
        volume_snapshot_class_name: Some(class.clone()),
        ..VolumeSnapshotSpec::default()
    };
    let mut snapshot = VolumeSnapshot { spec, ..VolumeSnapshot::default() };
    snapshot.metadata.name = name_of(clone);
    snapshot.metadata.namespace = clone.namespace().clone();
    snapshot.metadata.labels.insert("app", "containerized-data-importer");
    snapshot.metadata.labels.insert(OWNED_BY_UID, clone.target.metadata.uid.clone());
    cx.create(snapshot)?;
    Ok(())
}
