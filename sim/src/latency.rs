//! How long things take, each a parameter with its default.

use std::time::Duration;

/// Every latency of the cluster.
///
/// With [`Latency::none`] a whole chain of reactions settles within one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latency {
    /// From a write to a controller that acts on it: watch delivery and work queue together. Default 50 ms, an estimate
    /// for an unloaded control plane.
    pub reaction: Duration,
    /// From a pod's arrival at the kubelet to its sandbox. Default 100 ms.
    pub sandbox: Duration,
    /// What a kubelet's sync of a pod takes beside what it waits for. Default 1 ms.
    pub pod_sync: Duration,
    /// From the runtime's start request to the running container. Default 50 ms.
    pub container_start: Duration,
    /// From a running launcher (VMI Scheduled) to the guest that runs. Default 1 s.
    pub guest_boot: Duration,
    /// From the request to a guest that has shut down. Default 4 s.
    pub guest_shutdown: Duration,
    /// From the first byte of a live migration to the guest that runs on the other node. Default 10 s, an estimate for a small
    /// guest on a fast network.
    pub guest_migration: Duration,
    /// From a claim that wants a volume to the volume. Default 2 s.
    pub provision: Duration,
    /// From an importer's start to the source's refusal. Default 1 s.
    pub import_failure: Duration,
    /// From a pull's start to the registry's refusal. Default 1 s.
    pub pull_failure: Duration,
    /// From a launcher's start to its death where it dies at once. Default 500 ms.
    pub launcher_crash: Duration,
}

impl Default for Latency {
    fn default() -> Self {
        Self {
            reaction: Duration::from_millis(50),
            sandbox: Duration::from_millis(100),
            pod_sync: Duration::from_millis(1),
            container_start: Duration::from_millis(50),
            guest_boot: Duration::from_secs(1),
            guest_shutdown: Duration::from_secs(4),
            guest_migration: Duration::from_secs(10),
            provision: Duration::from_secs(2),
            import_failure: Duration::from_secs(1),
            pull_failure: Duration::from_secs(1),
            launcher_crash: Duration::from_millis(500),
        }
    }
}

impl Latency {
    /// Everything at once, but for what is a delay by design (back-offs, graces, probe periods).
    pub const fn none() -> Self {
        Self {
            reaction: Duration::ZERO,
            sandbox: Duration::ZERO,
            pod_sync: Duration::ZERO,
            container_start: Duration::ZERO,
            guest_boot: Duration::ZERO,
            guest_shutdown: Duration::ZERO,
            guest_migration: Duration::ZERO,
            provision: Duration::ZERO,
            import_failure: Duration::ZERO,
            pull_failure: Duration::ZERO,
            launcher_crash: Duration::ZERO,
        }
    }
}
