//! Which instance and which DataVolumes are the machine's own: by owner, and orphans of its name are adopted.
//!
//! KubeVirt main of August 2026: `ClaimObject` in `pkg/controller/controller_ref_manager.go`.

use super::reconcile::{Instance, Reconcile};
use crate::kind::{Kind, ObjectId, Resource};
use crate::objects::{DataVolume, ObjectMeta, OwnerReference, VirtualMachine, VirtualMachineInstance};
use crate::store::ApiError;
use arcstr::ArcStr;
use std::sync::Arc;

impl Reconcile<'_, '_> {
    /// The instance of the machine's name, unless it is somebody else's.
    pub(super) fn claim_instance(&mut self) -> Result<Option<Instance>, ArcStr> {
        let meta = &self.vm.metadata;
        let found = self.cx.view().named::<VirtualMachineInstance>(&meta.namespace, &meta.name);
        let Some((id, object)) = found.map(|(id, object)| (id, Arc::clone(object))) else { return Ok(None) };
        let claimed = self.claim::<VirtualMachineInstance>(id, &object.metadata)?;
        Ok(claimed.then_some(Instance { id, object }))
    }

    /// Adopts the DataVolumes of the templates' names that nobody owns.
    pub(super) fn claim_data_volumes(&mut self) -> Result<(), ArcStr> {
        let vm = Arc::clone(&self.vm);
        for template in &vm.spec.data_volume_templates {
            let found = self.cx.view().named::<DataVolume>(&vm.metadata.namespace, &template.metadata.name);
            if let Some((id, dv)) = found.map(|(id, dv)| (id, Arc::clone(dv))) {
                self.claim::<DataVolume>(id, &dv.metadata)?;
            }
        }
        Ok(())
    }

    /// Whether the object is the machine's, if need be by adoption.
    fn claim<T: Resource>(&mut self, id: ObjectId, meta: &ObjectMeta) -> Result<bool, ArcStr> {
        match ownership(&self.vm.metadata, meta) {
            Ownership::Own => return Ok(true),
            Ownership::Foreign => return Ok(false),
            Ownership::Orphan => self.recheck_deletion()?,
        }
        let owner = controller_reference(&self.vm);
        match self.cx.patch::<T>(id, |object| object.metadata_mut().owner_references.push(owner)) {
            Ok(_) => Ok(true),
            Err(ApiError::Gone { .. } | ApiError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.to_string().into()),
        }
    }

    /// The cache may not know yet that the machine is going: the server is asked before anything is adopted.
    fn recheck_deletion(&self) -> Result<(), ArcStr> {
        let ObjectMeta { namespace, name, .. } = &self.vm.metadata;
        let Some(fresh) = self.cx.newest().get::<VirtualMachine>(self.id) else {
            let missing = ApiError::NotFound { kind: Kind::VirtualMachine, name: name.clone() };
            return Err(arcstr::format!("can't recheck DeletionTimestamp: {missing}"));
        };
        match fresh.metadata.deletion_timestamp {
            Some(at) => Err(arcstr::format!("{namespace}/{name} has just been deleted at {at}")),
            None => Ok(()),
        }
    }
}

/// Whose an object is that has the right name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// The machine's.
    Own,
    /// Nobody's: the machine adopts it.
    Orphan,
    /// Somebody else's, or nobody's while one of both is being deleted.
    Foreign,
}

/// Whose an object is, as seen from a machine.
pub(crate) fn ownership(vm: &ObjectMeta, object: &ObjectMeta) -> Ownership {
    match object.controller() {
        Some(owner) if owner.uid == vm.uid => Ownership::Own,
        None if !vm.is_deleting() && !object.is_deleting() => Ownership::Orphan,
        _ => Ownership::Foreign,
    }
}

/// The reference that makes the machine the controller of an object.
pub(super) fn controller_reference(vm: &VirtualMachine) -> OwnerReference {
    OwnerReference {
        api_version: arcstr::literal!("kubevirt.io/v1"),
        kind: arcstr::literal!("VirtualMachine"),
        name: vm.metadata.name.clone(),
        uid: vm.metadata.uid.clone(),
        controller: true,
        block_owner_deletion: true,
    }
}
