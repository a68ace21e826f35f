//! How large a copy has to be whose size nobody states.
//!
//! CDI main 2026-08: `pkg/controller/datavolume/pvc-clone-controller.go` (`detectCloneSize`, `getSizeFromPod`,
//! `isSourceReadyToClone`).

use super::clone::own;
use super::clone_source::CloneSource;
use super::render::{filesystem_overhead, required_space, usable_space};
use super::sync::SyncState;
use crate::context::{Context, EventType};
use crate::controllers::cdi::annotations as ann;
use crate::controllers::cdi::claims::{Claim, is_filesystem, is_populated, should_delete_pod};
use crate::controllers::cdi::errors::CdiError;
use crate::controllers::cdi::users::{Use, report_users};
use crate::controllers::cdi::{copy_allowed_annotations, delete_pod};
use crate::kind::ObjectId;
use crate::objects::{
    Container, DataVolume, EnvVar, ObjectMeta, PersistentVolumeClaim, PersistentVolumeClaimSource, Pod,
    PodSpec, PodVolume, Rest,
};
use crate::quantity::Quantity;
use crate::store::ApiError;
use arcstr::{ArcStr, literal};
use std::sync::Arc;

/// `detectCloneSize`: completes the size. Returns false while it is not known.
pub(super) fn detect(
    state: &mut SyncState,
    cx: &mut Context<'_>,
    from: &mut Claim,
) -> Result<bool, CdiError> {
    let requested = state.spec.resources.requests.get("storage").map_or(0, Quantity::value);
    let to_block = !is_filesystem(state.spec.volume_mode.as_ref());
    let is_file =
        is_filesystem(from.object.spec.volume_mode.as_ref()) && from.has(&ann::CONTENT_TYPE, "kubevirt");
    if requested != 0 && !(to_block && is_file) {
        return Ok(true);
    }
    let capacity = capacity(&from.object).map_or(0, Quantity::value);
    let size = if is_file {
        let known = known_size(&from.object);
        let Some(size) = known.map_or_else(|| measure(state, cx, from), |size| Ok(Some(size)))? else {
            return Ok(false);
        };
        size
    } else {
        capacity
    };
    let is_permissive = if requested == 0 { capacity > size } else { requested >= size };
    if is_permissive {
        state.dv.metadata.annotations.insert(ann::PERMISSIVE_CLONE, "true");
    }
    if requested == 0 {
        let overhead = filesystem_overhead(&cx.config.cdi, state.spec.storage_class_name.as_ref());
        let size = if to_block { size } else { required_space(overhead, size) };
        state.spec.resources.requests.insert("storage", Quantity::from_value(size));
    }
    Ok(true)
}

/// `isSourceReadyToClone`: nobody uses it, and it is filled.
pub(super) fn is_source_ready(
    state: &SyncState,
    cx: &mut Context<'_>,
    from: &Claim,
) -> Result<bool, CdiError> {
    let in_use = report_users(cx, &from.object, &state.dv, Use::SizeDetection);
    Ok(is_populated(cx.view(), &from.object)? && !in_use)
}

fn capacity(claim: &PersistentVolumeClaim) -> Option<&Quantity> {
    claim.status.capacity.get("storage")
}

/// `getSizeFromAnnotations`: what was measured before, unless the claim has grown since.
fn known_size(claim: &PersistentVolumeClaim) -> Option<i64> {
    let annotations = &claim.metadata.annotations;
    let size = annotations.get(&ann::VIRTUAL_IMAGE_SIZE)?;
    let then = Quantity::parse(annotations.get(&ann::SOURCE_CAPACITY)?).ok()?;
    let is_same = then.value() == capacity(claim).map_or(0, Quantity::value);
    is_same.then(|| size.parse().unwrap_or(0))
}

/// `getSizeFromPod`: a pod measures the disk.
fn measure(state: &SyncState, cx: &mut Context<'_>, from: &mut Claim) -> Result<Option<i64>, CdiError> {
    let dv = &state.dv;
    if !is_populated(cx.view(), &from.object)? {
        cx.event(dv, EventType::Normal, "ImportPVCNotReady", "The source PVC is not fully imported");
        return Ok(None);
    }
    let meta = &from.object.metadata;
    let name = pod_name(&from.object);
    let found = cx.view().named::<Pod>(&meta.namespace, &name).map(|(id, pod)| (id, Arc::clone(pod)));
    let Some((id, pod)) = found.filter(|(_, pod)| pod.status.phase == "Succeeded") else {
        if cx.view().named::<Pod>(&meta.namespace, &name).is_none() {
            create_pod(cx, &from.object, name, dv)?;
        }
        let text = "The size detection pod is not finished yet";
        cx.event(dv, EventType::Normal, "SizeDetectionPodNotReady", text);
        return Ok(None);
    };
    let ended = pod.status.container_statuses.first().and_then(|status| status.terminated());
    let Some(ended) = ended.filter(|ended| ended.exit_code <= 0) else {
        return Err(fail(cx, dv, id, ended.map(|ended| ended.exit_code))?);
    };
    let capacity = capacity(&from.object).map_or_else(|| "0".to_owned(), ToString::to_string);
    let annotations = &mut from.object.metadata.annotations;
    annotations.insert(ann::VIRTUAL_IMAGE_SIZE, ended.message.clone());
    annotations.insert(ann::SOURCE_CAPACITY, capacity);
    from.update(cx)?;
    if should_delete_pod(&from.object) {
        delete_pod(cx, id)?;
    }
    Ok(ended.message.parse().ok().filter(|size| *size != 0))
}

/// `cleanupSizeDetectionPod`: the pod that this DataVolume has made goes, unless the claim's pods are to stay.
pub(super) fn clean_up(state: &SyncState, cx: &mut Context<'_>) -> Result<(), CdiError> {
    let is_kept = state.claim.as_ref().is_some_and(|claim| !should_delete_pod(&claim.object));
    let Some(source) = CloneSource::of(&state.dv).filter(|source| source.kind == "pvc" && !is_kept) else {
        return Ok(());
    };
    let Some(from) = Claim::named(cx, &source.namespace, &source.name) else { return Ok(()) };
    let found = cx.view().named::<Pod>(&source.namespace, &pod_name(&from.object));
    let dv = &state.dv.metadata;
    match found.filter(|(_, pod)| is_made_by(&pod.metadata, dv)).map(|(id, _)| id) {
        Some(id) => Ok(delete_pod(cx, id)?),
        None => Ok(()),
    }
}

fn is_made_by(pod: &ObjectMeta, dv: &ObjectMeta) -> bool {
    let owner = pod.controller().filter(|owner| owner.kind == "DataVolume");
    let noted = pod.annotations.get(&ann::OWNED_BY_DATA_VOLUME).and_then(|owner| owner.split_once('/'));
    let owner = owner.map(|owner| (pod.namespace.as_str(), owner.name.as_str())).or(noted);
    owner == Some((dv.namespace.as_str(), dv.name.as_str())) && pod.labels.contains_key("cdi.kubevirt.io")
}

fn pod_name(from: &PersistentVolumeClaim) -> ArcStr {
    arcstr::format!("size-detection-{}", from.metadata.uid)
}

/// `handleSizeDetectionError`: the pod goes, and an event says why.
fn fail(
    cx: &mut Context<'_>,
    dv: &DataVolume,
    pod: ObjectId,
    exit_code: Option<i32>,
) -> Result<CdiError, CdiError> {
    delete_pod(cx, pod)?;
    let reason = match exit_code {
        Some(1) => "ErrBadArguments",
        Some(2) => "ErrInvalidFile",
        Some(3) => "ErrInvalidPath",
        Some(4) => "ErrBadTermFile",
        _ => "ErrUnknown",
    };
    let text = format!("Size-detection pod failed due to {reason}");
    cx.event(dv, EventType::Warning, reason, &text);
    let text = literal!("the termination message from the size-detection pod is not-valid");
    Ok(CdiError::Resource(text))
}

fn create_pod(
    cx: &mut Context<'_>,
    from: &PersistentVolumeClaim,
    name: ArcStr,
    dv: &DataVolume,
) -> Result<(), CdiError> {
    let pod = size_detection_pod(cx, from, name, dv);
    match cx.create(pod) {
        Ok(_) | Err(ApiError::AlreadyExists { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    cx.event(dv, EventType::Normal, "SizeDetectionPodCreated", "Size-detection pod created");
    Ok(())
}

/// `makeSizeDetectionPodSpec`. The real program measures the disk; here the pod is told how large a disk CDI makes in
/// such a claim.
fn size_detection_pod(cx: &Context<'_>, from: &PersistentVolumeClaim, name: ArcStr, dv: &DataVolume) -> Pod {
    let mut pod = Pod::default();
    let meta = &mut pod.metadata;
    meta.name = name;
    meta.namespace = from.metadata.namespace.clone();
    meta.labels.insert("app", "containerized-data-importer");
    meta.labels.insert("cdi.kubevirt.io", "importer");
    copy_allowed_annotations(&from.metadata.annotations, &mut meta.annotations);
    own(&dv.metadata, meta);
    let overhead = filesystem_overhead(&cx.config.cdi, from.spec.storage_class_name.as_ref());
    let disk = usable_space(overhead, capacity(from).map_or(0, Quantity::value));
    let container = Container {
        name: literal!("size-detection-volume"),
        image: cx.config.cdi.importer_image.clone(),
        env: vec![EnvVar {
            name: literal!("DISK_SIZE"),
            value: arcstr::format!("{disk}"),
            rest: Rest::default(),
        }],
        ..Container::default()
    };
    let source = PersistentVolumeClaimSource { claim_name: from.metadata.name.clone(), read_only: false };
    let volume = PodVolume {
        name: literal!("cdi-data-vol"),
        persistent_volume_claim: Some(source),
        ..PodVolume::default()
    };
    let priority = from.metadata.annotations.get(&ann::PRIORITY_CLASS_NAME).cloned();
    pod.spec = Arc::new(PodSpec {
        restart_policy: literal!("OnFailure"),
        priority_class_name: priority.unwrap_or_default(),
        containers: vec![container],
        volumes: vec![volume],
        ..PodSpec::default()
    });
    pod
}
