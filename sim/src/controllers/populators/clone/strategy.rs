//! How a clone is made: by the driver, from a snapshot, or byte by byte.
//!
//! CDI main 2026-08: `pkg/controller/clone/planner.go` (`ChooseStrategy`), `common.go`.

use super::SourceRef;
use super::snapshot::snapshot_class;
use crate::cdi_config::CloneStrategy;
use crate::context::{Context, EventType};
use crate::controllers::cdi::annotations as ann;
use crate::controllers::cdi::claims::is_filesystem;
use crate::controllers::cdi::errors::CdiError;
use crate::controllers::data_volume::too_small;
use crate::objects::{PersistentVolume, PersistentVolumeClaim, StorageClass};
use arcstr::{ArcStr, literal};
use std::sync::Arc;

/// A strategy, and why it is not the better one.
pub(super) struct Choice {
    pub(super) strategy: CloneStrategy,
    pub(super) fallback_reason: Option<&'static str>,
}

impl Choice {
    /// What was chosen before.
    pub(super) fn saved(name: &ArcStr) -> Result<Self, CdiError> {
        let unknown = || CdiError::Resource(arcstr::format!("unknown strategy/source {name}"));
        Ok(Self { strategy: CloneStrategy::parse(name).ok_or_else(unknown)?, fallback_reason: None })
    }

    /// `fallbackToHostAssisted`.
    pub(super) fn fall_back(
        cx: &mut Context<'_>,
        target: &PersistentVolumeClaim,
        reason: &str,
        text: &'static str,
    ) -> Self {
        cx.event(target, EventType::Warning, reason, text);
        Self { strategy: CloneStrategy::HostAssisted, fallback_reason: Some(text) }
    }
}

/// `ChooseStrategy`; none while there is nothing to copy.
pub(super) fn choose(
    cx: &mut Context<'_>,
    target: &PersistentVolumeClaim,
    source: &SourceRef,
) -> Result<Option<Choice>, CdiError> {
    let Some(class) = class_of(cx, target).cloned() else {
        return Err(CdiError::Resource(literal!("target storage class not found")));
    };
    if source.is_snapshot {
        return super::snapshot::choose(cx, target, source, &class);
    }
    let (namespace, name) = (&source.namespace, &source.name);
    let Some((_, from)) = cx.view().named::<PersistentVolumeClaim>(namespace, name) else {
        let text = format!("The source pvc {name} doesn't exist");
        cx.event(target, EventType::Warning, "CloneWithoutSource", &text);
        return Ok(None);
    };
    let from = Arc::clone(from);
    validate(cx, target, &from)?;
    let strategy = cx.config.cdi.clone_strategy(&class);
    if strategy == CloneStrategy::Snapshot && snapshot_class(cx, target, &[&from, target])?.is_none() {
        let text = "No compatible volumesnapshotclass found";
        return Ok(Some(Choice::fall_back(cx, target, "NoVolumeSnapshotClass", text)));
    }
    if strategy != CloneStrategy::HostAssisted
        && let Some((reason, text)) = obstacle(cx, target, &from, &class)?
    {
        return Ok(Some(Choice::fall_back(cx, target, reason, text)));
    }
    Ok(Some(Choice { strategy, fallback_reason: None }))
}

/// The class that a claim names (`GetStorageClassForClaim`).
pub(super) fn class_of<'a>(
    cx: &'a Context<'_>,
    claim: &PersistentVolumeClaim,
) -> Option<&'a Arc<StorageClass>> {
    let name = claim.spec.storage_class_name.as_ref().filter(|name| !name.is_empty())?;
    cx.view().named::<StorageClass>("", name).map(|(_, class)| class)
}

/// `validateSourcePVC`: the copy must have room, unless the size was found out by CDI.
fn validate(
    cx: &mut Context<'_>,
    target: &PersistentVolumeClaim,
    from: &PersistentVolumeClaim,
) -> Result<(), CdiError> {
    if target.metadata.annotations.contains_key(&ann::PERMISSIVE_CLONE) {
        return Ok(());
    }
    let [wanted, needed] = [target, from].map(|claim| claim.spec.resources.requests.get("storage"));
    let Some(why) = too_small(wanted, needed) else { return Ok(()) };
    cx.event(target, EventType::Warning, "ErrIncompatiblePVC", &why);
    let text = "The clone doesn't meet the validation requirements";
    cx.event(target, EventType::Warning, "CloneValidationFailed", text);
    Err(CdiError::Resource(why))
}

/// `validateAdvancedClonePVC`: why the storage cannot do it.
fn obstacle(
    cx: &Context<'_>,
    target: &PersistentVolumeClaim,
    from: &PersistentVolumeClaim,
    class: &StorageClass,
) -> Result<Option<(&'static str, &'static str)>, CdiError> {
    if common_driver(cx, &[from, target]).is_none() {
        return Ok(Some(("IncompatibleProvisioners", "Provisioners are incompatible")));
    }
    let is_files = |claim: &PersistentVolumeClaim| is_filesystem(claim.spec.volume_mode.as_ref());
    if is_files(from) != is_files(target) {
        return Ok(Some(INCOMPATIBLE_VOLUME_MODES));
    }
    let (capacity, wanted) =
        (from.status.capacity.get("storage"), target.spec.resources.requests.get("storage"));
    let (Some(capacity), Some(wanted)) = (capacity, wanted) else {
        return Err(CdiError::Resource(literal!("source/target size info missing")));
    };
    if capacity.value() < wanted.value() && !allows_expansion(class) {
        return Ok(Some(NO_VOLUME_EXPANSION));
    }
    Ok(None)
}

pub(super) const INCOMPATIBLE_VOLUME_MODES: (&str, &str) =
    ("IncompatibleVolumeModes", "The volume modes of source and target are incompatible");

pub(super) const NO_VOLUME_EXPANSION: (&str, &str) = ("NoVolumeExpansion", "No volume expansion is possible");

pub(super) fn allows_expansion(class: &StorageClass) -> bool {
    class.rest.get("allowVolumeExpansion") == Some(&serde_json::Value::Bool(true))
}

/// `GetCommonDriver`: that of the volumes, or where there is none yet of the classes.
pub(super) fn common_driver(cx: &Context<'_>, claims: &[&PersistentVolumeClaim]) -> Option<ArcStr> {
    let driver = |claim: &PersistentVolumeClaim| {
        let volume = cx.view().named::<PersistentVolume>("", &claim.spec.volume_name);
        let csi = volume.and_then(|(_, volume)| volume.spec.rest.get("csi")?.get("driver")?.as_str());
        csi.map(ArcStr::from).or_else(|| Some(class_of(cx, claim)?.provisioner.clone()))
    };
    let (first, others) = claims.split_first()?;
    let common = driver(first)?;
    others.iter().all(|claim| driver(claim).as_ref() == Some(&common)).then_some(common)
}
