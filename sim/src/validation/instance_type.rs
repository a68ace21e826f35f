//! VirtualMachineInstancetype and VirtualMachineClusterInstancetype, KubeVirt main of August 2026:
//! `pkg/instancetype/webhooks/admitter.go`, as it was read in a version of 2026. Preferences have no such rules.

use super::field::Field;
use super::field_error::Errors;
use super::{Row, meta};

pub(super) const NAMESPACED: &[Row] = &[("metadata", meta::namespaced), ("spec.memory", memory)];

pub(super) const CLUSTER_WIDE: &[Row] = &[("metadata", meta::cluster_wide), ("spec.memory", memory)];

/// `validateMemoryOvercommitPercentSetting`, `validateMemoryOvercommitPercentNoHugepages`.
fn memory(at: &Field<'_>, errors: &mut Errors) {
    let (percent, pages) = (at.child("overcommitPercent"), at.child("hugepages"));
    let share = percent.number().unwrap_or_default();
    if !(0..=100).contains(&share) {
        let message = format!("{} '{share}': must be in range between 0 and 100.", percent.path());
        errors.cause(&percent, message);
    }
    if share != 0 && pages.is_set() {
        let message = format!("{} and {} should not be requested together.", percent.path(), pages.path());
        errors.cause(&percent, message);
    }
}
