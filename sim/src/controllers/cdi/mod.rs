//! What CDI's controllers share: annotations, claims and their events, storage classes.
//!
//! CDI main 2026-08: `pkg/controller/common/util.go`.

pub(super) mod annotations;
pub(super) mod checkpoints;
pub(super) mod claims;
pub(super) mod errors;
pub(super) mod events;
pub(super) mod storage_class;
pub(super) mod tokens;
pub(super) mod users;

use crate::context::Context;
use crate::controller::Action;
use crate::kind::ObjectId;
use crate::objects::{Pod, StrMap};
use crate::store::ApiError;
use arcstr::{ArcStr, literal};
use std::time::Duration;

/// How often CDI's controllers look at what is not finished.
const POLL_PERIOD: Duration = Duration::from_secs(2);

/// What is not finished is looked at again, as far as that look could find anything new.
#[derive(Clone, Copy, Debug)]
pub(super) struct Poll {
    /// Whether something could be seen then that nobody is woken by.
    pub(super) is_visible: bool,
}

impl From<Poll> for Action {
    fn from(poll: Poll) -> Self {
        if poll.is_visible { Self::RequeueAfter(POLL_PERIOD) } else { Self::Idle(POLL_PERIOD) }
    }
}

/// The component of a snapshot's volume that is only there to be copied.
pub(super) const CLONE_FROM_SNAPSHOT_FALLBACK: &str =
    "cdi-clone-from-snapshot-source-host-assisted-fallback-pvc";

/// The component of a pod that reads the source of a host-assisted clone.
pub(super) const CLONE_SOURCE: &str = "cdi-clone-source";

/// How the name of such a pod ends.
pub(super) const CLONE_SOURCE_SUFFIX: &str = "-source-pod";

/// The label of the pod that writes a claim: the claim's uid.
pub(super) const UPLOAD_TARGET: ArcStr = literal!("cdi.kubevirt.io/uploadTarget");

/// Deletes a worker pod; one that is gone already is as good.
pub(super) fn delete_pod(cx: &mut Context<'_>, id: ObjectId) -> Result<(), ApiError> {
    match cx.delete::<Pod>(id) {
        Ok(()) | Err(ApiError::Gone { .. } | ApiError::NotFound { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The labels `app.kubernetes.io/…` that CDI puts on what it creates, without overwriting.
pub(super) fn set_recommended_labels(labels: &mut StrMap) {
    for (label, value) in [
        (literal!("app.kubernetes.io/managed-by"), literal!("cdi-controller")),
        (literal!("app.kubernetes.io/component"), literal!("storage")),
    ] {
        if !labels.contains_key(&label) {
            labels.insert(label, value);
        }
    }
}

/// Annotations that may go from a DataVolume or claim to a helper claim or pod, each with its default.
const ALLOWED_ANNOTATIONS: [(ArcStr, ArcStr); 6] = [
    (literal!("k8s.v1.cni.cncf.io/networks"), literal!("")),
    (literal!("sidecar.istio.io/inject"), literal!("false")),
    (literal!("linkerd.io/inject"), literal!("disabled")),
    (annotations::PRIORITY_CLASS_NAME, literal!("")),
    (annotations::POD_SERVICE_ACCOUNT, literal!("")),
    (literal!("v1.multus-cni.io/default-network"), literal!("")),
];

/// Copies the annotations that may be copied, and sets the defaults of those that have one.
pub(super) fn copy_allowed_annotations(from: &StrMap, to: &mut StrMap) {
    for (annotation, default) in ALLOWED_ANNOTATIONS {
        let value = from.get(&annotation).cloned().unwrap_or(default);
        if !value.is_empty() {
            to.insert(annotation, value);
        }
    }
}

/// A name of a base and a suffix, shortened with a hash where it is too long for an object's name.
///
/// openshift/library-go: `pkg/build/naming/namer.go`, `GetName`.
pub(super) fn resource_name(base: &str, suffix: &str) -> ArcStr {
    const MAX: usize = 253;
    let name = arcstr::format!("{base}-{suffix}");
    if name.len() <= MAX {
        return name;
    }
    // Where the suffix alone is too long, only the hash of the whole stays of it.
    let Some(base_length) = MAX.checked_sub(10 + suffix.len()) else {
        let short = &base[..base.len().min(MAX - 9)];
        return arcstr::format!("{short}-{:08x}", fnv32(&name));
    };
    let prefix = &base[..base.len().min(base_length)];
    arcstr::format!("{prefix}-{:08x}-{suffix}", fnv32(base))
}

/// 32-bit FNV-1a.
fn fnv32(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::resource_name;

    #[test]
    fn only_names_that_are_too_long_are_shortened() {
        assert_eq!(resource_name("importer", "disk"), "importer-disk");
        let long = "x".repeat(250);
        assert_eq!(resource_name(&long, "scratch").len(), 253);
        assert!(resource_name("importer", &long).starts_with("importer-"));
    }
}
