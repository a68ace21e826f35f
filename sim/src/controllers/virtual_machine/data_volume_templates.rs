//! The DataVolumes that a machine brings along.
//!
//! KubeVirt main of August 2026: `handleDataVolumes` in `pkg/virt-controller/watch/vm/vm.go`,
//! `GenerateDataVolumeFromTemplate` in `pkg/storage/types/dv.go`. A clone is always authorised here, and DataSources
//! (`sourceRef`) are left to CDI.

use super::claim::controller_reference;
use super::reconcile::Reconcile;
use crate::context::EventType;
use crate::objects::{
    Conditions, DataVolume, DataVolumeTemplate, ObjectMeta, PersistentVolumeClaim, Truth, VirtualMachine,
};
use crate::store::ApiError;
use arcstr::ArcStr;
use serde_json::Value;
use std::sync::Arc;

impl Reconcile<'_, '_> {
    /// Creates what is missing and returns whether every DataVolume of the templates is ready for a start.
    pub(super) fn handle_data_volumes(&mut self) -> Result<bool, ArcStr> {
        let vm = Arc::clone(&self.vm);
        let mut ready = true;
        for template in &vm.spec.data_volume_templates {
            let found = self.cx.view().named::<DataVolume>(&vm.metadata.namespace, &template.metadata.name);
            ready &= match found.map(|(_, dv)| Arc::clone(dv)) {
                Some(dv) => self.is_ready(&dv)?,
                None => self.create_data_volume(template).map(|()| false)?,
            };
        }
        Ok(ready)
    }

    fn is_ready(&mut self, dv: &DataVolume) -> Result<bool, ArcStr> {
        let name = &dv.metadata.name;
        match dv.status.phase.as_str() {
            "Succeeded" | "WaitForFirstConsumer" | "PendingPopulation" => return Ok(true),
            "Failed" => {
                let message = format!("DataVolume {name} failed to import disk image");
                self.event(EventType::Warning, "FailedDataVolumeImport", &message);
            }
            "Pending" => {
                if let Some(why) = exceeded_quota(dv) {
                    let message = format!("DataVolume {name} exceeds quota limits");
                    self.event(EventType::Warning, "FailedDataVolumeImport", &message);
                    return Err(arcstr::format!(
                        "DataVolume {name} importer is not running due to an error: {why}"
                    ));
                }
            }
            _ => {}
        }
        Ok(false)
    }

    fn create_data_volume(&mut self, template: &DataVolumeTemplate) -> Result<(), ArcStr> {
        let dv = manifest(&self.vm, template);
        let name = dv.metadata.name.clone();
        self.warn_of_missing_clone_source(&dv);
        self.controller.data_volumes.expect_creation(self.id, self.cx.now);
        let Err(error) = self.cx.create(dv) else {
            self.event(
                EventType::Normal,
                "SuccessfulDataVolumeCreate",
                &format!("Created DataVolume {name}"),
            );
            return Ok(());
        };
        self.controller.data_volumes.creation_observed(self.id);
        let claim = self.cx.view().named::<PersistentVolumeClaim>(&self.vm.metadata.namespace, &name);
        if claim.is_some() && matches!(error, ApiError::AlreadyExists { .. }) {
            return Ok(());
        }
        let message = format!("Error creating DataVolume {name}: {error}");
        self.event(EventType::Warning, "FailedDataVolumeCreate", &message);
        Err(arcstr::format!("failed to create DataVolume: {error}"))
    }

    /// A clone may be made before its source; the machine says so.
    fn warn_of_missing_clone_source(&mut self, dv: &DataVolume) {
        let Some(source) = dv.spec.source.as_ref().and_then(|source| source.get("pvc")) else { return };
        let field = |name| source.get(name).and_then(Value::as_str).filter(|value| !value.is_empty());
        let namespace = field("namespace").unwrap_or(&dv.metadata.namespace);
        let name = field("name").unwrap_or_default();
        if self.cx.view().named::<PersistentVolumeClaim>(namespace, name).is_none() {
            let message = format!(
                "Source PVC {name} not available: Target PVC {} will remain unpopulated until source is created",
                dv.metadata.name
            );
            // The reason is spelled so upstream.
            self.event(EventType::Warning, "SourcePVCNotAvailabe", &message);
        }
    }
}

/// The message of a condition `Bound` that a quota keeps from True. CDI reports it as Unknown too.
fn exceeded_quota(dv: &DataVolume) -> Option<&ArcStr> {
    let bound = dv.status.conditions.condition("Bound")?;
    (bound.status != Truth::True && bound.reason == "ErrExceededQuota").then_some(&bound.message)
}

fn manifest(vm: &VirtualMachine, template: &DataVolumeTemplate) -> DataVolume {
    let mut metadata = ObjectMeta {
        name: template.metadata.name.clone(),
        namespace: vm.metadata.namespace.clone(),
        labels: template.metadata.labels.clone(),
        annotations: template.metadata.annotations.clone(),
        owner_references: vec![controller_reference(vm)].into(),
        ..ObjectMeta::default()
    };
    metadata.labels.insert(arcstr::literal!("kubevirt.io/created-by"), vm.metadata.uid.clone());
    metadata
        .annotations
        .insert(arcstr::literal!("cdi.kubevirt.io/allowClaimAdoption"), arcstr::literal!("true"));
    let mut spec = Arc::clone(&template.spec);
    let priority = vm.spec.template.as_ref().map(|template| &template.spec.priority_class_name);
    if let Some(priority) = priority.filter(|priority| !priority.is_empty())
        && spec.rest.get("priorityClassName").is_none()
    {
        Arc::make_mut(&mut spec).rest.insert("priorityClassName", Value::from(priority.as_str()));
    }
    DataVolume { metadata, spec, ..DataVolume::default() }
}
