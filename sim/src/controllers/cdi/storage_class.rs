//! Storage classes by name, with the cluster's default where none is named.

use crate::objects::{PersistentVolumeClaim, StorageClass};
use crate::store::View;
use arcstr::ArcStr;
use std::cmp::Reverse;
use std::sync::Arc;

const DEFAULT: &str = "storageclass.kubernetes.io/is-default-class";
const DEFAULT_VIRT: &str = "storageclass.kubevirt.io/is-default-virt-class";

/// `GetStorageClassByNameWithK8sFallback`.
pub(crate) fn by_name<'a>(view: View<'a>, name: Option<&ArcStr>) -> Option<&'a Arc<StorageClass>> {
    match name {
        Some(name) => view.named::<StorageClass>("", name).map(|(_, class)| class),
        None => default_class(view, DEFAULT),
    }
}

/// `GetStorageClassByNameWithVirtFallback`: for disks, the default for virtualization goes before the cluster's.
pub(crate) fn by_name_for_disks<'a>(
    view: View<'a>,
    name: Option<&ArcStr>,
    is_archive: bool,
) -> Option<&'a Arc<StorageClass>> {
    if name.is_none() && !is_archive {
        return default_class(view, DEFAULT_VIRT).or_else(|| default_class(view, DEFAULT));
    }
    by_name(view, name)
}

/// Of several defaults the newest, then the first by name. There are few classes, so they may be walked.
fn default_class<'a>(view: View<'a>, annotation: &str) -> Option<&'a Arc<StorageClass>> {
    view.iter::<StorageClass>()
        .map(|(_, class)| class)
        .filter(|class| class.metadata.annotations.has(annotation, "true"))
        .min_by_key(|class| (Reverse(class.metadata.creation_timestamp), class.metadata.name.clone()))
}

/// Whether volumes of the claim's class wait for a pod.
pub(crate) fn waits_for_first_consumer(view: View<'_>, claim: &PersistentVolumeClaim) -> bool {
    by_name(view, claim.spec.storage_class_name.as_ref())
        .is_some_and(|class| class.waits_for_first_consumer())
}
