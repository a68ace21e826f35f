//! The first half of a reconcile: the claim of a DataVolume is made, adopted or refused.
//!
//! CDI main 2026-08: `pkg/controller/datavolume/controller-base.go` (`syncCommon`, `handlePvcCreation`, `validatePVC`).

use super::clone_source::CloneSource;
use super::conditions::Why;
use super::render;
use super::static_volume;
use crate::context::{Context, EventType};
use crate::controllers::cdi::annotations as ann;
use crate::controllers::cdi::claims::{
    Claim, controller_reference, is_bound, is_controlled_by, parse_bool, requires_work,
};
use crate::controllers::cdi::errors::CdiError;
use crate::controllers::cdi::{set_recommended_labels, storage_class};
use crate::kind::ObjectId;
use crate::objects::{
    DataVolume, DataVolumeSpec, ObjectMeta, OwnerReference, PersistentVolumeClaim, PersistentVolumeClaimSpec,
    StrMap, VolumeSnapshot,
};
use arcstr::{ArcStr, literal};
use std::sync::Arc;
use std::time::Duration;

/// What the sync step works on, and what it tells the status step.
pub(super) struct SyncState {
    pub(super) id: ObjectId,
    /// The DataVolume as it is to be: its metadata changes, and a reference to a DataSource has become a source.
    pub(super) dv: DataVolume,
    /// Its spec as stored.
    spec_stored: Arc<DataVolumeSpec>,
    /// Its metadata as last read or written.
    written: ObjectMeta,
    pub(super) claim: Option<Claim>,
    /// The claim that this reconcile has made.
    made: Option<Claim>,
    pub(super) spec: PersistentVolumeClaimSpec,
    pub(super) use_populator: bool,
    /// Nothing more is to be done in the sync step, and nothing is to be looked at again.
    pub(super) is_done: bool,
    /// When to look again, whatever the status step says.
    pub(super) requeue_after: Option<Duration>,
    /// The phase that the status step is to set.
    pub(super) phase: Option<PhaseSync>,
}

/// A phase that the sync step decides.
#[derive(Clone, Debug)]
pub(super) struct PhaseSync {
    pub(super) phase: ArcStr,
    pub(super) event: PhaseEvent,
}

/// The event of a phase, recorded when the phase is new.
#[derive(Clone, Debug)]
pub(super) struct PhaseEvent {
    pub(super) severity: EventType,
    pub(super) why: Why,
}

impl PhaseEvent {
    pub(super) fn new(severity: EventType, reason: impl Into<ArcStr>, message: impl Into<ArcStr>) -> Self {
        Self { severity, why: Why::new(reason, message) }
    }
}

/// Adds to the new claim what the source needs.
pub(super) type ClaimModifier = fn(&Context<'_>, &DataVolume, &mut PersistentVolumeClaim);

impl SyncState {
    pub(super) fn new(cx: &Context<'_>, id: ObjectId, dv: &DataVolume) -> Self {
        let claim = Claim::named(cx, &dv.metadata.namespace, &dv.metadata.name);
        Self {
            id,
            dv: dv.clone(),
            spec_stored: Arc::clone(&dv.spec),
            written: dv.metadata.clone(),
            claim,
            made: None,
            spec: PersistentVolumeClaimSpec::default(),
            use_populator: false,
            is_done: false,
            requeue_after: None,
            phase: None,
        }
    }

    pub(super) fn set_phase(&mut self, phase: ArcStr, event: PhaseEvent) {
        debug_assert!(self.phase.is_none(), "the phase is told once");
        self.phase = Some(PhaseSync { phase, event });
    }

    /// `syncCommon`, from the rendering of the claim on.
    pub(super) fn sync_common(&mut self, cx: &mut Context<'_>) -> Result<(), CdiError> {
        self.render(cx)?;
        if self.is_done {
            return Ok(());
        }
        self.use_populator = self.should_use_populator(cx)?;
        let value = if self.use_populator { literal!("true") } else { literal!("false") };
        self.dv.metadata.annotations.insert(ann::USE_POPULATOR, value);
        if static_volume::handle(self, cx)? {
            self.is_done = true;
        } else {
            self.handle_delayed_annotations(cx)?;
            if !self.is_done {
                self.validate_claim(cx)?;
            }
        }
        self.update_metadata(cx)
    }

    fn render(&mut self, cx: &mut Context<'_>) -> Result<(), CdiError> {
        let claim = self.claim.as_ref().map(|claim| &claim.object);
        let error = match render::claim_spec(cx, &self.dv, claim) {
            Ok(spec) => {
                self.spec = spec;
                return Ok(());
            }
            Err(error) => error,
        };
        let event = PhaseEvent::new(EventType::Warning, "ErrClaimNotValid", error.text());
        self.set_phase(ArcStr::new(), event);
        if error == CdiError::StorageClassNotFound {
            // A class or a profile that appears brings it back.
            self.is_done = true;
            return self.update_metadata(cx);
        }
        Err(error)
    }

    /// `shouldUseCDIPopulator`.
    fn should_use_populator(&self, cx: &Context<'_>) -> Result<bool, CdiError> {
        if let Some(value) = self.dv.metadata.annotations.get(&ann::USE_POPULATOR) {
            return parse_bool(value);
        }
        let class = storage_class::by_name(cx.view(), self.spec.storage_class_name.as_ref());
        Ok(class.is_some_and(|class| cx.config.cdi.has_csi_driver(class)))
    }

    /// `handleDelayedAnnotations`: storage.populatedFor goes to the claim when all is done.
    fn handle_delayed_annotations(&mut self, cx: &mut Context<'_>) -> Result<(), CdiError> {
        let value = self.dv.metadata.annotations.get(&ann::POPULATED_FOR).cloned();
        let (Some(value), Some(claim)) = (value, &mut self.claim) else { return Ok(()) };
        let annotations = &mut claim.object.metadata.annotations;
        if self.dv.status.phase == "Succeeded" && !annotations.contains_key(&ann::POPULATED_FOR) {
            annotations.insert(ann::POPULATED_FOR, value);
            claim.update(cx)?;
            self.is_done = true;
        }
        Ok(())
    }

    /// `validatePVC` and `handlePrePopulation`.
    fn validate_claim(&mut self, cx: &mut Context<'_>) -> Result<(), CdiError> {
        self.copy_instancetype_labels(cx);
        let Some(claim) = &mut self.claim else { return Ok(()) };
        let meta = &claim.object.metadata;
        let name = meta.name.clone();
        if meta.is_deleting() {
            let text = arcstr::format!("Resource \"{name}\" marked for deletion");
            cx.event(&self.dv, EventType::Warning, "ErrResourceMarkedForDeletion", &text);
            return Err(CdiError::Resource(text));
        }
        if !is_controlled_by(meta, &self.dv.metadata.uid) {
            if requires_work(cx.config, &claim.object, &self.dv) {
                let text =
                    arcstr::format!("Resource \"{name}\" already exists and is not managed by DataVolume");
                cx.event(&self.dv, EventType::Warning, "ErrResourceExists", &text);
                return Err(CdiError::Resource(text));
            }
            add_owner(&mut claim.object, &self.dv)?;
            claim.update(cx)?;
        }
        if is_bound(&claim.object) && claim.has(&ann::POPULATED_FOR, &self.dv.metadata.name) {
            self.dv.metadata.annotations.insert(ann::PRE_POPULATED, name);
        }
        Ok(())
    }

    /// `updateDataVolumeDefaultInstancetypeLabels`.
    fn copy_instancetype_labels(&mut self, cx: &Context<'_>) {
        const LABELS: [&str; 4] = [
            "instancetype.kubevirt.io/default-instancetype",
            "instancetype.kubevirt.io/default-instancetype-kind",
            "instancetype.kubevirt.io/default-preference",
            "instancetype.kubevirt.io/default-preference-kind",
        ];
        if LABELS.iter().any(|label| self.dv.metadata.labels.contains_key(label)) {
            return;
        }
        let Some(labels) = self.labels_of_source(cx) else { return };
        for label in LABELS {
            if let Some(value) = labels.get(label) {
                self.dv.metadata.labels.insert(label, value.clone());
            }
        }
    }

    /// Those of what is copied, or those that a registry's image has brought to the claim.
    fn labels_of_source(&self, cx: &Context<'_>) -> Option<StrMap> {
        let meta = match CloneSource::of(&self.dv) {
            Some(CloneSource { kind: "pvc", namespace, name }) => {
                &cx.view().named::<PersistentVolumeClaim>(&namespace, &name)?.1.metadata
            }
            Some(CloneSource { namespace, name, .. }) => {
                &cx.view().named::<VolumeSnapshot>(&namespace, &name)?.1.metadata
            }
            None => {
                self.dv.spec.source.as_ref()?.get("registry")?;
                &self.claim.as_ref()?.object.metadata
            }
        };
        Some(meta.labels.clone())
    }

    /// `syncUpdate`.
    pub(super) fn update_metadata(&mut self, cx: &mut Context<'_>) -> Result<(), CdiError> {
        if self.written == self.dv.metadata {
            return Ok(());
        }
        let stored = DataVolume { spec: Arc::clone(&self.spec_stored), ..self.dv.clone() };
        cx.update(self.id, stored)?;
        if let Some(newest) = cx.newest().get::<DataVolume>(self.id) {
            self.dv.metadata.resource_version = newest.metadata.resource_version;
        }
        self.written = self.dv.metadata.clone();
        Ok(())
    }

    /// `handlePvcCreation`.
    pub(super) fn create_claim(
        &mut self,
        cx: &mut Context<'_>,
        modifier: ClaimModifier,
    ) -> Result<(), CdiError> {
        if self.claim.is_some() || self.dv.metadata.annotations.contains_key(&ann::PRE_POPULATED) {
            return Ok(());
        }
        let mut claim = new_claim(&self.dv, self.spec.clone());
        modifier(cx, &self.dv, &mut claim);
        claim.metadata.annotations.remove(&ann::POPULATED_FOR);
        set_recommended_labels(&mut claim.metadata.labels);
        let created = cx.create(claim).map_err(CdiError::from);
        if let Err(error) = &created
            && error.is_quota_exceeded()
        {
            let event = PhaseEvent::new(EventType::Warning, "ErrExceededQuota", error.text());
            self.set_phase(literal!("Pending"), event);
        }
        let id = created?;
        let object = cx.newest().get::<PersistentVolumeClaim>(id).cloned();
        self.made = object.map(|object| Claim { id, object: PersistentVolumeClaim::clone(&object) });
        Ok(())
    }

    /// The claim, be it one that was there or one that this reconcile has made.
    pub(super) fn claim_now(&mut self) -> Option<&mut Claim> {
        self.claim.as_mut().or(self.made.as_mut())
    }
}

/// `newPersistentVolumeClaim`.
fn new_claim(dv: &DataVolume, spec: PersistentVolumeClaimSpec) -> PersistentVolumeClaim {
    let mut claim = PersistentVolumeClaim { spec, ..PersistentVolumeClaim::default() };
    let meta = &mut claim.metadata;
    meta.name = dv.metadata.name.clone();
    meta.namespace = dv.metadata.namespace.clone();
    meta.labels.insert("app", "containerized-data-importer");
    if claim.spec.volume_mode.as_deref() != Some("Block") {
        meta.labels.insert("alerts.k8s.io/KubePersistentVolumeFillingUp", "disabled");
    }
    merge(&dv.metadata.labels, &mut meta.labels);
    meta.annotations = dv.metadata.annotations.clone();
    meta.annotations.insert(ann::POD_RESTARTS, "0");
    let content_type = if dv.spec.content_type == "archive" { "archive" } else { "kubevirt" };
    meta.annotations.insert(ann::CONTENT_TYPE, content_type);
    let text = |field| dv.spec.rest.get(field).and_then(serde_json::Value::as_str).unwrap_or_default();
    for (field, annotation) in
        [("priorityClassName", ann::PRIORITY_CLASS_NAME), ("serviceAccountName", ann::POD_SERVICE_ACCOUNT)]
    {
        if !text(field).is_empty() {
            meta.annotations.insert(annotation, text(field));
        }
    }
    meta.annotations.insert(ann::PREALLOCATION_REQUESTED, preallocation(dv.spec.rest.get("preallocation")));
    meta.annotations.insert(ann::CREATED_FOR_DATA_VOLUME, dv.metadata.uid.clone());
    meta.owner_references = vec![controller_reference::<DataVolume>(&dv.metadata)].into();
    claim
}

/// `GetPreallocation`: off unless it is asked for.
pub(in crate::controllers) fn preallocation(wanted: Option<&serde_json::Value>) -> &'static str {
    if wanted == Some(&serde_json::Value::Bool(true)) { "true" } else { "false" }
}

/// Copies all entries.
pub(in crate::controllers) fn merge(from: &StrMap, to: &mut StrMap) {
    for (key, value) in from.iter() {
        to.insert(key.clone(), value.clone());
    }
}

/// `addOwnerRef`: fails where somebody else controls the claim. Who bears this DataVolume's name is it, of whatever uid.
fn add_owner(claim: &mut PersistentVolumeClaim, dv: &DataVolume) -> Result<(), CdiError> {
    let reference = controller_reference::<DataVolume>(&dv.metadata);
    let is_same = |owner: &OwnerReference| {
        let group = |version: &ArcStr| version.split_once('/').map(|(group, _)| group.to_owned());
        group(&owner.api_version) == group(&reference.api_version)
            && owner.kind == reference.kind
            && owner.name == reference.name
    };
    let meta = &mut claim.metadata;
    if let Some(owner) = meta.controller().filter(|owner| !is_same(owner)) {
        return Err(CdiError::Resource(arcstr::format!(
            "Object {}/{} is already owned by another {} controller {}",
            meta.namespace,
            meta.name,
            owner.kind,
            owner.name
        )));
    }
    match meta.owner_references.iter().position(is_same) {
        Some(place) => meta.owner_references[place] = reference,
        None => meta.owner_references.push(reference),
    }
    Ok(())
}
