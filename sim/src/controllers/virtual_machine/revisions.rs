//! The spec that a machine was last started with, kept as a ControllerRevision.
//!
//! KubeVirt main of August 2026: `createVMRevision`, `deleteOlderVMRevision`, `getLastVMRevisionSpec`,
//! `conditionallyBumpGenerationAnnotationOnVmi` and `syncGenerationInfo` in `pkg/virt-controller/watch/vm/vm.go`.

use super::claim::controller_reference;
use super::reconcile::{Instance, Reconcile};
use crate::instance_types::Matcher;
use crate::instance_types::find::revision_in_status;
use crate::kind::ObjectId;
use crate::objects::{
    ControllerRevision, ObjectMeta, RevisionData, VirtualMachineInstance, VirtualMachineSpec,
};
use arcstr::ArcStr;
use std::sync::Arc;

/// How the names of revisions of starts begin; uid and generation of the machine follow.
const START: &str = "revision-start-vm-";

/// Annotation of an instance: the generation of the machine whose template it has.
pub(super) const GENERATION: ArcStr = arcstr::literal!("kubevirt.io/vm-generation");

impl Reconcile<'_, '_> {
    /// Keeps the spec of the start that is about to be made, in the place of earlier ones, and returns the revision's name.
    pub(super) fn create_start_revision(&mut self) -> Result<ArcStr, ArcStr> {
        let generation = self.vm.metadata.generation;
        let name = arcstr::format!("{START}{}-{generation}", self.vm.metadata.uid);
        let kept = self.start_revisions().map(|(id, revision)| (id, revision.revision));
        let (known, older): (Vec<_>, Vec<_>) = kept.partition(|(_, revision)| *revision == generation);
        for (id, _) in older {
            self.cx.delete::<ControllerRevision>(id).map_err(|error| ArcStr::from(error.to_string()))?;
        }
        if known.is_empty() {
            let metadata = ObjectMeta {
                name: name.clone(),
                namespace: self.vm.metadata.namespace.clone(),
                owner_references: vec![controller_reference(&self.vm)].into(),
                ..ObjectMeta::default()
            };
            let data = RevisionData::Machine(self.spec_with_revisions());
            let revision = ControllerRevision { metadata, data, revision: generation };
            self.cx.create(revision).map_err(|error| ArcStr::from(error.to_string()))?;
        }
        Ok(name)
    }

    /// The spec of the last start, as the cache has it.
    pub(super) fn start_spec(&self) -> Option<Arc<VirtualMachineSpec>> {
        let newest = self.start_revisions().max_by_key(|(_, revision)| revision.revision);
        machine_spec(newest?.1)
    }

    /// An instance whose machine has changed beside its template is as good as one of the machine as it stands.
    pub(super) fn bump_generation(&mut self) -> Result<(), ArcStr> {
        let Some(vmi) = self.vmi.clone() else { return Ok(()) };
        let generation = self.vm.metadata.generation;
        let known = vmi.object.metadata.annotations.get(&GENERATION);
        if known.and_then(|known| known.parse().ok()) == Some(generation) {
            return Ok(());
        }
        let (namespace, name) =
            (&self.vm.metadata.namespace, &vmi.object.status.virtual_machine_revision_name);
        let kept = self.cx.newest().named::<ControllerRevision>(namespace, name);
        let Some(spec) = kept.and_then(|(_, revision)| machine_spec(revision)) else { return Ok(()) };
        if spec.template != self.vm.spec.template {
            return Ok(());
        }
        self.annotate_generation(&vmi, generation)
    }

    /// What the status says of generations; an instance that does not say its own gets that of its revision
    /// (`syncGenerationInfo`).
    pub(super) fn sync_generation(&mut self) -> Result<(), ArcStr> {
        let Some(vmi) = self.vmi.clone() else { return Ok(()) };
        let known = vmi.object.metadata.annotations.get(&GENERATION).and_then(|known| known.parse().ok());
        let generation = known.or_else(|| self.generation_of_revision(&vmi));
        let Some(generation) = generation else { return Ok(()) };
        if known.is_none() {
            self.annotate_generation(&vmi, generation)?;
        }
        self.status.observed_generation = generation;
        self.status.desired_generation = self.vm.metadata.generation;
        Ok(())
    }

    /// The end of the revision's name, if the revision is there.
    fn generation_of_revision(&self, vmi: &Instance) -> Option<u64> {
        let (namespace, name) =
            (&vmi.object.metadata.namespace, &vmi.object.status.virtual_machine_revision_name);
        self.cx.newest().named::<ControllerRevision>(namespace, name)?;
        name.rsplit_once('-')?.1.parse().ok()
    }

    fn annotate_generation(&mut self, vmi: &Instance, generation: u64) -> Result<(), ArcStr> {
        let patched = self.cx.patch::<VirtualMachineInstance>(vmi.id, |vmi| {
            vmi.metadata.annotations.insert(GENERATION, arcstr::format!("{generation}"));
        });
        patched.map_err(|error| ArcStr::from(error.to_string()))?;
        let object = self.cx.newest().get::<VirtualMachineInstance>(vmi.id).cloned();
        self.vmi = object.map(|object| Instance { id: vmi.id, object });
        Ok(())
    }

    /// Of the machine's revisions those of starts.
    fn start_revisions(&self) -> impl Iterator<Item = (ObjectId, &Arc<ControllerRevision>)> {
        let owned = self.cx.view().owned::<ControllerRevision>(&self.vm.metadata.uid);
        owned.filter(|(_, revision)| revision.metadata.name.starts_with(START))
    }

    /// The spec names the revisions of instance type and preference that the status keeps (`patchVMRevision`).
    fn spec_with_revisions(&self) -> Arc<VirtualMachineSpec> {
        let mut spec = Arc::clone(&self.vm.spec);
        for matcher in Matcher::all(&self.vm.spec) {
            let role = matcher.role;
            let kept = self.status.rest.get(role.status_field).and_then(revision_in_status);
            let named = self.vm.spec.rest.get(role.field).filter(|named| named.is_object());
            let (Some(kept), Some(mut value)) = (kept, named.cloned()) else { continue };
            value["revisionName"] = kept.into();
            Arc::make_mut(&mut spec).rest.insert(role.field, value);
        }
        spec
    }
}

fn machine_spec(revision: &ControllerRevision) -> Option<Arc<VirtualMachineSpec>> {
    match &revision.data {
        RevisionData::Machine(spec) => Some(Arc::clone(spec)),
        _ => None,
    }
}
