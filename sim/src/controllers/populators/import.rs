//! The claim that is filled follows its helper claim, and takes its volume over at the end.
//!
//! CDI main 2026-08: `pkg/controller/populators/{populator-base,import-populator}.go`, `pkg/controller/common/util.go`
//! (`Rebind`).

use super::Populator;
use crate::context::{Context, EventType};
use crate::controllers::cdi::annotations as ann;
use crate::controllers::cdi::checkpoints::{self, Wanted};
use crate::controllers::cdi::claims::{
    Claim, is_bound, is_complete, is_controlled_by, is_multi_stage_import_in_progress,
};
use crate::controllers::cdi::errors::CdiError;
use crate::controllers::cdi::{Poll, events};
use crate::kind::Kind;
use crate::objects::{ObjectReference, PersistentVolume, Pod};
use crate::store::ApiError;
use arcstr::ArcStr;

/// `reconcileTargetPVC`: copies how the helper claim fares, and hands its volume over at the end.
pub(super) fn reconcile(
    cx: &mut Context<'_>,
    target: &mut Claim,
    prime: &Claim,
) -> Result<Option<Poll>, CdiError> {
    let before = target.object.clone();
    let source = Populator::Import.population_source(cx, &target.object);
    let wanted = source.map(|source| Wanted::of(&source.rest)).unwrap_or_default();
    if target.annotation(&ann::PVC_PRIME_NAME).is_none() {
        let name = prime.object.metadata.name.clone();
        target.object.metadata.annotations.insert(ann::PVC_PRIME_NAME, name);
        target.update(cx)?;
    }
    events::copy(cx, prime, target);
    events::update_bound_condition(cx, target)?;
    let name = &before.metadata.name;
    match prime.annotation(&ann::POD_PHASE).map_or("", ArcStr::as_str) {
        "Running" => {
            checkpoints::begin(cx, prime, &wanted)?;
            copy_annotations(cx, target, prime)?;
            return Ok(Some(Poll { is_visible: has_progress(cx, prime) }));
        }
        "Failed" => {
            let text = arcstr::format!("import into {name} failed");
            cx.event(&before, EventType::Warning, "importFailed", &text);
        }
        "Succeeded" if is_multi_stage_import_in_progress(&prime.object) => {
            checkpoints::succeeded(cx, prime, &wanted)?;
            let text = arcstr::format!("Multistage import into PVC {name} is paused");
            cx.event(&before, EventType::Normal, "ImportPaused", &text);
        }
        "Succeeded" if !is_bound(&before) => {
            copy_annotations(cx, target, prime)?;
            copy_labels(cx, target, prime)?;
            rebind(cx, prime, target)?;
        }
        _ => {}
    }
    copy_annotations(cx, target, prime)?;
    if is_complete(&prime.object) && !is_multi_stage_import_in_progress(&before) {
        let text = arcstr::format!("Successfully imported into {name}");
        cx.event(&before, EventType::Normal, "importSucceeded", &text);
    }
    Ok(None)
}

/// The annotations that the target takes over, and loses when the helper claim loses them.
const DESIRED_ANNOTATIONS: [ArcStr; 12] = [
    ann::POD_PHASE,
    ann::POD_READY,
    ann::POD_RESTARTS,
    ann::PREALLOCATION_REQUESTED,
    ann::PREALLOCATION_APPLIED,
    ann::CURRENT_CHECKPOINT,
    ann::MULTI_STAGE_IMPORT_DONE,
    ann::RUNNING_CONDITION,
    ann::RUNNING_CONDITION_MESSAGE,
    ann::RUNNING_CONDITION_REASON,
    ann::POD_SCHEDULABLE,
    ann::IMPORT_FATAL_ERROR,
];

/// `updatePVCWithPVCPrimeAnnotations`.
fn copy_annotations(cx: &mut Context<'_>, target: &mut Claim, prime: &Claim) -> Result<(), CdiError> {
    let before = target.object.metadata.annotations.clone();
    take_over(target, prime);
    copy_progress(cx, target, prime);
    if prime.has(&ann::SOURCE, "vddk") {
        for annotation in [ann::VDDK_HOST_CONNECTION, ann::VDDK_VERSION] {
            if let Some(value) = prime.annotation(&annotation).filter(|value| !value.is_empty()) {
                target.object.metadata.annotations.insert(annotation, value.clone());
            }
        }
    }
    if target.object.metadata.annotations == before { Ok(()) } else { target.update(cx) }
}

/// The annotations of `DESIRED_ANNOTATIONS` become those of the helper claim.
pub(super) fn take_over(target: &mut Claim, prime: &Claim) {
    let annotations = &mut target.object.metadata.annotations;
    for annotation in DESIRED_ANNOTATIONS {
        match prime.annotation(&annotation) {
            Some(value) => {
                annotations.insert(annotation, value.clone());
            }
            None => {
                annotations.remove(&annotation);
            }
        }
    }
}

/// `updateImportProgress`: what the importer's metrics say while it runs, but never 100 before the end.
fn copy_progress(cx: &Context<'_>, target: &mut Claim, prime: &Claim) {
    let annotations = &mut target.object.metadata.annotations;
    if prime.has(&ann::POD_PHASE, "Succeeded") {
        annotations.insert(ann::POPULATOR_PROGRESS, "100.0%");
        return;
    }
    let Some(pod) = prime.annotation(&ann::IMPORT_POD) else { return };
    let Some((_, pod)) = cx.view().named::<Pod>(&prime.object.metadata.namespace, pod) else {
        if is_bound(&prime.object) && !annotations.contains_key(&ann::POPULATOR_PROGRESS) {
            annotations.insert(ann::POPULATOR_PROGRESS, "N/A");
        }
        return;
    };
    if pod.status.phase != "Running" || !is_controlled_by(&pod.metadata, &prime.object.metadata.uid) {
        return;
    }
    if let Some(progress) =
        cx.environment.sources.progress(&cx.config.latency, pod, cx.now).filter(|it| !it.is_whole())
    {
        annotations.insert(ann::POPULATOR_PROGRESS, progress.text());
    }
}

/// Whether the importer tells a progress that may change without anything else.
fn has_progress(cx: &Context<'_>, prime: &Claim) -> bool {
    let name = prime.annotation(&ann::IMPORT_POD).map_or("", ArcStr::as_str);
    let pod = cx.view().named::<Pod>(&prime.object.metadata.namespace, name);
    pod.is_some_and(|(_, pod)| cx.environment.sources.has_progress(pod))
}

/// `updatePVCWithPVCPrimeLabels`: KubeVirt's own labels that the image brought.
fn copy_labels(cx: &mut Context<'_>, target: &mut Claim, prime: &Claim) -> Result<(), CdiError> {
    let mut changed = false;
    for (label, value) in prime.object.metadata.labels.iter() {
        let domain = label.split_once('/').map_or("", |(domain, _)| domain);
        let labels = &mut target.object.metadata.labels;
        if (domain == "kubevirt.io" || domain.ends_with(".kubevirt.io")) && !labels.contains_key(label) {
            changed |= labels.insert(label.clone(), value.clone());
        }
    }
    if changed { target.update(cx) } else { Ok(()) }
}

/// `Rebind`: the helper claim's volume becomes the target's.
pub(super) fn rebind(cx: &mut Context<'_>, prime: &Claim, target: &Claim) -> Result<(), CdiError> {
    let name = &prime.object.spec.volume_name;
    let Some((id, volume)) = cx.view().named::<PersistentVolume>("", name) else {
        return Err(ApiError::NotFound { kind: Kind::PersistentVolume, name: name.clone() }.into());
    };
    let mut volume = PersistentVolume::clone(volume);
    let Some(bound) = &volume.spec.claim_ref else {
        return Err(CdiError::Resource(arcstr::format!("PV {name} claimRef is nil")));
    };
    let is_bound_to = |claim: &Claim| {
        let meta = &claim.object.metadata;
        bound.name == meta.name && bound.namespace == meta.namespace && bound.uid == meta.uid
    };
    if !is_bound_to(prime) {
        let unexpected = arcstr::format!("PV {name} bound to unexpected claim {}", bound.name);
        return if is_bound_to(target) { Ok(()) } else { Err(CdiError::Resource(unexpected)) };
    }
    let meta = &target.object.metadata;
    // The real one notes the claim's resourceVersion too, which nobody reads.
    volume.spec.claim_ref = Some(ObjectReference {
        namespace: meta.namespace.clone(),
        name: meta.name.clone(),
        uid: meta.uid.clone(),
        ..ObjectReference::default()
    });
    cx.update(id, volume)?;
    Ok(())
}
