//! VirtualMachine: what the API server makes of a new one.
//!
//! KubeVirt main of August 2026: the CRD in `pkg/virt-operator/resource/generate/components/crds.go` has the subresource
//! `status`. The webhook's defaults of the template (machine type, architecture) are those of the instance as well and
//! are given there.

use super::Admit;
use crate::objects::{VirtualMachine, VirtualMachineStatus};
use crate::store::View;
use stuckvm_detector::Time;

impl Admit for VirtualMachine {
    /// A status that comes with a creation is dropped.
    fn admit(&mut self, _view: View<'_>, _now: Time) {
        self.status = VirtualMachineStatus::default();
    }
}
