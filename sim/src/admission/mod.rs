//! What the API server fills in and adds when an object is created: defaulting, built-in admission and KubeVirt's webhooks.

mod data_volume;
mod label_keys;
pub(crate) mod node;
mod persistent_volume;
mod persistent_volume_claim;
pub(crate) mod pod;
mod unknown_fields;
mod virtual_machine;
pub(crate) mod virtual_machine_instance;
pub(crate) mod virtual_machine_instance_migration;

use crate::config::Config;
use crate::objects::{
    ConfigMap, ControllerRevision, DataSource, PriorityClass, Secret, StorageClass,
    VirtualMachineClusterInstancetype, VirtualMachineClusterPreference, VirtualMachineInstancetype,
    VirtualMachinePreference, VolumeCloneSource, VolumeImportSource, VolumeSnapshot, VolumeSnapshotClass,
    VolumeSnapshotContent, VolumeUploadSource,
};
use crate::store::{ApiError, View};
use stuckvm_detector::Time;

/// Completes a new object. A kind that nothing is added to keeps the default.
pub(crate) trait Admit {
    /// Completes the object; `view` is the server's own, `now` the time of creation.
    fn admit(&mut self, _view: View<'_>, _now: Time) {}

    /// The same for kinds whose webhooks differ by release.
    fn admit_configured(&mut self, view: View<'_>, now: Time, _config: &Config) {
        self.admit(view, now);
    }

    /// Why a plugin or a webhook does not let it be created, if one does not.
    fn objection(&self, _view: View<'_>) -> Option<ApiError> {
        None
    }
}

impl Admit for ConfigMap {}
impl Admit for ControllerRevision {}
impl Admit for DataSource {}
impl Admit for PriorityClass {}
impl Admit for Secret {}
impl Admit for StorageClass {}
impl Admit for VirtualMachineClusterInstancetype {}
impl Admit for VirtualMachineClusterPreference {}
impl Admit for VirtualMachineInstancetype {}
impl Admit for VirtualMachinePreference {}
impl Admit for VolumeCloneSource {}
impl Admit for VolumeImportSource {}
impl Admit for VolumeSnapshot {}
impl Admit for VolumeSnapshotClass {}
impl Admit for VolumeSnapshotContent {}
impl Admit for VolumeUploadSource {}
