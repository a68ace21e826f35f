//! DataVolumes that are imported: claim and VolumeImportSource.
//!
//! CDI main 2026-08: `pkg/controller/datavolume/import-controller.go`.

use super::source;
use super::sync::SyncState;
use crate::context::Context;
use crate::controllers::cdi::annotations as ann;
use crate::controllers::cdi::checkpoints::{self, Wanted};
use crate::controllers::cdi::claims::{controller_reference, data_source_ref, is_complete, parse_bool};
use crate::controllers::cdi::errors::CdiError;
use crate::kind::ObjectId;
use crate::objects::{DataVolume, PersistentVolumeClaim, Rest, VolumeImportSource, VolumeSourceSpec};
use crate::store::ApiError;
use arcstr::ArcStr;
use serde_json::Value;
use std::sync::Arc;

/// `cleanup`: the VolumeImportSource goes once the import has succeeded.
pub(super) fn cleanup(state: &SyncState, cx: &mut Context<'_>) -> Result<(), CdiError> {
    let uses = state.dv.metadata.annotations.get(&ann::USE_POPULATOR);
    let uses = uses.map(parse_bool).transpose()?;
    if uses != Some(true) || needs_source(state) {
        return Ok(());
    }
    match find_source(cx, &state.dv) {
        Some(id) => Ok(cx.delete::<VolumeImportSource>(id)?),
        None => Ok(()),
    }
}

/// `syncImport`, after what all DataVolumes have in common.
pub(super) fn sync(state: &mut SyncState, cx: &mut Context<'_>) -> Result<(), CdiError> {
    if state.use_populator {
        if needs_source(state) {
            reconcile_source(state, cx)?;
        }
        return state.create_claim(cx, |cx, dv, claim| {
            if !cx.config.cdi.honor_wait_for_first_consumer {
                claim.metadata.annotations.insert(ann::IMMEDIATE_BINDING, "");
            }
            claim.spec.data_source_ref = Some(data_source_ref("VolumeImportSource", source_name(dv)));
        });
    }
    let existed = state.claim.is_some();
    state.create_claim(cx, annotate)?;
    let wanted = Wanted::of(&state.dv.spec.rest);
    match &state.claim {
        Some(claim) if existed => {
            copy_vddk_annotations(&mut state.dv, &claim.object);
            let written = checkpoints::begin(cx, claim, &wanted);
            written.and_then(|()| state.update_metadata(cx))
        }
        _ => Ok(()),
    }
}

/// `updateAnnotations`: tells the import controller by the claim itself what to import.
fn annotate(_: &Context<'_>, dv: &DataVolume, claim: &mut PersistentVolumeClaim) {
    let annotations = &mut claim.metadata.annotations;
    Wanted::of(&dv.spec.rest).annotate(annotations);
    source::annotate(dv.spec.source.as_ref(), annotations);
}

/// `setVddkAnnotations`.
fn copy_vddk_annotations(dv: &mut DataVolume, claim: &PersistentVolumeClaim) {
    let annotations = &claim.metadata.annotations;
    if !annotations.has(&ann::SOURCE, "vddk") {
        return;
    }
    for annotation in [ann::VDDK_HOST_CONNECTION, ann::VDDK_VERSION] {
        if let Some(value) = annotations.get(&annotation).filter(|value| !value.is_empty()) {
            dv.metadata.annotations.insert(annotation, value.clone());
        }
    }
}

/// `shouldReconcileVolumeSourceCR`.
fn needs_source(state: &SyncState) -> bool {
    let claim = state.claim.as_ref();
    claim.is_none_or(|claim| !is_complete(&claim.object) || state.dv.status.phase != "Succeeded")
}

fn source_name(dv: &DataVolume) -> ArcStr {
    arcstr::format!("volume-import-source-{}", dv.metadata.uid)
}

fn find_source(cx: &Context<'_>, dv: &DataVolume) -> Option<ObjectId> {
    let found = cx.view().named::<VolumeImportSource>(&dv.metadata.namespace, &source_name(dv));
    found.map(|(id, _)| id)
}

/// `reconcileVolumeImportSourceCR`.
fn reconcile_source(state: &SyncState, cx: &mut Context<'_>) -> Result<(), CdiError> {
    let dv = &state.dv;
    let spec = source_spec(dv);
    let Some(id) = find_source(cx, dv) else {
        let mut source = VolumeImportSource { spec: Arc::new(spec), ..VolumeImportSource::default() };
        source.metadata.name = source_name(dv);
        source.metadata.namespace = dv.metadata.namespace.clone();
        source.metadata.owner_references = vec![controller_reference::<DataVolume>(&dv.metadata)].into();
        return match cx.create(source) {
            Ok(_) | Err(ApiError::AlreadyExists { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        };
    };
    if !is_multi_stage(dv) {
        return Ok(());
    }
    let Some(found) = cx.view().get::<VolumeImportSource>(id) else { return Ok(()) };
    let mut changed = VolumeImportSource::clone(found);
    let mut new = VolumeSourceSpec::clone(&changed.spec);
    for field in ["checkpoints", "finalCheckpoint"] {
        new.rest.insert(field, spec.rest.get(field).cloned().unwrap_or_default());
    }
    changed.spec = Arc::new(new);
    Ok(cx.update(id, changed)?)
}

fn is_multi_stage(dv: &DataVolume) -> bool {
    let has = |kind| dv.spec.source.as_ref().is_some_and(|source| source.get(kind).is_some());
    let checkpoints = dv.spec.rest.get("checkpoints").and_then(Value::as_array);
    checkpoints.is_some_and(|list| !list.is_empty()) && (has("vddk") || has("imageio"))
}

fn source_spec(dv: &DataVolume) -> VolumeSourceSpec {
    let mut rest = Rest::default();
    if let Some(wanted) = dv.spec.rest.get("preallocation") {
        rest.insert("preallocation", wanted.clone());
    }
    if is_multi_stage(dv) {
        rest.insert("targetClaim", dv.metadata.name.as_str().into());
        rest.insert("checkpoints", dv.spec.rest.get("checkpoints").cloned().unwrap_or_default());
        let is_final = dv.spec.rest.get("finalCheckpoint").cloned();
        rest.insert("finalCheckpoint", is_final.unwrap_or(Value::Bool(false)));
    }
    VolumeSourceSpec { source: dv.spec.source.clone(), content_type: dv.spec.content_type.clone(), rest }
}
