//! What the table asks of a machine's DataVolumes and claims.
//!
//! KubeVirt main of August 2026 (`d923fdb815cd`): `pkg/storage/types/dv.go` and `pvc.go`. Releases before 1.3 do not
//! know the reason `ImagePullFailed`; releases before 1.0 pass over a DataVolume that is not bound; 0.59 does not know
//! the phase `PendingPopulation`.

use super::Situation;
use crate::objects::{Conditions, DataVolume, PersistentVolumeClaim, Truth, VmVolume};
use crate::release::KubeVirtRelease;
use std::sync::Arc;

/// The first DataVolume of the machine that has failed or whose worker has stopped with an error
/// (`HasDataVolumeErrors`).
pub(super) fn broken_data_volume<'a>(s: &Situation<'a>) -> Option<&'a Arc<DataVolume>> {
    data_volumes(s).find(|dv| dv.status.phase == "Failed" || has_stopped_running(dv, s.release))
}

/// The first DataVolume of the machine that is on its way to being filled (`HasDataVolumeProvisioning`).
pub(super) fn data_volume_in_progress<'a>(s: &Situation<'a>) -> Option<&'a Arc<DataVolume>> {
    data_volumes(s).find(|dv| is_in_progress(dv, s.release))
}

/// The first claim of the machine that exists and is not bound (`HasUnboundPVC`).
pub(super) fn unbound_claim<'a>(s: &Situation<'a>) -> Option<&'a Arc<PersistentVolumeClaim>> {
    let names = volumes(s).iter().filter_map(VmVolume::claim_name);
    let claims = names.filter_map(|name| s.view.named::<PersistentVolumeClaim>(namespace(s), name));
    claims.map(|(_, claim)| claim).find(|claim| claim.status.phase != "Bound")
}

fn has_stopped_running(dv: &DataVolume, release: KubeVirtRelease) -> bool {
    let knows_pull_failures = release.profile().heeds_refused_pulls;
    dv.status.conditions.condition("Running").is_some_and(|running| {
        running.is_false_because("Error")
            || knows_pull_failures && running.is_false_because("ImagePullFailed")
    })
}

/// Unbound and waiting for a consumer is at rest, not in progress.
fn is_in_progress(dv: &DataVolume, release: KubeVirtRelease) -> bool {
    let phase = dv.status.phase.as_str();
    let knows_pending_population = release.profile().knows_pending_population;
    if phase == "Succeeded" || knows_pending_population && phase == "PendingPopulation" {
        return false;
    }
    let bound = dv.status.conditions.condition("Bound").is_some_and(|bound| bound.status == Truth::True);
    let counts_unbound = release.profile().counts_unbound_volumes;
    bound || counts_unbound && phase != "WaitForFirstConsumer"
}

/// The DataVolumes that volumes of kind dataVolume name; one that is missing is passed over.
fn data_volumes<'a>(s: &Situation<'a>) -> impl Iterator<Item = &'a Arc<DataVolume>> {
    let (view, namespace) = (s.view, namespace(s));
    let names = volumes(s).iter().filter_map(|volume| volume.data_volume.as_ref());
    names.filter_map(move |source| Some(view.named::<DataVolume>(namespace, &source.name)?.1))
}

fn namespace<'a>(s: &Situation<'a>) -> &'a str {
    &s.vm.metadata.namespace
}

fn volumes<'a>(s: &Situation<'a>) -> &'a [VmVolume] {
    s.vm.spec.template.as_ref().map_or(&[], |template| &template.spec.volumes)
}
