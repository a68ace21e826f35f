//! Import, upload and clone populator, CDI main 2026-08 (commit c07cdb6fbd18): `pkg/controller/populators/populator-base.go`.

mod clone;
mod import;
mod upload;

pub(crate) use clone::ClonePopulator;

use crate::context::{Context, EventType};
use crate::controller::{Action, Controller};
use crate::controllers::cdi::annotations as ann;
use crate::controllers::cdi::checkpoints::Wanted;
use crate::controllers::cdi::claims::{
    Claim, controller_reference, immediate_binding_requested, is_bound, is_complete, is_data_source_ref_kind,
    is_multi_stage_import_in_progress, prime_name,
};
use crate::controllers::cdi::errors::CdiError;
use crate::controllers::cdi::{Poll, copy_allowed_annotations, set_recommended_labels, storage_class};
use crate::controllers::data_volume::{annotate, preallocation};
use crate::kind::{Kind, Object, ObjectId};
use crate::objects::{
    PersistentVolumeClaim, PersistentVolumeClaimSpec, VolumeImportSource, VolumeSourceSpec,
    VolumeUploadSource,
};
use crate::store::{Change, View};
use crate::work_queue::{Work, WorkQueue};
use arcstr::{ArcStr, literal};
use std::sync::Arc;

/// Fills claims that name a source of CDI's: a helper claim (PVC', "prime") is filled in their stead and hands its volume
/// over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Populator {
    /// From a VolumeImportSource.
    Import,
    /// By an upload, as a VolumeUploadSource says.
    Upload,
}

impl Controller for Populator {
    fn name(&self) -> &'static str {
        match self {
            Self::Import => "import-populator",
            Self::Upload => "upload-populator",
        }
    }

    fn on_change(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        match change.object() {
            Object::PersistentVolumeClaim(claim) => self.on_claim(change.id, claim, view, queue),
            source if source.kind().as_str() == self.source_kind() => {
                // The source of a DataVolume fills the claim of that name and no other.
                let meta = source.metadata();
                let claim = meta
                    .controller()
                    .and_then(|owner| view.named::<PersistentVolumeClaim>(&meta.namespace, &owner.name));
                if let Some((id, claim)) = claim
                    && is_data_source_ref_kind(claim, self.source_kind())
                {
                    queue.add(id);
                }
            }
            _ => {}
        }
    }

    fn reconcile(&mut self, work: Work, cx: &mut Context<'_>) -> Action {
        let Some(claim) = cx.view().get::<PersistentVolumeClaim>(work.id) else { return Action::Done };
        let claim = Claim { id: work.id, object: PersistentVolumeClaim::clone(claim) };
        match self.populate(cx, &claim) {
            Ok(Some(poll)) => poll.into(),
            Ok(None) => Action::Done,
            Err(error) => Action::Fail(error.text()),
        }
    }
}

impl Populator {
    const fn source_kind(self) -> &'static str {
        match self {
            Self::Import => "VolumeImportSource",
            Self::Upload => "VolumeUploadSource",
        }
    }

    fn on_claim(self, id: ObjectId, claim: &PersistentVolumeClaim, view: View<'_>, queue: &mut WorkQueue) {
        debug_assert_eq!(id.kind, Kind::PersistentVolumeClaim);
        if is_data_source_ref_kind(claim, self.source_kind()) {
            queue.add(id);
            return;
        }
        let owner = claim.metadata.controller().filter(|owner| owner.kind == "PersistentVolumeClaim");
        let is_prime = claim.metadata.annotations.has(&ann::POPULATOR_KIND, self.source_kind());
        if let Some(owner) = owner.filter(|_| is_prime)
            && let Some((id, _)) = view.named::<PersistentVolumeClaim>(&claim.metadata.namespace, &owner.name)
        {
            queue.add(id);
        }
    }

    fn populate(self, cx: &mut Context<'_>, claim: &Claim) -> Result<Option<Poll>, CdiError> {
        if claim.object.metadata.is_deleting() {
            return Ok(None);
        }
        let Some(prime) = Claim::named(cx, &claim.object.metadata.namespace, &prime_name(&claim.object))
        else {
            return self.create_prime(cx, claim).map(|()| None);
        };
        let mut target = claim.clone();
        let poll = match self {
            Self::Import => import::reconcile(cx, &mut target, &prime)?,
            Self::Upload => upload::reconcile(cx, &mut target, &prime).map(|()| None)?,
        };
        // Upstream looks at the claim as it was when the reconcile began.
        let is_finished = is_complete(&claim.object)
            && is_bound(&claim.object)
            && !is_multi_stage_import_in_progress(&claim.object);
        if is_finished {
            clean_up(cx, &prime)?;
            return Ok(None);
        }
        Ok(poll)
    }

    /// `reconcileCommon`, without a helper claim.
    fn create_prime(self, cx: &mut Context<'_>, claim: &Claim) -> Result<(), CdiError> {
        let Some(source) = self.population_source(cx, &claim.object) else { return Ok(()) };
        let Some(node) = ready_for_population(cx, &claim.object)? else { return Ok(()) };
        if matches!(claim.object.status.phase.as_str(), "Bound" | "Lost") {
            return Ok(());
        }
        match cx.create(self.new_prime(&claim.object, &source, &node)) {
            Ok(_) => {
                let text = "PVC Prime created successfully";
                cx.event(&claim.object, EventType::Normal, "CreatedPVCPrimeSuccessfully", text);
                Ok(())
            }
            Err(error) => {
                cx.event(&claim.object, EventType::Warning, "ErrCreatingPVCPrime", &error.to_string());
                Err(error.into())
            }
        }
    }

    /// `getPopulationSource`.
    fn population_source(
        self,
        cx: &Context<'_>,
        claim: &PersistentVolumeClaim,
    ) -> Option<Arc<VolumeSourceSpec>> {
        if !is_data_source_ref_kind(claim, self.source_kind()) {
            return None;
        }
        let reference = claim.spec.data_source_ref.as_ref()?;
        if reference.rest.get("namespace").is_some() {
            return None;
        }
        let (namespace, name) = (&claim.metadata.namespace, &reference.name);
        let spec = match self {
            Self::Import => &cx.view().named::<VolumeImportSource>(namespace, name)?.1.spec,
            Self::Upload => &cx.view().named::<VolumeUploadSource>(namespace, name)?.1.spec,
        };
        let target = spec.rest.get("targetClaim").and_then(serde_json::Value::as_str).unwrap_or_default();
        (target.is_empty() || target == claim.metadata.name).then(|| Arc::clone(spec))
    }

    /// `createPVCPrime`.
    fn new_prime(
        self,
        claim: &PersistentVolumeClaim,
        source: &VolumeSourceSpec,
        node: &ArcStr,
    ) -> PersistentVolumeClaim {
        let mut prime = PersistentVolumeClaim::default();
        let meta = &mut prime.metadata;
        meta.name = prime_name(claim);
        meta.namespace = claim.metadata.namespace.clone();
        meta.labels.insert("app", "containerized-data-importer");
        meta.labels.insert("velero.io/exclude-from-backup", "true");
        set_recommended_labels(&mut meta.labels);
        meta.annotations.insert(ann::IMMEDIATE_BINDING, "");
        if !node.is_empty() {
            meta.annotations.insert(ann::SELECTED_NODE, node.clone());
        }
        for annotation in [ann::POD_RETAIN_AFTER_COMPLETION, ann::VDDK_EXTRA_ARGS] {
            if let Some(value) = claim.metadata.annotations.get(&annotation) {
                meta.annotations.insert(annotation, value.clone());
            }
        }
        copy_allowed_annotations(&claim.metadata.annotations, &mut meta.annotations);
        meta.annotations.insert(ann::POPULATOR_KIND, self.source_kind());
        let content_type = if source.content_type == "archive" { "archive" } else { "kubevirt" };
        meta.annotations.insert(ann::CONTENT_TYPE, content_type);
        meta.annotations
            .insert(ann::PREALLOCATION_REQUESTED, preallocation(source.rest.get("preallocation")));
        match self {
            Self::Import => {
                Wanted::of(&source.rest).annotate(&mut meta.annotations);
                annotate(source.source.as_ref(), &mut meta.annotations);
            }
            Self::Upload => {
                meta.annotations.insert(ann::UPLOAD_REQUEST, "");
            }
        }
        meta.owner_references = vec![controller_reference::<PersistentVolumeClaim>(&claim.metadata)].into();
        prime.spec = PersistentVolumeClaimSpec {
            access_modes: claim.spec.access_modes.clone(),
            resources: claim.spec.resources.clone(),
            storage_class_name: claim.spec.storage_class_name.clone(),
            volume_mode: claim.spec.volume_mode.clone(),
            ..PersistentVolumeClaimSpec::default()
        };
        prime
    }
}

/// `claimReadyForPopulation`: the selected node (or none, empty), unless the claim has to wait.
fn ready_for_population(cx: &Context<'_>, claim: &PersistentVolumeClaim) -> Result<Option<ArcStr>, CdiError> {
    let Some(name) = &claim.spec.storage_class_name else { return Ok(None) };
    let (namespace, claim_name) = (&claim.metadata.namespace, &claim.metadata.name);
    if name.is_empty() {
        let text = arcstr::format!("PVC {namespace}/{claim_name} has empty storage class name");
        return Err(CdiError::Resource(text));
    }
    let Some(class) = storage_class::by_name(cx.view(), Some(name)) else {
        return Err(CdiError::Resource(arcstr::format!("storage class {name} not found")));
    };
    let annotations = &claim.metadata.annotations;
    let is_migrated = annotations.get("pv.kubernetes.io/migrated-to").is_some_and(|to| !to.is_empty());
    if class.provisioner.starts_with("kubernetes.io/") && !is_migrated {
        let provisioner = &class.provisioner;
        return Err(CdiError::Resource(arcstr::format!(
            "can't use populator for PVC {namespace}/{claim_name} with in-tree storage class {provisioner}"
        )));
    }
    if !class.waits_for_first_consumer() {
        return Ok(Some(ArcStr::new()));
    }
    let node = annotations.get(&ann::SELECTED_NODE).cloned().unwrap_or_default();
    Ok((!node.is_empty() || immediate_binding_requested(claim)).then_some(node))
}

/// `reconcileCleanup`: the helper claim goes once its volume is the target's.
fn clean_up(cx: &mut Context<'_>, prime: &Claim) -> Result<(), CdiError> {
    if prime.object.status.phase != "Lost" {
        return Ok(());
    }
    if prime.has(&ann::POD_RETAIN_AFTER_COMPLETION, "true") {
        tell_retained(cx, &prime.object);
        return Ok(());
    }
    Ok(cx.delete::<PersistentVolumeClaim>(prime.id)?)
}

/// Who looks for why a transfer failed may keep its pods.
fn tell_retained(cx: &mut Context<'_>, claim: &PersistentVolumeClaim) {
    let text = literal!("PVC Prime retained in Lost state for debugging purposes");
    cx.event(claim, EventType::Warning, "RetainedPVCPrime", &text);
}
