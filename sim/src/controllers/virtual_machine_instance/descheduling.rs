//! What a launcher shows of its instance to the descheduler and others, KubeVirt main 2026-08 (`d923fdb815cd`):
//! `pkg/virt-controller/watch/vmi/lifecycle.go`, `SyncPodAnnotations`, `syncDynamicAnnotationsAndLabelsToPod`, and
//! `pkg/virt-controller/watch/descheduler`. The label of outdated launchers is left out: all are of the installed release.

use super::conditions::{remove_condition, update_condition};
use super::pods::named;
use super::status::NODE_NAME_LABEL;
use super::{OwnedPod, SyncError};
use crate::context::Context;
use crate::objects::{Condition, Conditions, Pod, StrMap, Truth, VirtualMachineInstance};
use crate::store::ApiError;
use arcstr::ArcStr;
use std::sync::Arc;
use stuckvm_detector::Time;

/// Keeps the descheduler from evicting a launcher other than by request.
const EVICT_ONLY: ArcStr = arcstr::literal!("descheduler.alpha.kubernetes.io/request-evict-only");

/// Tells the descheduler that the instance is on its way to another node.
const EVICTION_IN_PROGRESS: ArcStr = arcstr::literal!("descheduler.alpha.kubernetes.io/eviction-in-progress");

/// What a user says to the descheduler of a running instance too.
const DYNAMIC_ANNOTATIONS: [ArcStr; 2] = [
    arcstr::literal!("descheduler.alpha.kubernetes.io/evict"),
    arcstr::literal!("descheduler.alpha.kubernetes.io/prefer-no-eviction"),
];

/// Annotates a launcher that is ready, since 1.7 also with whether its instance is to leave the node.
pub(super) fn annotate(
    vmi: &VirtualMachineInstance,
    mut launcher: OwnedPod,
    cx: &mut Context<'_>,
) -> Result<OwnedPod, SyncError> {
    let failed = |error: ApiError| SyncError::new(arcstr::literal!("FailedPodPatch"), error.to_string());
    if !launcher.1.metadata.annotations.has(&EVICT_ONLY, "") {
        let add = |pod: &mut Pod| _ = pod.metadata.annotations.insert(EVICT_ONLY, ArcStr::new());
        launcher = patched(launcher.0, add, cx).map_err(failed)?;
    }
    let leaves = !vmi.status.evacuation_node_name.is_empty();
    let shown = launcher.1.metadata.annotations.contains_key(&EVICTION_IN_PROGRESS);
    if leaves == shown || !cx.config.kubevirt.profile().marks_evictions {
        return Ok(launcher);
    }
    let mark = |pod: &mut Pod| match leaves {
        true => _ = pod.metadata.annotations.insert(EVICTION_IN_PROGRESS, arcstr::literal!("true")),
        false => _ = pod.metadata.annotations.remove(&EVICTION_IN_PROGRESS),
    };
    patched(launcher.0, mark, cx).map_err(failed)
}

/// Keeps the node's label on the pod as it is on the instance, and since 1.6 what a user says to the descheduler.
pub(super) fn sync_labels(
    vmi: &VirtualMachineInstance,
    (id, pod): OwnedPod,
    cx: &mut Context<'_>,
) -> Result<OwnedPod, ArcStr> {
    let (labels, annotations) = (&vmi.metadata.labels, &vmi.metadata.annotations);
    let dynamic: &[ArcStr] =
        if cx.config.kubevirt.profile().marks_evictions { &DYNAMIC_ANNOTATIONS } else { &[] };
    let differ = differs(&[NODE_NAME_LABEL], labels, &pod.metadata.labels)
        || differs(dynamic, annotations, &pod.metadata.annotations);
    if !differ {
        return Ok((id, pod));
    }
    let copy = |pod: &mut Pod| {
        copy_keys(&[NODE_NAME_LABEL], labels, &mut pod.metadata.labels);
        copy_keys(dynamic, annotations, &mut pod.metadata.annotations);
    };
    patched(id, copy, cx).map_err(|error| named(&error, &pod))
}

fn differs(keys: &[ArcStr], from: &StrMap, on: &StrMap) -> bool {
    keys.iter().any(|key| from.get(key) != on.get(key))
}

fn copy_keys(keys: &[ArcStr], from: &StrMap, to: &mut StrMap) {
    for key in keys {
        match from.get(key) {
            Some(value) => _ = to.insert(key.clone(), value.clone()),
            None => _ = to.remove(key),
        }
    }
}

fn patched(
    id: crate::kind::ObjectId,
    patch: impl FnOnce(&mut Pod),
    cx: &mut Context<'_>,
) -> Result<OwnedPod, ApiError> {
    cx.patch(id, patch)?;
    Ok((id, Arc::clone(cx.newest().get::<Pod>(id).expect("it was just patched"))))
}

/// EvictionRequested, while the instance is to leave its node (1.7).
pub(super) fn show_eviction(vmi: &mut VirtualMachineInstance, now: Time) {
    let conditions = &mut vmi.status.conditions;
    if vmi.status.evacuation_node_name.is_empty() {
        remove_condition(conditions, "EvictionRequested");
    } else if !conditions.is_true("EvictionRequested") {
        let kind = arcstr::literal!("EvictionRequested");
        let condition = Condition::new(kind.clone(), Truth::True, kind, now);
        let message = arcstr::literal!("VMI is marked for eviction");
        update_condition(conditions, Condition { last_probe_time: Some(now), message, ..condition });
    }
}
