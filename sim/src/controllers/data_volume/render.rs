//! The claim that a DataVolume asks for, completed from storage class and profile.
//!
//! CDI main 2026-08: `pkg/controller/datavolume/util.go` (`renderPvcSpec`).

use crate::cdi_config::{CdiConfig, ClaimPropertySet};
use crate::context::{Context, EventType};
use crate::controllers::cdi::claims::is_filesystem;
use crate::controllers::cdi::errors::CdiError;
use crate::controllers::cdi::storage_class;
use crate::objects::{
    DataVolume, PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimSpec, StorageClass,
};
use crate::quantity::Quantity;
use arcstr::{ArcStr, literal};

const MIB: i64 = 1024 * 1024;

/// `renderPvcSpec`: `spec.pvc` as it is, or `spec.storage` with what is missing.
pub(super) fn claim_spec(
    cx: &mut Context<'_>,
    dv: &DataVolume,
    claim: Option<&PersistentVolumeClaim>,
) -> Result<PersistentVolumeClaimSpec, CdiError> {
    if let Some(spec) = &dv.spec.pvc {
        return Ok(spec.clone());
    }
    let Some(storage) = &dv.spec.storage else {
        return Err(CdiError::ClaimNotValid(literal!("datavolume one of {pvc, storage} field is required")));
    };
    let mut spec = match claim {
        Some(claim) => claim.spec.clone(),
        None => {
            let mut spec = storage.clone();
            complete(cx, dv, &mut spec)?;
            spec
        }
    };
    let source = dv.spec.source.as_ref();
    let is_clone =
        source.is_some_and(|source| source.get("pvc").is_some() || source.get("snapshot").is_some());
    complete_size(cx, &mut spec, is_clone)?;
    Ok(spec)
}

/// `renderPvcSpecVolumeModeAndAccessModesAndStorageClass`.
fn complete(
    cx: &mut Context<'_>,
    dv: &DataVolume,
    spec: &mut PersistentVolumeClaimSpec,
) -> Result<(), CdiError> {
    let is_archive = dv.spec.content_type == "archive";
    if is_archive {
        if !is_filesystem(spec.volume_mode.as_ref()) {
            let text = literal!("ContentType Archive cannot have block volumeMode");
            cx.event(dv, EventType::Warning, "ErrClaimNotValid", &text);
            return Err(CdiError::ClaimNotValid(text));
        }
        spec.volume_mode = Some(literal!("Filesystem"));
    }
    let class = storage_class::by_name_for_disks(cx.view(), spec.storage_class_name.as_ref(), is_archive);
    let Some(class) = class.cloned() else {
        complete_from_available_volume(cx, spec);
        if spec.access_modes.is_empty() {
            let error = CdiError::StorageClassNotFound;
            cx.event(dv, EventType::Warning, "ErrClaimNotValid", &error.text());
            return Err(error);
        }
        return Ok(());
    };
    spec.storage_class_name = Some(class.metadata.name.clone());
    let completed = complete_modes(&cx.config.cdi, &class, spec);
    completed.map_err(|refusal| {
        if let Some(event) = refusal.event {
            cx.event(dv, EventType::Warning, "ErrClaimNotValid", &event);
        }
        CdiError::ClaimNotValid(refusal.error)
    })
}

/// Why the profile of a class does not help, with the event that tells it.
struct Refusal {
    event: Option<ArcStr>,
    error: ArcStr,
}

/// Takes access modes and volume mode from the profile where the claim does not say them.
fn complete_modes(
    cdi: &CdiConfig,
    class: &StorageClass,
    spec: &mut PersistentVolumeClaimSpec,
) -> Result<(), Refusal> {
    let name = &class.metadata.name;
    let sets = cdi.claim_property_sets(class);
    let mode = spec.volume_mode.clone().filter(|mode| !mode.is_empty());
    match (spec.access_modes.is_empty(), mode) {
        (true, None) => {
            let first = sets.first().filter(|set| !set.access_modes.is_empty());
            let set = first.ok_or_else(|| Refusal {
                event: Some(arcstr::format!(
                    "Spec is missing accessMode and volumeMode, cannot get access mode from StorageProfile {name}"
                )),
                error: arcstr::format!("no accessMode specified in StorageProfile {name}"),
            })?;
            spec.access_modes.clone_from(&set.access_modes);
            spec.volume_mode = Some(set.volume_mode.clone());
        }
        (true, Some(mode)) => {
            let with_mode = |set: &&ClaimPropertySet| set.volume_mode == mode && !set.access_modes.is_empty();
            let set = sets.iter().find(with_mode).ok_or_else(|| Refusal {
                event: Some(arcstr::format!(
                    "Spec is missing accessMode and cannot get access mode from StorageProfile {name}"
                )),
                error: arcstr::format!("no matching accessMode specified in StorageProfile {name}"),
            })?;
            spec.access_modes.clone_from(&set.access_modes);
        }
        (false, None) => {
            let fits = |set: &&ClaimPropertySet| {
                set.access_modes.iter().any(|mode| spec.access_modes.contains(mode))
            };
            spec.volume_mode = sets.iter().find(fits).map(|set| set.volume_mode.clone());
        }
        (false, Some(_)) => {}
    }
    Ok(())
}

/// `renderPvcSpecFromAvailablePv`: a volume of the class that is free says the modes.
fn complete_from_available_volume(cx: &Context<'_>, spec: &mut PersistentVolumeClaimSpec) {
    let Some(class) = &spec.storage_class_name else { return };
    // Only where the claim names a class that does not exist, so the walk is rare.
    let volumes = cx.view().iter::<PersistentVolume>().map(|(_, volume)| volume);
    let mut free = volumes
        .filter(|volume| volume.status.phase == "Available" && volume.spec.storage_class_name == *class);
    if let Some(volume) = free.find(|volume| satisfies(volume, spec)) {
        spec.volume_mode.clone_from(&volume.spec.volume_mode);
        if spec.access_modes.is_empty() {
            spec.access_modes.clone_from(&volume.spec.access_modes);
        }
    }
}

/// `CheckVolumeSatisfyClaim`.
pub(super) fn satisfies(volume: &PersistentVolume, spec: &PersistentVolumeClaimSpec) -> bool {
    let size = |amount: Option<&Quantity>| amount.map_or(0, Quantity::value);
    let class = spec.storage_class_name.as_ref().filter(|class| !class.is_empty());
    let same_mode =
        is_filesystem(spec.volume_mode.as_ref()) == is_filesystem(volume.spec.volume_mode.as_ref());
    !volume.metadata.is_deleting()
        && size(volume.spec.capacity.get("storage")) >= size(spec.resources.requests.get("storage"))
        && class.is_none_or(|class| volume.spec.storage_class_name == *class)
        && same_mode
        && spec.access_modes.iter().all(|mode| volume.spec.access_modes.contains(mode))
}

/// `renderPvcSpecVolumeSize`: the size of the disk and what the file system takes for itself.
fn complete_size(
    cx: &Context<'_>,
    spec: &mut PersistentVolumeClaimSpec,
    is_clone: bool,
) -> Result<(), CdiError> {
    let Some(size) = spec.resources.requests.get("storage").map(Quantity::value) else {
        if !is_clone {
            return Err(CdiError::ClaimNotValid(literal!("PVC Spec is not valid - missing storage size")));
        }
        spec.resources.requests.insert("storage", Quantity::from_value(0));
        return Ok(());
    };
    if size < MIB {
        let text = literal!("PVC Spec is not valid - storage size should be at least 1MiB");
        return Err(CdiError::ClaimNotValid(text));
    }
    let size = if is_filesystem(spec.volume_mode.as_ref()) {
        required_space(filesystem_overhead(&cx.config.cdi, spec.storage_class_name.as_ref()), size)
    } else {
        size
    };
    spec.resources.requests.insert("storage", Quantity::from_value(size));
    Ok(())
}

/// `GetFilesystemOverheadForStorageClass`.
pub(in crate::controllers) fn filesystem_overhead(cdi: &CdiConfig, class: Option<&ArcStr>) -> f64 {
    if class.is_some_and(|class| class.is_empty()) { 0.0 } else { cdi.filesystem_overhead }
}

/// `GetRequiredSpace`, in floating point as upstream, which rounds up.
pub(in crate::controllers) fn required_space(overhead: f64, size: i64) -> i64 {
    let aligned = size.div_euclid(MIB) + i64::from(size.rem_euclid(MIB) > 0);
    ((aligned * MIB) as f64 * (1.0 + overhead)).ceil() as i64
}

/// `GetUsableSpace`: the other way round.
pub(in crate::controllers) fn usable_space(overhead: f64, size: i64) -> i64 {
    let without = (size as f64 / (1.0 + overhead)).ceil() as i64;
    without / MIB * MIB
}

#[cfg(test)]
mod tests {
    use super::{required_space, usable_space};

    #[test]
    fn the_file_system_takes_six_percent() {
        assert_eq!(required_space(0.06, 1 << 30), 1_138_166_334);
        assert_eq!(required_space(0.0, (1 << 20) + 1), 2 << 20);
        assert_eq!(usable_space(0.06, 1_138_166_334), 1 << 30);
    }
}
