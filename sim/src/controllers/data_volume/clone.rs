//! DataVolumes that are copies of a claim or a snapshot: claim and VolumeCloneSource.
//!
//! CDI main 2026-08: `pkg/controller/datavolume/{clone-controller-base,pvc-clone-controller,snapshot-clone-controller}.go`.
//! Clones across namespaces are refused for want of a token, and the pod that measures a disk is not made.

use super::render::{filesystem_overhead, required_space};
use super::source::DataVolumeOp;
use super::sync::{PhaseEvent, SyncState};
use crate::context::{Context, EventType};
use crate::controllers::cdi::annotations as ann;
use crate::controllers::cdi::claims::{controller_reference, data_source_ref, is_filesystem, requires_work};
use crate::controllers::cdi::errors::CdiError;
use crate::kind::ObjectId;
use crate::objects::{DataVolume, PersistentVolumeClaim, VolumeCloneSource, VolumeSourceSpec};
use crate::quantity::Quantity;
use crate::store::ApiError;
use arcstr::{ArcStr, literal};
use serde_json::{Value, json};
use std::sync::Arc;

/// What is copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CloneSource {
    /// `pvc` or `snapshot`, as the DataVolume names it.
    pub(super) kind: &'static str,
    pub(super) namespace: ArcStr,
    pub(super) name: ArcStr,
}

impl CloneSource {
    /// `GetCloneSourceInfo`.
    pub(super) fn of(dv: &DataVolume) -> Option<Self> {
        let source = dv.spec.source.as_ref()?;
        let (kind, found) =
            ["pvc", "snapshot"].into_iter().find_map(|kind| Some((kind, source.get(kind)?)))?;
        let text = |field| ArcStr::from(found.get(field).and_then(Value::as_str).unwrap_or_default());
        let namespace = Some(text("namespace")).filter(|namespace| !namespace.is_empty());
        let namespace = namespace.unwrap_or_else(|| dv.metadata.namespace.clone());
        Some(Self { kind, namespace, name: text("name") })
    }
}

/// `cleanup`: the VolumeCloneSource goes with the DataVolume, or once the copy is there.
pub(super) fn cleanup(state: &mut SyncState, cx: &mut Context<'_>) -> Result<(), CdiError> {
    if !state.dv.metadata.is_deleting() && state.dv.status.phase != "Succeeded" {
        return Ok(());
    }
    if let Some(id) = find_source(cx, &state.dv) {
        cx.delete::<VolumeCloneSource>(id)?;
    }
    state.dv.metadata.remove_finalizer("cdi.kubevirt.io/dataVolumeFinalizer");
    Ok(())
}

/// `syncClone`, after what all DataVolumes have in common.
pub(super) fn sync(state: &mut SyncState, cx: &mut Context<'_>, op: DataVolumeOp) -> Result<(), CdiError> {
    let annotations = &state.dv.metadata.annotations;
    let claim = state.claim.as_ref();
    let is_ready = claim.is_some_and(|claim| !requires_work(cx.config, &claim.object, &state.dv));
    let is_static = annotations.contains_key(&ann::CHECK_STATIC_VOLUME)
        && claim.is_some_and(|claim| claim.annotation(&ann::PERSISTENT_VOLUME_LIST).is_some());
    if is_ready || is_static || annotations.contains_key(&ann::PRE_POPULATED) {
        return Ok(());
    }
    let Some(source) = CloneSource::of(&state.dv) else { return Ok(()) };
    if source.namespace != state.dv.metadata.namespace
        && !annotations.contains_key(&ann::EXTENDED_CLONE_TOKEN)
    {
        return Err(CdiError::Resource(literal!("token missing")));
    }
    if state.claim.is_none() {
        if !validate(state, cx, op, &source) || !detect_size(state, cx, &source) {
            return Ok(());
        }
        create_claim(state, cx, op)?;
    }
    if state.use_populator {
        create_source(state, cx, &source)?;
        let kind = state.claim.as_ref().and_then(|claim| claim.annotation(&ann::CLONE_TYPE)).cloned();
        if let Some(kind) = kind {
            state.dv.metadata.annotations.insert(ann::CLONE_TYPE, kind);
        }
    } else {
        state.dv.metadata.annotations.insert(ann::CLONE_TYPE, "copy");
        fall_back_to_host_assisted(state, cx)?;
    }
    state.update_metadata(cx)
}

/// `validateCloneAndSourcePVC`: whether there is a source, and whether it fits.
fn validate(state: &mut SyncState, cx: &Context<'_>, op: DataVolumeOp, source: &CloneSource) -> bool {
    let phase = state.dv.status.phase.clone();
    let found = match op {
        DataVolumeOp::PvcClone => cx.view().named::<PersistentVolumeClaim>(&source.namespace, &source.name),
        _ => None,
    };
    let Some((_, found)) = found else {
        let text = arcstr::format!("The source {} {} doesn't exist", source.kind, source.name);
        state.set_phase(phase, PhaseEvent::new(EventType::Warning, "CloneWithoutSource", text));
        return false;
    };
    let Some(why) = mismatch(found, &state.dv) else { return true };
    let text = arcstr::format!("The clone doesn't meet the validation requirements: {why}");
    state.set_phase(phase, PhaseEvent::new(EventType::Warning, "CloneValidationFailed", text));
    false
}

/// `validateClone`: what speaks against copying this claim.
fn mismatch(source: &PersistentVolumeClaim, dv: &DataVolume) -> Option<ArcStr> {
    let content =
        |text: Option<&ArcStr>| if text.is_some_and(|it| it == "archive") { "archive" } else { "kubevirt" };
    let from = content(source.metadata.annotations.get(&ann::CONTENT_TYPE));
    let to = content(Some(&dv.spec.content_type));
    if from != to {
        return Some(arcstr::format!(
            "Source contentType ({from}) and target contentType ({to}) do not match"
        ));
    }
    let wanted = match (&dv.spec.pvc, &dv.spec.storage) {
        (Some(claim), _) => claim.resources.requests.get("storage").cloned().unwrap_or_default(),
        (None, Some(storage)) if !is_filesystem(source.spec.volume_mode.as_ref()) => {
            storage.resources.requests.get("storage")?.clone()
        }
        _ => return None,
    };
    let size = source.spec.resources.requests.get("storage")?;
    (wanted.value() < size.value()).then(|| {
        let (wanted, size) = (wanted.value(), size.value());
        arcstr::format!("target resources requests storage size is smaller than the source {wanted} < {size}")
    })
}

/// `detectCloneSize`: a copy of a block volume takes its size; a disk in a file system would have to be measured.
fn detect_size(state: &mut SyncState, cx: &Context<'_>, source: &CloneSource) -> bool {
    if state.dv.spec.storage.is_none() {
        return true;
    }
    let Some((_, from)) = cx.view().named::<PersistentVolumeClaim>(&source.namespace, &source.name) else {
        return true;
    };
    let requested = state.spec.resources.requests.get("storage");
    let to_block = !is_filesystem(state.spec.volume_mode.as_ref());
    let from_files = is_filesystem(from.spec.volume_mode.as_ref());
    let is_disk = from.metadata.annotations.has(&ann::CONTENT_TYPE, "kubevirt");
    if requested.is_some_and(|size| !size.is_zero()) && !(to_block && from_files && is_disk) {
        return true;
    }
    if from_files && is_disk {
        return false;
    }
    let size = from.status.capacity.get("storage").map_or(0, Quantity::value);
    let overhead = filesystem_overhead(&cx.config.cdi, state.spec.storage_class_name.as_ref());
    let size = if to_block { size } else { required_space(overhead, size) };
    state.spec.resources.requests.insert("storage", Quantity::from_value(size));
    true
}

fn create_claim(state: &mut SyncState, cx: &mut Context<'_>, op: DataVolumeOp) -> Result<(), CdiError> {
    if state.use_populator {
        return state.create_claim(cx, |cx, dv, claim| {
            if !cx.config.cdi.honor_wait_for_first_consumer {
                claim.metadata.annotations.insert(ann::IMMEDIATE_BINDING, "");
            }
            claim.spec.data_source_ref = Some(data_source_ref("VolumeCloneSource", source_name(dv)));
        });
    }
    if op != DataVolumeOp::PvcClone {
        return Ok(());
    }
    state.create_claim(cx, |_, dv, claim| {
        if let Some(source) = CloneSource::of(dv) {
            let request = arcstr::format!("{}/{}", source.namespace, source.name);
            claim.metadata.annotations.insert(ann::CLONE_REQUEST, request);
        }
    })
}

/// `fallbackToHostAssisted`.
fn fall_back_to_host_assisted(state: &mut SyncState, cx: &mut Context<'_>) -> Result<(), CdiError> {
    const REASON: &str = "In tree storage class does not support snapshot/clone";
    let Some(claim) = state.claim_now() else { return Ok(()) };
    let annotations = &claim.object.metadata.annotations;
    if annotations.has(&ann::CLONE_TYPE, "copy") && annotations.has(&ann::CLONE_FALLBACK_REASON, REASON) {
        return Ok(());
    }
    let annotations = &mut claim.object.metadata.annotations;
    annotations.insert(ann::CLONE_TYPE, "copy");
    annotations.insert(ann::CLONE_FALLBACK_REASON, REASON);
    cx.event(&claim.object, EventType::Warning, "NoPopulator", REASON);
    claim.update(cx)
}

fn source_name(dv: &DataVolume) -> ArcStr {
    arcstr::format!("volume-clone-source-{}", dv.metadata.uid)
}

fn find_source(cx: &Context<'_>, dv: &DataVolume) -> Option<ObjectId> {
    let namespace = CloneSource::of(dv)?.namespace;
    cx.view().named::<VolumeCloneSource>(&namespace, &source_name(dv)).map(|(id, _)| id)
}

/// `reconcileVolumeCloneSourceCR`.
fn create_source(state: &SyncState, cx: &mut Context<'_>, from: &CloneSource) -> Result<(), CdiError> {
    let dv = &state.dv;
    if find_source(cx, dv).is_some() || dv.status.phase == "Succeeded" {
        return Ok(());
    }
    let reference = match from.kind {
        "snapshot" => {
            json!({ "apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": from.name.as_str() })
        }
        _ => json!({ "apiGroup": null, "kind": "PersistentVolumeClaim", "name": from.name.as_str() }),
    };
    let mut spec = VolumeSourceSpec { source: Some(reference), ..VolumeSourceSpec::default() };
    if let Some(wanted) = dv.spec.rest.get("preallocation") {
        spec.rest.insert("preallocation", wanted.clone());
    }
    if let Some(class) = dv.spec.rest.get("priorityClassName") {
        spec.rest.insert("priorityClassName", class.clone());
    }
    let mut source = VolumeCloneSource { spec: Arc::new(spec), ..VolumeCloneSource::default() };
    source.metadata.name = source_name(dv);
    source.metadata.namespace = from.namespace.clone();
    source.metadata.owner_references = vec![controller_reference::<DataVolume>(&dv.metadata)].into();
    match cx.create(source) {
        Ok(_) | Err(ApiError::AlreadyExists { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
