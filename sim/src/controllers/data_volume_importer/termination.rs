//! What the importer leaves as its termination message, and what that says of the transfer.
//!
//! CDI main 2026-08: `pkg/controller/util.go` (`setAnnotationsFromPodWithPrefix`, `parseTerminationMessage`).

use crate::controllers::cdi::annotations::{self as ann, RunningAnnotations};
use crate::objects::{ContainerStatus, Pod, StrMap, Terminated, Waiting};
use arcstr::{ArcStr, literal};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The importer's message in JSON, which it leaves with exit code 0.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::controllers) struct TerminationMessage {
    pub(super) scratch_space_required: Option<bool>,
    pub(super) preallocation_applied: Option<bool>,
    pub(super) vddk_info: Option<VddkInfo>,
    pub(super) labels: BTreeMap<ArcStr, ArcStr>,
    pub(super) message: Option<ArcStr>,
}

/// What a transfer from VMware tells.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct VddkInfo {
    #[serde(alias = "Version", alias = "version")]
    version: ArcStr,
    #[serde(alias = "Host", alias = "host")]
    host: ArcStr,
}

impl TerminationMessage {
    /// The message of the first container, if it ended well and its message is of this form.
    pub(in crate::controllers) fn of(pod: &Pod) -> Option<Self> {
        let terminated = pod.status.container_statuses.first()?.terminated()?;
        if terminated.exit_code != 0 {
            return None;
        }
        match serde_json::from_str(&terminated.message).ok()? {
            Value::Null => Some(Self::default()),
            message @ Value::Object(_) => serde_json::from_value(message).ok(),
            _ => None,
        }
    }

    pub(super) fn requires_scratch(&self) -> bool {
        self.scratch_space_required == Some(true)
    }
}

/// `setAnnotationsFromPodWithPrefix`: how the containers of a side's pod fare.
///
/// A source side that does not run says so in the target's word, not in its own; the target's controller takes that back.
pub(in crate::controllers) fn set_annotations(
    annotations: &mut StrMap,
    pod: &Pod,
    message: Option<&TerminationMessage>,
    side: &RunningAnnotations,
) {
    let statuses = &pod.status.container_statuses;
    let Some(first) = statuses.first() else { return };
    let known = annotations.get(&ann::POD_RESTARTS).and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
    if i64::from(first.restart_count) >= known {
        annotations.insert(ann::POD_RESTARTS, arcstr::format!("{}", first.restart_count));
    }
    if statuses.iter().all(|status| status.running().is_some()) {
        annotations.insert(side.running.clone(), "true");
        set_why(annotations, side, literal!("Pod is running"), ArcStr::new());
        return;
    }
    annotations.insert(ann::RUNNING_CONDITION, "false");
    if let Some(image) = statuses.iter().find_map(image_that_cannot_be_pulled) {
        let text = arcstr::format!("failed to pull image: {image}");
        set_why(annotations, side, literal!("ImagePullFailed"), text);
        return;
    }
    match (first.waiting(), first.terminated()) {
        // Between two tries the last failure stays the reason.
        (Some(Waiting { reason, .. }), _) if reason == "CrashLoopBackOff" => {}
        (Some(Waiting { reason, message }), _) => {
            set_why(annotations, side, reason.clone(), simplify(message))
        }
        (None, Some(terminated)) => set_from_terminated(annotations, terminated, message, side),
        // No state at all counts as waiting without a reason only where the API fills it in.
        (None, None) => {}
    }
}

fn image_that_cannot_be_pulled(status: &ContainerStatus) -> Option<&ArcStr> {
    let waiting = status.waiting().filter(|_| status.started == Some(false))?;
    let cannot = matches!(waiting.reason.as_str(), "ImagePullBackOff" | "ErrImagePull" | "InvalidImageName");
    cannot.then_some(&status.image)
}

fn set_from_terminated(
    annotations: &mut StrMap,
    terminated: &Terminated,
    message: Option<&TerminationMessage>,
    side: &RunningAnnotations,
) {
    let Some(message) = message else {
        annotations.insert(side.message.clone(), simplify(&terminated.message));
        if terminated.message.contains("Preallocation applied") {
            annotations.insert(ann::PREALLOCATION_APPLIED, "true");
        }
        let is_pull = terminated.message.contains("failed to pull image");
        let reason = if is_pull { literal!("ImagePullFailed") } else { terminated.reason.clone() };
        annotations.insert(side.reason.clone(), reason);
        return;
    };
    if message.requires_scratch() {
        annotations.insert(ann::REQUIRES_SCRATCH, "true");
        set_why(
            annotations,
            side,
            literal!("Scratch space required"),
            literal!("scratch space required and none found"),
        );
        return;
    }
    if let Some(text) = &message.message {
        annotations.insert(side.message.clone(), text.clone());
    }
    if let Some(VddkInfo { version, host }) = &message.vddk_info {
        for (annotation, value) in [(ann::VDDK_HOST_CONNECTION, host), (ann::VDDK_VERSION, version)] {
            if !value.is_empty() {
                annotations.insert(annotation, value.clone());
            }
        }
    }
    if message.preallocation_applied == Some(true) {
        annotations.insert(ann::PREALLOCATION_APPLIED, "true");
    }
    annotations.insert(side.reason.clone(), terminated.reason.clone());
}

fn set_why(annotations: &mut StrMap, side: &RunningAnnotations, reason: ArcStr, message: ArcStr) {
    annotations.insert(side.message.clone(), message);
    annotations.insert(side.reason.clone(), reason);
}

/// `simplifyKnownMessage`.
pub(super) fn simplify(message: &ArcStr) -> ArcStr {
    const TOO_SMALL: [&str; 4] = [
        "is larger than the reported available",
        "no space left on device",
        "file largest block is bigger than maxblock",
        "disk quota exceeded",
    ];
    if TOO_SMALL.iter().any(|part| message.contains(part)) {
        return literal!("DataVolume too small to contain image");
    }
    message.clone()
}
