//! Dynamic provisioning: the controller names the provisioner on the claim and waits for it (`provisionClaim`).

use super::cache::Claim;
use super::class::claim_class;
use super::error::SyncError;
use super::migration::{correct_annotation, csi_name};
use super::operations::Operation;
use super::plugins::{self, Provisioner};
use super::{BETA_STORAGE_PROVISIONER, PvcBinder, STORAGE_PROVISIONER};
use crate::context::{Context, EventType};
use crate::kind::ObjectId;
use crate::objects::{PersistentVolume, PersistentVolumeClaim, StorageClass};
use arcstr::{ArcStr, literal};
use std::sync::Arc;

const HOST_PATH_DISABLED: &str =
    "Failed to create provisioner: provisioning in volume plugin \"kubernetes.io/host-path\" is disabled";
const COPIES_NOTHING: &str = "plugin \"kubernetes.io/host-path\" is not a CSI plugin. \
                              Only CSI plugin can provision a claim with a datasource";

impl PvcBinder {
    /// Sets off that the class's provisioner is asked for a volume, if there is one.
    pub(super) fn provision(&mut self, claim: &Claim, cx: &mut Context<'_>) -> Result<(), SyncError> {
        if let Err(why) = provisioner(&claim.object, cx) {
            cx.event(&*claim.object, EventType::Warning, "ProvisioningFailed", &why);
            return Ok(());
        }
        self.set_off(Operation::Provision, claim.id, cx)
    }

    /// Asks the class's provisioner for a volume. A claim that was bound meanwhile is left alone: upstream's write of the
    /// version that the sync knew is refused.
    pub(super) fn provision_claim(&mut self, id: ObjectId, cx: &mut Context<'_>) -> Result<(), SyncError> {
        let claim = self.cache.claim(cx.view(), id);
        let Some(claim) = claim.filter(|claim| claim.object.spec.volume_name.is_empty()) else {
            return Ok(());
        };
        let (provisioner, class) = provisioner(&claim.object, cx).map_err(SyncError::Plugin)?;
        match provisioner {
            Provisioner::External => self.provision_externally(&claim, class.provisioner.clone(), cx),
            Provisioner::HostPath => self.provision_host_path(&claim, &class, cx),
        }
    }

    fn provision_externally(
        &mut self,
        claim: &Claim,
        provisioner: ArcStr,
        cx: &mut Context<'_>,
    ) -> Result<(), SyncError> {
        let provisioner = csi_name(&provisioner).map_or(provisioner, ArcStr::from);
        let claim = self.set_claim_provisioner(claim, &provisioner, cx)?;
        let message = format!(
            "Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the \
             system administrator. If volume creation is delayed, please verify that the provisioner is running and \
             correctly registered."
        );
        cx.event(&*claim.object, EventType::Normal, "ExternalProvisioning", &message);
        Ok(())
    }

    /// Host-path volumes are made only where a test cluster's flag allows it; by default this fails, ever more rarely.
    fn provision_host_path(
        &mut self,
        claim: &Claim,
        class: &StorageClass,
        cx: &mut Context<'_>,
    ) -> Result<(), SyncError> {
        if claim.object.spec.rest.get("dataSource").is_some_and(|source| !source.is_null()) {
            return fail(claim, COPIES_NOTHING, cx);
        }
        let claim = self.set_claim_provisioner(claim, &class.provisioner, cx)?;
        let volume = format!("pvc-{}", claim.object.metadata.uid);
        if cx.newest().named::<PersistentVolume>("", &volume).is_some() {
            return Ok(());
        }
        let options = class.mount_options();
        if options.is_empty() {
            return fail(&claim, HOST_PATH_DISABLED, cx);
        }
        let message = format!(
            "Mount options are not supported by the provisioner but StorageClass \"{}\" has mount options [{}]",
            class.metadata.name,
            options.join(" ")
        );
        fail(&claim, &message, cx)
    }

    /// Names the provisioner on the claim, in both spellings.
    fn set_claim_provisioner(
        &mut self,
        claim: &Claim,
        provisioner: &ArcStr,
        cx: &mut Context<'_>,
    ) -> Result<Claim, SyncError> {
        if claim.object.metadata.annotations.has(STORAGE_PROVISIONER, provisioner) {
            return Ok(claim.clone());
        }
        self.cache.update(claim, cx, |claim| {
            let annotations = &mut claim.metadata.annotations;
            annotations.insert(literal!(BETA_STORAGE_PROVISIONER), provisioner.clone());
            annotations.insert(literal!(STORAGE_PROVISIONER), provisioner.clone());
            correct_annotation(annotations, provisioner);
        })
    }
}

/// Says why there is no volume; the next try is put off.
fn fail(claim: &Claim, why: &str, cx: &mut Context<'_>) -> Result<(), SyncError> {
    cx.event(&*claim.object, EventType::Warning, "ProvisioningFailed", why);
    Err(SyncError::Plugin(why.to_owned()))
}

/// Who is to make the claim's volume, and by which class; `Err` is why nobody can.
fn provisioner(
    claim: &PersistentVolumeClaim,
    cx: &Context<'_>,
) -> Result<(Provisioner, Arc<StorageClass>), String> {
    let name = claim_class(claim);
    let Some((_, class)) = cx.view().named::<StorageClass>("", &name) else {
        return Err(format!("storageclass.storage.k8s.io \"{name}\" not found"));
    };
    Ok((plugins::provisioner(&class.provisioner)?, Arc::clone(class)))
}
