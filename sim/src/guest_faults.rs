//! GUEST FAULTS: what happens to guests and instances from outside of the control plane.

use crate::cluster::Cluster;
use crate::controllers::virt_handler::GuestEvent;
use crate::objects::VirtualMachineInstance;
use arcstr::ArcStr;

impl Cluster {
    /// The kernel of a running guest panics: its instance fails. Returns whether there is such an instance.
    pub fn panic_guest(&mut self, namespace: &str, name: &str) -> bool {
        self.end_guest(namespace, name, GuestEvent::Panicked)
    }

    /// A running guest powers itself off: its instance has succeeded. Returns whether there is such an instance.
    pub fn power_off_guest(&mut self, namespace: &str, name: &str) -> bool {
        self.end_guest(namespace, name, GuestEvent::PoweredOff)
    }

    /// Overwrites the phase of an instance and returns the one that it had, to write it back.
    ///
    /// This is artificial: no component of any KubeVirt release writes the phase `Unknown`, but with it the instance's
    /// controller stops before it writes anything, and the virtual machine shows `Unknown`.
    pub fn overwrite_instance_phase(
        &mut self,
        namespace: &str,
        name: &str,
        phase: impl Into<ArcStr>,
    ) -> Option<ArcStr> {
        let (id, instance) = self.view().named::<VirtualMachineInstance>(namespace, name)?;
        let before = instance.status.phase.clone();
        let written = self.patch::<VirtualMachineInstance>(id, |vmi| vmi.status.phase = phase.into());
        written.ok().map(|_| before)
    }

    fn end_guest(&mut self, namespace: &str, name: &str, event: GuestEvent) -> bool {
        let Some((id, _)) = self.view().named::<VirtualMachineInstance>(namespace, name) else {
            return false;
        };
        self.complete_once("virt-handler", event.of(id)).is_some()
    }
}
