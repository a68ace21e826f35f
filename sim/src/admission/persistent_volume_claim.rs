//! What the API server makes of a new claim, Kubernetes 1.36: `pkg/apis/core/v1/defaults.go`,
//! `pkg/registry/core/persistentvolumeclaim/strategy.go`,
//! `plugin/pkg/admission/storage/{storageclass/setdefault,storageobjectinuseprotection}`.

use super::Admit;
use crate::config::Config;
use crate::controllers::{PVC_PROTECTION, claim_has_class, default_class};
use crate::objects::{PersistentVolumeClaim, PersistentVolumeClaimStatus};
use crate::store::View;
use arcstr::literal;
use stuckvm_detector::Time;

impl Admit for PersistentVolumeClaim {
    /// A claim starts Pending, whatever its manifest says; without a word on its class it gets the default class.
    fn admit_configured(&mut self, view: View<'_>, _now: Time, config: &Config) {
        if config.default_storage_class
            && !claim_has_class(self)
            && let Some(class) = default_class(view)
        {
            self.spec.storage_class_name = Some(class.metadata.name.clone());
        }
        self.spec.volume_mode.get_or_insert(literal!("Filesystem"));
        self.status = PersistentVolumeClaimStatus { phase: literal!("Pending"), ..Default::default() };
        if config.storage_object_in_use_protection {
            self.metadata.add_finalizer(literal!(PVC_PROTECTION));
        }
    }
}
