//! `cluster`: what is there before anything happens.

use super::{Generate, Manifest, Span};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The cluster before anything happens; it has come to rest when the scenario starts.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ClusterSection {
    /// Which releases it behaves like.
    #[serde(default)]
    pub release: ReleaseSection,
    /// How long things take.
    #[serde(default)]
    pub latency: LatencySection,
    /// Draws that are determined: each one of that component is this fraction of its range, from 0 on and below 1. The
    /// components are kubelet, node-heartbeat, node-lifecycle, pod-gc, scheduler, start-back-off and virt-handler.
    #[serde(default)]
    pub draws: BTreeMap<String, f64>,
    /// When the loops of every kubelet come round; by default it follows from the node's name.
    #[serde(default)]
    pub kubelets: Option<KubeletSection>,
    /// Nodes, StorageClasses, claims and whatever else stands there.
    #[serde(default)]
    pub manifests: Vec<Manifest>,
    /// Images that exist, by reference; everything else is not found.
    #[serde(default)]
    pub images: BTreeMap<String, ImageSpec>,
    /// What lies behind URLs, for DataVolumes; everything else is not found.
    #[serde(default)]
    pub sources: BTreeMap<String, SourceSpec>,
    /// Objects made from templates.
    #[serde(default)]
    pub generate: Vec<Generate>,
}

/// The releases, quoted: 1.30 is a number to YAML.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ReleaseSection {
    /// `"1.23"`, `"1.30"`, `"1.34"` or `"1.36"` (default).
    #[serde(default)]
    pub kubernetes: Option<String>,
    /// `"0.59"`, `"1.3"` or `main-2026-08` (default).
    #[serde(default)]
    pub kubevirt: Option<String>,
}

/// How long things take; see `stuckvm_sim::Latency` for the defaults.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LatencySection {
    /// One controller's answer to one change.
    #[serde(default)]
    pub reaction: Option<Span>,
    /// From a pod's arrival at the kubelet to its sandbox.
    #[serde(default)]
    pub sandbox: Option<Span>,
    /// From the runtime's start request to the running container.
    #[serde(default)]
    pub container_start: Option<Span>,
    /// From a running launcher to a running guest.
    #[serde(default)]
    pub guest_boot: Option<Span>,
    /// From the request to a guest that has shut down.
    #[serde(default)]
    pub guest_shutdown: Option<Span>,
    /// From a claim that wants a volume to the volume.
    #[serde(default)]
    pub provision: Option<Span>,
    /// From an importer's start to the source's refusal.
    #[serde(default)]
    pub import_failure: Option<Span>,
    /// From a pull's start to the registry's answer.
    #[serde(default)]
    pub pull_failure: Option<Span>,
    /// From a launcher's start to its death where it dies at once.
    #[serde(default)]
    pub launcher_crash: Option<Span>,
}

/// The loops of every kubelet.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct KubeletSection {
    /// The first tick of the sync loop after 0s, less than 1s; the others come a second apart.
    pub tick: Span,
    /// The first relist of the runtime after 0s, less than 1s; the others come 1.00002s apart.
    pub relist: Span,
}

/// An image that exists.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ImageSpec {
    /// Its size, a Kubernetes quantity such as `250M`.
    pub size: String,
}

/// What lies behind a URL.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SourceSpec {
    /// Size of the image, a Kubernetes quantity such as `1Gi`.
    pub size: String,
    /// Whether its checksum differs from the one that the DataVolume states.
    #[serde(default)]
    pub checksum_mismatch: bool,
}
