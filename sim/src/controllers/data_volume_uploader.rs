//! Upload controller, CDI main 2026-08 (commit c07cdb6fbd18): `pkg/controller/upload-controller.go`.
//!
//! Targets of host-assisted clones, which upstream serves too, and the Service before the pod are left out.

use super::cdi::annotations as ann;
use super::cdi::claims::{
    Claim, controller_reference, immediate_binding_requested, is_bound, is_complete, is_controlled_by,
    report_users,
};
use super::cdi::errors::CdiError;
use super::cdi::{copy_allowed_annotations, events, resource_name, set_recommended_labels};
use super::data_volume_importer::{TerminationMessage, create_scratch, fail_pod, set_annotations};
use crate::context::{Context, EventType};
use crate::controller::{Action, Controller};
use crate::kind::{Kind, ObjectId};
use crate::objects::{
    Container, PersistentVolumeClaim, PersistentVolumeClaimSource, Pod, PodSpec, PodVolume, Probe,
};
use crate::store::{ApiError, Change, View};
use crate::work_queue::{Work, WorkQueue};
use arcstr::{ArcStr, literal};
use std::sync::Arc;

/// Makes upload servers for claims that are to be uploaded to, and writes on the claims how they fare.
#[derive(Debug, Default)]
pub(crate) struct UploadController;

impl Controller for UploadController {
    fn name(&self) -> &'static str {
        "upload"
    }

    fn on_change(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        let meta = change.object().metadata();
        match change.id.kind {
            Kind::PersistentVolumeClaim if is_upload(&meta.annotations) => queue.add(change.id),
            Kind::Pod => {
                let owner = meta.controller().filter(|owner| owner.kind == "PersistentVolumeClaim");
                let claim =
                    owner.and_then(|owner| view.named::<PersistentVolumeClaim>(&meta.namespace, &owner.name));
                if let Some((id, claim)) = claim
                    && is_upload(&claim.metadata.annotations)
                {
                    queue.add(id);
                }
            }
            _ => {}
        }
    }

    fn reconcile(&mut self, work: Work, cx: &mut Context<'_>) -> Action {
        let Some(claim) = cx.view().get::<PersistentVolumeClaim>(work.id) else { return Action::Done };
        if !is_upload(&claim.metadata.annotations) {
            return Action::Done;
        }
        let mut claim = Claim { id: work.id, object: PersistentVolumeClaim::clone(claim) };
        reconcile(cx, &mut claim).unwrap_or_else(|error| Action::Fail(error.text()))
    }
}

fn is_upload(annotations: &crate::objects::StrMap) -> bool {
    annotations.contains_key(&ann::UPLOAD_REQUEST)
}

fn reconcile(cx: &mut Context<'_>, claim: &mut Claim) -> Result<Action, CdiError> {
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
    let pod = match found {
        Some((_, pod)) => pod,
        None => match start(cx, claim)? {
            Some(pod) => pod,
            None => return Ok(Action::Requeue),
        },
    };
    let scratch = resource_name(&claim.object.metadata.name, "scratch");
    if cx.view().named::<PersistentVolumeClaim>(&claim.object.metadata.namespace, &scratch).is_none() {
        create_scratch(cx, claim, &pod, &scratch)?;
    }
    follow(cx, claim, &pod)?;
    Ok(Action::Done)
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

/// Names the pod, or makes it; nothing comes of it while the pod has no name or another pod uses the claim.
fn start(cx: &mut Context<'_>, claim: &mut Claim) -> Result<Option<Arc<Pod>>, CdiError> {
    if report_users(cx, &claim.object, &claim.object, "UploadTargetInUse") {
        return Ok(None);
    }
    let name = pod_name(claim);
    if claim.annotation(&ann::UPLOAD_POD).is_none() {
        claim.object.metadata.annotations.insert(ann::UPLOAD_POD, name);
        return claim.update(cx).map(|()| None);
    }
    match cx.create(upload_pod(cx, claim, &name)) {
        Ok(id) => Ok(cx.newest().get::<Pod>(id).cloned()),
        Err(error) => fail_pod(cx, claim, &name, error.into()).map(|()| None),
    }
}

/// The claim tells how the server fares.
fn follow(cx: &mut Context<'_>, claim: &mut Claim, pod: &Pod) -> Result<(), CdiError> {
    let before = claim.object.clone();
    let message = TerminationMessage::of(pod);
    let statuses = &pod.status.container_statuses;
    let is_ready = !statuses.is_empty() && statuses.iter().all(|status| status.ready);
    let annotations = &mut claim.object.metadata.annotations;
    annotations.insert(ann::POD_PHASE, pod.status.phase.clone());
    annotations.insert(ann::POD_READY, if is_ready { "true" } else { "false" });
    set_annotations(annotations, pod, message.as_ref());
    if claim.object == before {
        return Ok(());
    }
    claim.update(cx)?;
    if is_complete(&claim.object) {
        cx.event(&claim.object, EventType::Normal, "UploadSucceeded", "Upload Successful");
    }
    Ok(())
}

/// `makeUploadPodSpec`.
fn upload_pod(cx: &Context<'_>, claim: &Claim, name: &ArcStr) -> Pod {
    let object = &claim.object;
    let mut pod = Pod::default();
    let meta = &mut pod.metadata;
    meta.name = name.clone();
    meta.namespace = object.metadata.namespace.clone();
    meta.annotations.insert("cdi.kubevirt.io/storage.createdByUploadController", "yes");
    copy_allowed_annotations(&object.metadata.annotations, &mut meta.annotations);
    meta.labels.insert("app", "containerized-data-importer");
    meta.labels.insert("cdi.kubevirt.io", "cdi-upload-server");
    set_recommended_labels(&mut meta.labels);
    meta.owner_references = vec![controller_reference::<PersistentVolumeClaim>(&object.metadata)].into();
    let probe = Probe { initial_delay_seconds: 2, period_seconds: 5, ..Probe::default() };
    let server = Container {
        name: literal!("cdi-upload-server"),
        image: cx.config.cdi.upload_server_image.clone(),
        image_pull_policy: literal!("IfNotPresent"),
        readiness_probe: Some(Arc::new(probe)),
        ..Container::default()
    };
    let volume = |name: ArcStr, claim_name: ArcStr| PodVolume {
        name,
        persistent_volume_claim: Some(PersistentVolumeClaimSource { claim_name, read_only: false }),
        ..PodVolume::default()
    };
    let scratch = resource_name(&object.metadata.name, "scratch");
    pod.spec = Arc::new(PodSpec {
        restart_policy: literal!("OnFailure"),
        containers: vec![server],
        volumes: vec![
            volume(literal!("cdi-data-vol"), object.metadata.name.clone()),
            volume(literal!("cdi-scratch-vol"), scratch),
        ],
        ..PodSpec::default()
    });
    if let (Some(node), Some(_)) =
        (claim.annotation(&ann::SELECTED_NODE), claim.annotation(&ann::POPULATOR_KIND))
    {
        pod.node_name = node.clone();
    }
    pod
}

fn delete_pod(cx: &mut Context<'_>, id: ObjectId) -> Result<(), CdiError> {
    match cx.delete::<Pod>(id) {
        Ok(()) | Err(ApiError::Gone { .. } | ApiError::NotFound { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
