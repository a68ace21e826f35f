//! `kubevirt.io/v1` VirtualMachineInstance.

use super::{
    Affinity, Condition, ContainerResources, Memo, MigrationState, ObjectMeta, Rest, SharedVec, StrMap,
    Toleration, TopologySpreadConstraint, is_default, nullable, time_opt,
};
use crate::launcher_pod::Rendered;
use crate::release::KubeVirtRelease;
use arcstr::ArcStr;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use stuckvm_detector::Time;

/// One run of a virtual machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VirtualMachineInstance {
    /// Names; the finalizers keep it until its pods are gone.
    pub metadata: ObjectMeta,
    /// What is wanted. Changed by replacing the whole.
    pub spec: Arc<VirtualMachineInstanceSpec>,
    /// What virt-controller and virt-handler report.
    pub status: VirtualMachineInstanceStatus,
}

impl VirtualMachineInstance {
    /// Whether the phase is Failed or Succeeded (`IsFinal`).
    pub fn is_final(&self) -> bool {
        matches!(self.status.phase.as_str(), "Failed" | "Succeeded")
    }

    /// Whether the instance was ever in this phase, by its recorded transitions.
    pub fn was_in_phase(&self, phase: &str) -> bool {
        self.status.phase_transition_timestamps.iter().any(|transition| transition.phase == phase)
    }
}

/// `spec` of an instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VirtualMachineInstanceSpec {
    /// CPU, memory, devices.
    #[serde(deserialize_with = "nullable")]
    pub domain: Domain,
    /// The volumes.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<VmVolume>,
    /// The networks.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<Value>,
    /// Labels that the node must have.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "StrMap::is_empty")]
    pub node_selector: StrMap,
    /// Wishes about nodes and other pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affinity: Option<Affinity>,
    /// Taints that do not keep it away.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub tolerations: Vec<Toleration>,
    /// How evenly launchers must be spread.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub topology_spread_constraints: Vec<TopologySpreadConstraint>,
    /// The priority by name.
    #[serde(skip_serializing_if = "is_default")]
    pub priority_class_name: ArcStr,
    /// Seconds that the guest gets to shut down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub termination_grace_period_seconds: Option<i64>,
    /// Who schedules the launcher.
    #[serde(skip_serializing_if = "is_default")]
    pub scheduler_name: ArcStr,
    /// amd64, arm64 or s390x; the cluster's default when empty.
    #[serde(skip_serializing_if = "is_default")]
    pub architecture: ArcStr,
    /// The spec with the webhooks' defaults, once it was asked for.
    #[serde(skip)]
    pub defaulted: Memo<(KubeVirtRelease, Arc<VirtualMachineInstanceSpec>)>,
    /// The spec of the launcher pod, once it was asked for.
    #[serde(skip)]
    pub launcher: Memo<(KubeVirtRelease, Rendered)>,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

impl VirtualMachineInstanceSpec {
    /// Whether each vCPU gets a CPU of its own (`IsCPUDedicated`).
    pub fn has_dedicated_cpus(&self) -> bool {
        self.domain.cpu.as_ref().is_some_and(|cpu| cpu.dedicated_cpu_placement)
    }

    /// Whether CPU and memory are limited and not requested otherwise (`WantsToHaveQOSGuaranteed`).
    pub fn wants_guaranteed_qos(&self) -> bool {
        let resources = &self.domain.resources;
        ["memory", "cpu"].into_iter().all(|resource| {
            let set = |amount: &&crate::quantity::Quantity| !amount.is_zero();
            let limit = resources.limits.get(resource).filter(set);
            let request = resources.requests.get(resource).filter(set);
            limit.is_some() && (request.is_none() || request == limit)
        })
    }
}

/// `spec.domain`: the hardware.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Domain {
    /// Requests and limits of the launcher.
    #[serde(deserialize_with = "nullable")]
    pub resources: ContainerResources,
    /// Topology, model, features, pinning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Cpu>,
    /// Guest memory and huge pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
    /// Disks, interfaces and the rest.
    #[serde(deserialize_with = "nullable")]
    pub devices: Value,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// `spec.domain.cpu`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Cpu {
    /// Sockets; 0 is not given.
    #[serde(skip_serializing_if = "is_default")]
    pub sockets: u32,
    /// Cores a socket; 0 is not given.
    #[serde(skip_serializing_if = "is_default")]
    pub cores: u32,
    /// Threads a core; 0 is not given.
    #[serde(skip_serializing_if = "is_default")]
    pub threads: u32,
    /// The model; host-model by default on amd64.
    #[serde(skip_serializing_if = "is_default")]
    pub model: ArcStr,
    /// Whether each vCPU gets a CPU of its own.
    #[serde(skip_serializing_if = "is_default")]
    pub dedicated_cpu_placement: bool,
    /// Whether the emulator gets one too.
    #[serde(skip_serializing_if = "is_default")]
    pub isolate_emulator_thread: bool,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

impl Cpu {
    /// The product of what is given of sockets, cores and threads, in 32 bits as upstream (`GetNumberOfVCPUs`).
    pub fn vcpus(&self) -> i64 {
        let given = [self.cores, self.sockets, self.threads].into_iter().filter(|count| *count != 0);
        given.reduce(u32::wrapping_mul).unwrap_or(0).into()
    }
}

/// `spec.domain.memory`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Memory {
    /// What the guest sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guest: Option<crate::quantity::Quantity>,
    /// `pageSize` of huge pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hugepages: Option<HugePages>,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// `spec.domain.memory.hugepages`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HugePages {
    /// 2Mi or 1Gi.
    pub page_size: ArcStr,
}

/// A volume of an instance. Sources that no controller looks up stand in `rest`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VmVolume {
    /// The disk of this name shows it to the guest.
    pub name: ArcStr,
    /// A DataVolume and the claim of its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_volume: Option<VmVolumeName>,
    /// A claim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistent_volume_claim: Option<VmVolumeClaim>,
    /// A claim for memory dumps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_dump: Option<VmVolumeClaim>,
    /// An image that holds the disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_disk: Option<ContainerDisk>,
    /// Other sources.
    #[serde(flatten)]
    pub rest: Rest,
}

impl VmVolume {
    /// The claim that the volume stands on, by whatever name the source gives (memory dumps included).
    pub fn claim_name(&self) -> Option<&ArcStr> {
        self.data_volume
            .as_ref()
            .map(|source| &source.name)
            .or_else(|| self.persistent_volume_claim.as_ref().map(|source| &source.claim_name))
            .or_else(|| self.memory_dump.as_ref().map(|source| &source.claim_name))
    }

    /// Whether it may be plugged in and out while the guest runs (`IsHotplugVolume`).
    pub fn is_hot_pluggable(&self) -> bool {
        let claims = [&self.persistent_volume_claim, &self.memory_dump];
        self.data_volume.as_ref().is_some_and(|source| source.hotpluggable)
            || claims.into_iter().flatten().any(|source| source.hotpluggable)
    }

    /// Whether it is a DataVolume or a claim.
    pub fn is_claim(&self) -> bool {
        self.data_volume.is_some() || self.persistent_volume_claim.is_some()
    }
}

/// A DataVolume that a volume names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VmVolumeName {
    /// Its name.
    pub name: ArcStr,
    /// Whether it may be plugged in later.
    #[serde(skip_serializing_if = "is_default")]
    pub hotpluggable: bool,
}

/// A claim that a volume names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VmVolumeClaim {
    /// Its name.
    pub claim_name: ArcStr,
    /// Whether it may be plugged in later.
    #[serde(skip_serializing_if = "is_default")]
    pub hotpluggable: bool,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// A disk in an image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerDisk {
    /// The image.
    pub image: ArcStr,
    /// Always, IfNotPresent or Never.
    #[serde(skip_serializing_if = "is_default")]
    pub image_pull_policy: ArcStr,
    /// A Secret with credentials for its registry.
    #[serde(skip_serializing_if = "is_default")]
    pub image_pull_secret: ArcStr,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// `status` of an instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VirtualMachineInstanceStatus {
    /// Pending, Scheduling, Scheduled, Running, Succeeded, Failed; others only from outside.
    #[serde(skip_serializing_if = "is_default")]
    pub phase: ArcStr,
    /// Why it failed, where the node controller says so.
    #[serde(skip_serializing_if = "is_default")]
    pub reason: ArcStr,
    /// The node.
    #[serde(skip_serializing_if = "is_default")]
    pub node_name: ArcStr,
    /// Ready, PodScheduled, Synchronized and others.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub conditions: SharedVec<Condition>,
    /// The first time of each phase.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub phase_transition_timestamps: SharedVec<PhaseTransition>,
    /// Launcher pods by uid, with their node.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "StrMap::is_empty")]
    pub active_pods: StrMap,
    /// QoS class of the launcher.
    #[serde(skip_serializing_if = "is_default")]
    pub qos_class: ArcStr,
    /// The launcher's image, while there is a launcher.
    #[serde(skip_serializing_if = "is_default")]
    pub launcher_container_image_version: ArcStr,
    /// The ControllerRevision of the machine's spec that it was started with.
    #[serde(skip_serializing_if = "is_default")]
    pub virtual_machine_revision_name: ArcStr,
    /// The node that the instance is to leave, where someone has asked for that.
    #[serde(skip_serializing_if = "is_default")]
    pub evacuation_node_name: ArcStr,
    /// A live migration, running or done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub migration_state: Option<Box<MigrationState>>,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// When an instance first came into a phase.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PhaseTransition {
    /// The phase.
    pub phase: ArcStr,
    /// When.
    #[serde(with = "time_opt")]
    pub phase_transition_timestamp: Option<Time>,
}
