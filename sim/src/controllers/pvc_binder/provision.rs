//! Dynamic provisioning: the controller names the provisioner on the claim and waits for it (`provisionClaim`).

use super::cache::Claim;
use super::class::claim_class;
use super::migration::{correct_annotation, csi_name};
use super::operations::Operation;
use super::plugins::{self, Provisioner};
use super::{BETA_STORAGE_PROVISIONER, PvcBinder, STORAGE_PROVISIONER};
use crate::context::{Context, EventType};
use crate::objects::StorageClass;
use crate::store::ApiError;
use arcstr::{ArcStr, literal};

const HOST_PATH_DISABLED: &str =
    "Failed to create provisioner: provisioning in volume plugin \"kubernetes.io/host-path\" is disabled";

impl PvcBinder {
    /// Asks the class's provisioner for a volume.
    pub(super) fn provision(&mut self, claim: &Claim, cx: &mut Context<'_>) -> Result<(), ApiError> {
        let name = claim_class(&claim.object);
        let class = cx.view().named::<StorageClass>("", &name).map(|(_, class)| class.provisioner.clone());
        let found = match class {
            None => Err(format!("storageclass.storage.k8s.io \"{name}\" not found")),
            Some(provisioner) => plugins::provisioner(&provisioner).map(|kind| (kind, provisioner)),
        };
        match found {
            Err(why) => {
                cx.event(&*claim.object, EventType::Warning, "ProvisioningFailed", &why);
                Ok(())
            }
            Ok((Provisioner::External, provisioner)) => self.provision_externally(claim, provisioner, cx),
            Ok((Provisioner::HostPath, provisioner)) => self.provision_host_path(claim, provisioner, cx),
        }
    }

    fn provision_externally(
        &mut self,
        claim: &Claim,
        provisioner: ArcStr,
        cx: &mut Context<'_>,
    ) -> Result<(), ApiError> {
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
        provisioner: ArcStr,
        cx: &mut Context<'_>,
    ) -> Result<(), ApiError> {
        if !self.operations.may_run(claim.id, Operation::Provision, cx.now) {
            return Ok(());
        }
        let result = self.set_claim_provisioner(claim, &provisioner, cx);
        self.operations.ended(claim.id, Operation::Provision, (false, cx.now));
        let claim = result?;
        cx.event(&*claim.object, EventType::Warning, "ProvisioningFailed", HOST_PATH_DISABLED);
        Ok(())
    }

    /// Names the provisioner on the claim, in both spellings.
    fn set_claim_provisioner(
        &mut self,
        claim: &Claim,
        provisioner: &ArcStr,
        cx: &mut Context<'_>,
    ) -> Result<Claim, ApiError> {
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
