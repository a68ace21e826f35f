//! What differs between the releases of the kubelet that are modelled: a table of switches, a column a release.
//!
//! Each switch names the first release that has it, and what upstream calls the change.

use crate::release::KubernetesRelease;

/// The switches of a release. Scenarios of the catalog's folder `releases/` show their words and steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Profile {
    /// The condition PodReadyToStartContainers exists (1.29, KEP-3085).
    pub(super) reports_sandbox: bool,
    /// It turns True with the sandbox, before any pull; until then with the next status (1.36, kubernetes#134660).
    pub(super) reports_sandbox_at_once: bool,
    /// A condition Initialized that is True stays so (1.36, gate RestartAllContainersOnContainerExits).
    pub(super) keeps_initialized: bool,
    /// The event Pulled tells waiting from pulling, and says the image's size (by 1.30).
    pub(super) says_image_size: bool,
    /// A wait for the next pull shows why the last one failed (1.32, kubernetes#127918).
    pub(super) shows_pull_error: bool,
    /// An image on the node is pulled again by a pod that has not shown that it may use it (1.35, gate
    /// KubeletEnsureSecretPulledImages).
    pub(super) ensures_secret_pulled_images: bool,
    /// A sync that has started or killed something looks at its pod at once (1.36, gate PLEGOnDemandRelist,
    /// kubernetes#137362).
    pub(super) relists_on_demand: bool,
    /// How the events Created and Started call a container.
    pub(super) container_name: ContainerName,
    /// A pod that does not tolerate a taint NoExecute of the node is rejected (by 1.30).
    pub(super) admits_by_taints: bool,
    /// How the message of a pod begins that was rejected (another by 1.30).
    pub(super) rejection: &'static str,
    /// A wait for volumes ends with the sync that is told to end, and one that runs out of time is not told of (by 1.30).
    pub(super) cancels_volume_waits: bool,
    /// FailedMount names volumes in the order of the alphabet, and tells apart those that are not to be mounted (by 1.30).
    pub(super) sorts_failed_volumes: bool,
    /// A claim that is being deleted is mounted while it is protected (by 1.34).
    pub(super) mounts_protected_claims: bool,
}

/// How the events Created and Started call a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ContainerName {
    /// Both by its name.
    Both,
    /// Both by its name, Created behind a colon (by 1.34).
    BehindColon,
    /// Neither says it (by 1.36, kubernetes#134043).
    Neither,
}

const V1_23: Profile = Profile {
    reports_sandbox: false,
    reports_sandbox_at_once: false,
    keeps_initialized: false,
    says_image_size: false,
    shows_pull_error: false,
    ensures_secret_pulled_images: false,
    relists_on_demand: false,
    container_name: ContainerName::Both,
    admits_by_taints: false,
    rejection: "Pod ",
    cancels_volume_waits: false,
    sorts_failed_volumes: false,
    mounts_protected_claims: false,
};

const V1_30: Profile = Profile {
    reports_sandbox: true,
    admits_by_taints: true,
    rejection: "Pod was rejected: ",
    says_image_size: true,
    cancels_volume_waits: true,
    sorts_failed_volumes: true,
    ..V1_23
};

const V1_34: Profile = Profile {
    shows_pull_error: true,
    container_name: ContainerName::BehindColon,
    mounts_protected_claims: true,
    ..V1_30
};

const V1_36: Profile = Profile {
    reports_sandbox_at_once: true,
    keeps_initialized: true,
    ensures_secret_pulled_images: true,
    relists_on_demand: true,
    container_name: ContainerName::Neither,
    ..V1_34
};

impl Profile {
    /// The switches of a release.
    pub(super) const fn of(release: KubernetesRelease) -> &'static Self {
        match release {
            KubernetesRelease::V1_23 => &V1_23,
            KubernetesRelease::V1_30 => &V1_30,
            KubernetesRelease::V1_34 => &V1_34,
            KubernetesRelease::V1_36 => &V1_36,
        }
    }
}

impl ContainerName {
    /// The message of Created.
    pub(super) fn created(self, name: &str) -> String {
        match self {
            Self::Both => format!("Created container {name}"),
            Self::BehindColon => format!("Created container: {name}"),
            Self::Neither => "Container created".to_owned(),
        }
    }

    /// The message of Started.
    pub(super) fn started(self, name: &str) -> String {
        match self {
            Self::Both | Self::BehindColon => format!("Started container {name}"),
            Self::Neither => "Container started".to_owned(),
        }
    }
}
