//! The objects of the cluster, typed and compact.
//!
//! One definition serves inside and at the border: the structs hold what the controllers read or write, spelled as the
//! API spells it, and [`Rest`] keeps every other field of a manifest so that it is given back unchanged. Specs stand
//! behind an [`Arc`](std::sync::Arc), so that a hundred thousand virtual machines of one template share one.

mod affinity;
mod condition;
mod config_map;
mod controller_revision;
mod data_source;
mod data_volume;
mod instance_type;
mod memo;
mod meta;
mod node;
mod persistent_volume;
mod persistent_volume_claim;
mod pod;
mod pod_status;
mod resource_list;
mod rest;
mod secret;
mod serde_help;
mod shared_vec;
mod storage_class;
mod str_map;
mod virtual_machine;
mod virtual_machine_instance;
mod virtual_machine_instance_migration;
mod volume_snapshot;
mod volume_source;

pub use affinity::{
    Affinity, LabelSelector, NodeAffinity, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm,
    PodAffinity, PodAffinityTerm, PreferredSchedulingTerm, SelectorRequirement, TopologySpreadConstraint,
    WeightedPodAffinityTerm,
};
pub use condition::{Condition, Conditions, Truth};
pub use config_map::ConfigMap;
pub use controller_revision::{ControllerRevision, RevisionData};
pub use data_source::{DataSource, DataSourceSpec};
pub use data_volume::{DataVolume, DataVolumeSpec, DataVolumeStatus};
pub use instance_type::{
    CpuInstancetype, CpuPreferences, InstancetypeSpec, MachinePreferences, MemoryInstancetype,
    PreferenceSpec, SpreadOptions, VirtualMachineClusterInstancetype, VirtualMachineClusterPreference,
    VirtualMachineInstancetype, VirtualMachinePreference,
};
pub use memo::Memo;
pub use meta::{ObjectMeta, OwnerReference};
pub use node::{ContainerImage, Node, NodeSpec, NodeStatus, Taint};
pub use persistent_volume::{
    ObjectReference, PersistentVolume, PersistentVolumeSpec, PersistentVolumeStatus, VolumeNodeAffinity,
};
pub use persistent_volume_claim::{
    PersistentVolumeClaim, PersistentVolumeClaimSpec, PersistentVolumeClaimStatus, TypedLocalObjectReference,
};
pub use pod::{
    Container, ContainerPort, ContainerResources, EnvVar, LocalObjectReference, PersistentVolumeClaimSource,
    Pod, PodReadinessGate, PodSpec, PodVolume, Probe, SchedulingGate, Toleration,
};
pub use pod_status::{ContainerState, ContainerStatus, PodStatus, Running, Terminated, Waiting};
pub use resource_list::ResourceList;
pub use rest::Rest;
pub use secret::Secret;
pub use shared_vec::SharedVec;
pub use storage_class::{PriorityClass, StorageClass};
pub use str_map::StrMap;
pub use virtual_machine::{
    DataVolumeTemplate, RunStrategy, RunStrategyError, StartFailure, StateChangeRequest, TemplateMeta,
    VirtualMachine, VirtualMachineSpec, VirtualMachineStatus, VmiTemplate,
};
pub use virtual_machine_instance::{
    ContainerDisk, Cpu, Domain, HugePages, Memory, PhaseTransition, VirtualMachineInstance,
    VirtualMachineInstanceSpec, VirtualMachineInstanceStatus, VmVolume, VmVolumeClaim, VmVolumeName,
};
pub use virtual_machine_instance_migration::{
    MigrationState, VirtualMachineInstanceMigration, VirtualMachineInstanceMigrationSpec,
    VirtualMachineInstanceMigrationStatus,
};
pub use volume_snapshot::{
    VolumeSnapshot, VolumeSnapshotClass, VolumeSnapshotContent, VolumeSnapshotContentSpec,
    VolumeSnapshotSource, VolumeSnapshotSpec, VolumeSnapshotStatus,
};
pub use volume_source::{VolumeCloneSource, VolumeImportSource, VolumeSourceSpec, VolumeUploadSource};

pub(crate) use serde_help::{is_default, nullable, time_opt};
