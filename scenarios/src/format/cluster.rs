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
    /// How every kubelet is set up.
    #[serde(default)]
    pub kubelet: KubeletSection,
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
    /// `"1.43"`, `"1.64"` or `main-2026-08` (default).
    #[serde(default)]
    pub cdi: Option<String>,
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
    /// From the beginning of a live migration's transfer to the guest that runs on the other node.
    #[serde(default)]
    pub guest_migration: Option<Span>,
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

/// The loops of every kubelet; statuses are compared with the API's every 10 s, at a tick.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct KubeletLoops {
    /// The first tick of the sync loop after 0s, less than 1s; the others come a second apart.
    pub tick: Span,
    /// The first relist of the runtime after 0s, less than 1s; the others come 1.00002s apart.
    pub relist: Span,
}

/// How every kubelet is set up, as its KubeletConfiguration says it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct KubeletSection {
    /// When its loops come round; by default it follows from the seed and the node's name.
    #[serde(default)]
    pub loops: Option<KubeletLoops>,
    /// Whether images are pulled one at a time; true by default, unless `maxParallelImagePulls` is more than 1.
    #[serde(default)]
    pub serialize_image_pulls: Option<bool>,
    /// How many images are pulled at once where they are not pulled one at a time; no limit by default.
    #[serde(default)]
    pub max_parallel_image_pulls: Option<u32>,
    /// Pulls that may begin in a second on average; 5 by default, 0 is no limit.
    #[serde(default, rename = "registryPullQPS")]
    pub registry_pull_qps: Option<u32>,
    /// Pulls that may begin at once; 10 by default.
    #[serde(default)]
    pub registry_burst: Option<u32>,
    /// When a pod must show that it may use an image that is on the node.
    #[serde(default)]
    pub image_pull_credentials_verification_policy: VerificationPolicy,
    /// For `NeverVerifyAllowlistedImages`: repositories, or their beginnings, which end in `/*`.
    #[serde(default)]
    pub preloaded_images_verification_allowlist: Vec<String>,
}

/// When a pod must show that it may use an image that is on the node.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
pub enum VerificationPolicy {
    /// Never.
    NeverVerify,
    /// Unless the kubelet did not pull it.
    #[default]
    NeverVerifyPreloadedImages,
    /// Unless it is on the list.
    NeverVerifyAllowlistedImages,
    /// Always.
    AlwaysVerify,
}

/// An image that exists.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ImageSpec {
    /// Its size, a Kubernetes quantity such as `250M`.
    pub size: String,
    /// Who alone may pull it; everybody by default.
    #[serde(default)]
    pub private: Option<CredentialSpec>,
}

/// Who may pull a private image.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CredentialSpec {
    /// A name.
    pub user: String,
    /// The password that goes with it.
    pub password: String,
}

/// What lies behind a URL.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SourceSpec {
    /// Size of the image, a Kubernetes quantity such as `1Gi`.
    pub size: String,
    /// Whether its checksum differs from the one that the DataVolume states.
    #[serde(default)]
    pub checksum_mismatch: bool,
}
