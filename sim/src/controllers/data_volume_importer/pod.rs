//! The importer pod.
//!
//! CDI main 2026-08: `pkg/controller/import-controller.go` (`createImporterPod`, `makeImporterPodSpec`),
//! `pkg/controller/common/util.go` (`HandleFailedPod`).

use super::{scratch, volumes};
use crate::context::{Context, EventType};
use crate::controllers::cdi::annotations as ann;
use crate::controllers::cdi::claims::{Claim, controller_reference};
use crate::controllers::cdi::errors::CdiError;
use crate::controllers::cdi::{copy_allowed_annotations, delete_pod, set_recommended_labels};
use crate::controllers::data_volume::merge;
use crate::controllers::data_volume_cloner::source_pod_name;
use crate::kind::ObjectId;
use crate::objects::{Container, ContainerPort, EnvVar, PersistentVolumeClaim, Pod, PodSpec, Rest};
use arcstr::{ArcStr, literal};
use std::sync::{Arc, LazyLock};

/// `createImporterPod`: makes the pod, and the scratch space that it needs.
pub(super) fn create(cx: &mut Context<'_>, claim: &mut Claim) -> Result<(), CdiError> {
    if source(claim) == "vddk" && claim.annotation(&ann::VDDK_INIT_IMAGE_URL).is_none() {
        return await_vddk(cx, claim);
    }
    let needs_scratch = scratch::is_required(claim);
    let pod = importer_pod(cx, claim, needs_scratch)?;
    match cx.create(pod) {
        Ok(id) => {
            keep_while_pod_runs(cx, claim)?;
            let made = cx.newest().get::<Pod>(id).cloned().filter(|_| needs_scratch);
            made.map_or(Ok(()), |pod| scratch::create_for_pod(cx, claim, id, &pod))
        }
        Err(error) => {
            let name = claim.annotation(&ann::IMPORT_POD).cloned().unwrap_or_default();
            fail(cx, claim, &name, error.into())
        }
    }
}

/// Keeps the claim until the pod of an image stream is gone, which nobody owns.
const IMAGE_STREAM_FINALIZER: &str = "cdi.kubevirt.io/importImageStream";

fn keep_while_pod_runs(cx: &mut Context<'_>, claim: &mut Claim) -> Result<(), CdiError> {
    if !is_image_stream(claim) || claim.has(&ann::POD_RETAIN_AFTER_COMPLETION, "true") {
        return Ok(());
    }
    claim.object.metadata.add_finalizer(IMAGE_STREAM_FINALIZER);
    claim.update(cx)
}

/// `cleanup`: the pod goes, and with it what keeps the claim.
pub(super) fn clean_up(cx: &mut Context<'_>, claim: &mut Claim, pod: ObjectId) -> Result<(), CdiError> {
    delete_pod(cx, pod)?;
    if !claim.object.metadata.has_finalizer(IMAGE_STREAM_FINALIZER) {
        return Ok(());
    }
    claim.object.metadata.remove_finalizer(IMAGE_STREAM_FINALIZER);
    claim.update(cx)
}

/// `GetSource`.
pub(super) fn source(claim: &Claim) -> &str {
    const KNOWN: [&str; 8] = ["http", "s3", "gcs", "glance", "none", "registry", "imageio", "vddk"];
    let named = claim.annotation(&ann::SOURCE).map_or("", ArcStr::as_str);
    KNOWN.into_iter().find(|known| *known == named).unwrap_or("http")
}

fn await_vddk(cx: &mut Context<'_>, claim: &mut Claim) -> Result<(), CdiError> {
    let text = arcstr::format!(
        "waiting for v2v-vmware configmap or {} annotation for VDDK image",
        ann::VDDK_INIT_IMAGE_URL
    );
    let annotations = &mut claim.object.metadata.annotations;
    annotations.insert(ann::BOUND_CONDITION, "false");
    annotations.insert(ann::BOUND_CONDITION_MESSAGE, text.clone());
    annotations.insert(ann::BOUND_CONDITION_REASON, "AwaitingVDDK");
    claim.update(cx)?;
    Err(CdiError::Import(text))
}

/// `HandleFailedPod`: the claim tells without details why the pod was refused.
pub(in crate::controllers) fn fail(
    cx: &mut Context<'_>,
    claim: &mut Claim,
    pod: &str,
    error: CdiError,
) -> Result<(), CdiError> {
    let reason = if error.is_quota_exceeded() { "ErrExceededQuota" } else { "ErrStartingPod" };
    let text = arcstr::format!(
        "Error starting pod '{pod}': For more information, request access to cdi-deploy logs from your sysadmin"
    );
    cx.event(&claim.object, EventType::Warning, reason, &text);
    let side = if *pod == *source_pod_name(&claim.object) { ann::SOURCE_SIDE } else { ann::TARGET_SIDE };
    let annotations = &mut claim.object.metadata.annotations;
    annotations.insert(side.running, "false");
    annotations.insert(side.reason, reason);
    annotations.insert(side.message, text);
    annotations.insert(ann::POD_PHASE, "Failed");
    claim.update(cx)?;
    Err(error)
}

/// `makeImporterPodSpec`.
fn importer_pod(cx: &Context<'_>, claim: &Claim, needs_scratch: bool) -> Result<Pod, CdiError> {
    let object = &claim.object;
    let mut pod = Pod::default();
    let meta = &mut pod.metadata;
    meta.name = claim.annotation(&ann::IMPORT_POD).cloned().unwrap_or_default();
    meta.namespace = object.metadata.namespace.clone();
    meta.annotations.insert(ann::CREATED_BY, "yes");
    copy_allowed_annotations(&object.metadata.annotations, &mut meta.annotations);
    meta.labels.insert("app", "containerized-data-importer");
    meta.labels.insert("cdi.kubevirt.io", "importer");
    meta.labels.insert("prometheus.cdi.kubevirt.io", "true");
    set_recommended_labels(&mut meta.labels);
    merge(&object.metadata.labels, &mut meta.labels);
    if let Some(target) = target_of(cx, claim) {
        merge(&target.metadata.labels, &mut meta.labels);
    }
    if is_node_import(claim) && is_image_stream(claim) {
        // A pod with an owner would not find the image.
        meta.annotations.insert(ann::OPEN_SHIFT_IMAGE_LOOKUP, "*");
    } else {
        meta.owner_references = vec![controller_reference::<PersistentVolumeClaim>(&object.metadata)].into();
    }
    pod.spec = Arc::new(pod_spec(cx, claim, needs_scratch)?);
    let selected = claim.annotation(&ann::SELECTED_NODE);
    if let (Some(node), true) = (selected, claim.annotation(&ann::POPULATOR_KIND).is_some()) {
        pod.node_name = node.clone();
    }
    Ok(pod)
}

/// The claim in whose stead a helper claim is filled: the pod bears its labels.
fn target_of<'a>(cx: &'a Context<'_>, claim: &Claim) -> Option<&'a Arc<PersistentVolumeClaim>> {
    let owner = claim.object.metadata.controller().filter(|owner| owner.kind == "PersistentVolumeClaim")?;
    let target = cx.view().named::<PersistentVolumeClaim>(&claim.object.metadata.namespace, &owner.name);
    target.map(|(_, target)| target)
}

fn pod_spec(cx: &Context<'_>, claim: &Claim, needs_scratch: bool) -> Result<PodSpec, CdiError> {
    let image = &cx.config.cdi.importer_image;
    let mut spec = PodSpec { restart_policy: literal!("OnFailure"), ..PodSpec::default() };
    let text = |annotation: ArcStr| claim.annotation(&annotation).cloned().unwrap_or_default();
    spec.priority_class_name = text(ann::PRIORITY_CLASS_NAME);
    spec.rest = NO_SERVICE_LINKS.clone();
    if !text(ann::POD_SERVICE_ACCOUNT).is_empty() {
        spec.rest.insert("serviceAccountName", text(ann::POD_SERVICE_ACCOUNT).as_str().into());
    }
    let mut importer = container("importer", image);
    importer.env = environment(cx, claim)?;
    importer.rest = LOGS_ON_ERROR.clone();
    importer.ports = vec![ContainerPort {
        container_port: 8443,
        protocol: literal!("TCP"),
        rest: METRICS.clone(),
        ..ContainerPort::default()
    }];
    spec.containers.push(importer);
    spec.volumes = volumes::of(claim, needs_scratch);
    if is_node_import(claim) {
        spec.containers.push(container("server", &registry_image(claim)));
        spec.init_containers.push(container("init", image));
        let architecture = text(ann::REGISTRY_IMAGE_ARCHITECTURE);
        if !architecture.is_empty() {
            spec.node_selector.insert("kubernetes.io/arch", architecture);
        }
    }
    if source(claim) == "vddk" {
        spec.init_containers.push(container("vddk-side-car", &text(ann::VDDK_INIT_IMAGE_URL)));
    }
    Ok(spec)
}

// Fields that nobody reads, shared by all importer pods.
static NO_SERVICE_LINKS: LazyLock<Rest> = LazyLock::new(|| rest("enableServiceLinks", false.into()));
static LOGS_ON_ERROR: LazyLock<Rest> =
    LazyLock::new(|| rest("terminationMessagePolicy", "FallbackToLogsOnError".into()));
static METRICS: LazyLock<Rest> = LazyLock::new(|| rest("name", "metrics".into()));

pub(super) fn rest(field: &str, value: serde_json::Value) -> Rest {
    let mut rest = Rest::default();
    rest.insert(field, value);
    rest
}

/// Every image is pulled if it is not there (`common.DefaultPullPolicy`), whatever its tag.
fn container(name: &'static str, image: &ArcStr) -> Container {
    let image_pull_policy = literal!("IfNotPresent");
    Container { name: name.into(), image: image.clone(), image_pull_policy, ..Container::default() }
}

/// `isRegistryNodeImport`: the node pulls the image, as that of a container beside the importer.
pub(super) fn is_node_import(claim: &Claim) -> bool {
    source(claim) == "registry" && claim.has(&ann::REGISTRY_IMPORT_METHOD, "node")
}

/// `IsImageStream`: the image's name is that of an OpenShift image stream.
pub(super) fn is_image_stream(claim: &Claim) -> bool {
    claim.has(&ann::REGISTRY_IMAGE_STREAM, "true")
}

/// `getRegistryImportImage`: the endpoint without its scheme.
fn registry_image(claim: &Claim) -> ArcStr {
    let endpoint = claim.annotation(&ann::ENDPOINT).cloned().unwrap_or_default();
    match endpoint.split_once("://").filter(|_| !is_image_stream(claim)) {
        Some((_, image)) => image.into(),
        None => endpoint,
    }
}

/// `createImportEnvVar` and `makeImportEnv`: the variables that decide what the importer does. Empty ones are left out.
fn environment(cx: &Context<'_>, claim: &Claim) -> Result<Vec<EnvVar>, CdiError> {
    let (mut kind, mut endpoint) = (source(claim), ArcStr::new());
    let is_read = kind != "none";
    if is_read {
        endpoint = required_endpoint(claim)?;
    }
    let by_node = is_node_import(claim);
    if by_node {
        (kind, endpoint) = ("http", literal!("http://localhost:8100/disk.img"));
    }
    let text = |annotation: ArcStr| claim.annotation(&annotation).cloned().unwrap_or_default();
    let owners = &claim.object.metadata.owner_references;
    let owner = if let [owner] = owners.as_slice() { &owner.uid } else { &claim.object.metadata.uid };
    let size = claim.object.spec.resources.requests.get("storage").map(ToString::to_string);
    let direct = claim.has(&ann::REQUIRES_DIRECT_IO, "true");
    let given = |on: bool, value: ArcStr| if on { value } else { ArcStr::new() };
    let variables = [
        (literal!("IMPORTER_SOURCE"), kind.into()),
        (literal!("IMPORTER_ENDPOINT"), endpoint),
        (literal!("IMPORTER_CONTENTTYPE"), text(ann::CONTENT_TYPE)),
        (literal!("IMPORTER_IMAGE_SIZE"), size.unwrap_or_default().into()),
        (literal!("OWNER_UID"), owner.clone()),
        (literal!("FILESYSTEM_OVERHEAD"), arcstr::format!("{}", cx.config.cdi.filesystem_overhead)),
        (literal!("IMPORTER_PULL_METHOD"), given(by_node, literal!("node"))),
        (literal!("IMPORTER_READY_FILE"), given(by_node, literal!("/shared/ready"))),
        (literal!("IMPORTER_DONE_FILE"), given(by_node, literal!("/shared/done"))),
        (literal!("IMPORTER_CURRENT_CHECKPOINT"), given(is_read, text(ann::CURRENT_CHECKPOINT))),
        (literal!("IMPORTER_PREVIOUS_CHECKPOINT"), given(is_read, text(ann::PREVIOUS_CHECKPOINT))),
        (literal!("IMPORTER_FINAL_CHECKPOINT"), given(is_read, text(ann::FINAL_CHECKPOINT))),
        (literal!("CACHE_MODE"), given(direct, literal!("TRYNONE"))),
        (literal!("IMPORTER_CHECKSUM"), given(is_read, text(ann::CHECKSUM))),
    ];
    let set = variables.into_iter().filter(|(_, value)| !value.is_empty());
    Ok(set.map(|(name, value)| EnvVar { name, value, rest: Rest::default() }).collect())
}

/// `GetEndpoint`.
fn required_endpoint(claim: &Claim) -> Result<ArcStr, CdiError> {
    let found = claim.annotation(&ann::ENDPOINT);
    if let Some(endpoint) = found.filter(|endpoint| !endpoint.is_empty()) {
        return Ok(endpoint.clone());
    }
    let verb = if found.is_some() { "empty" } else { "missing" };
    let meta = &claim.object.metadata;
    Err(CdiError::Import(arcstr::format!(
        "annotation \"{}\" in pvc \"{}/{}\" is {verb}",
        ann::ENDPOINT,
        meta.namespace,
        meta.name
    )))
}
