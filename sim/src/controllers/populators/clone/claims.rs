//! What a clone makes on its way: claims, and the pod that prepares one.
//!
//! CDI main 2026-08: `pkg/controller/clone/planner.go` (`createDesiredClaim`, `createTempSourceClaim`),
//! `{csi-clone,snap-clone,prep-claim}.go`.

use super::snapshot::content;
use super::{CloneOf, OWNED_BY_UID, SOURCE_KIND, snapshot, source_namespace};
use crate::context::{Context, EventType};
use crate::controllers::cdi::annotations as ann;
use crate::controllers::cdi::errors::CdiError;
use crate::controllers::cdi::{copy_allowed_annotations, set_recommended_labels};
use crate::kind::{ObjectId, Resource};
use crate::objects::{
    Container, PersistentVolumeClaim, PersistentVolumeClaimSource, PersistentVolumeClaimSpec, Pod, PodSpec,
    PodVolume, StorageClass, TypedLocalObjectReference, VolumeSnapshot,
};
use crate::quantity::Quantity;
use arcstr::{ArcStr, literal};
use std::sync::Arc;

/// A claim that is only there until the target has its volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Temporary {
    /// The copy, whose volume becomes the target's.
    Copy,
    /// A snapshot's volume, to be copied from.
    Source,
}

impl Temporary {
    pub(super) fn name(self, clone: &CloneOf) -> ArcStr {
        self.name_for(&clone.target)
    }

    fn name_for(self, target: &PersistentVolumeClaim) -> ArcStr {
        let uid = &target.metadata.uid;
        match self {
            Self::Copy => arcstr::format!("tmp-pvc-{uid}"),
            Self::Source => arcstr::format!("tmp-source-pvc-{uid}"),
        }
    }
}

/// `createDesiredClaim`: as the target, but for the name and what fills it.
pub(super) fn desired(clone: &CloneOf) -> PersistentVolumeClaim {
    named(
        clone,
        Temporary::Copy,
        PersistentVolumeClaimSpec { data_source_ref: None, ..clone.target.spec.clone() },
    )
}

fn named(clone: &CloneOf, which: Temporary, mut spec: PersistentVolumeClaimSpec) -> PersistentVolumeClaim {
    spec.rest.remove("dataSource");
    let mut claim = PersistentVolumeClaim { spec, ..PersistentVolumeClaim::default() };
    let (meta, target) = (&mut claim.metadata, &clone.target.metadata);
    meta.namespace = clone.namespace().clone();
    meta.name = which.name(clone);
    meta.labels = target.labels.clone();
    meta.annotations = target.annotations.clone();
    claim
}

/// The driver is to make a copy of a claim's volume, of its size.
pub(super) fn from_claim(clone: &CloneOf, source: &PersistentVolumeClaim) -> PersistentVolumeClaim {
    let mut claim = desired(clone);
    claim.spec.data_source_ref = Some(reference(None, "PersistentVolumeClaim", &source.metadata.name));
    let size = source.status.capacity.get("storage").cloned().unwrap_or_else(|| Quantity::from_value(0));
    claim.spec.resources.requests.insert("storage", size);
    mark(clone, &mut claim);
    claim
}

/// The driver is to make a volume of a snapshot.
pub(super) fn from_snapshot(
    cx: &Context<'_>,
    clone: &CloneOf,
    snapshot: &VolumeSnapshot,
    which: Temporary,
) -> Result<PersistentVolumeClaim, CdiError> {
    let mut claim = match which {
        Temporary::Copy => desired(clone),
        Temporary::Source => temporary_source(cx, clone, snapshot)?,
    };
    let group = Some(literal!("snapshot.storage.k8s.io"));
    claim.spec.data_source_ref = Some(reference(group, "VolumeSnapshot", &snapshot.metadata.name));
    let size = snapshot.status.as_ref().and_then(|status| status.restore_size.clone());
    let Some(size) = size else {
        return Err(CdiError::Resource(literal!("snapshot missing restoresize")));
    };
    if !size.is_zero() {
        claim.spec.resources.requests.insert("storage", size);
    }
    mark(clone, &mut claim);
    Ok(claim)
}

/// How large a snapshot's volume is to be: as the snapshot says, or where it says nothing as the target.
pub(super) fn restored_size(clone: &CloneOf, snapshot: &VolumeSnapshot) -> Option<Quantity> {
    let size = snapshot.status.as_ref()?.restore_size.clone().filter(|size| size.value() >= 0)?;
    if size.is_zero() { clone.target.spec.resources.requests.get("storage").cloned() } else { Some(size) }
}

/// `createTempSourceClaim`: of the snapshot's own driver, on whichever node.
pub(super) fn temporary_source(
    cx: &Context<'_>,
    clone: &CloneOf,
    snapshot: &VolumeSnapshot,
) -> Result<PersistentVolumeClaim, CdiError> {
    let content = &content(cx, snapshot)?.spec;
    let classes = cx.view().iter::<StorageClass>().map(|(_, class)| class);
    let names = classes.filter(|class| class.provisioner == content.driver).map(|class| &class.metadata.name);
    let Some(class) = names.min() else {
        let text = literal!("unable to find a valid storage class for the temporal source claim");
        return Err(CdiError::Resource(text));
    };
    let mode = content.source_volume_mode.clone().or_else(|| clone.target.spec.volume_mode.clone());
    let mut spec = PersistentVolumeClaimSpec {
        access_modes: vec![literal!("ReadWriteOnce")],
        storage_class_name: Some(class.clone()),
        volume_mode: mode,
        ..PersistentVolumeClaimSpec::default()
    };
    let none = || CdiError::Resource(literal!("snapshot has no RestoreSize"));
    spec.resources.requests.insert("storage", restored_size(clone, snapshot).ok_or_else(none)?);
    let mut claim = named(clone, Temporary::Source, spec);
    claim.metadata.annotations.remove(&ann::SELECTED_NODE);
    Ok(claim)
}

fn reference(group: Option<ArcStr>, kind: &'static str, name: &ArcStr) -> TypedLocalObjectReference {
    TypedLocalObjectReference {
        api_group: group,
        kind: kind.into(),
        name: name.clone(),
        ..TypedLocalObjectReference::default()
    }
}

/// Marks a claim as the clone populator's, on behalf of the target.
pub(super) fn mark(clone: &CloneOf, claim: &mut PersistentVolumeClaim) {
    let (meta, target) = (&mut claim.metadata, &clone.target.metadata);
    meta.annotations.insert(ann::POPULATOR_KIND, SOURCE_KIND);
    meta.annotations.insert(ann::EVENT_SOURCE_KIND, "PersistentVolumeClaim");
    meta.annotations.insert(ann::EVENT_SOURCE, arcstr::format!("{}/{}", target.namespace, target.name));
    meta.labels.insert(OWNED_BY_UID, target.uid.clone());
    meta.labels.insert("velero.io/exclude-from-backup", "true");
}

/// Creates a claim; a quota that refuses it is an event on the target.
pub(super) fn create(
    cx: &mut Context<'_>,
    clone: &CloneOf,
    claim: PersistentVolumeClaim,
) -> Result<(), CdiError> {
    let created = cx.create(claim).map_err(CdiError::from);
    if let Err(error) = &created
        && error.is_quota_exceeded()
    {
        cx.event(&clone.target, EventType::Warning, "ErrExceededQuota", &error.text());
    }
    created.map(|_| ())
}

pub(super) fn prep_pod_name(target: &PersistentVolumeClaim) -> ArcStr {
    arcstr::format!("prep-{}", target.metadata.uid)
}

/// `createPod`: a pod that ends at once, only there to use the claim.
pub(super) fn prep_pod(cx: &Context<'_>, clone: &CloneOf, claim: &PersistentVolumeClaim) -> Pod {
    let mut pod = Pod::default();
    let meta = &mut pod.metadata;
    meta.name = prep_pod_name(&clone.target);
    meta.namespace = claim.metadata.namespace.clone();
    meta.annotations.insert(ann::CREATED_BY, "yes");
    copy_allowed_annotations(&claim.metadata.annotations, &mut meta.annotations);
    meta.labels.insert("app", "containerized-data-importer");
    meta.labels.insert("cdi.kubevirt.io", "cdi-populator-prep");
    set_recommended_labels(&mut meta.labels);
    meta.labels.insert(OWNED_BY_UID, clone.target.metadata.uid.clone());
    let source = PersistentVolumeClaimSource { claim_name: claim.metadata.name.clone(), read_only: false };
    let dummy = Container {
        name: literal!("dummy"),
        image: cx.config.cdi.cloner_image.clone(),
        ..Container::default()
    };
    pod.spec = Arc::new(PodSpec {
        restart_policy: literal!("OnFailure"),
        containers: vec![dummy],
        volumes: vec![PodVolume {
            name: literal!("cdi-data-vol"),
            persistent_volume_claim: Some(source),
            ..PodVolume::default()
        }],
        ..PodSpec::default()
    });
    if let Some(node) = claim.metadata.annotations.get(&ann::SELECTED_NODE) {
        pod.node_name = node.clone();
    }
    pod
}

/// `Cleanup`: by name what upstream finds by label.
pub(super) fn delete_all(cx: &mut Context<'_>, target: &PersistentVolumeClaim) -> Result<(), CdiError> {
    for claim in [Temporary::Copy, Temporary::Source] {
        delete::<PersistentVolumeClaim>(cx, target, &claim.name_for(target))?;
    }
    delete::<Pod>(cx, target, &prep_pod_name(target))?;
    delete::<VolumeSnapshot>(cx, target, &snapshot::name_for(target))
}

fn delete<T: Resource>(
    cx: &mut Context<'_>,
    target: &PersistentVolumeClaim,
    name: &str,
) -> Result<(), CdiError> {
    let found: Option<(ObjectId, bool)> = cx
        .view()
        .named::<T>(source_namespace(target), name)
        .map(|(id, object)| (id, object.metadata().is_deleting()));
    match found {
        Some((id, false)) => Ok(cx.delete::<T>(id)?),
        _ => Ok(()),
    }
}
