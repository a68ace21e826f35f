//! Flags of kube-controller-manager 1.36.2: `cmd/kube-controller-manager/app/options/{nodelifecyclecontroller,podgccontroller}.go`.

use crate::release::KubernetesRelease;
use std::time::Duration;

/// What the node lifecycle and pod garbage collection controllers can be told.
#[derive(Clone, Debug, PartialEq)]
pub struct ControllerManagerFlags {
    /// `--node-monitor-period`, between two looks at every node. Default 5 s.
    pub node_monitor_period: Duration,
    /// `--node-monitor-grace-period`, how long a node may be silent. Default 50 s, before Kubernetes 1.32 40 s.
    pub node_monitor_grace_period: Option<Duration>,
    /// `--node-startup-grace-period`, the same for a node that has never posted its status. Default 60 s.
    pub node_startup_grace_period: Duration,
    /// `--node-eviction-rate`, nodes a second in a healthy zone. Default 0.1; a `float32`, which shows in the instants.
    pub node_eviction_rate: f32,
    /// `--secondary-node-eviction-rate`, nodes a second in a large zone that is unhealthy. Default 0.01.
    pub secondary_node_eviction_rate: f32,
    /// `--large-cluster-size-threshold`: zones up to this size evict nothing while unhealthy. Default 50.
    pub large_cluster_size_threshold: usize,
    /// `--unhealthy-zone-threshold`, the share of nodes not ready from which a zone is unhealthy. Default 0.55.
    pub unhealthy_zone_threshold: f32,
    /// `--terminated-pod-gc-threshold`: how many finished pods may stay; any number if not above 0. Default 12500.
    pub terminated_pod_gc_threshold: i64,
}

impl Default for ControllerManagerFlags {
    fn default() -> Self {
        Self {
            node_monitor_period: Duration::from_secs(5),
            node_monitor_grace_period: None,
            node_startup_grace_period: Duration::from_secs(60),
            node_eviction_rate: 0.1,
            secondary_node_eviction_rate: 0.01,
            large_cluster_size_threshold: 50,
            unhealthy_zone_threshold: 0.55,
            terminated_pod_gc_threshold: 12_500,
        }
    }
}

impl ControllerManagerFlags {
    /// How long a node may be silent before it counts as unreachable.
    pub fn grace_period(&self, release: KubernetesRelease) -> Duration {
        self.node_monitor_grace_period.unwrap_or(Profile::of(release).node_monitor_grace_period)
    }
}

/// What differs between the releases of kube-controller-manager that are modelled: a table of switches, a column a release.
#[derive(Clone, Copy, Debug)]
struct Profile {
    /// The default of the flag of this name: 50 s since 1.32 (kubernetes#126287).
    node_monitor_grace_period: Duration,
}

const V1_23: Profile = Profile { node_monitor_grace_period: Duration::from_secs(40) };
const V1_34: Profile = Profile { node_monitor_grace_period: Duration::from_secs(50) };

impl Profile {
    const fn of(release: KubernetesRelease) -> &'static Self {
        match release {
            KubernetesRelease::V1_23 | KubernetesRelease::V1_30 => &V1_23,
            KubernetesRelease::V1_34 | KubernetesRelease::V1_36 => &V1_34,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ControllerManagerFlags;
    use crate::release::KubernetesRelease;
    use std::time::Duration;

    #[test]
    fn the_grace_follows_the_release_unless_it_is_given() {
        let mut flags = ControllerManagerFlags::default();
        assert_eq!(flags.grace_period(KubernetesRelease::V1_30), Duration::from_secs(40));
        assert_eq!(flags.grace_period(KubernetesRelease::V1_36), Duration::from_secs(50));
        flags.node_monitor_grace_period = Some(Duration::from_secs(20));
        assert_eq!(flags.grace_period(KubernetesRelease::V1_36), Duration::from_secs(20));
    }
}
