//! What `virtctl migrate` does: virt-api's `pkg/virt-api/rest/lifecycle.go`, KubeVirt main of August 2026.

use crate::cluster::Cluster;
use crate::kind::Kind;
use crate::objects::{
    VirtualMachine, VirtualMachineInstance, VirtualMachineInstanceMigration,
    VirtualMachineInstanceMigrationSpec,
};
use crate::store::ApiError;

impl Cluster {
    /// Asks for a migration of a machine as a user does (`virtctl migrate`).
    ///
    /// # Errors
    ///
    /// There is no such machine, it does not run, or the webhook refuses the migration.
    ///
    /// # Examples
    ///
    /// ```
    /// use stuckvm_sim::{Cluster, Config};
    ///
    /// let mut cluster = Cluster::new(Config::default());
    /// let error = cluster.migrate_vm("default", "vm1").unwrap_err();
    /// assert_eq!(error.to_string(), "virtualmachines.kubevirt.io \"vm1\" not found");
    /// ```
    pub fn migrate_vm(&mut self, namespace: &str, name: &str) -> Result<(), ApiError> {
        let not_found = |kind| ApiError::NotFound { kind, name: name.into() };
        let view = self.view();
        view.named::<VirtualMachine>(namespace, name).ok_or_else(|| not_found(Kind::VirtualMachine))?;
        let instance = view.named::<VirtualMachineInstance>(namespace, name);
        let (_, vmi) = instance.ok_or_else(|| not_found(Kind::VirtualMachineInstance))?;
        if vmi.status.phase != "Running" {
            let (resource, why) = ("virtualmachine.kubevirt.io", arcstr::literal!("VM is not running"));
            return Err(ApiError::SubresourceConflict { resource, name: name.into(), why });
        }
        let spec =
            VirtualMachineInstanceMigrationSpec { vmi_name: vmi.metadata.name.clone(), ..Default::default() };
        let mut migration = VirtualMachineInstanceMigration { spec, ..Default::default() };
        migration.metadata.generate_name = arcstr::literal!("kubevirt-migrate-vm-");
        migration.metadata.namespace = vmi.metadata.namespace.clone();
        let created = self.create(migration).map(drop);
        created.map_err(|error| ApiError::Internal { why: error.to_string().into() })
    }
}
