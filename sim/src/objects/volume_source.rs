//! `cdi.kubevirt.io/v1beta1` VolumeImportSource, VolumeUploadSource and VolumeCloneSource.

use super::{ObjectMeta, Rest, is_default};
use arcstr::ArcStr;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

macro_rules! volume_sources {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $($(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub struct $name {
            /// Names.
            pub metadata: ObjectMeta,
            /// What is wanted. Changed by replacing the whole.
            pub spec: Arc<VolumeSourceSpec>,
        })*
    };
}

volume_sources! {
    /// What the import populator fills claims with that name it as their data source.
    VolumeImportSource;
    /// Lets claims that name it as their data source be uploaded to.
    VolumeUploadSource;
    /// What the clone populator copies into claims that name it as their data source.
    VolumeCloneSource;
}

/// `spec` of a VolumeImportSource, VolumeUploadSource or VolumeCloneSource.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeSourceSpec {
    /// For imports, one key names the kind of source: http, registry, blank …; for clones, a reference by kind and name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Value>,
    /// kubevirt (default) or archive.
    #[serde(skip_serializing_if = "is_default")]
    pub content_type: ArcStr,
    /// Other fields, `targetClaim`, `checkpoints` and `finalCheckpoint` among them.
    #[serde(flatten)]
    pub rest: Rest,
}
