//! DataVolumes that are uploaded to: claim and VolumeUploadSource.
//!
//! CDI main 2026-08: `pkg/controller/datavolume/upload-controller.go`.

use super::sync::SyncState;
use crate::context::Context;
use crate::controllers::cdi::annotations as ann;
use crate::controllers::cdi::claims::{controller_reference, data_source_ref, is_complete, parse_bool};
use crate::controllers::cdi::errors::CdiError;
use crate::kind::ObjectId;
use crate::objects::{DataVolume, VolumeSourceSpec, VolumeUploadSource};
use crate::store::ApiError;
use arcstr::ArcStr;
use std::sync::Arc;

/// `cleanup`: the VolumeUploadSource goes once the upload has succeeded.
pub(super) fn cleanup(state: &SyncState, cx: &mut Context<'_>) -> Result<(), CdiError> {
    let uses = state.dv.metadata.annotations.get(&ann::USE_POPULATOR).map(parse_bool).transpose()?;
    match find_source(cx, &state.dv) {
        Some(id) if uses == Some(true) && !needs_source(state) => Ok(cx.delete::<VolumeUploadSource>(id)?),
        _ => Ok(()),
    }
}

/// `syncUpload`, after what all DataVolumes have in common.
pub(super) fn sync(state: &mut SyncState, cx: &mut Context<'_>) -> Result<(), CdiError> {
    if !state.use_populator {
        return state.create_claim(cx, |_, _, claim| {
            claim.metadata.annotations.insert(ann::UPLOAD_REQUEST, "");
        });
    }
    if needs_source(state) && find_source(cx, &state.dv).is_none() {
        create_source(state, cx)?;
    }
    state.create_claim(cx, |cx, dv, claim| {
        if !cx.config.cdi.honor_wait_for_first_consumer {
            claim.metadata.annotations.insert(ann::IMMEDIATE_BINDING, "");
        }
        claim.spec.data_source_ref = Some(data_source_ref("VolumeUploadSource", source_name(dv)));
    })
}

/// `shouldReconcileVolumeSourceCR`.
fn needs_source(state: &SyncState) -> bool {
    let claim = state.claim.as_ref();
    claim.is_none_or(|claim| !is_complete(&claim.object) || state.dv.status.phase != "Succeeded")
}

fn source_name(dv: &DataVolume) -> ArcStr {
    arcstr::format!("volume-upload-source-{}", dv.metadata.uid)
}

fn find_source(cx: &Context<'_>, dv: &DataVolume) -> Option<ObjectId> {
    let found = cx.view().named::<VolumeUploadSource>(&dv.metadata.namespace, &source_name(dv));
    found.map(|(id, _)| id)
}

fn create_source(state: &SyncState, cx: &mut Context<'_>) -> Result<(), CdiError> {
    let dv = &state.dv;
    let mut spec =
        VolumeSourceSpec { content_type: dv.spec.content_type.clone(), ..VolumeSourceSpec::default() };
    if let Some(wanted) = dv.spec.rest.get("preallocation") {
        spec.rest.insert("preallocation", wanted.clone());
    }
    let mut source = VolumeUploadSource { spec: Arc::new(spec), ..VolumeUploadSource::default() };
    source.metadata.name = source_name(dv);
    source.metadata.namespace = dv.metadata.namespace.clone();
    source.metadata.owner_references = vec![controller_reference::<DataVolume>(&dv.metadata)].into();
    match cx.create(source) {
        Ok(_) | Err(ApiError::AlreadyExists { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
