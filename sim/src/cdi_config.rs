//! How CDI is set up: what the CDIConfig, the StorageProfiles and the CSIDriver objects of a cluster say.

use crate::objects::StorageClass;
use crate::release::CdiRelease;
use arcstr::{ArcStr, literal};
use std::collections::{BTreeMap, BTreeSet};

/// Settings of the Containerized Data Importer.
#[derive(Clone, Debug)]
pub struct CdiConfig {
    /// Which CDI it behaves like.
    pub release: CdiRelease,
    /// Feature gate HonorWaitForFirstConsumer: claims of such classes are left alone until somebody uses them. On, as
    /// in the `cdi-cr.yaml` of every release.
    pub honor_wait_for_first_consumer: bool,
    /// Feature gate DataVolumeClaimAdoption: a claim that is there already may become a DataVolume's.
    pub claim_adoption: bool,
    /// Provisioners without a CSIDriver object, besides the in-tree ones (`kubernetes.io/…`).
    pub without_csi_driver: BTreeSet<ArcStr>,
    /// What StorageProfiles say of a class, in order of preference, where it is not what CDI knows of the provisioner.
    pub profiles: BTreeMap<ArcStr, Vec<ClaimPropertySet>>,
    /// What StorageProfiles say of how volumes of a class are cloned, where it is not what CDI knows of the provisioner.
    pub clone_strategies: BTreeMap<ArcStr, CloneStrategy>,
    /// `status.scratchSpaceStorageClass`.
    pub scratch_storage_class: Option<ArcStr>,
    /// `status.filesystemOverhead.global`, a fraction. Default 0.06.
    pub filesystem_overhead: f64,
    /// The importer's container image.
    pub importer_image: ArcStr,
    /// The upload server's container image.
    pub upload_server_image: ArcStr,
    /// The cloner's container image.
    pub cloner_image: ArcStr,
}

/// How volumes are cloned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloneStrategy {
    /// Pods read the one and write the other.
    HostAssisted,
    /// The driver makes a volume of a snapshot.
    Snapshot,
    /// The driver copies the volume.
    CsiClone,
}

impl CloneStrategy {
    /// As the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HostAssisted => "copy",
            Self::Snapshot => "snapshot",
            Self::CsiClone => "csi-clone",
        }
    }

    /// Reads the API's spelling.
    pub fn parse(text: &str) -> Option<Self> {
        let all = [Self::HostAssisted, Self::Snapshot, Self::CsiClone];
        all.into_iter().find(|strategy| strategy.as_str() == text)
    }
}

/// An entry of a StorageProfile's `status.claimPropertySets`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPropertySet {
    /// The access modes.
    pub access_modes: Vec<ArcStr>,
    /// Filesystem or Block.
    pub volume_mode: ArcStr,
}

impl ClaimPropertySet {
    /// A set of one access mode.
    pub fn new(access_mode: impl Into<ArcStr>, volume_mode: impl Into<ArcStr>) -> Self {
        Self { access_modes: vec![access_mode.into()], volume_mode: volume_mode.into() }
    }
}

impl Default for CdiConfig {
    fn default() -> Self {
        Self {
            release: CdiRelease::default(),
            honor_wait_for_first_consumer: true,
            claim_adoption: false,
            without_csi_driver: BTreeSet::new(),
            profiles: BTreeMap::new(),
            clone_strategies: BTreeMap::new(),
            scratch_storage_class: None,
            filesystem_overhead: 0.06,
            importer_image: literal!("quay.io/kubevirt/cdi-importer:latest"),
            upload_server_image: literal!("quay.io/kubevirt/cdi-uploadserver:latest"),
            cloner_image: literal!("quay.io/kubevirt/cdi-cloner:latest"),
        }
    }
}

impl CdiConfig {
    /// CDI's own images.
    pub(crate) fn images(&self) -> [&ArcStr; 3] {
        [&self.importer_image, &self.upload_server_image, &self.cloner_image]
    }

    /// Whether the class has a CSI driver, so that its claims are filled by populators.
    pub fn has_csi_driver(&self, class: &StorageClass) -> bool {
        !class.provisioner.starts_with("kubernetes.io/")
            && !self.without_csi_driver.contains(&class.provisioner)
    }

    /// What the profile of a class says, in order of preference; empty where CDI does not know the provisioner.
    pub(crate) fn claim_property_sets(&self, class: &StorageClass) -> Vec<ClaimPropertySet> {
        if let Some(sets) = self.profiles.get(&class.metadata.name) {
            return sets.clone();
        }
        let known = CAPABILITIES.iter().find(|(provisioner, _)| *provisioner == class.provisioner);
        let capabilities = known.map_or(&[][..], |(_, capabilities)| *capabilities);
        capabilities.iter().map(|(access, volume)| ClaimPropertySet::new(*access, *volume)).collect()
    }
}

impl CdiConfig {
    /// How volumes of a class are cloned, if the storage can: snapshots where the profile says nothing.
    pub(crate) fn clone_strategy(&self, class: &StorageClass) -> CloneStrategy {
        if let Some(strategy) = self.clone_strategies.get(&class.metadata.name) {
            return *strategy;
        }
        let copies = CSI_CLONES.contains(&class.provisioner.as_str());
        if copies { CloneStrategy::CsiClone } else { CloneStrategy::Snapshot }
    }
}

/// CDI main 2026-08: `pkg/storagecapabilities/storagecapabilities.go`, `CloneStrategyByProvisionerKey`, the common ones.
const CSI_CLONES: &[&str] = &[
    "rbd.csi.ceph.com",
    "rook-ceph.rbd.csi.ceph.com",
    "openshift-storage.rbd.csi.ceph.com",
    "cephfs.csi.ceph.com",
    "openshift-storage.cephfs.csi.ceph.com",
];

type Capability = (&'static str, &'static str);

const RWX_FILE: Capability = ("ReadWriteMany", "Filesystem");
const RWO_FILE: Capability = ("ReadWriteOnce", "Filesystem");
const RWX_BLOCK: Capability = ("ReadWriteMany", "Block");
const RWO_BLOCK: Capability = ("ReadWriteOnce", "Block");

/// CDI main 2026-08: `pkg/storagecapabilities/storagecapabilities.go`, `CapabilitiesByProvisionerKey`, the common ones.
const CAPABILITIES: &[(&str, &[Capability])] = &[
    ("kubevirt.io.hostpath-provisioner", &[RWO_FILE]),
    ("kubevirt.io/hostpath-provisioner", &[RWO_FILE]),
    ("nfs.csi.k8s.io", &[RWX_FILE]),
    ("rbd.csi.ceph.com", &[RWX_BLOCK, RWO_BLOCK, RWO_FILE]),
    ("rook-ceph.rbd.csi.ceph.com", &[RWX_BLOCK, RWO_BLOCK, RWO_FILE]),
    ("openshift-storage.rbd.csi.ceph.com", &[RWX_BLOCK, RWO_BLOCK, RWO_FILE]),
    ("cephfs.csi.ceph.com", &[RWX_FILE, RWO_FILE]),
    ("rook-ceph.cephfs.csi.ceph.com", &[RWX_FILE, RWO_FILE]),
    ("ebs.csi.aws.com", &[RWO_BLOCK]),
    ("disk.csi.azure.com", &[RWO_BLOCK]),
    ("pd.csi.storage.gke.io", &[RWO_BLOCK, RWO_FILE]),
];
