//! Settings of a cluster.

use crate::cdi_config::CdiConfig;
use crate::flags::ControllerManagerFlags;
use crate::latency::Latency;
use crate::release::{KubeVirtRelease, KubernetesRelease};
use crate::trace::Keep;
use std::time::Duration;
use stuckvm_detector::Time;

/// Settings of a cluster; they stay as they are for a whole run.
#[derive(Clone, Debug)]
pub struct Config {
    /// The first instant.
    pub start: Time,
    /// Every draw follows from it.
    pub seed: u64,
    /// How long things take.
    pub latency: Latency,
    /// Which Kubernetes it behaves like.
    pub kubernetes: KubernetesRelease,
    /// Which KubeVirt it behaves like.
    pub kubevirt: KubeVirtRelease,
    /// How CDI is set up.
    pub cdi: CdiConfig,
    /// Flags of kube-controller-manager.
    pub controller_manager: ControllerManagerFlags,
    /// Whether the admission plugin StorageObjectInUseProtection is on, as it is by default: claims and volumes that are
    /// in use outlive their deletion.
    pub storage_object_in_use_protection: bool,
    /// Whether the admission plugin DefaultStorageClass is on, as it is by default: claims that say nothing of a class get
    /// the default class.
    pub default_storage_class: bool,
    /// Which lines of the trace are kept. Default none.
    pub keep_trace: Keep,
    /// Whether every write is kept in full; see [`crate::journal`].
    pub keep_journal: bool,
    /// How many pieces of work one instant may take before the run counts as stuck. Default ten million.
    pub instant_budget: u64,
    /// How many pieces of work the whole run may take. Default a billion: 100,000 machines for 20 minutes take some ten
    /// million.
    pub run_budget: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            // 2022-10-03T11:11:07Z, the instant of the runbook's own example.
            start: Time::from_secs(1_664_795_467),
            seed: 0,
            latency: Latency::default(),
            kubernetes: KubernetesRelease::default(),
            kubevirt: KubeVirtRelease::default(),
            cdi: CdiConfig::default(),
            controller_manager: ControllerManagerFlags::default(),
            storage_object_in_use_protection: true,
            default_storage_class: true,
            keep_trace: Keep::Nothing,
            keep_journal: false,
            instant_budget: 10_000_000,
            run_budget: 1_000_000_000,
        }
    }
}

impl Config {
    /// The delays that recur, so that their events take the fast lanes of the queue.
    pub(crate) fn recurring_delays(&self) -> Vec<Duration> {
        let Latency { reaction, sandbox, container_start, guest_boot, provision, .. } = self.latency;
        vec![
            reaction,
            sandbox,
            container_start,
            guest_boot,
            provision,
            Duration::from_secs(1),
            Duration::from_secs(300),
        ]
    }
}
