//! Clone controller, CDI main 2026-08 (commit c07cdb6fbd18): `pkg/controller/clone-controller.go`.
//!
//! A host-assisted clone has two pods: the upload controller makes the one that writes the copy, and once that is ready
//! this controller makes the one that reads the source. The Secret with the certificates of their connection is left out.

mod pod;
mod source;

pub(super) use pod::{source_pod_name, upload_server};
pub(super) use source::{Fit, find as find_source, fit};

use super::cdi::annotations as ann;
use super::cdi::claims::{Claim, is_bound, is_complete, is_populated, parse_bool, should_delete_pod};
use super::cdi::errors::CdiError;
use super::cdi::users::{Use, event_source, report_users};
use super::cdi::{delete_pod, events};
use super::data_volume_importer::{fail_pod, set_annotations};
use crate::context::{Context, EventType};
use crate::controller::{Action, Controller};
use crate::kind::{Kind, ObjectId};
use crate::objects::{ObjectMeta, PersistentVolumeClaim, Pod};
use crate::store::{Change, View};
use crate::work_queue::{Work, WorkQueue};
use arcstr::{ArcStr, literal};
use std::sync::Arc;
use std::time::Duration;

/// Keeps a claim until the pod that reads for it is gone.
const FINALIZER: ArcStr = literal!("cdi.kubevirt.io/cloneSource");

/// How often it looks whether the source is filled and free.
const SOURCE_PERIOD: Duration = Duration::from_secs(2);

/// Makes the pods that read the sources of host-assisted clones, and says on the copies when they are whole.
#[derive(Debug, Default)]
pub(crate) struct CloneController;

impl Controller for CloneController {
    fn name(&self) -> &'static str {
        "clone"
    }

    fn on_change(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        let meta = change.object().metadata();
        match change.id.kind {
            Kind::PersistentVolumeClaim if is_target(meta) => queue.add(change.id),
            Kind::Pod => {
                let owner = meta.controller().filter(|owner| owner.kind == "PersistentVolumeClaim");
                if let Some(owner) = owner {
                    add_named(&meta.namespace, &owner.name, view, queue);
                }
                let target = meta.annotations.get(&ann::OWNER_REF).and_then(|target| target.split_once('/'));
                if let Some((namespace, name)) = target {
                    add_named(namespace, name, view, queue);
                }
            }
            _ => {}
        }
    }

    fn reconcile(&mut self, work: Work, cx: &mut Context<'_>) -> Action {
        let Some(claim) = cx.view().get::<PersistentVolumeClaim>(work.id) else { return Action::Done };
        if !is_target(&claim.metadata) {
            return Action::Done;
        }
        let mut claim = Claim { id: work.id, object: PersistentVolumeClaim::clone(claim) };
        match reconcile(cx, &mut claim) {
            Ok(None) => Action::Done,
            Ok(Some(delay)) => Action::RequeueAfter(delay),
            Err(error) => Action::Fail(error.text()),
        }
    }
}

fn is_target(meta: &ObjectMeta) -> bool {
    meta.annotations.contains_key(&ann::CLONE_REQUEST) || meta.has_finalizer(&FINALIZER)
}

fn add_named(namespace: &str, name: &str, view: View<'_>, queue: &mut WorkQueue) {
    let found = view.named::<PersistentVolumeClaim>(namespace, name);
    if let Some((id, _)) = found.filter(|(_, claim)| is_target(&claim.metadata)) {
        queue.add(id);
    }
}

fn reconcile(cx: &mut Context<'_>, claim: &mut Claim) -> Result<Option<Duration>, CdiError> {
    let is_deleting = claim.object.metadata.is_deleting();
    let is_requested = claim.annotation(&ann::CLONE_REQUEST).is_some() && !is_deleting;
    if is_requested {
        events::update_bound_condition(cx, claim)?;
    }
    if !is_requested || claim.annotation(&ann::CLONE_OF).is_some() || !is_bound(&claim.object) {
        if claim.object.metadata.has_finalizer(&FINALIZER) || is_deleting {
            clean_up(cx, claim)?;
        }
        return Ok(None);
    }
    if !is_target_ready(claim)? {
        return Ok(None);
    }
    let found = find_pod(cx, claim);
    if found.is_none() && claim.annotation(&ann::CLONE_SOURCE_POD).is_none() {
        let name = source_pod_name(&claim.object);
        let meta = &mut claim.object.metadata;
        meta.annotations.insert(ann::CLONE_SOURCE_POD, name);
        meta.add_finalizer(FINALIZER);
        // The rest waits for the claim to come back.
        return claim.update(cx).map(|()| None);
    }
    if found.is_none() && !start(cx, claim)? {
        return Ok(Some(SOURCE_PERIOD));
    }
    follow(cx, claim, found.as_ref().map(|(_, pod)| &**pod)).map(|()| None)
}

/// `waitTargetPodRunningOrSucceeded`: the pod that writes is ready, or done.
fn is_target_ready(claim: &Claim) -> Result<bool, CdiError> {
    let Some(ready) = claim.annotation(&ann::POD_READY) else { return Ok(false) };
    let error = |error: CdiError| {
        CdiError::Resource(arcstr::format!(
            "error ensuring target upload pod running: error parsing {} annotation: {error}",
            ann::POD_READY
        ))
    };
    Ok(parse_bool(ready).map_err(error)? || is_complete(&claim.object))
}

/// `findCloneSourcePod`: by its name, which upstream finds as a label.
fn find_pod(cx: &Context<'_>, claim: &Claim) -> Option<(ObjectId, Arc<Pod>)> {
    let (namespace, _) = claim.annotation(&ann::CLONE_REQUEST)?.split_once('/')?;
    let named = claim.annotation(&ann::CLONE_SOURCE_POD).cloned();
    let name = named.unwrap_or_else(|| source_pod_name(&claim.object));
    cx.view().named::<Pod>(namespace, &name).map(|(id, pod)| (id, Arc::clone(pod)))
}

/// `reconcileSourcePod`, without a pod: makes it, unless the source is not filled yet or in use.
fn start(cx: &mut Context<'_>, claim: &mut Claim) -> Result<bool, CdiError> {
    let source = source::find(cx, claim)?;
    if !is_populated(cx.view(), &source)? {
        return Ok(false);
    }
    source::validate(cx, &source, claim)?;
    let told = event_source(cx, claim)?;
    if report_users(cx, &source, &told, Use::Clone) {
        return Ok(false);
    }
    let pod = pod::source_pod(cx, claim, &source);
    let name = pod.metadata.name.clone();
    match cx.create(pod) {
        Ok(_) => Ok(true),
        Err(error) => {
            let error = CdiError::ApiIn { context: "source pod API create errored", error };
            fail_pod(cx, claim, &name, error).map(|()| true)
        }
    }
}

/// `updatePvcFromPod`.
fn follow(cx: &mut Context<'_>, claim: &mut Claim, pod: Option<&Pod>) -> Result<(), CdiError> {
    let before = claim.object.clone();
    if is_complete(&claim.object) && pod.is_none_or(Pod::is_finished) {
        claim.object.metadata.annotations.insert(ann::CLONE_OF, "true");
        cx.event(&claim.object, EventType::Normal, "CloneSucceeded", "Clone Complete");
    }
    if let Some(pod) = pod {
        set_annotations(&mut claim.object.metadata.annotations, pod, None, &ann::SOURCE_SIDE);
    }
    if claim.object == before { Ok(()) } else { claim.update(cx) }
}

/// `cleanup`: the pod that has read goes, and with it the finalizer.
fn clean_up(cx: &mut Context<'_>, claim: &mut Claim) -> Result<(), CdiError> {
    if let Some((id, pod)) = find_pod(cx, claim).filter(|(_, pod)| !pod.metadata.is_deleting()) {
        if is_complete(&claim.object) && pod.status.phase == "Running" {
            // All was written, so it ends by itself.
            return Ok(());
        }
        if should_delete_pod(&claim.object) {
            let context = "error deleting clone source pod";
            delete_pod(cx, id).map_err(|error| CdiError::ApiIn { context, error })?;
        }
    }
    if !claim.object.metadata.has_finalizer(&FINALIZER) {
        return Ok(());
    }
    claim.object.metadata.remove_finalizer(&FINALIZER);
    claim.update(cx)
}
