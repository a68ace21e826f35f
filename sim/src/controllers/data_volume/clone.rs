//! DataVolumes that are copies of a claim or a snapshot: claim and VolumeCloneSource.
//!
//! CDI main 2026-08: `pkg/controller/datavolume/{clone-controller-base,pvc-clone-controller,snapshot-clone-controller}.go`.
//! A clone across namespaces needs a token, which the webhook gives to everyone.

use super::clone_source::CloneSource;
use super::source::DataVolumeOp;
use super::sync::{PhaseEvent, SyncState};
use super::{clone_phases, clone_size, clone_snapshot, clone_tokens};
use crate::context::{Context, EventType};
use crate::controllers::cdi::annotations as ann;
use crate::controllers::cdi::claims::{
    Claim, controller_reference, data_source_ref, is_filesystem, requires_work,
};
use crate::controllers::cdi::errors::CdiError;
use crate::kind::ObjectId;
use crate::objects::{DataVolume, ObjectMeta, PersistentVolumeClaim, VolumeCloneSource, VolumeSourceSpec};
use crate::quantity::Quantity;
use crate::store::ApiError;
use arcstr::{ArcStr, literal};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// How often a clone looks at a source that is not ready (`sourceInUseRequeueDuration`).
pub(super) const SOURCE_PERIOD: Duration = Duration::from_secs(5);

/// Keeps a DataVolume until the VolumeCloneSource in another namespace is gone.
const FINALIZER: &str = "cdi.kubevirt.io/dataVolumeFinalizer";

/// `cleanup`: the VolumeCloneSource goes with the DataVolume, or once the copy is there.
pub(super) fn cleanup(state: &mut SyncState, cx: &mut Context<'_>) -> Result<(), CdiError> {
    if !state.dv.metadata.is_deleting() && state.dv.status.phase != "Succeeded" {
        return Ok(());
    }
    if let Some(id) = find_source(cx, &state.dv) {
        cx.delete::<VolumeCloneSource>(id)?;
    }
    state.dv.metadata.remove_finalizer(FINALIZER);
    clone_size::clean_up(state, cx)?;
    clone_snapshot::delete_temporary_claim(state, cx)
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
    let is_from_elsewhere = source.namespace != state.dv.metadata.namespace;
    if is_from_elsewhere && clone_tokens::extend(&mut state.dv.metadata)? {
        // It is kept before anything else is done.
        return state.update_metadata(cx);
    }
    if state.claim.is_none() {
        let is_prepared = match op {
            DataVolumeOp::SnapshotClone => clone_snapshot::prepare(state, cx, &source)?,
            _ => prepare(state, cx, &source)?,
        };
        if !is_prepared {
            return state.update_metadata(cx);
        }
        if state.use_populator && is_from_elsewhere && !state.dv.metadata.has_finalizer(FINALIZER) {
            state.dv.metadata.add_finalizer(FINALIZER);
            let event = clone_phases::scheduled(&source, &state.dv);
            state.set_phase(literal!("CloneScheduled"), event);
            return state.update_metadata(cx);
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
    if is_from_elsewhere {
        clone_tokens::pass_on(state, cx)?;
    }
    state.update_metadata(cx)
}

/// Whether the source is there and fits, and the size is known.
fn prepare(state: &mut SyncState, cx: &mut Context<'_>, source: &CloneSource) -> Result<bool, CdiError> {
    let Some(mut from) = validate(state, cx, source) else { return Ok(false) };
    if state.dv.spec.storage.is_none() || clone_size::detect(state, cx, &mut from)? {
        return Ok(true);
    }
    if !clone_size::is_source_ready(state, cx, &from)? {
        wait_for_source(state, source);
    }
    Ok(false)
}

/// Looks again in a while; until then the clone is scheduled.
fn wait_for_source(state: &mut SyncState, source: &CloneSource) {
    state.requeue_after = Some(SOURCE_PERIOD);
    let event = clone_phases::scheduled(source, &state.dv);
    state.set_phase(literal!("CloneScheduled"), event);
}

/// `validateCloneAndSourcePVC`: the claim that is copied, if it is there and fits.
fn validate(state: &mut SyncState, cx: &Context<'_>, source: &CloneSource) -> Option<Claim> {
    let Some(from) = Claim::named(cx, &source.namespace, &source.name) else {
        refuse_without_source(state, source);
        return None;
    };
    match mismatch(&from.object, &state.dv) {
        Some(why) => {
            refuse(state, &why);
            None
        }
        None => Some(from),
    }
}

/// There is nothing to copy; the phase stays.
pub(super) fn refuse_without_source(state: &mut SyncState, source: &CloneSource) {
    let text = arcstr::format!("The source {} {} doesn't exist", source.kind, source.name);
    keep_phase(state, "CloneWithoutSource", text);
}

/// The source does not fit; the phase stays.
pub(super) fn refuse(state: &mut SyncState, why: &str) {
    let text = arcstr::format!("The clone doesn't meet the validation requirements: {why}");
    keep_phase(state, "CloneValidationFailed", text);
}

fn keep_phase(state: &mut SyncState, reason: &'static str, text: ArcStr) {
    let phase = state.dv.status.phase.clone();
    state.set_phase(phase, PhaseEvent::new(EventType::Warning, reason, text));
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
        (Some(claim), _) => claim.resources.requests.get("storage"),
        (None, Some(storage)) if !is_filesystem(source.spec.volume_mode.as_ref()) => {
            Some(storage.resources.requests.get("storage")?)
        }
        _ => return None,
    };
    too_small(wanted, source.spec.resources.requests.get("storage"))
}

/// `ValidateRequestedCloneSize`.
pub(in crate::controllers) fn too_small(
    wanted: Option<&Quantity>,
    size: Option<&Quantity>,
) -> Option<ArcStr> {
    let (Some(wanted), Some(size)) = (wanted, size) else {
        return Some(literal!("source/target missing storage resource requests"));
    };
    let (wanted, size) = (wanted.value(), size.value());
    (wanted < size).then(|| {
        arcstr::format!("target resources requests storage size is smaller than the source {wanted} < {size}")
    })
}

fn create_claim(state: &mut SyncState, cx: &mut Context<'_>, op: DataVolumeOp) -> Result<(), CdiError> {
    if state.use_populator {
        return state.create_claim(cx, |cx, dv, claim| {
            clone_tokens::add(dv, claim);
            if let Some(source) = CloneSource::of(dv).filter(|it| it.namespace != dv.metadata.namespace) {
                claim.metadata.annotations.insert(ann::DATA_SOURCE_NAMESPACE, source.namespace);
            }
            if !cx.config.cdi.honor_wait_for_first_consumer {
                claim.metadata.annotations.insert(ann::IMMEDIATE_BINDING, "");
            }
            claim.spec.data_source_ref = Some(data_source_ref("VolumeCloneSource", source_name(dv)));
        });
    }
    let is_snapshot = op == DataVolumeOp::SnapshotClone;
    state.create_claim(cx, if is_snapshot { clone_snapshot::request } else { request })
}

/// `updateAnnotations`: the clone controller copies this claim.
fn request(_: &Context<'_>, dv: &DataVolume, claim: &mut PersistentVolumeClaim) {
    let Some(source) = CloneSource::of(dv) else { return };
    clone_tokens::add(dv, claim);
    let request = arcstr::format!("{}/{}", source.namespace, source.name);
    claim.metadata.annotations.insert(ann::CLONE_REQUEST, request);
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
    own(&dv.metadata, &mut source.metadata);
    match cx.create(source) {
        Ok(_) | Err(ApiError::AlreadyExists { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The DataVolume owns what it makes. In another namespace, where nobody is owned, an annotation says so.
pub(super) fn own(dv: &ObjectMeta, made: &mut ObjectMeta) {
    if made.namespace == dv.namespace {
        made.owner_references = vec![controller_reference::<DataVolume>(dv)].into();
    } else {
        let owner = arcstr::format!("{}/{}", dv.namespace, dv.name);
        made.annotations.insert(ann::OWNED_BY_DATA_VOLUME, owner);
    }
}
