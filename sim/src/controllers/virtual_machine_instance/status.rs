//! What an instance shows, KubeVirt main 2026-08 (`d923fdb815cd`):
//! `pkg/virt-controller/watch/vmi/lifecycle.go`, `updateStatus` and its helpers.

use super::conditions::{check_failure, conditions_equal, set_phase_transition, update_condition};
use super::pods::named;
use super::{
    OwnedPod, Pass, SyncError, VirtualMachineInstanceController, descheduling, phase, pods, volumes,
};
use crate::admission::virtual_machine_instance::{UNQUALIFIED_FINALIZER, foreground_finalizer};
use crate::context::Context;
use crate::kind::ObjectId;
use crate::launcher_pod::UNPAUSED;
use crate::objects::{Condition, Conditions, Pod, Truth, VirtualMachineInstance};
use crate::release::KubeVirtRelease;
use arcstr::ArcStr;
use std::sync::Arc;
use stuckvm_detector::Time;

/// The label by which virt-handler finds the instances of its node.
pub(crate) const NODE_NAME_LABEL: ArcStr = arcstr::literal!("kubevirt.io/nodeName");

impl VirtualMachineInstanceController {
    /// Writes phase and conditions; an error means that nothing of the instance was written.
    pub(super) fn update_status(
        &mut self,
        pass: &mut Pass,
        mut error: Option<SyncError>,
        cx: &mut Context<'_>,
    ) -> Result<(), ArcStr> {
        let now = cx.now.truncate_to_secs();
        let mut copy = VirtualMachineInstance::clone(&pass.vmi);
        copy.spec = Arc::clone(&pass.spec);
        qualify_finalizer(&mut copy, cx.config.kubevirt);
        set_active_pods(&mut copy, &pass.pods);
        let ready = ready_condition(&copy, pass.pod.as_ref().map(|(_, pod)| &**pod), now);
        update_condition(&mut copy.status.conditions, ready);
        if let Some((id, pod)) = pass.pod.clone().filter(|(_, pod)| !pods::is_temporary(pod)) {
            copy.status.launcher_container_image_version = launcher_image(&pod);
            sync_paused_condition(&copy, &(id, Arc::clone(&pod)), cx)
                .map_err(|error| arcstr::format!("error syncing paused condition to pod: {error}"))?;
            let pod = descheduling::sync_labels(&copy, (id, pod), cx)
                .map_err(|error| arcstr::format!("error syncing annotations and labels to pod: {error}"))?;
            pass.pod = Some(pod);
        }
        if let Some(ready) = volumes::aggregate_conditions(&pass.data_volumes) {
            update_condition(&mut copy.status.conditions, ready);
        }
        phase::advance(pass, &mut copy, &mut error, cx)?;
        if cx.config.kubevirt.profile().marks_evictions {
            descheduling::show_eviction(&mut copy, now);
        }
        if matches!(pass.vmi.status.phase.as_str(), "Running" | "Scheduled") {
            return patch(pass.id, &pass.vmi, copy, cx);
        }
        check_failure(&mut copy.status.conditions, error.as_ref(), now);
        if copy.status.phase != pass.vmi.status.phase {
            set_phase_transition(&mut copy, now);
        }
        if is_unchanged(&pass.vmi, &copy) { Ok(()) } else { self.update(pass.id, copy, cx) }
    }
}

/// Whether the reconcile has nothing to write. The spec does not count.
fn is_unchanged(old: &VirtualMachineInstance, new: &VirtualMachineInstance) -> bool {
    let (before, after) = (&old.metadata, &new.metadata);
    old.status == new.status
        && before.finalizers == after.finalizers
        && before.annotations == after.annotations
        && before.labels == after.labels
}

/// Patches an instance that virt-handler owns, if nobody has changed the same parts since they were read.
fn patch(
    id: ObjectId,
    old: &VirtualMachineInstance,
    new: VirtualMachineInstance,
    cx: &mut Context<'_>,
) -> Result<(), ArcStr> {
    let (before, after, finalizers) = (&old.status, new.status, new.metadata.finalizers);
    let conditions = !conditions_equal(&before.conditions, &after.conditions);
    let active_pods = before.active_pods != after.active_pods;
    let phase = before.phase != after.phase;
    let live = cx.newest().get::<VirtualMachineInstance>(id).map(|live| &live.status);
    let tested = live.is_none_or(|live| {
        (!conditions || live.conditions == before.conditions)
            && (!active_pods || live.active_pods == before.active_pods)
            && (!phase || live.phase == before.phase)
    });
    let failed = |error: &str| arcstr::format!("patching of vmi conditions and activePods failed: {error}");
    if !tested {
        return Err(failed("the server rejected our request due to an error in our request"));
    }
    let result = cx.patch::<VirtualMachineInstance>(id, |vmi| {
        if conditions {
            vmi.status.conditions = after.conditions;
        }
        if active_pods {
            vmi.status.active_pods = after.active_pods;
        }
        if phase {
            vmi.status.phase = after.phase;
        }
        vmi.metadata.finalizers = finalizers;
        vmi.status.launcher_container_image_version = after.launcher_container_image_version;
    });
    result.map(|_| ()).map_err(|error| failed(&error.to_string()))
}

/// Gives an instance of an older release the finalizer of this one.
fn qualify_finalizer(vmi: &mut VirtualMachineInstance, release: KubeVirtRelease) {
    if release.profile().qualifies_finalizer && vmi.metadata.remove_finalizer(UNQUALIFIED_FINALIZER) {
        vmi.metadata.add_finalizer(foreground_finalizer(release));
    }
}

/// `setActivePods`: nothing where there never was a pod.
fn set_active_pods(vmi: &mut VirtualMachineInstance, pods: &[OwnedPod]) {
    let active = pods.iter().map(|(_, pod)| (pod.metadata.uid.clone(), pod.node_name.clone()));
    vmi.status.active_pods = active.collect();
}

/// `syncReadyConditionFromPod`.
fn ready_condition(vmi: &VirtualMachineInstance, pod: Option<&Pod>, now: Time) -> Condition {
    let not_ready = |reason, message| {
        let condition = Condition::new(arcstr::literal!("Ready"), Truth::False, reason, now);
        Condition { last_probe_time: Some(now), message, ..condition }
    };
    let Some(pod) = pod.filter(|pod| !pods::is_temporary(pod)) else {
        let message = arcstr::literal!("virt-launcher pod has not yet been scheduled");
        return not_ready(arcstr::literal!("PodNotExists"), message);
    };
    if pods::is_down_or_going(pod) {
        let message = arcstr::literal!("virt-launcher pod is terminating");
        return not_ready(arcstr::literal!("PodTerminating"), message);
    }
    if vmi.status.phase != "Running" {
        let message = arcstr::literal!("Guest VM is not reported as running");
        return not_ready(arcstr::literal!("GuestNotRunning"), message);
    }
    pod.status.conditions.condition("Ready").cloned().unwrap_or_else(|| {
        let message = arcstr::literal!("virt-launcher pod is missing the Ready condition");
        not_ready(arcstr::literal!("PodConditionMissing"), message)
    })
}

fn launcher_image(pod: &Pod) -> ArcStr {
    let compute = pod.spec.containers.iter().find(|container| container.name == "compute");
    compute.map(|container| container.image.clone()).unwrap_or_default()
}

/// Lets the pod be Ready while the guest is not paused (`syncPausedConditionToPod`).
fn sync_paused_condition(
    vmi: &VirtualMachineInstance,
    (id, pod): &OwnedPod,
    cx: &mut Context<'_>,
) -> Result<(), ArcStr> {
    let now = cx.now.truncate_to_secs();
    let paused = vmi.status.conditions.is_true("Paused");
    let shown_unpaused = pod.status.conditions.is_true(&UNPAUSED);
    if paused != shown_unpaused {
        return Ok(());
    }
    let (status, reason, message) = if paused {
        (Truth::False, arcstr::literal!("Paused"), arcstr::literal!("the virtual machine is paused"))
    } else {
        (Truth::True, arcstr::literal!("NotPaused"), arcstr::literal!("the virtual machine is not paused"))
    };
    let condition = Condition::new(UNPAUSED, status, reason, now);
    let condition = Condition { last_probe_time: Some(now), message, ..condition };
    let result = cx.patch::<Pod>(*id, |pod| update_condition(&mut pod.status.conditions, condition));
    let error = result.err().map(|error| named(&error, pod));
    error.map_or(Ok(()), |error| Err(arcstr::format!("patching of pod conditions failed: {error}")))
}
