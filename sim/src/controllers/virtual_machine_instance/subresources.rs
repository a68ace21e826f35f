//! What `virtctl pause` and `unpause` do to the instance of a machine.
//!
//! KubeVirt main of August 2026: virt-api's `pkg/virt-api/rest/lifecycle.go`, which refuses and else hands the call to the
//! virt-handler of the instance's node. Left out: dry runs, snapshots of the machine.

use crate::cluster::Cluster;
use crate::controllers::virt_handler::GuestEvent;
use crate::kind::{Kind, ObjectId};
use crate::objects::{Conditions, VirtualMachine, VirtualMachineInstance};
use crate::release::KubeVirtRelease;
use crate::store::ApiError;
use std::sync::Arc;

/// What KubeVirt's API calls the kind.
const RESOURCE: &str = "virtualmachineinstance.kubevirt.io";

impl Cluster {
    /// Pauses the guest of a machine as a user does (`virtctl pause vm`).
    ///
    /// # Errors
    ///
    /// There is no such machine, it has no running instance, the instance is paused already, a liveness probe would take the
    /// pause for a failure, or its node does not answer.
    pub fn pause_vm(&mut self, namespace: &str, name: &str) -> Result<(), ApiError> {
        let (id, vmi) = self.running_instance(namespace, name, "VM is not running")?;
        if is_probed(&vmi, self.config().kubevirt) {
            let why = if self.config().kubevirt.profile().pauses_pinged_guests {
                "Pausing VMIs with a non-GuestAgentPing LivenessProbe is not supported"
            } else {
                "Pausing VMIs with LivenessProbe is currently not supported"
            };
            return Err(ApiError::SubresourceForbidden {
                resource: RESOURCE,
                name: name.into(),
                why: why.into(),
            });
        }
        if vmi.status.conditions.condition("Paused").is_some() {
            return Err(conflict(name, "VMI is already paused"));
        }
        self.call_virt_handler(id, &vmi, GuestEvent::Paused)
    }

    /// Lets the guest of a machine go on as a user does (`virtctl unpause vm`).
    ///
    /// # Errors
    ///
    /// There is no such machine, it has no running instance, the instance is not paused, or its node does not answer.
    pub fn unpause_vm(&mut self, namespace: &str, name: &str) -> Result<(), ApiError> {
        let (id, vmi) = self.running_instance(namespace, name, "VMI is not running")?;
        if vmi.status.conditions.condition("Paused").is_none() {
            return Err(conflict(name, "VMI is not paused"));
        }
        self.call_virt_handler(id, &vmi, GuestEvent::Unpaused)
    }

    fn running_instance(
        &self,
        namespace: &str,
        name: &str,
        otherwise: &str,
    ) -> Result<(ObjectId, Arc<VirtualMachineInstance>), ApiError> {
        let not_found = |kind| ApiError::NotFound { kind, name: name.into() };
        let view = self.view();
        view.named::<VirtualMachine>(namespace, name).ok_or_else(|| not_found(Kind::VirtualMachine))?;
        let instance = view.named::<VirtualMachineInstance>(namespace, name);
        let (id, vmi) = instance.ok_or_else(|| not_found(Kind::VirtualMachineInstance))?;
        if vmi.status.phase != "Running" {
            return Err(conflict(name, otherwise));
        }
        Ok((id, Arc::clone(vmi)))
    }

    /// The words for a node that does not answer are ours.
    fn call_virt_handler(
        &mut self,
        id: ObjectId,
        vmi: &VirtualMachineInstance,
        event: GuestEvent,
    ) -> Result<(), ApiError> {
        let node = &vmi.status.node_name;
        let reached = !self.environment_mut().machines.is_lost(node)
            && self.complete_once("virt-handler", event.of(id)).is_some();
        let why = || arcstr::format!("virt-handler on node {node} does not answer");
        if reached { Ok(()) } else { Err(ApiError::Internal { why: why() }) }
    }
}

/// Whether a probe would find a paused guest dead. Since main a ping of the guest's agent may stand: it is not sent then.
fn is_probed(vmi: &VirtualMachineInstance, release: KubeVirtRelease) -> bool {
    let probe = vmi.spec.rest.get("livenessProbe").filter(|probe| !probe.is_null());
    let pings = |probe: &serde_json::Value| probe.get("guestAgentPing").is_some_and(|ping| !ping.is_null());
    probe.is_some_and(|probe| !(release.profile().pauses_pinged_guests && pings(probe)))
}

fn conflict(name: &str, why: &str) -> ApiError {
    ApiError::SubresourceConflict { resource: RESOURCE, name: name.into(), why: why.into() }
}
