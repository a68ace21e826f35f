//! Upload controller, CDI main 2026-08 (commit c07cdb6fbd18): `pkg/controller/upload-controller.go`.
//!
//! The Service before the pod and the Secret with its certificates are left out, and so is the deadline after which a server
//! ends that nobody has sent anything (a day, as certificates are renewed).

mod pod;

use super::cdi::annotations as ann;
use super::cdi::claims::{
    Claim, immediate_binding_requested, is_bound, is_complete, is_controlled_by, prime_name,
};
use super::cdi::errors::CdiError;
use super::cdi::users::{Use, event_source, report_users};
use super::cdi::{delete_pod, events, resource_name};
use super::data_volume_cloner::{Fit, find_source, fit};
use super::data_volume_importer::{TerminationMessage, create_scratch, fail_pod, set_annotations};
use crate::context::{Context, EventType};
use crate::controller::{Action, Controller};
use crate::kind::{Kind, ObjectId};
use crate::objects::{PersistentVolumeClaim, Pod, StrMap};
use crate::store::{Change, View};
use crate::work_queue::{Work, WorkQueue};
use arcstr::{ArcStr, literal};
use std::sync::Arc;

/// Makes upload servers for claims that are to be uploaded to, or to be copied into by a host-assisted clone, and writes on
/// the claims how they fare.
#[derive(Debug, Default)]
pub(crate) struct UploadController;

impl Controller for UploadController {
    fn name(&self) -> &'static str {
        "upload"
    }

    fn on_change(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        let meta = change.object().metadata();
        match change.id.kind {
            Kind::PersistentVolumeClaim if is_target(&meta.annotations) => queue.add(change.id),
            Kind::Pod => {
                let owner = meta.controller().filter(|owner| owner.kind == "PersistentVolumeClaim");
                let claim =
                    owner.and_then(|owner| view.named::<PersistentVolumeClaim>(&meta.namespace, &owner.name));
                if let Some((id, claim)) = claim
                    && is_target(&claim.metadata.annotations)
                {
                    queue.add(id);
                }
            }
            _ => {}
        }
    }

    fn reconcile(&mut self, work: Work, cx: &mut Context<'_>) -> Action {
        let Some(claim) = cx.view().get::<PersistentVolumeClaim>(work.id) else { return Action::Done };
        if !is_target(&claim.metadata.annotations) {
            return Action::Done;
        }
        let mut claim = Claim { id: work.id, object: PersistentVolumeClaim::clone(claim) };
        reconcile(cx, &mut claim).unwrap_or_else(|error| Action::Fail(error.text()))
    }
}

fn is_target(annotations: &StrMap) -> bool {
    annotations.contains_key(&ann::UPLOAD_REQUEST) || annotations.contains_key(&ann::CLONE_REQUEST)
}

/// Whether the claim is copied into.
fn is_clone_target(claim: &Claim) -> bool {
    claim.annotation(&ann::CLONE_REQUEST).is_some()
}

fn reconcile(cx: &mut Context<'_>, claim: &mut Claim) -> Result<Action, CdiError> {
    if is_clone_target(claim) && claim.annotation(&ann::UPLOAD_REQUEST).is_some() {
        return Err(CdiError::Resource(literal!("PVC has both clone and upload annotations")));
    }
    events::update_bound_condition(cx, claim)?;
    let object = &claim.object;
    let honors = cx.config.cdi.honor_wait_for_first_consumer && !immediate_binding_requested(object);
    let is_over = is_complete(object) || object.metadata.is_deleting();
    let found = find_pod(cx, claim)?;
    if is_over || (honors && !is_bound(object)) {
        let is_kept = claim.has(&ann::POD_RETAIN_AFTER_COMPLETION, "true") && !object.metadata.is_deleting();
        if let Some((id, _)) = found.filter(|(_, pod)| !is_kept && !pod.metadata.is_deleting()) {
            delete_pod(cx, id)?;
        }
        return Ok(Action::Done);
    }
    let client = match client(cx, claim)? {
        Client::User => None,
        Client::Cloner(name) => Some(name),
        Client::Nobody => return Ok(Action::Done),
    };
    let pod = match found {
        Some((_, pod)) => pod,
        None => match start(cx, claim)? {
            Some(pod) => pod,
            None => return Ok(Action::Requeue),
        },
    };
    if let Some(scratch) = pod::scratch_name(claim)
        && cx.view().named::<PersistentVolumeClaim>(&claim.object.metadata.namespace, &scratch).is_none()
    {
        create_scratch(cx, claim, &pod, &scratch)?;
    }
    follow(cx, claim, &pod, client)?;
    Ok(Action::Done)
}

/// Who is to send the data.
enum Client {
    User,
    /// The pod of a clone, by its name in certificates.
    Cloner(ArcStr),
    /// The source does not fit, which an event has told.
    Nobody,
}

fn client(cx: &mut Context<'_>, claim: &Claim) -> Result<Client, CdiError> {
    if !is_clone_target(claim) {
        return Ok(Client::User);
    }
    let source = find_source(cx, claim)?;
    if let Fit::Not(why) = fit(cx, &source, claim)? {
        cx.event(&claim.object, EventType::Warning, "ErrIncompatiblePVC", &why);
        return Ok(Client::Nobody);
    }
    let (from, to) = (&source.metadata, &claim.object.metadata);
    let name = arcstr::format!("{}/{}-{}/{}", from.namespace, from.name, to.namespace, to.name);
    Ok(Client::Cloner(name))
}

fn pod_name(claim: &Claim) -> ArcStr {
    let named = claim.annotation(&ann::UPLOAD_POD).cloned();
    named.unwrap_or_else(|| resource_name("cdi-upload", &claim.object.metadata.name))
}

/// `findUploadPodForPvc`.
fn find_pod(cx: &Context<'_>, claim: &Claim) -> Result<Option<(ObjectId, Arc<Pod>)>, CdiError> {
    let name = pod_name(claim);
    let meta = &claim.object.metadata;
    let Some((id, pod)) = cx.view().named::<Pod>(&meta.namespace, &name) else { return Ok(None) };
    if !is_controlled_by(&pod.metadata, &meta.uid) {
        let text = arcstr::format!("{name} pod not controlled by pvc {}", meta.name);
        return Err(CdiError::Resource(text));
    }
    Ok(Some((id, Arc::clone(pod))))
}

/// The server that writes a claim, or the helper claim that is filled in its stead.
pub(crate) fn server_of<'a>(
    view: View<'a>,
    claim: &PersistentVolumeClaim,
) -> Option<(ObjectId, &'a Arc<Pod>)> {
    let namespace = &claim.metadata.namespace;
    let prime = view.named::<PersistentVolumeClaim>(namespace, &prime_name(claim));
    let filled = prime.map_or(claim, |(_, prime)| prime);
    view.named::<Pod>(namespace, filled.metadata.annotations.get(&ann::UPLOAD_POD)?)
}

/// Names the pod, or makes it; nothing comes of it while the pod has no name or another pod uses the claim.
fn start(cx: &mut Context<'_>, claim: &mut Claim) -> Result<Option<Arc<Pod>>, CdiError> {
    let told = event_source(cx, claim)?;
    if report_users(cx, &claim.object, &told, Use::Upload) {
        return Ok(None);
    }
    let name = pod_name(claim);
    if claim.annotation(&ann::UPLOAD_POD).is_none() {
        claim.object.metadata.annotations.insert(ann::UPLOAD_POD, name);
        return claim.update(cx).map(|()| None);
    }
    match cx.create(pod::upload_pod(cx, claim, &name)) {
        Ok(id) => Ok(cx.newest().get::<Pod>(id).cloned()),
        Err(error) => fail_pod(cx, claim, &name, error.into()).map(|()| None),
    }
}

/// The claim tells how the server fares.
fn follow(
    cx: &mut Context<'_>,
    claim: &mut Claim,
    pod: &Pod,
    cloner: Option<ArcStr>,
) -> Result<(), CdiError> {
    let before = claim.object.clone();
    let message = TerminationMessage::of(pod);
    let statuses = &pod.status.container_statuses;
    let is_ready = !statuses.is_empty() && statuses.iter().all(|status| status.ready);
    // The clone controller tells the end of a clone.
    let is_clone = cloner.is_some();
    let annotations = &mut claim.object.metadata.annotations;
    if let Some(name) = cloner {
        annotations.insert(ann::UPLOAD_CLIENT_NAME, name);
    }
    annotations.insert(ann::POD_PHASE, pod.status.phase.clone());
    annotations.insert(ann::POD_READY, if is_ready { "true" } else { "false" });
    set_annotations(annotations, pod, message.as_ref(), &ann::TARGET_SIDE);
    if claim.object == before {
        return Ok(());
    }
    claim.update(cx)?;
    if is_complete(&claim.object) && !is_clone {
        cx.event(&claim.object, EventType::Normal, "UploadSucceeded", "Upload Successful");
    }
    Ok(())
}
