//! A pod as the scheduler knows it, with all that follows from its spec computed once.
//!
//! kube-scheduler 1.36.2: `PodInfo` of `pkg/scheduler/framework/types.go`.

use super::profile::Profile;
use super::requests::{Requests, Scalars};
use crate::objects::{Container, Pod, PodAffinity, PodSpec, PodVolume};
use arcstr::ArcStr;
use std::sync::Arc;

/// A pod with what follows from its spec.
#[derive(Clone, Debug)]
pub(super) struct PodInfo {
    /// The pod.
    pub(super) pod: Arc<Pod>,
    /// What it asks for and takes.
    pub(super) needs: Arc<Needs>,
}

/// What follows from a pod's spec.
#[derive(Debug)]
pub(super) struct Needs {
    /// Resources.
    pub(super) requests: Requests,
    /// Ports on the node.
    pub(super) ports: Vec<HostPort>,
    /// Whether it uses claims.
    pub(super) claims: bool,
    /// Whether it mounts disks in-line that only one pod may use.
    pub(super) disks: bool,
}

/// A port on the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HostPort {
    ip: ArcStr,
    protocol: ArcStr,
    port: i32,
}

impl HostPort {
    /// Whether both cannot be had at once: `0.0.0.0` is every address.
    pub(super) fn conflicts(&self, other: &Self) -> bool {
        let any = |ip: &ArcStr| ip == "0.0.0.0";
        self.port == other.port
            && self.protocol == other.protocol
            && (self.ip == other.ip || any(&self.ip) || any(&other.ip))
    }
}

impl PodInfo {
    /// Computes what follows from the spec.
    pub(super) fn new(pod: Arc<Pod>, profile: Profile, scalars: &mut Scalars) -> Self {
        let spec = &pod.spec;
        let needs = Needs {
            requests: Requests::of(spec, profile, scalars),
            ports: host_ports(spec).collect(),
            claims: spec.volumes.iter().any(uses_claim),
            disks: spec.volumes.iter().any(|volume| DISKS.iter().any(|disk| volume.rest.get(disk).is_some())),
        };
        Self { pod, needs: Arc::new(needs) }
    }

    /// The same with a newer version of the pod whose spec is the same.
    pub(super) fn with_pod(&self, pod: &Arc<Pod>) -> Self {
        Self { pod: Arc::clone(pod), needs: Arc::clone(&self.needs) }
    }

    /// The pod's priority.
    pub(super) fn priority(&self) -> i32 {
        self.pod.spec.priority.unwrap_or(0)
    }

    /// Whether room is kept for it on some node.
    pub(super) fn is_nominated(&self) -> bool {
        !self.pod.status.nominated_node_name.is_empty()
    }

    /// Its rules about being near other pods.
    pub(super) fn affinity(&self) -> Option<&PodAffinity> {
        self.pod.spec.affinity.as_ref()?.pod_affinity.as_ref()
    }

    /// Its rules about being away from other pods.
    pub(super) fn anti_affinity(&self) -> Option<&PodAffinity> {
        self.pod.spec.affinity.as_ref()?.pod_anti_affinity.as_ref()
    }

    /// Whether it has any rule about other pods.
    pub(super) fn has_affinity(&self) -> bool {
        let any = |rules: &PodAffinity| !rules.required.is_empty() || !rules.preferred.is_empty();
        self.affinity().is_some_and(any) || self.anti_affinity().is_some_and(any)
    }

    /// Whether it must be away from other pods.
    pub(super) fn has_required_anti_affinity(&self) -> bool {
        self.anti_affinity().is_some_and(|rules| !rules.required.is_empty())
    }
}

/// The in-line disks that VolumeRestrictions looks at.
pub(super) const DISKS: [&str; 4] = ["gcePersistentDisk", "awsElasticBlockStore", "iscsi", "rbd"];

fn uses_claim(volume: &PodVolume) -> bool {
    volume.persistent_volume_claim.is_some() || volume.rest.get("ephemeral").is_some()
}

/// Ports of the containers and of the sidecars.
fn host_ports(spec: &PodSpec) -> impl Iterator<Item = HostPort> {
    let stays = |container: &&Container| container.restart_policy.as_deref() == Some("Always");
    let containers = spec.init_containers.iter().filter(stays).chain(&spec.containers);
    let ports = containers.flat_map(|container| &container.ports).filter(|port| port.host_port > 0);
    ports.map(|port| HostPort {
        ip: if port.host_ip.is_empty() { arcstr::literal!("0.0.0.0") } else { port.host_ip.clone() },
        protocol: if port.protocol.is_empty() { arcstr::literal!("TCP") } else { port.protocol.clone() },
        port: port.host_port,
    })
}
