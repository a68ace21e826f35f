//! In-tree cloud drivers that CSI drivers have taken over: `staging/src/k8s.io/csi-translation-lib/plugins` and
//! `pv_controller.go`'s migration annotations and deletion finalizers.

use super::cache::{Claim, Volume};
use super::error::SyncError;
use super::{BETA_STORAGE_PROVISIONER, DYNAMICALLY_PROVISIONED, PvcBinder, STORAGE_PROVISIONER};
use crate::context::Context;
use crate::objects::{PersistentVolume, StrMap};
use arcstr::literal;

/// Names the CSI driver that serves an object of an in-tree driver.
pub(super) const MIGRATED_TO: &str = "pv.kubernetes.io/migrated-to";
/// Keeps a volume of an in-tree driver until its backend is deleted.
const IN_TREE_FINALIZER: &str = "kubernetes.io/pv-controller";
/// The same for a volume of an external driver.
const EXTERNAL_FINALIZER: &str = "external-provisioner.volume.kubernetes.io/finalizer";

const MIGRATED: [(&str, &str); 7] = [
    ("kubernetes.io/aws-ebs", "ebs.csi.aws.com"),
    ("kubernetes.io/azure-disk", "disk.csi.azure.com"),
    ("kubernetes.io/azure-file", "file.csi.azure.com"),
    ("kubernetes.io/cinder", "cinder.csi.openstack.org"),
    ("kubernetes.io/gce-pd", "pd.csi.storage.gke.io"),
    ("kubernetes.io/portworx-volume", "pxd.portworx.com"),
    ("kubernetes.io/vsphere-volume", "csi.vsphere.vmware.com"),
];

/// The CSI driver that has taken over an in-tree driver.
pub(super) fn csi_name(in_tree: &str) -> Option<&'static str> {
    MIGRATED.iter().find(|(name, _)| *name == in_tree).map(|(_, csi)| *csi)
}

/// Corrects the annotation for a driver, and returns whether it was wrong.
pub(super) fn correct_annotation(annotations: &mut StrMap, provisioner: &str) -> bool {
    match csi_name(provisioner) {
        Some(csi) => annotations.insert(literal!(MIGRATED_TO), csi),
        None => {
            annotations.get(MIGRATED_TO).is_some_and(|driver| !driver.is_empty())
                && annotations.remove(MIGRATED_TO).is_some()
        }
    }
}

impl PvcBinder {
    /// Corrects the migration annotation of a claim that names a provisioner.
    pub(super) fn migrate_claim(&mut self, claim: Claim, cx: &mut Context<'_>) -> Result<Claim, SyncError> {
        let annotations = &claim.object.metadata.annotations;
        let named = annotations.get(STORAGE_PROVISIONER).or(annotations.get(BETA_STORAGE_PROVISIONER));
        let Some(provisioner) = named else { return Ok(claim) };
        if !correct_annotation(&mut annotations.clone(), provisioner) {
            return Ok(claim);
        }
        self.cache.update(&claim, cx, |object| {
            correct_annotation(&mut object.metadata.annotations, provisioner);
        })
    }

    /// Corrects the migration annotation and the in-tree finalizer of a provisioned volume.
    pub(super) fn migrate_volume(
        &mut self,
        volume: Volume,
        cx: &mut Context<'_>,
    ) -> Result<Volume, SyncError> {
        if !volume.object.metadata.annotations.contains_key(DYNAMICALLY_PROVISIONED) {
            return Ok(volume);
        }
        let mut corrected = PersistentVolume::clone(&volume.object);
        correct_volume(&mut corrected);
        if corrected.metadata == volume.object.metadata {
            return Ok(volume);
        }
        self.cache.update(&volume, cx, correct_volume)
    }
}

fn correct_volume(volume: &mut PersistentVolume) {
    let meta = &mut volume.metadata;
    let Some(provisioner) = meta.annotations.get(DYNAMICALLY_PROVISIONED).cloned() else { return };
    correct_annotation(&mut meta.annotations, &provisioner);
    if csi_name(&provisioner).is_some() {
        meta.remove_finalizer(IN_TREE_FINALIZER);
    } else if provisioner.starts_with("kubernetes.io/") {
        // Left from when the driver was migrated.
        meta.remove_finalizer(EXTERNAL_FINALIZER);
        match volume.spec.reclaim_policy.as_deref() {
            Some("Delete") => drop(meta.add_finalizer(literal!(IN_TREE_FINALIZER))),
            Some("Retain" | "Recycle") => drop(meta.remove_finalizer(IN_TREE_FINALIZER)),
            _ => {}
        }
    }
}

/// Takes the in-tree finalizer off a volume whose backend is deleted.
pub(super) fn backend_is_deleted(volume: &mut PersistentVolume) {
    volume.metadata.remove_finalizer(IN_TREE_FINALIZER);
}
