//! The phase that follows from the worker pod, by kind of source.
//!
//! CDI main 2026-08: `updateStatusPhase` of `pkg/controller/datavolume/{import,upload}-controller.go`.

use super::clone_phases;
use super::source::DataVolumeOp;
use super::status::{StatusUpdate, phase};
use super::sync::PhaseEvent;
use crate::context::{Context, EventType};
use crate::controllers::cdi::annotations as ann;
use crate::controllers::cdi::claims::{
    Claim, is_bound, is_data_source_ref_kind, is_multi_stage_import_in_progress, prime_name, requires_work,
};
use crate::controllers::cdi::errors::CdiError;
use crate::controllers::cdi::{checkpoints, storage_class};
use crate::objects::PersistentVolumeClaim;
use arcstr::{ArcStr, literal};

/// Sets phase and event by the worker pod's phase.
pub(super) fn update(
    update: &mut StatusUpdate<'_>,
    cx: &mut Context<'_>,
    claim: &Claim,
) -> Result<(), CdiError> {
    match update.op {
        DataVolumeOp::Import => import(update, cx, claim),
        DataVolumeOp::Upload => {
            upload(update, cx, claim);
            Ok(())
        }
        DataVolumeOp::PvcClone | DataVolumeOp::SnapshotClone => clone_phases::update(update, cx, claim),
        DataVolumeOp::Populator => {
            populator(update, cx, claim);
            Ok(())
        }
        DataVolumeOp::Nop => Ok(()),
    }
}

/// Whether the claim that is filled is bound and its pod is named, so that the pod's phase counts.
fn may_update(
    update: &StatusUpdate<'_>,
    cx: &Context<'_>,
    claim: &PersistentVolumeClaim,
    source: (&str, &ArcStr),
) -> bool {
    let (kind, pod_annotation) = source;
    let ready = |filled: &PersistentVolumeClaim| {
        is_bound(filled) && filled.metadata.annotations.contains_key(pod_annotation)
    };
    let filled = if is_data_source_ref_kind(claim, kind) {
        let prime = cx.view().named::<PersistentVolumeClaim>(&claim.metadata.namespace, &prime_name(claim));
        prime.is_some_and(|(_, prime)| ready(prime))
    } else {
        ready(claim)
    };
    filled && requires_work(cx.config, claim, update.dv)
}

/// Whether a worker pod that has failed takes its DataVolume along.
pub(super) fn fails_with_its_pod(cx: &Context<'_>) -> bool {
    cx.config.cdi.release.profile().fails_with_its_pod
}

fn import(update: &mut StatusUpdate<'_>, cx: &mut Context<'_>, claim: &Claim) -> Result<(), CdiError> {
    let pod_phase = claim.annotation(&ann::POD_PHASE);
    let pod_phase = pod_phase.map(ArcStr::as_str);
    let source = ("VolumeImportSource", &ann::IMPORT_POD);
    if pod_phase != Some("Succeeded") && !may_update(update, cx, &claim.object, source) {
        return Ok(());
    }
    update.status.phase = phase("ImportScheduled");
    let name = &claim.object.metadata.name;
    let normal = |reason, text| Some(PhaseEvent::new(EventType::Normal, reason, text));
    match pod_phase {
        Some("Pending") => {
            update.event = normal("ImportScheduled", arcstr::format!("Import into {name} scheduled"));
        }
        Some("Running") => {
            update.status.phase = phase("ImportInProgress");
            update.event = normal("ImportInProgress", arcstr::format!("Import into {name} in progress"));
        }
        Some("Failed") => {
            if claim.has(&ann::IMPORT_FATAL_ERROR, "true") || fails_with_its_pod(cx) {
                update.status.phase = phase("Failed");
            }
            let text = arcstr::format!("Failed to import into PVC {name}");
            update.event = Some(PhaseEvent::new(EventType::Warning, "ImportFailed", text));
        }
        Some("Succeeded") if is_multi_stage_import_in_progress(&claim.object) => {
            if !is_data_source_ref_kind(&claim.object, "VolumeImportSource") {
                let wanted = checkpoints::Wanted::of(&update.dv.spec.rest);
                checkpoints::succeeded(cx, claim, &wanted)?;
            }
            update.status.phase = phase("Paused");
            let text = arcstr::format!("Multistage import into PVC {name} is paused");
            update.event = normal("ImportPaused", text);
        }
        Some("Succeeded") => {
            update.status.phase = phase("Succeeded");
            update.status.progress = literal!("100.0%");
            update.event =
                normal("ImportSucceeded", arcstr::format!("Successfully imported into PVC {name}"));
        }
        _ => {}
    }
    Ok(())
}

fn upload(update: &mut StatusUpdate<'_>, cx: &Context<'_>, claim: &Claim) {
    let pod_phase = claim.annotation(&ann::POD_PHASE).map(ArcStr::as_str);
    let source = ("VolumeUploadSource", &ann::UPLOAD_REQUEST);
    if pod_phase != Some("Succeeded") && !may_update(update, cx, &claim.object, source) {
        return;
    }
    update.status.phase = phase("UploadScheduled");
    let name = &claim.object.metadata.name;
    let normal = |reason, text| Some(PhaseEvent::new(EventType::Normal, reason, text));
    match pod_phase {
        Some("Pending") => {
            update.event = normal("UploadScheduled", arcstr::format!("Upload into {name} scheduled"));
        }
        Some("Running") if claim.has(&ann::POD_READY, "true") => {
            update.status.phase = phase("UploadReady");
            update.event = normal("UploadReady", arcstr::format!("Upload into {name} ready"));
        }
        Some("Failed") => {
            if fails_with_its_pod(cx) {
                update.status.phase = phase("Failed");
            }
            let text = arcstr::format!("Upload into {name} failed");
            update.event = Some(PhaseEvent::new(EventType::Warning, "UploadFailed", text));
        }
        Some("Succeeded") => {
            update.status.phase = phase("Succeeded");
            update.event = normal("UploadSucceeded", arcstr::format!("Successfully uploaded into {name}"));
        }
        _ => {}
    }
}

/// A populator outside of CDI: done as soon as the claim is there, if it can work at all.
fn populator(update: &mut StatusUpdate<'_>, cx: &mut Context<'_>, claim: &Claim) {
    let spec = &claim.object.spec;
    let source = spec.rest.get("dataSource");
    let field = |field: &str| source.and_then(|source| source.get(field)).and_then(serde_json::Value::as_str);
    let reference = spec.data_source_ref.as_ref();
    let is_kind = |kind: &str| field("kind") == Some(kind) || reference.is_some_and(|it| it.kind == kind);
    let class = storage_class::by_name(cx.view(), spec.storage_class_name.as_ref());
    let has_driver = class.is_some_and(|class| cx.config.cdi.has_csi_driver(class));
    let refusal = if !is_kind("VolumeSnapshot") && !has_driver {
        Some((
            "NoCSIDriverForExternalPopulation",
            "No CSI drivers were found: External population not supported",
        ))
    } else if reference.is_none() && !is_kind("PersistentVolumeClaim") && !is_kind("VolumeSnapshot") {
        let text = "AnyVolumeDataSource feature gate is not enabled: External population not supported";
        Some(("NoAnyVolumeDataSource", text))
    } else {
        None
    };
    if let Some((reason, text)) = refusal {
        cx.event(&claim.object, EventType::Warning, reason, text);
        update.event = Some(PhaseEvent::new(EventType::Warning, reason, text));
        return;
    }
    let by = reference.map_or(field("name").unwrap_or_default(), |reference| &reference.name);
    let text = arcstr::format!("PVC {} successfully populated by {by}", claim.object.metadata.name);
    update.event = Some(PhaseEvent::new(EventType::Normal, "ExternalPopulationSucceeded", text));
    update.status.phase = phase("Succeeded");
}
