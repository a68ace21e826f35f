//! Which class a claim or a volume has, and which is the default:
//! `staging/src/k8s.io/component-helpers/storage/volume/{helpers,pv_helpers}.go`, `pkg/volume/util/storageclass.go`.

use crate::objects::{PersistentVolume, PersistentVolumeClaim, StorageClass, StrMap};
use crate::store::View;
use arcstr::ArcStr;
use std::sync::Arc;

/// The annotation that named the class before the field did; it still comes first.
const BETA_STORAGE_CLASS: &str = "volume.beta.kubernetes.io/storage-class";
const DEFAULT_CLASS: [&str; 2] =
    ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];

/// The class of a claim; empty where it names none.
pub(crate) fn claim_class(claim: &PersistentVolumeClaim) -> ArcStr {
    let named = claim.metadata.annotations.get(BETA_STORAGE_CLASS);
    named.or(claim.spec.storage_class_name.as_ref()).cloned().unwrap_or_default()
}

/// Whether a claim says something about its class, be it that it has none.
pub(crate) fn claim_has_class(claim: &PersistentVolumeClaim) -> bool {
    claim.metadata.annotations.contains_key(BETA_STORAGE_CLASS) || claim.spec.storage_class_name.is_some()
}

/// The class of a volume; empty where it has none.
pub(super) fn volume_class(volume: &PersistentVolume) -> &ArcStr {
    volume.metadata.annotations.get(BETA_STORAGE_CLASS).unwrap_or(&volume.spec.storage_class_name)
}

/// The default class: the newest, and of one age the first by name.
pub(crate) fn default_class(view: View<'_>) -> Option<&Arc<StorageClass>> {
    let defaults = view
        .iter::<StorageClass>()
        .map(|(_, class)| class)
        .filter(|class| is_default(&class.metadata.annotations));
    defaults.max_by(|a, b| {
        let (a, b) = (&a.metadata, &b.metadata);
        a.creation_timestamp.cmp(&b.creation_timestamp).then_with(|| b.name.cmp(&a.name))
    })
}

fn is_default(annotations: &StrMap) -> bool {
    DEFAULT_CLASS.iter().any(|key| annotations.has(key, "true"))
}
