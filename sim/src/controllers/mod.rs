//! The controllers, one a file or folder; each names the upstream component that it follows.

mod cdi;
mod data_volume;
mod data_volume_cloner;
mod data_volume_importer;
mod data_volume_uploader;
mod evacuation;
mod garbage_collector;
pub(crate) mod kubelet;
pub(crate) mod migration;
mod node_heartbeat;
mod node_lifecycle;
mod pod_gc;
mod populators;
mod provisioner;
mod pv_protection;
mod pvc_binder;
mod pvc_protection;
pub(crate) mod scheduler;
mod snapshotter;
mod taint_eviction;
pub(crate) mod virt_handler;
pub(crate) mod virtual_machine;
pub(crate) mod virtual_machine_instance;

pub(crate) use data_volume::clone_token;
pub(crate) use data_volume_uploader::server_of as cdi_upload_server;
pub(crate) use pv_protection::PV_PROTECTION;
pub(crate) use pvc_binder::{claim_has_class, default_class};
pub(crate) use pvc_protection::PVC_PROTECTION;

use crate::config::Config;
use crate::controller::Controller;

/// Every controller, in the order in which they take turns within an instant.
pub(crate) fn all(config: &Config) -> Vec<Box<dyn Controller>> {
    vec![
        Box::new(garbage_collector::GarbageCollector),
        Box::new(node_lifecycle::NodeLifecycle::default()),
        Box::new(taint_eviction::TaintEviction::default()),
        Box::new(pod_gc::PodGc::new(config)),
        Box::new(pvc_binder::PvcBinder::default()),
        Box::new(pvc_protection::PvcProtection),
        Box::new(pv_protection::PvProtection),
        Box::new(provisioner::Provisioner::default()),
        Box::new(snapshotter::Snapshotter::default()),
        Box::new(data_volume::DataVolumeController::default()),
        Box::new(data_volume_importer::ImportController),
        Box::new(data_volume_uploader::UploadController),
        Box::new(data_volume_cloner::CloneController),
        Box::new(populators::Populator::Import),
        Box::new(populators::Populator::Upload),
        Box::new(populators::ClonePopulator::default()),
        Box::new(virtual_machine::VirtualMachineController::default()),
        Box::new(virtual_machine_instance::VirtualMachineInstanceController::default()),
        Box::new(migration::MigrationController::default()),
        Box::new(evacuation::EvacuationController::default()),
        Box::new(virt_handler::VirtHandler::default()),
        Box::new(scheduler::Scheduler::new(config)),
        Box::new(kubelet::Kubelet::default()),
        Box::new(node_heartbeat::NodeHeartbeat),
    ]
}
