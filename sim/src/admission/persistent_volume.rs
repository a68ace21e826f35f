//! What the API server makes of a new volume, Kubernetes 1.36: `pkg/apis/core/v1/defaults.go`,
//! `pkg/registry/core/persistentvolume/strategy.go`, `plugin/pkg/admission/storage/storageobjectinuseprotection`.

use super::Admit;
use crate::config::Config;
use crate::controllers::PV_PROTECTION;
use crate::objects::{PersistentVolume, PersistentVolumeStatus};
use crate::store::View;
use arcstr::literal;
use stuckvm_detector::Time;

impl Admit for PersistentVolume {
    /// A volume starts Pending, whatever its manifest says.
    fn admit(&mut self, _view: View<'_>, _now: Time) {
        self.spec.reclaim_policy.get_or_insert(literal!("Retain"));
        self.spec.volume_mode.get_or_insert(literal!("Filesystem"));
        self.status = PersistentVolumeStatus { phase: literal!("Pending"), ..Default::default() };
    }

    fn admit_configured(&mut self, view: View<'_>, now: Time, config: &Config) {
        self.admit(view, now);
        if config.storage_object_in_use_protection {
            self.metadata.add_finalizer(literal!(PV_PROTECTION));
        }
    }
}
