//! Who uses a claim, so that it cannot be filled or copied now.
//!
//! CDI main 2026-08: `pkg/controller/common/util.go` (`GetPodsUsingPVCs`, `GetAnnotatedEventSource`).

use super::annotations as ann;
use super::claims::Claim;
use super::errors::CdiError;
use crate::context::{Context, EventType};
use crate::kind::{Kind, Resource};
use crate::objects::{Container, PersistentVolumeClaim, Pod, PodVolume};
use crate::store::ApiError;
use serde_json::Value;
use std::sync::Arc;

/// What a claim is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// An importer writes it.
    Import,
    /// An upload server writes it.
    Upload,
    /// Its size is detected, for a copy.
    SizeDetection,
    /// It is copied: who only reads it is not in the way (`allowReadOnly`).
    Clone,
}

impl Use {
    /// The reason of the event that names a pod that is in the way.
    const fn reason(self) -> &'static str {
        match self {
            Self::Import => "ImportTargetInUse",
            Self::Upload => "UploadTargetInUse",
            Self::SizeDetection | Self::Clone => "CloneSourceInUse",
        }
    }
}

/// `GetPodsUsingPVCs`, each told in an event on `on`. Returns whether there is one.
pub(crate) fn report_users(
    cx: &mut Context<'_>,
    claim: &PersistentVolumeClaim,
    on: &impl Resource,
    wanted: Use,
) -> bool {
    let meta = &claim.metadata;
    let counts = |pod: &Pod| !pod.is_finished() && (wanted != Use::Clone || !only_reads(pod, &meta.name));
    let users = cx.view().users_of_claim::<Pod>(&meta.namespace, &meta.name).map(|(_, pod)| pod);
    let users: Vec<Arc<Pod>> = users.filter(|pod| counts(pod)).cloned().collect();
    for pod in &users {
        let pod = &pod.metadata;
        let text = format!("pod {}/{} using PersistentVolumeClaim {}", pod.namespace, pod.name, meta.name);
        cx.event(on, EventType::Warning, wanted.reason(), &text);
    }
    !users.is_empty()
}

/// Whether a pod only reads a claim. The source pod of a clone does, even where it mounts a block device.
///
/// Upstream a pod without any mount reads too; here launchers are without their mounts, so it counts as one that writes.
fn only_reads(pod: &Pod, claim: &str) -> bool {
    let of_claim = |volume: &&PodVolume| {
        volume.persistent_volume_claim.as_ref().is_some_and(|source| source.claim_name == claim)
    };
    let reads = |volume: &PodVolume| {
        volume.persistent_volume_claim.as_ref().is_some_and(|source| source.read_only)
            || is_mounted_read_only(&pod.spec.containers, &volume.name)
    };
    is_clone_source(pod) || pod.spec.volumes.iter().filter(of_claim).all(reads)
}

fn is_clone_source(pod: &Pod) -> bool {
    pod.metadata.name.ends_with(super::CLONE_SOURCE_SUFFIX)
        && pod.metadata.labels.has("cdi.kubevirt.io", super::CLONE_SOURCE)
}

fn is_mounted_read_only(containers: &[Container], volume: &str) -> bool {
    let of_volume = |list: &str| {
        let entries =
            containers.iter().filter_map(|container| container.rest.get(list)?.as_array()).flatten();
        entries.filter(|entry| entry.get("name").and_then(Value::as_str) == Some(volume)).collect::<Vec<_>>()
    };
    let mounts = of_volume("volumeMounts");
    let reads = |mount: &&Value| mount.get("readOnly") == Some(&Value::Bool(true));
    !mounts.is_empty() && mounts.iter().all(reads) && of_volume("volumeDevices").is_empty()
}

/// `GetAnnotatedEventSource`: what is told of a claim is told of the claim in whose stead it is filled.
pub(crate) fn event_source(cx: &Context<'_>, claim: &Claim) -> Result<PersistentVolumeClaim, CdiError> {
    let named = claim.annotation(&ann::EVENT_SOURCE).and_then(|source| source.split_once('/'));
    let Some((namespace, name)) =
        named.filter(|_| claim.has(&ann::EVENT_SOURCE_KIND, "PersistentVolumeClaim"))
    else {
        return Ok(claim.object.clone());
    };
    match Claim::named(cx, namespace, name) {
        Some(source) => Ok(source.object),
        None => Err(ApiError::NotFound { kind: Kind::PersistentVolumeClaim, name: name.into() }.into()),
    }
}
