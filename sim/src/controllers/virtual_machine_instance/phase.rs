//! The phases of an instance, KubeVirt main 2026-08 (`d923fdb815cd`):
//! `pkg/virt-controller/watch/vmi/lifecycle.go`, the switch of `updateStatus`.

use super::conditions::{add_pod_condition, remove_condition};
use super::status::NODE_NAME_LABEL;
use super::{Pass, SyncError, pods, receiver};
use crate::admission::virtual_machine_instance::foreground_finalizer;
use crate::context::{Context, EventType};
use crate::objects::{Condition, Conditions, Pod, Truth, VirtualMachine, VirtualMachineInstance};
use crate::release::KubeVirtRelease;
use crate::store::View;
use crate::vm_status::is_migrating;
use arcstr::ArcStr;

/// The finalizer by which the virtual machine controller keeps an instance until it has seen how it ended.
const VM_CONTROLLER_FINALIZER: &str = "kubevirt.io/virtualMachineControllerFinalize";

/// Advances the phase of `copy`; an error leaves the instance as it is.
pub(super) fn advance(
    pass: &Pass,
    copy: &mut VirtualMachineInstance,
    error: &mut Option<SyncError>,
    cx: &mut Context<'_>,
) -> Result<(), ArcStr> {
    let release = cx.config.kubevirt;
    let launcher = pass.pod.as_ref().map(|(_, pod)| &**pod).filter(|pod| !pods::is_temporary(pod));
    match pass.vmi.status.phase.as_str() {
        "" | "Pending" => {
            unprocessed(pass, launcher.is_some(), (copy, error.as_ref()), release);
        }
        "Scheduling" => scheduling(pass, launcher, (copy, error), cx),
        "Running" if launcher.is_none() => copy.status.phase = arcstr::literal!("Failed"),
        "Running" => {
            if !is_migrating(copy, cx.now) {
                remove_condition(&mut copy.status.conditions, "MigrationRequired");
            }
        }
        "Scheduled" if launcher.is_none_or(|launcher| receiver::is_lost(copy, launcher, release)) => {
            copy.status.phase = receiver::without_launcher(copy, release);
        }
        "Scheduled" => {}
        "Failed" | "Succeeded" => finished(pass, copy, release, cx.view()),
        "WaitingForSync" if release.profile().knows_receivers => {
            if pass.vmi.metadata.is_deleting() {
                remove_finalizers(pass, copy, release, cx.view());
            } else if launcher.is_some_and(|launcher| !receiver::is_lost(copy, launcher, release)) {
                copy.status.phase = arcstr::literal!("Scheduling");
            }
        }
        other => return Err(arcstr::format!("unknown vmi phase {other}")),
    }
    Ok(())
}

/// Before there is a launcher.
fn unprocessed(
    pass: &Pass,
    has_launcher: bool,
    (copy, error): (&mut VirtualMachineInstance, Option<&SyncError>),
    release: KubeVirtRelease,
) {
    let in_phase = |phase: &str| pass.data_volumes.iter().any(|volume| volume.status.phase == phase);
    let failed = in_phase("Failed");
    if has_launcher {
        copy.status.phase = arcstr::literal!("Scheduling");
        return;
    }
    if pass.vmi.metadata.is_deleting() || failed {
        copy.status.phase = arcstr::literal!("Failed");
        return;
    }
    if receiver::waits_for_sync(&pass.vmi, release) {
        copy.status.phase = arcstr::literal!("WaitingForSync");
        return;
    }
    copy.status.phase = arcstr::literal!("Pending");
    if in_phase("WaitForFirstConsumer") {
        provisioning(pass, copy);
    }
    if let Some(error) = error.filter(|error| error.reason == "FailedPvcNotFound") {
        remove_condition(&mut copy.status.conditions, "PodScheduled");
        copy.status.conditions.push(Condition {
            kind: arcstr::literal!("PodScheduled"),
            status: Truth::False,
            reason: arcstr::literal!("Unschedulable"),
            message: error.message.clone(),
            ..Condition::default()
        });
    }
}

/// While a DataVolume waits for its first consumer, which the temporary pod is.
fn provisioning(pass: &Pass, copy: &mut VirtualMachineInstance) {
    if copy.status.conditions.condition("Provisioning").is_none() {
        let kind = arcstr::literal!("Provisioning");
        let condition = Condition { kind, status: Truth::True, ..Condition::default() };
        copy.status.conditions.push(condition);
    }
    if let Some((_, pod)) = &pass.pod {
        copy_pod_scheduled(pod, copy);
        if pods::is_failed_or_going(pod) {
            copy.status.phase = arcstr::literal!("Failed");
        }
    }
}

/// From the launcher's creation until it is handed over to virt-handler.
fn scheduling(
    pass: &Pass,
    launcher: Option<&Pod>,
    (copy, error): (&mut VirtualMachineInstance, &mut Option<SyncError>),
    cx: &mut Context<'_>,
) {
    remove_condition(&mut copy.status.conditions, "Provisioning");
    let release = cx.config.kubevirt;
    let Some(pod) = launcher else {
        copy.status.phase = receiver::without_launcher(copy, release);
        return;
    };
    copy.status.qos_class = pod.status.qos_class.clone();
    copy_pod_scheduled(pod, copy);
    if let Some(found) = image_error(pod) {
        *error = Some(found);
    }
    if pods::is_ready(pod) && !pass.vmi.metadata.is_deleting() {
        if pass.vmi.spec.has_dedicated_cpus() && pod.status.qos_class != "Guaranteed" {
            let message = arcstr::literal!("failed to guarantee pod resources");
            cx.event(&*pass.vmi, EventType::Warning, "FailedGuaranteeResources", &message);
            *error = Some(SyncError::new(arcstr::literal!("FailedGuaranteeResources"), message));
            return;
        }
        copy.status.phase = arcstr::literal!("Scheduled");
        copy.metadata.labels.insert(NODE_NAME_LABEL, pod.node_name.clone());
        copy.status.node_name = pod.node_name.clone();
    } else if pods::is_down_or_going(pod) {
        copy.status.phase = receiver::without_launcher(copy, release);
    }
}

/// The pod's PodScheduled, but only while it is False; the first message stays.
fn copy_pod_scheduled(pod: &Pod, copy: &mut VirtualMachineInstance) {
    match pod.status.conditions.condition("PodScheduled") {
        Some(found) if found.status == Truth::False => {
            add_pod_condition(&mut copy.status.conditions, found);
        }
        _ => remove_condition(&mut copy.status.conditions, "PodScheduled"),
    }
}

/// The first container, init containers first, that waits for its image in vain (`checkForContainerImageError`).
fn image_error(pod: &Pod) -> Option<SyncError> {
    let statuses = pod.status.init_container_statuses.iter().chain(&pod.status.container_statuses);
    let mut waiting = statuses.filter_map(|status| status.waiting());
    let found =
        waiting.find(|waiting| matches!(waiting.reason.as_str(), "ErrImagePull" | "ImagePullBackOff"))?;
    Some(SyncError::new(found.reason.clone(), found.message.clone()))
}

/// Once all pods are gone the instance may go too.
fn finished(pass: &Pass, copy: &mut VirtualMachineInstance, release: KubeVirtRelease, view: View<'_>) {
    if pass.pods.is_empty() {
        copy.metadata.remove_finalizer(&foreground_finalizer(release));
        copy.status.launcher_container_image_version = ArcStr::new();
    }
    if !has_owner(&pass.vmi, view) {
        copy.metadata.remove_finalizer(VM_CONTROLLER_FINALIZER);
    }
}

fn remove_finalizers(
    pass: &Pass,
    copy: &mut VirtualMachineInstance,
    release: KubeVirtRelease,
    view: View<'_>,
) {
    copy.metadata.remove_finalizer(&foreground_finalizer(release));
    if !has_owner(&pass.vmi, view) {
        copy.metadata.remove_finalizer(VM_CONTROLLER_FINALIZER);
    }
}

/// Whether the virtual machine that controls the instance exists (`hasOwnerVM`).
fn has_owner(vmi: &VirtualMachineInstance, view: View<'_>) -> bool {
    let owner = vmi.metadata.controller().filter(|owner| owner.kind == "VirtualMachine");
    owner.is_some_and(|owner| {
        let found = view.named::<VirtualMachine>(&vmi.metadata.namespace, &owner.name);
        found.is_some_and(|(_, vm)| vm.metadata.uid == owner.uid)
    })
}
