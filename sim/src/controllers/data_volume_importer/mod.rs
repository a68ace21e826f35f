//! DATAVOLUME IMPORTER: the import controller, CDI main 2026-08 (commit c07cdb6fbd18): `pkg/controller/import-controller.go`.

mod follow;
mod pod;
mod scratch;
mod termination;
mod volumes;

pub(super) use pod::fail as fail_pod;
pub(super) use scratch::create as create_scratch;
pub(super) use termination::{TerminationMessage, set_annotations};

use crate::context::Context;
use crate::controller::{Action, Controller};
use crate::controllers::cdi::annotations as ann;
use crate::controllers::cdi::claims::{
    Claim, immediate_binding_requested, is_bound, is_complete, is_controlled_by,
    is_multi_stage_import_in_progress,
};
use crate::controllers::cdi::errors::CdiError;
use crate::controllers::cdi::users::{Use, report_users};
use crate::controllers::cdi::{Poll, events, resource_name};
use crate::kind::{Kind, ObjectId};
use crate::objects::{PersistentVolumeClaim, Pod};
use crate::store::{Change, View};
use crate::work_queue::{Work, WorkQueue};
use arcstr::ArcStr;
use std::sync::Arc;

/// Makes importer pods for claims that say what to import, and writes on the claims how the pods fare.
#[derive(Debug, Default)]
pub(crate) struct ImportController;

impl Controller for ImportController {
    fn name(&self) -> &'static str {
        "import"
    }

    fn on_change(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        let meta = change.object().metadata();
        match change.id.kind {
            Kind::PersistentVolumeClaim if is_import(&meta.annotations) => queue.add(change.id),
            Kind::Pod => {
                let owner = meta.controller().filter(|owner| owner.kind == "PersistentVolumeClaim");
                let claim =
                    owner.and_then(|owner| view.named::<PersistentVolumeClaim>(&meta.namespace, &owner.name));
                if let Some((id, _)) = claim {
                    queue.add(id);
                }
            }
            _ => {}
        }
    }

    fn reconcile(&mut self, work: Work, cx: &mut Context<'_>) -> Action {
        let Some(claim) = cx.view().get::<PersistentVolumeClaim>(work.id) else { return Action::Done };
        if !is_import(&claim.metadata.annotations) {
            return Action::Done;
        }
        let mut claim = Claim { id: work.id, object: PersistentVolumeClaim::clone(claim) };
        match reconcile_claim(cx, &mut claim) {
            Ok(Next::Done) => Action::Done,
            Ok(Next::Poll(poll)) => poll.into(),
            Ok(Next::Requeue) => Action::Requeue,
            Err(error) => Action::Fail(error.text()),
        }
    }
}

/// When a claim is looked at again.
enum Next {
    Done,
    Poll(Poll),
    Requeue,
}

/// Whether a claim says what to import.
fn is_import(annotations: &crate::objects::StrMap) -> bool {
    annotations.contains_key(&ann::ENDPOINT) || annotations.contains_key(&ann::SOURCE)
}

fn reconcile_claim(cx: &mut Context<'_>, claim: &mut Claim) -> Result<Next, CdiError> {
    events::update_bound_condition(cx, claim)?;
    if !should_reconcile(cx, claim) {
        return Ok(Next::Done);
    }
    // A claim that is not bound may get events, which nobody is woken by.
    let mut is_visible = !is_bound(&claim.object);
    match find_importer_pod(cx, claim)? {
        None => {
            if !start(cx, claim)? {
                return Ok(Next::Requeue);
            }
        }
        Some((pod_id, _)) if claim.object.metadata.is_deleting() => pod::clean_up(cx, claim, pod_id)?,
        Some((pod_id, pod)) => {
            // A failure is an event each time it is seen.
            is_visible |= follow::exit_code(&pod).is_some_and(|code| code > 0);
            follow::update_from_pod(cx, claim, pod_id, &pod)?;
        }
    }
    Ok(if is_complete(&claim.object) { Next::Done } else { Next::Poll(Poll { is_visible }) })
}

/// `shouldReconcilePVC`.
fn should_reconcile(cx: &Context<'_>, claim: &Claim) -> bool {
    let object = &claim.object;
    let honors = cx.config.cdi.honor_wait_for_first_consumer && !immediate_binding_requested(object);
    claim.annotation(&ann::EXTERNAL_POPULATION).is_none()
        && (!is_complete(object) || is_multi_stage_import_in_progress(object))
        && (!honors || is_bound(object))
}

/// `findImporterPod`.
fn find_importer_pod(cx: &Context<'_>, claim: &Claim) -> Result<Option<(ObjectId, Arc<Pod>)>, CdiError> {
    let name = claim.annotation(&ann::IMPORT_POD).cloned().unwrap_or_else(|| pod_name(claim));
    let Some((id, pod)) = cx.view().named::<Pod>(&claim.object.metadata.namespace, &name) else {
        return Ok(None);
    };
    if !is_controlled_by(&pod.metadata, &claim.object.metadata.uid) && !pod::is_image_stream(claim) {
        return Err(CdiError::PodNotOwned);
    }
    Ok(Some((id, Arc::clone(pod))))
}

/// `createImportPodNameFromPvc`: each checkpoint has a pod of its own.
fn pod_name(claim: &Claim) -> ArcStr {
    let name = &claim.object.metadata.name;
    match claim.annotation(&ann::CURRENT_CHECKPOINT).filter(|checkpoint| !checkpoint.is_empty()) {
        Some(checkpoint) => resource_name("importer", &format!("{name}-checkpoint-{checkpoint}")),
        None => resource_name("importer", name),
    }
}

/// Without a pod: names it, or makes it. Returns false while another pod uses the claim.
fn start(cx: &mut Context<'_>, claim: &mut Claim) -> Result<bool, CdiError> {
    let is_fatal = claim.has(&ann::IMPORT_FATAL_ERROR, "true");
    if is_complete(&claim.object) || is_fatal || claim.object.metadata.is_deleting() {
        return Ok(true);
    }
    if report_users(cx, &claim.object, &claim.object, Use::Import) {
        return Ok(false);
    }
    if claim.annotation(&ann::IMPORT_POD).is_some() {
        pod::create(cx, claim)?;
        return Ok(true);
    }
    let name = pod_name(claim);
    let needs_scratch = scratch::is_required(claim);
    let annotations = &mut claim.object.metadata.annotations;
    annotations.insert(ann::IMPORT_POD, name);
    if needs_scratch {
        annotations.insert(ann::REQUIRES_SCRATCH, "true");
    }
    claim.update(cx)?;
    Ok(true)
}
