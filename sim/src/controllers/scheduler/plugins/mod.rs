//! The plugins of the default profile, one a file: `pkg/scheduler/framework/plugins`, Kubernetes 1.36.2.
//!
//! Not modelled, since no object of the cluster sets them in motion: NodeVolumeLimits (CSINode), DynamicResources
//! (ResourceClaim) and NodeDeclaredFeatures. NodeName concerns pods that have their node already.

pub(super) mod balanced_allocation;
pub(super) mod image_locality;
pub(super) mod inter_pod_affinity;
pub(super) mod node_affinity;
pub(super) mod node_ports;
pub(super) mod node_resources_fit;
pub(super) mod node_unschedulable;
pub(super) mod pod_topology_spread;
pub(super) mod taint_toleration;
pub(super) mod volume_binding;
pub(super) mod volume_restrictions;
pub(super) mod volume_zone;
