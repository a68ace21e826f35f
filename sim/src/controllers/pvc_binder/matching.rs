//! Which volume fits a claim: `pkg/controller/volume/persistentvolume/index.go` and `FindMatchingVolume` of
//! `staging/src/k8s.io/component-helpers/storage/volume/pv_helpers.go`.

use super::cache::{Cache, Volume};
use super::class::{claim_class, volume_class};
use crate::objects::{ObjectReference, PersistentVolume, PersistentVolumeClaim, ResourceList, Rest};
use crate::quantity::Quantity;
use crate::store::View;
use arcstr::ArcStr;

/// The volume to bind a claim to, if there is one.
///
/// Volumes are grouped by access modes; of the groups that have all that the claim wants the one with the fewest comes
/// first, and the first with a fitting volume wins. Within it a volume that is kept for the claim comes first, then the
/// smallest, then the first by name. A delayed claim takes only what is kept for it: the scheduler chooses the others.
pub(super) fn find_best_match(
    cache: &Cache,
    view: View<'_>,
    claim: &PersistentVolumeClaim,
    delayed: bool,
) -> Option<Volume> {
    let meta = &claim.metadata;
    let class = claim_class(claim);
    let kept = cache.index.naming(&meta.namespace, &meta.name).iter().copied();
    let free = (!delayed).then(|| cache.index.free(&class)).into_iter().flatten();
    let candidates = kept.chain(free).filter_map(|id| cache.volume(view, id));
    let fitting = candidates.filter(|volume| fits(&volume.object, claim));
    fitting.min_by(|a, b| rank(&a.object).cmp(&rank(&b.object)))
}

/// Why a volume that a claim names cannot be bound to it (`checkVolumeSatisfyClaim`).
pub(super) fn mismatch(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> Option<String> {
    if volume.metadata.is_deleting() {
        return Some(format!("the volume is marked for deletion \"{}\"", volume.metadata.name));
    }
    let rules: [(bool, &str); 5] = [
        (capacity(&volume.spec.capacity).value() < request(claim).value(), "requested PV is too small"),
        (*volume_class(volume) != claim_class(claim), "storageClassName does not match"),
        (
            attributes_class(&volume.spec.rest) != attributes_class(&claim.spec.rest),
            "volumeAttributesClassName does not match",
        ),
        (modes_mismatch(claim, volume), "incompatible volumeMode"),
        (!has_access_modes(volume, claim), "incompatible accessMode"),
    ];
    rules.into_iter().find(|(broken, _)| *broken).map(|(_, why)| why.to_owned())
}

/// Whether a volume's claimRef names this claim, with its uid or without any.
pub(super) fn is_bound_to(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    volume.spec.claim_ref.as_ref().is_some_and(|claim_ref| {
        names(claim_ref, claim) && (claim_ref.uid.is_empty() || claim_ref.uid == claim.metadata.uid)
    })
}

/// Whether one is a file system and the other a block device; absent means Filesystem.
pub(super) fn modes_mismatch(claim: &PersistentVolumeClaim, volume: &PersistentVolume) -> bool {
    let mode = |mode: &Option<ArcStr>| mode.clone().unwrap_or(arcstr::literal!("Filesystem"));
    mode(&claim.spec.volume_mode) != mode(&volume.spec.volume_mode)
}

fn names(claim_ref: &ObjectReference, claim: &PersistentVolumeClaim) -> bool {
    claim_ref.name == claim.metadata.name && claim_ref.namespace == claim.metadata.namespace
}

fn fits(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    let sized = capacity(&volume.spec.capacity) >= request(claim);
    let usable = sized
        && !volume.metadata.is_deleting()
        && !modes_mismatch(claim, volume)
        && attributes_class(&volume.spec.rest) == attributes_class(&claim.spec.rest)
        && has_access_modes(volume, claim);
    match &volume.spec.claim_ref {
        Some(_) => usable && is_bound_to(volume, claim),
        None => usable && is_selected(volume, claim),
    }
}

fn is_selected(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    claim.spec.selector.as_ref().is_none_or(|selector| selector.matches(&volume.metadata.labels))
}

/// Less is better.
fn rank(volume: &PersistentVolume) -> (u32, u8, bool, Quantity, ArcStr) {
    let modes = access_modes(&volume.spec.access_modes);
    let free = volume.spec.claim_ref.is_none();
    let size = if free { capacity(&volume.spec.capacity) } else { Quantity::default() };
    (modes.count_ones(), modes, free, size, volume.metadata.name.clone())
}

fn has_access_modes(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    claim.spec.access_modes.iter().all(|mode| volume.spec.access_modes.contains(mode))
}

/// A bit each, in the order in which `GetAccessModesAsString` spells them.
fn access_modes(modes: &[ArcStr]) -> u8 {
    const ORDER: [&str; 4] = ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"];
    let bits = ORDER.iter().enumerate().filter(|(_, known)| modes.iter().any(|mode| mode == **known));
    bits.fold(0, |bits, (bit, _)| bits | 1 << bit)
}

/// The size of a volume; nothing where it does not say.
pub(super) fn capacity(list: &ResourceList) -> Quantity {
    list.get("storage").cloned().unwrap_or_default()
}

fn request(claim: &PersistentVolumeClaim) -> Quantity {
    capacity(&claim.spec.resources.requests)
}

fn attributes_class(rest: &Rest) -> &str {
    rest.get("volumeAttributesClassName").and_then(serde_json::Value::as_str).unwrap_or("")
}
