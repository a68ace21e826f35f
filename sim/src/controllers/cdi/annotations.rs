//! The annotations by which CDI's controllers talk to each other.
//!
//! CDI main 2026-08: `pkg/controller/common/util.go`. A constant is named as upstream's, without `Ann`.

use arcstr::ArcStr;

macro_rules! annotations {
    ($($name:ident $value:literal;)*) => {
        $(pub(crate) const $name: ArcStr = arcstr::literal!(concat!("cdi.kubevirt.io/", $value));)*
    };
}

annotations! {
    ALLOW_CLAIM_ADOPTION "allowClaimAdoption";
    BACKING_FILE "storage.import.backingFile";
    BOUND_CONDITION "storage.condition.bound";
    BOUND_CONDITION_MESSAGE "storage.condition.bound.message";
    BOUND_CONDITION_REASON "storage.condition.bound.reason";
    CLONE_ERROR "cloneError";
    CLONE_FALLBACK_REASON "cloneFallbackReason";
    CLONE_PHASE "clonePhase";
    CLONE_SOURCE_POD "storage.sourceClonePodName";
    CLONE_TOKEN "storage.clone.token";
    CLONE_TYPE "cloneType";
    DATA_SOURCE_NAMESPACE "dataSourceNamespace";
    EXTENDED_CLONE_TOKEN "storage.extended.clone.token";
    UPLOAD_CLIENT_NAME "uploadClientName";
    UPLOAD_POD "storage.uploadPodName";
    UPLOAD_REQUEST "storage.upload.target";
    CERT_CONFIG_MAP "storage.import.certConfigMap";
    CHECK_STATIC_VOLUME "storage.checkStaticVolume";
    CHECKPOINTS_COPIED "storage.checkpoint.copied.";
    CHECKSUM "storage.import.checksum";
    CONTENT_TYPE "storage.contentType";
    CREATED_BY "storage.createdByController";
    CREATED_FOR_DATA_VOLUME "createdForDataVolume";
    CURRENT_CHECKPOINT "storage.checkpoint.current";
    CURRENT_POD_ID "storage.checkpoint.pod.id";
    DISK_ID "storage.import.diskId";
    ENDPOINT "storage.import.endpoint";
    EVENT_SOURCE "events.source";
    EVENT_SOURCE_KIND "events.source.kind";
    EXTERNAL_POPULATION "externalPopulation";
    EXTRA_HEADERS "storage.import.extraHeaders";
    FINAL_CHECKPOINT "storage.checkpoint.final";
    IMMEDIATE_BINDING "storage.bind.immediate.requested";
    IMPORT_FATAL_ERROR "storage.import.fatalError";
    IMPORT_POD "storage.import.importPodName";
    INSECURE_SKIP_VERIFY "storage.import.insecureSkipVerify";
    MULTI_STAGE_IMPORT_DONE "storage.checkpoint.done";
    OWNED_BY_DATA_VOLUME "ownedByDataVolume";
    OWNER_REF "storage.ownerRef";
    OWNER_UID "ownerUID";
    PERMISSIVE_CLONE "permissiveClone";
    PERSISTENT_VOLUME_LIST "storage.persistentVolumeList";
    POD_PHASE "storage.pod.phase";
    POD_READY "storage.pod.ready";
    POD_RESTARTS "storage.pod.restarts";
    POD_RETAIN_AFTER_COMPLETION "storage.pod.retainAfterCompletion";
    POD_SCHEDULABLE "storage.pod.schedulable";
    POD_SERVICE_ACCOUNT "storage.pod.serviceAccountName";
    POPULATED_FOR "storage.populatedFor";
    POPULATOR_KIND "storage.populator.kind";
    POPULATOR_PROGRESS "storage.populator.progress";
    PREALLOCATION_APPLIED "storage.preallocation";
    PREALLOCATION_REQUESTED "storage.preallocation.requested";
    PRE_POPULATED "storage.prePopulated";
    PREVIOUS_CHECKPOINT "storage.checkpoint.previous";
    PRIORITY_CLASS_NAME "storage.pod.priorityclassname";
    PVC_PRIME_NAME "storage.populator.pvcPrime";
    REGISTRY_IMAGE_ARCHITECTURE "storage.import.registryImageArchitecture";
    REGISTRY_IMAGE_STREAM "storage.import.registryImageStream";
    REGISTRY_IMPORT_METHOD "storage.import.registryImportMethod";
    REQUIRES_DIRECT_IO "storage.import.requiresDirectIo";
    REQUIRES_SCRATCH "storage.import.requiresScratch";
    RUNNING_CONDITION "storage.condition.running";
    RUNNING_CONDITION_MESSAGE "storage.condition.running.message";
    RUNNING_CONDITION_REASON "storage.condition.running.reason";
    SECRET "storage.import.secretName";
    SECRET_EXTRA_HEADERS "storage.import.secretExtraHeaders";
    SOURCE "storage.import.source";
    SOURCE_RUNNING_CONDITION "storage.condition.source.running";
    SOURCE_RUNNING_CONDITION_MESSAGE "storage.condition.source.running.message";
    SOURCE_RUNNING_CONDITION_REASON "storage.condition.source.running.reason";
    THUMBPRINT "storage.import.vddk.thumbprint";
    USE_POPULATOR "storage.usePopulator";
    UUID "storage.import.uuid";
    VDDK_EXTRA_ARGS "storage.pod.vddk.extraargs";
    VDDK_HOST_CONNECTION "storage.pod.vddk.host";
    VDDK_INIT_IMAGE_URL "storage.pod.vddk.initimageurl";
    VDDK_VERSION "storage.pod.vddk.version";
}

/// The claim that a host-assisted clone copies.
pub(crate) const CLONE_REQUEST: ArcStr = arcstr::literal!("k8s.io/CloneRequest");

/// Whether the claim is a finished copy.
pub(crate) const CLONE_OF: ArcStr = arcstr::literal!("k8s.io/CloneOf");

/// The size of the disk in a claim that was measured before it was cloned; so spelled upstream.
pub(crate) const VIRTUAL_IMAGE_SIZE: ArcStr = arcstr::literal!("cdi.Kubervirt.io/virtualSize");

/// The claim's capacity when it was measured.
pub(crate) const SOURCE_CAPACITY: ArcStr = arcstr::literal!("cdi.Kubervirt.io/sourceCapacity");

/// The scheduler's choice of a node for a claim whose class waits for its first consumer.
pub(crate) const SELECTED_NODE: ArcStr = arcstr::literal!("volume.kubernetes.io/selected-node");

/// Lets OpenShift find a pod's images among its image streams.
pub(crate) const OPEN_SHIFT_IMAGE_LOOKUP: ArcStr =
    arcstr::literal!("alpha.image.policy.openshift.io/resolve-names");

/// The annotations by which one side of a transfer tells whether its pod runs, and why not.
pub(crate) struct RunningAnnotations {
    pub(crate) running: ArcStr,
    pub(crate) reason: ArcStr,
    pub(crate) message: ArcStr,
}

/// The pod that writes.
pub(crate) const TARGET_SIDE: RunningAnnotations = RunningAnnotations {
    running: RUNNING_CONDITION,
    reason: RUNNING_CONDITION_REASON,
    message: RUNNING_CONDITION_MESSAGE,
};

/// The pod that reads, in a host-assisted clone.
pub(crate) const SOURCE_SIDE: RunningAnnotations = RunningAnnotations {
    running: SOURCE_RUNNING_CONDITION,
    reason: SOURCE_RUNNING_CONDITION_REASON,
    message: SOURCE_RUNNING_CONDITION_MESSAGE,
};
