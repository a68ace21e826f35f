//! VirtualMachine: what the API server makes of a new one.
//!
//! KubeVirt main of August 2026: the CRD in `pkg/virt-operator/resource/generate/components/crds.go` has the subresource
//! `status`; `pkg/virt-api/webhooks/mutating-webhook/mutators/vm-mutator.go` gives the template a machine type, as in every
//! release. Its other defaults are those of the instance as well, nothing reads them before, and they are given there.

use super::Admit;
use super::virtual_machine_instance::{has_machine_type, set_machine_type};
use crate::objects::{VirtualMachine, VirtualMachineSpec, VirtualMachineStatus};
use crate::store::View;
use std::sync::Arc;
use stuckvm_detector::Time;

impl Admit for VirtualMachine {
    /// A status that comes with a creation is dropped.
    fn admit(&mut self, _view: View<'_>, _now: Time) {
        self.status = VirtualMachineStatus::default();
        if self.spec.template.as_ref().is_some_and(|template| !has_machine_type(&template.spec)) {
            self.spec = Arc::clone(self.spec.defaulted.get_or_make(|| with_machine_type(&self.spec)));
        }
    }
}

/// All machines of one spec get the same spec.
fn with_machine_type(spec: &VirtualMachineSpec) -> Arc<VirtualMachineSpec> {
    let mut spec = spec.clone();
    if let Some(template) = &mut spec.template {
        set_machine_type(Arc::make_mut(&mut Arc::make_mut(template).spec));
    }
    Arc::new(spec)
}
