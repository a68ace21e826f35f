//! DataVolumes, CDI main 2026-08: `pkg/apiserver/webhooks/datavolume-mutate.go`.
//!
//! Who may copy what is not asked (`AuthorizeUser`): every user may copy everything.

use super::Admit;
use crate::config::Config;
use crate::controllers::clone_token;
use crate::objects::DataVolume;
use crate::store::View;
use serde_json::Value;
use std::sync::Arc;
use stuckvm_detector::Time;

impl Admit for DataVolume {
    /// A copy gets a token that proves that its user may read the source. A field that is not in the schema is dropped.
    fn admit_configured(&mut self, view: View<'_>, _now: Time, config: &Config) {
        if !config.cdi.release.profile().knows_checksums {
            drop_checksum(self);
        }
        if let Some((annotation, token)) = clone_token(view, self) {
            self.metadata.annotations.insert(annotation, token);
        }
    }
}

fn drop_checksum(dv: &mut DataVolume) {
    let stated = dv.spec.source.as_ref().is_some_and(|source| source.pointer("/http/checksum").is_some());
    if !stated {
        return;
    }
    let source = Arc::make_mut(&mut dv.spec).source.as_mut();
    let http = source.and_then(|source| source.get_mut("http")).and_then(Value::as_object_mut);
    http.and_then(|http| http.remove("checksum"));
}
