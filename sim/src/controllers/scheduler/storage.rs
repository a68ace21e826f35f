//! Claims, volumes and storage classes as the scheduler knows them, with what it has assumed.
//!
//! kube-scheduler 1.36.2: `pkg/scheduler/util/assumecache`, `plugins/volumebinding/assume_cache.go`.

use super::plugins::volume_binding::PodVolumes;
use super::pod_info::PodInfo;
use crate::objects::{
    ObjectMeta, ObjectReference, PersistentVolume, PersistentVolumeClaim, Pod, PodVolume, StorageClass,
};
use arcstr::ArcStr;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A claim by namespace and name.
pub(super) type ClaimKey = (ArcStr, ArcStr);

/// Claims, volumes and classes.
#[derive(Debug, Default)]
pub(super) struct Storage {
    claims: IndexMap<ClaimKey, Arc<PersistentVolumeClaim>, FxBuildHasher>,
    volumes: IndexMap<ArcStr, Arc<PersistentVolume>, FxBuildHasher>,
    classes: BTreeMap<ArcStr, Arc<StorageClass>>,
    /// Volumes of each class that are not bound, by name: what a claim without a volume may still get.
    free: BTreeMap<ArcStr, BTreeSet<ArcStr>>,
    /// How many placed pods use a claim.
    users: IndexMap<ClaimKey, u32, FxBuildHasher>,
}

/// The annotation that names the node for which a volume is to be made.
pub(super) const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

impl Storage {
    /// A claim.
    pub(super) fn claim(&self, namespace: &ArcStr, name: &ArcStr) -> Option<&Arc<PersistentVolumeClaim>> {
        self.claims.get(&(namespace.clone(), name.clone()))
    }

    /// A volume.
    pub(super) fn volume(&self, name: &str) -> Option<&Arc<PersistentVolume>> {
        self.volumes.get(name)
    }

    /// A class.
    pub(super) fn class(&self, name: &str) -> Option<&Arc<StorageClass>> {
        self.classes.get(name)
    }

    /// The volumes of a class that are not bound, by name.
    pub(super) fn free_volumes(&self, class: &str) -> impl Iterator<Item = &Arc<PersistentVolume>> {
        self.free.get(class).into_iter().flatten().filter_map(|name| self.volumes.get(name))
    }

    /// Whether a placed pod uses the claim.
    pub(super) fn is_used(&self, claim: &ClaimKey) -> bool {
        self.users.contains_key(claim)
    }

    /// Takes over a claim.
    pub(super) fn set_claim(&mut self, claim: &Arc<PersistentVolumeClaim>) {
        self.claims.insert(key(&claim.metadata), Arc::clone(claim));
    }

    /// Forgets a claim.
    pub(super) fn remove_claim(&mut self, claim: &PersistentVolumeClaim) {
        self.claims.swap_remove(&key(&claim.metadata));
    }

    /// Takes over a volume.
    pub(super) fn set_volume(&mut self, volume: &Arc<PersistentVolume>) {
        let name = volume.metadata.name.clone();
        if let Some(old) = self.volumes.insert(name.clone(), Arc::clone(volume)) {
            self.leave_class(&old);
        }
        if volume.status.phase != "Bound" {
            self.free.entry(volume_class(volume)).or_default().insert(name);
        }
    }

    /// Forgets a volume.
    pub(super) fn remove_volume(&mut self, name: &str) {
        if let Some(old) = self.volumes.swap_remove(name) {
            self.leave_class(&old);
        }
    }

    /// Takes over a class.
    pub(super) fn set_class(&mut self, class: &Arc<StorageClass>) {
        self.classes.insert(class.metadata.name.clone(), Arc::clone(class));
    }

    /// Forgets a class.
    pub(super) fn remove_class(&mut self, name: &str) {
        self.classes.remove(name);
    }

    /// Counts a pod's use of its claims, or no longer.
    pub(super) fn use_claims(&mut self, pod: &PodInfo, change: i32) {
        if !pod.needs.claims {
            return;
        }
        for (_, name) in named_claims(&pod.pod) {
            let key = (pod.pod.metadata.namespace.clone(), name);
            let users = self.users.entry(key.clone()).or_insert(0);
            *users = users.checked_add_signed(change).expect("as many leave as came");
            if *users == 0 {
                self.users.swap_remove(&key);
            }
        }
    }

    /// Assumes what is to become of a pod's claims, before anybody has written it.
    pub(super) fn assume(&mut self, volumes: &PodVolumes, node: &ArcStr) {
        for (claim, volume) in &volumes.bindings {
            let mut kept = PersistentVolume::clone(volume);
            let _ = keep_for(&mut kept, claim);
            self.set_volume(&Arc::new(kept));
        }
        for claim in &volumes.provisions {
            let mut annotated = PersistentVolumeClaim::clone(claim);
            annotated.metadata.annotations.insert(SELECTED_NODE, node.clone());
            self.set_claim(&Arc::new(annotated));
        }
    }

    fn leave_class(&mut self, volume: &PersistentVolume) {
        let class = volume_class(volume);
        if let Some(names) = self.free.get_mut(&class) {
            names.remove(&volume.metadata.name);
            if names.is_empty() {
                self.free.remove(&class);
            }
        }
    }
}

/// `GetBindVolumeToClaim`: writes the claim into the volume, and says whether that changed anything.
pub(super) fn keep_for(volume: &mut PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    let meta = &claim.metadata;
    let known = volume.spec.claim_ref.as_ref().filter(|to| to.uid == meta.uid);
    if known.is_some() {
        return false;
    }
    if volume.spec.claim_ref.is_none() {
        volume.metadata.annotations.insert("pv.kubernetes.io/bound-by-controller", "yes");
    }
    volume.spec.claim_ref = Some(ObjectReference {
        kind: arcstr::literal!("PersistentVolumeClaim"),
        api_version: arcstr::literal!("v1"),
        namespace: meta.namespace.clone(),
        name: meta.name.clone(),
        uid: meta.uid.clone(),
        ..ObjectReference::default()
    });
    true
}

/// The claims that a pod names, ephemeral ones by the name that their controller gives them.
pub(super) fn named_claims(pod: &Pod) -> impl Iterator<Item = (&PodVolume, ArcStr)> {
    pod.spec.volumes.iter().filter_map(|volume| {
        let direct = volume.persistent_volume_claim.as_ref().map(|source| source.claim_name.clone());
        let ephemeral = || {
            volume.rest.get("ephemeral")?;
            Some(arcstr::format!("{}-{}", pod.metadata.name, volume.name))
        };
        Some((volume, direct.or_else(ephemeral)?))
    })
}

const CLASS_ANNOTATION: &str = "volume.beta.kubernetes.io/storage-class";

/// `GetPersistentVolumeClaimClass`: the beta annotation comes first; empty is no class.
pub(super) fn claim_class(claim: &PersistentVolumeClaim) -> ArcStr {
    let annotated = claim.metadata.annotations.get(CLASS_ANNOTATION).cloned();
    annotated.or_else(|| claim.spec.storage_class_name.clone()).unwrap_or_default()
}

/// `GetPersistentVolumeClass`.
pub(super) fn volume_class(volume: &PersistentVolume) -> ArcStr {
    let annotated = volume.metadata.annotations.get(CLASS_ANNOTATION);
    annotated.unwrap_or(&volume.spec.storage_class_name).clone()
}

fn key(meta: &ObjectMeta) -> ClaimKey {
    (meta.namespace.clone(), meta.name.clone())
}
