//! The upload server's pod.
//!
//! CDI main 2026-08: `pkg/controller/upload-controller.go` (`makeUploadPodSpec`).

use super::is_clone_target;
use crate::context::Context;
use crate::controllers::cdi::annotations as ann;
use crate::controllers::cdi::claims::{Claim, controller_reference, is_filesystem};
use crate::controllers::cdi::{
    UPLOAD_TARGET, copy_allowed_annotations, resource_name, set_recommended_labels,
};
use crate::objects::{
    Container, EnvVar, PersistentVolumeClaim, PersistentVolumeClaimSource, Pod, PodSpec, PodVolume, Probe,
    Rest,
};
use arcstr::{ArcStr, literal};
use std::sync::Arc;

/// `createScratchPvcNameFromPvc`: a copy needs none.
pub(super) fn scratch_name(claim: &Claim) -> Option<ArcStr> {
    (!is_clone_target(claim)).then(|| resource_name(&claim.object.metadata.name, "scratch"))
}

/// `makeUploadPodSpec`.
pub(super) fn upload_pod(cx: &Context<'_>, claim: &Claim, name: &ArcStr) -> Pod {
    let object = &claim.object;
    let mut pod = Pod::default();
    let meta = &mut pod.metadata;
    meta.name = name.clone();
    meta.namespace = object.metadata.namespace.clone();
    meta.annotations.insert("cdi.kubevirt.io/storage.createdByUploadController", "yes");
    copy_allowed_annotations(&object.metadata.annotations, &mut meta.annotations);
    meta.labels.insert("app", "containerized-data-importer");
    meta.labels.insert("cdi.kubevirt.io", "cdi-upload-server");
    meta.labels.insert(UPLOAD_TARGET, object.metadata.uid.clone());
    set_recommended_labels(&mut meta.labels);
    meta.owner_references = vec![controller_reference::<PersistentVolumeClaim>(&object.metadata)].into();
    let probe = Probe { initial_delay_seconds: 2, period_seconds: 5, ..Probe::default() };
    let server = Container {
        name: literal!("cdi-upload-server"),
        image: cx.config.cdi.upload_server_image.clone(),
        image_pull_policy: literal!("IfNotPresent"),
        env: environment(cx, object),
        readiness_probe: Some(Arc::new(probe)),
        ..Container::default()
    };
    let volume = |name: ArcStr, claim_name: ArcStr| PodVolume {
        name,
        persistent_volume_claim: Some(PersistentVolumeClaimSource { claim_name, read_only: false }),
        ..PodVolume::default()
    };
    let mut volumes = vec![volume(literal!("cdi-data-vol"), object.metadata.name.clone())];
    volumes.extend(scratch_name(claim).map(|scratch| volume(literal!("cdi-scratch-vol"), scratch)));
    pod.spec = Arc::new(PodSpec {
        restart_policy: literal!("OnFailure"),
        priority_class_name: claim.annotation(&ann::PRIORITY_CLASS_NAME).cloned().unwrap_or_default(),
        containers: vec![server],
        volumes,
        ..PodSpec::default()
    });
    if let (Some(node), Some(_)) =
        (claim.annotation(&ann::SELECTED_NODE), claim.annotation(&ann::POPULATOR_KIND))
    {
        pod.node_name = node.clone();
    }
    pod
}

/// What the server must know of its claim.
fn environment(cx: &Context<'_>, claim: &PersistentVolumeClaim) -> Vec<EnvVar> {
    let size = claim.spec.resources.requests.get("storage").map(ToString::to_string);
    let is_files = is_filesystem(claim.spec.volume_mode.as_ref());
    let overhead = if is_files { cx.config.cdi.filesystem_overhead } else { 0.0 };
    let variables = [
        (literal!("FILESYSTEM_OVERHEAD"), arcstr::format!("{overhead}")),
        (literal!("UPLOAD_IMAGE_SIZE"), size.unwrap_or_default().into()),
    ];
    variables.into_iter().map(|(name, value)| EnvVar { name, value, rest: Rest::default() }).collect()
}
