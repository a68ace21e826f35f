//! The pod that reads the source of a host-assisted clone.
//!
//! CDI main 2026-08: `pkg/controller/clone-controller.go` (`MakeCloneSourcePodSpec`).

use super::source::disk_size;
use crate::context::Context;
use crate::controllers::cdi::annotations as ann;
use crate::controllers::cdi::claims::{Claim, is_filesystem};
use crate::controllers::cdi::{
    CLONE_SOURCE, CLONE_SOURCE_SUFFIX, UPLOAD_TARGET, copy_allowed_annotations, resource_name,
    set_recommended_labels,
};
use crate::kind::ObjectId;
use crate::objects::{
    Affinity, Container, EnvVar, LabelSelector, PersistentVolumeClaim, PersistentVolumeClaimSource, Pod,
    PodAffinity, PodAffinityTerm, PodSpec, PodVolume, Rest, SelectorRequirement, WeightedPodAffinityTerm,
};
use crate::quantity::Quantity;
use crate::store::View;
use arcstr::{ArcStr, literal};
use serde_json::json;
use std::sync::Arc;

/// The label of all pods that read one claim: its uid.
const READS: ArcStr = literal!("cdi.kubevirt.io/hostAssistedSourcePodCloneSource");

/// The label by which upstream finds the pod of a copy.
const CLONE_UNIQUE_ID: ArcStr = literal!("cdi.kubevirt.io/storage.clone.cloneUniqeId");

const VOLUME: &str = "cdi-data-vol";

/// `CreateCloneSourcePodName`.
pub(in crate::controllers) fn source_pod_name(copy: &PersistentVolumeClaim) -> ArcStr {
    arcstr::format!("{}{CLONE_SOURCE_SUFFIX}", copy.metadata.uid)
}

/// The upload server that such a pod sends to: `UPLOAD_URL` names the Service before it.
pub(in crate::controllers) fn upload_server(view: View<'_>, source_pod: &Pod) -> Option<ObjectId> {
    let (namespace, name) = source_pod.metadata.annotations.get(&ann::OWNER_REF)?.split_once('/')?;
    let uid = &view.named::<PersistentVolumeClaim>(namespace, name)?.1.metadata.uid;
    let pods = view.owned::<Pod>(uid);
    pods.filter(|(_, pod)| pod.metadata.labels.has(&UPLOAD_TARGET, uid)).map(|(id, _)| id).next()
}

/// `MakeCloneSourcePodSpec`. The real program sees how much there is to read; here the pod is told how large a disk CDI makes
/// in such a claim, in a variable that upstream's start script sets.
pub(super) fn source_pod(cx: &Context<'_>, copy: &Claim, source: &PersistentVolumeClaim) -> Pod {
    let object = &copy.object.metadata;
    let mut pod = Pod::default();
    let meta = &mut pod.metadata;
    meta.name = copy.annotation(&ann::CLONE_SOURCE_POD).cloned().unwrap_or_default();
    meta.namespace = source.metadata.namespace.clone();
    meta.annotations.insert(ann::CREATED_BY, "yes");
    meta.annotations.insert(ann::OWNER_REF, arcstr::format!("{}/{}", object.namespace, object.name));
    copy_allowed_annotations(&object.annotations, &mut meta.annotations);
    meta.labels.insert("app", "containerized-data-importer");
    meta.labels.insert("cdi.kubevirt.io", CLONE_SOURCE);
    meta.labels.insert(CLONE_UNIQUE_ID, meta.name.clone());
    meta.labels.insert("prometheus.cdi.kubevirt.io", "true");
    meta.labels.insert(READS, source.metadata.uid.clone());
    set_recommended_labels(&mut meta.labels);
    let volume = PersistentVolumeClaimSource { claim_name: source.metadata.name.clone(), read_only: false };
    pod.spec = Arc::new(PodSpec {
        restart_policy: literal!("OnFailure"),
        priority_class_name: copy.annotation(&ann::PRIORITY_CLASS_NAME).cloned().unwrap_or_default(),
        affinity: Some(Affinity { pod_affinity: Some(near(copy, source)), ..Affinity::default() }),
        containers: vec![cloner(cx, copy, source)],
        volumes: vec![PodVolume {
            name: literal!("cdi-data-vol"),
            persistent_volume_claim: Some(volume),
            ..PodVolume::default()
        }],
        ..PodSpec::default()
    });
    pod
}

fn cloner(cx: &Context<'_>, copy: &Claim, source: &PersistentVolumeClaim) -> Container {
    let capacity = source.status.capacity.get("storage").map_or(0, Quantity::value);
    let preallocation = copy.annotation(&ann::PREALLOCATION_REQUESTED).cloned().unwrap_or_default();
    let to = &copy.object.metadata;
    let service = resource_name("cdi-upload", &to.name);
    let variables = [
        (literal!("UPLOAD_URL"), arcstr::format!("https://{service}.{}.svc/v1beta1/upload", to.namespace)),
        (literal!("OWNER_UID"), owner_uid(copy)),
        (literal!("PREALLOCATION"), preallocation),
        (literal!("UPLOAD_BYTES"), arcstr::format!("{}", disk_size(cx, source, capacity))),
    ];
    let mut rest = Rest::default();
    if is_filesystem(source.spec.volume_mode.as_ref()) {
        let mount = json!([{ "name": VOLUME, "mountPath": "/var/run/cdi/clone/source", "readOnly": true }]);
        rest.insert("volumeMounts", mount);
    } else {
        rest.insert("volumeDevices", json!([{ "name": VOLUME, "devicePath": "/dev/cdi-block-volume" }]));
    }
    rest.insert("terminationMessagePolicy", json!("FallbackToLogsOnError"));
    Container {
        name: CLONE_SOURCE.into(),
        image: cx.config.cdi.cloner_image.clone(),
        image_pull_policy: literal!("IfNotPresent"),
        env: variables
            .into_iter()
            .map(|(name, value)| EnvVar { name, value, rest: Rest::default() })
            .collect(),
        rest,
        ..Container::default()
    }
}

/// Who asked for the copy: the metrics of the transfer bear this uid.
fn owner_uid(copy: &Claim) -> ArcStr {
    match copy.object.metadata.controller().filter(|owner| owner.kind == "DataVolume") {
        Some(owner) => owner.uid.clone(),
        None => copy.annotation(&ann::OWNER_UID).cloned().unwrap_or_default(),
    }
}

/// On the node of the others that read a claim for one node only, and best on that of the pod that writes.
fn near(copy: &Claim, source: &PersistentVolumeClaim) -> PodAffinity {
    let term = |key: ArcStr, uid: &ArcStr, namespace: &ArcStr| PodAffinityTerm {
        label_selector: Some(LabelSelector {
            match_expressions: vec![SelectorRequirement {
                key,
                operator: literal!("In"),
                values: vec![uid.clone()],
            }],
            ..LabelSelector::default()
        }),
        namespaces: vec![namespace.clone()],
        topology_key: literal!("kubernetes.io/hostname"),
        ..PodAffinityTerm::default()
    };
    let (from, to) = (&source.metadata, &copy.object.metadata);
    let is_for_one_node = matches!(source.spec.access_modes.as_slice(), [mode] if mode == "ReadWriteOnce");
    let required = is_for_one_node.then(|| term(READS, &from.uid, &from.namespace));
    let preferred = WeightedPodAffinityTerm {
        weight: 100,
        pod_affinity_term: term(UPLOAD_TARGET, &to.uid, &to.namespace),
    };
    PodAffinity { required: required.into_iter().collect(), preferred: vec![preferred] }
}
