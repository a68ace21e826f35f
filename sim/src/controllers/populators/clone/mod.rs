//! Clone populator, CDI main 2026-08 (commit c07cdb6fbd18): `pkg/controller/populators/clone-populator.go`.
//!
mod claims;
mod host;
mod snapshot;
mod steps;
mod strategy;

use super::{ready_for_population, tell_retained};
use crate::context::Context;
use crate::controller::{Action, Controller};
use crate::controllers::cdi::annotations as ann;
use crate::controllers::cdi::claims::{Claim, is_bound, is_data_source_ref_kind, is_filesystem};
use crate::controllers::cdi::errors::CdiError;
use crate::controllers::cdi::events;
use crate::controllers::cdi::tokens::{self, Subject};
use crate::kind::{Object, ObjectId};
use crate::objects::{PersistentVolumeClaim, StrMap, VolumeCloneSource, VolumeSourceSpec};
use crate::store::{Change, View};
use crate::work_queue::{Work, WorkQueue};
use arcstr::{ArcStr, literal};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use steps::{Step, Wait};

const SOURCE_KIND: &str = "VolumeCloneSource";
const FINALIZER: ArcStr = literal!("cdi.kubevirt.io/clonePopulator");
/// The label by which what a clone makes on its way is found again: the target claim's uid.
const OWNED_BY_UID: ArcStr = literal!("cdi.kubevirt.io/OwnedByUID");
/// How often it looks whether there is something to copy.
const NO_STRATEGY_PERIOD: Duration = Duration::from_secs(5);

/// Copies claims and snapshots into claims that name a VolumeCloneSource.
#[derive(Debug, Default)]
pub(crate) struct ClonePopulator {
    /// The claims that are filled, by uid.
    targets: BTreeMap<ArcStr, ObjectId>,
}

impl Controller for ClonePopulator {
    fn name(&self) -> &'static str {
        "clone-populator"
    }

    fn on_change(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        let meta = change.object().metadata();
        match change.object() {
            Object::PersistentVolumeClaim(claim) if is_data_source_ref_kind(claim, SOURCE_KIND) => {
                if change.new.is_some() {
                    self.targets.insert(meta.uid.clone(), change.id);
                } else {
                    self.targets.remove(&meta.uid);
                }
                queue.add(change.id);
            }
            Object::PersistentVolumeClaim(_) | Object::Pod(_) | Object::VolumeSnapshot(_) => {
                let target = meta.labels.get(&OWNED_BY_UID).and_then(|uid| self.targets.get(uid));
                target.into_iter().for_each(|id| queue.add(*id));
            }
            Object::VolumeCloneSource(_) => {
                // The source of a DataVolume fills the claim of that name and no other.
                let owner = meta.controller();
                let claim =
                    owner.and_then(|owner| view.named::<PersistentVolumeClaim>(&meta.namespace, &owner.name));
                if let Some((id, claim)) = claim
                    && is_data_source_ref_kind(claim, SOURCE_KIND)
                {
                    queue.add(id);
                }
            }
            _ => {}
        }
    }

    fn reconcile(&mut self, work: Work, cx: &mut Context<'_>) -> Action {
        let Some(claim) = cx.view().get::<PersistentVolumeClaim>(work.id) else { return Action::Done };
        let mut claim = Claim { id: work.id, object: PersistentVolumeClaim::clone(claim) };
        match reconcile(cx, &mut claim) {
            Ok(None) => Action::Done,
            Ok(Some(delay)) => Action::RequeueAfter(delay),
            Err(error) => Action::Fail(error.text()),
        }
    }
}

fn reconcile(cx: &mut Context<'_>, target: &mut Claim) -> Result<Option<Duration>, CdiError> {
    events::update_bound_condition(cx, target)?;
    let meta = &target.object.metadata;
    if !meta.is_deleting() && !target.has(&ann::CLONE_PHASE, "Succeeded") {
        let seen = target.clone();
        return reconcile_pending(cx, target).map_err(|error| tell_error(cx, seen, error));
    }
    if meta.has_finalizer(&FINALIZER) {
        finish(cx, target)?;
    }
    Ok(None)
}

/// `reconcilePending`.
fn reconcile_pending(cx: &mut Context<'_>, target: &mut Claim) -> Result<Option<Duration>, CdiError> {
    if ready_for_population(cx, &target.object)?.is_none() {
        return tell_phase(cx, target, "Pending", &Told::default()).map(|()| None);
    }
    let Some(source) = CloneOf::source(cx, &target.object) else {
        return tell_phase(cx, target, "Pending", &Told::default()).map(|()| None);
    };
    let resource = if source.is_snapshot { "volumesnapshots" } else { "persistentvolumeclaims" };
    let subject = Subject { resource, namespace: &source.namespace, name: &source.name };
    tokens::validate(&target.object.metadata, &subject)?;
    let chosen = match target.annotation(&ann::CLONE_TYPE) {
        Some(saved) => Some(strategy::Choice::saved(saved)?),
        None => strategy::choose(cx, &target.object, &source)?,
    };
    let Some(chosen) = chosen else {
        tell_phase(cx, target, "Pending", &Told::default())?;
        return Ok(Some(NO_STRATEGY_PERIOD));
    };
    if init_target(cx, target, &chosen)? {
        return Ok(None);
    }
    let clone = CloneOf { target: target.object.clone(), source };
    let steps = steps::plan(cx, &clone, chosen.strategy)?;
    execute(cx, target, &clone, steps)
}

/// What is copied into what.
struct CloneOf {
    target: PersistentVolumeClaim,
    source: SourceRef,
}

/// What a VolumeCloneSource names.
struct SourceRef {
    is_snapshot: bool,
    namespace: ArcStr,
    name: ArcStr,
    spec: Arc<VolumeSourceSpec>,
}

impl CloneOf {
    /// `getVolumeCloneSource`.
    fn source(cx: &Context<'_>, target: &PersistentVolumeClaim) -> Option<SourceRef> {
        let reference = target.spec.data_source_ref.as_ref()?;
        let namespace = source_namespace(target);
        let (_, found) = cx.view().named::<VolumeCloneSource>(namespace, &reference.name)?;
        let source = found.spec.source.as_ref()?;
        let text = |field| source.get(field).and_then(serde_json::Value::as_str).unwrap_or_default();
        Some(SourceRef {
            is_snapshot: text("kind") == "VolumeSnapshot",
            namespace: namespace.clone(),
            name: text("name").into(),
            spec: Arc::clone(&found.spec),
        })
    }

    /// Where the copy is made, and all that is made on the way: beside the source.
    fn namespace(&self) -> &ArcStr {
        &self.source.namespace
    }
}

/// Where a claim's VolumeCloneSource and its source are.
fn source_namespace(target: &PersistentVolumeClaim) -> &ArcStr {
    let meta = &target.metadata;
    meta.annotations.get(&ann::DATA_SOURCE_NAMESPACE).unwrap_or(&meta.namespace)
}

/// `initTargetClaim`: writes down on the claim how it is filled. Returns whether that was news.
fn init_target(
    cx: &mut Context<'_>,
    target: &mut Claim,
    choice: &strategy::Choice,
) -> Result<bool, CdiError> {
    let before = target.object.clone();
    let is_filesystem = is_filesystem(target.object.spec.volume_mode.as_ref());
    let meta = &mut target.object.metadata;
    meta.labels.insert("app", "containerized-data-importer");
    if is_filesystem {
        meta.labels.insert("alerts.k8s.io/KubePersistentVolumeFillingUp", "disabled");
    }
    meta.annotations.insert(ann::CLONE_TYPE, choice.strategy.as_str());
    if meta.annotations.get(&ann::CLONE_PHASE).is_none_or(ArcStr::is_empty) {
        meta.annotations.insert(ann::CLONE_PHASE, "Pending");
    }
    if let Some(reason) = choice.fallback_reason
        && meta.annotations.get(&ann::CLONE_FALLBACK_REASON).is_none_or(ArcStr::is_empty)
    {
        meta.annotations.insert(ann::CLONE_FALLBACK_REASON, reason);
    }
    meta.add_finalizer(FINALIZER);
    if target.object == before {
        return Ok(false);
    }
    target.update(cx)?;
    Ok(true)
}

/// `planAndExecute`: one step after the other, as far as they come. Once the target is bound they only tell.
fn execute(
    cx: &mut Context<'_>,
    target: &mut Claim,
    clone: &CloneOf,
    steps: Vec<Step>,
) -> Result<Option<Duration>, CdiError> {
    let only_tells = is_bound(&target.object);
    let mut told = Told::default();
    for step in steps {
        let wait = if only_tells { None } else { step.reconcile(cx, clone)? };
        step.tell(cx, clone, &mut told);
        if let Some(Wait(delay)) = wait {
            tell_phase(cx, target, step.name(), &told)?;
            return Ok(delay);
        }
    }
    told.progress = Some(literal!("100.0%"));
    tell_phase(cx, target, "Succeeded", &told).map(|()| None)
}

/// What the steps tell of themselves.
#[derive(Default)]
struct Told {
    progress: Option<ArcStr>,
    annotations: StrMap,
}

/// `updateClonePhase`.
fn tell_phase(
    cx: &mut Context<'_>,
    target: &mut Claim,
    phase: &'static str,
    told: &Told,
) -> Result<(), CdiError> {
    let before = target.object.metadata.annotations.clone();
    let annotations = &mut target.object.metadata.annotations;
    annotations.remove(&ann::CLONE_ERROR);
    annotations.insert(ann::CLONE_PHASE, phase);
    if let Some(progress) = &told.progress {
        annotations.insert(ann::POPULATOR_PROGRESS, progress.clone());
    }
    for annotation in [ann::PREALLOCATION_APPLIED, ann::CLONE_OF] {
        if let Some(value) = told.annotations.get(&annotation) {
            annotations.insert(annotation, value.clone());
        }
    }
    tell_running(&mut target.object, phase, &told.annotations);
    if target.object.metadata.annotations == before { Ok(()) } else { target.update(cx) }
}

/// `updateClonePhaseError`: the clone tries again; the error stands on the claim until then.
fn tell_error(cx: &mut Context<'_>, mut target: Claim, error: CdiError) -> CdiError {
    let before = target.object.metadata.annotations.clone();
    let annotations = &mut target.object.metadata.annotations;
    annotations.insert(ann::CLONE_PHASE, "Error");
    annotations.insert(ann::CLONE_ERROR, error.text());
    tell_running(&mut target.object, "Error", &StrMap::new());
    if target.object.metadata.annotations != before {
        // A write that fails is made at the next try.
        let _ = target.update(cx);
    }
    error
}

/// `addRunningAnnotations`: for the Running condition of the DataVolume.
fn tell_running(target: &mut PersistentVolumeClaim, phase: &str, told: &StrMap) {
    if target.metadata.controller().is_none_or(|owner| owner.kind != "DataVolume") {
        return;
    }
    let annotations = &mut target.metadata.annotations;
    let text = |from: &StrMap, annotation: ArcStr| from.get(&annotation).cloned().unwrap_or_default();
    let (running, message, reason) = match phase {
        "Succeeded" => (literal!("false"), literal!("Clone Complete"), literal!("Completed")),
        "Pending" => (literal!("false"), literal!("Clone Pending"), literal!("Pending")),
        "Error" => (literal!("false"), text(annotations, ann::CLONE_ERROR), literal!("Error")),
        _ if told.contains_key(&ann::RUNNING_CONDITION) => {
            if let Some(restarts) = told.get(&ann::POD_RESTARTS) {
                annotations.insert(ann::POD_RESTARTS, restarts.clone());
            }
            (
                text(told, ann::RUNNING_CONDITION),
                text(told, ann::RUNNING_CONDITION_MESSAGE),
                text(told, ann::RUNNING_CONDITION_REASON),
            )
        }
        _ => (literal!("true"), ArcStr::new(), literal!("Populator is running")),
    };
    annotations.insert(ann::RUNNING_CONDITION, running);
    annotations.insert(ann::RUNNING_CONDITION_MESSAGE, message);
    annotations.insert(ann::RUNNING_CONDITION_REASON, reason);
}

/// `reconcileDone`: what was made on the way goes, unless its pods are to stay, and then the finalizer.
fn finish(cx: &mut Context<'_>, target: &mut Claim) -> Result<(), CdiError> {
    let is_kept = target.has(&ann::CLONE_TYPE, "copy")
        && target.has(&ann::POD_RETAIN_AFTER_COMPLETION, "true")
        && *source_namespace(&target.object) == target.object.metadata.namespace;
    if is_kept {
        tell_retained(cx, &target.object);
    } else {
        claims::delete_all(cx, &target.object)?;
    }
    target.object.metadata.remove_finalizer(&FINALIZER);
    target.update(cx)
}
