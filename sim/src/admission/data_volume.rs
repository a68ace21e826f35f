//! DataVolumes, CDI main 2026-08: `pkg/apiserver/webhooks/datavolume-mutate.go`.
//!
//! Who may copy what is not asked (`AuthorizeUser`): every user may copy everything.

use super::Admit;
use crate::controllers::clone_token;
use crate::objects::DataVolume;
use crate::store::View;
use stuckvm_detector::Time;

impl Admit for DataVolume {
    /// A copy gets a token that proves that its user may read the source.
    fn admit(&mut self, view: View<'_>, _now: Time) {
        if let Some((annotation, token)) = clone_token(view, self) {
            self.metadata.annotations.insert(annotation, token);
        }
    }
}
