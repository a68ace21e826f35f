//! `instancetype.kubevirt.io/v1beta1`: instance types and preferences, of a namespace and of the whole cluster.

use super::{HugePages, ObjectMeta, Rest, StrMap, is_default, nullable};
use crate::quantity::Quantity;
use arcstr::ArcStr;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;

macro_rules! with_spec {
    ($($(#[$doc:meta])* $name:ident $spec:ident;)*) => {
        $($(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub struct $name {
            /// Names.
            pub metadata: ObjectMeta,
            /// What it says. Changed by replacing the whole.
            pub spec: Arc<$spec>,
        })*
    };
}

with_spec! {
    /// Sizes for the machines of a namespace.
    VirtualMachineInstancetype InstancetypeSpec;
    /// Sizes for the machines of the whole cluster.
    VirtualMachineClusterInstancetype InstancetypeSpec;
    /// Wishes for the machines of a namespace.
    VirtualMachinePreference PreferenceSpec;
    /// Wishes for the machines of the whole cluster.
    VirtualMachineClusterPreference PreferenceSpec;
}

/// `spec` of an instance type: what the machines that name it must not say themselves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct InstancetypeSpec {
    /// The guest's CPUs.
    pub cpu: CpuInstancetype,
    /// The guest's memory.
    pub memory: MemoryInstancetype,
    /// Labels that a node must have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_selector: Option<StrMap>,
    /// The scheduler of the launcher.
    #[serde(skip_serializing_if = "is_default")]
    pub scheduler_name: ArcStr,
    /// Annotations of the instance.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "StrMap::is_empty")]
    pub annotations: StrMap,
    /// Encryption of the guest's memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launch_security: Option<Value>,
    /// GPUs.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub gpus: Vec<Value>,
    /// Other devices of the host.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub host_devices: Vec<Value>,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// CPUs of an instance type.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CpuInstancetype {
    /// How many vCPUs.
    pub guest: u32,
    /// The CPU model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ArcStr>,
    /// Whether each vCPU has a CPU of its own.
    #[serde(rename = "dedicatedCPUPlacement", skip_serializing_if = "Option::is_none")]
    pub dedicated_cpu_placement: Option<bool>,
    /// Whether the emulator has one, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isolate_emulator_thread: Option<bool>,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// Memory of an instance type.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MemoryInstancetype {
    /// What the guest sees.
    pub guest: Quantity,
    /// The pages that it is made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hugepages: Option<HugePages>,
    /// How much less than that the launcher asks for, in percent.
    #[serde(skip_serializing_if = "is_default")]
    pub overcommit_percent: u8,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// `spec` of a preference: what counts where a machine says nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PreferenceSpec {
    /// How vCPUs are spread, and their features.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<CpuPreferences>,
    /// Devices, each by a field of its own.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Map::is_empty")]
    pub devices: Map<String, Value>,
    /// The machine type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machine: Option<MachinePreferences>,
    /// Annotations of the instance.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "StrMap::is_empty")]
    pub annotations: StrMap,
    /// Cores a socket, where vCPUs are spread over both.
    #[serde(skip_serializing_if = "is_default")]
    pub prefer_spread_socket_to_core_ratio: u32,
    /// How long a guest may take to shut down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_termination_grace_period_seconds: Option<i64>,
    /// The architecture of the guest.
    #[serde(skip_serializing_if = "is_default")]
    pub preferred_architecture: ArcStr,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// CPUs of a preference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CpuPreferences {
    /// sockets, cores, threads, spread or any.
    #[serde(rename = "preferredCPUTopology", skip_serializing_if = "Option::is_none")]
    pub topology: Option<String>,
    /// Features of the CPU.
    #[serde(rename = "preferredCPUFeatures", skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<Value>,
    /// How `spread` spreads.
    #[serde(rename = "spreadOptions", skip_serializing_if = "is_default")]
    pub spread: SpreadOptions,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// How vCPUs are spread.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SpreadOptions {
    /// SocketsCores, CoresThreads or SocketsCoresThreads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub across: Option<String>,
    /// Cores a socket, or threads a core.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<u32>,
}

/// Machine type of a preference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MachinePreferences {
    /// Such as `q35`.
    pub preferred_machine_type: String,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}
