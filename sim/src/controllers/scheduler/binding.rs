//! BINDING: writing the choice, after the pod's volumes are bound.
//!
//! kube-scheduler 1.36.2: `bindingCycle` of `pkg/scheduler/schedule_one.go`, `BindPodVolumes` of
//! `plugins/volumebinding/binder.go`; API server: `pkg/registry/core/pod/storage` (`assignPod`).

use super::cycle::Chosen;
use super::failure::Report;
use super::plugins::volume_binding::{PodVolumes, is_bound, is_reachable};
use super::pod_info::PodInfo;
use super::queue::Attempt;
use super::snapshot::{PodId, Slot};
use super::storage::{SELECTED_NODE, keep_for};
use super::{CHECK_VOLUMES, Scheduler, pod_id};
use crate::context::{Context, EventType};
use crate::kind::{Kind, ObjectId};
use crate::objects::{Condition, PersistentVolume, PersistentVolumeClaim, Pod, Truth};
use crate::store::{ApiError, Change, View};
use crate::work_queue::{Work, WorkQueue};
use arcstr::ArcStr;
use std::time::Duration;
use stuckvm_detector::Time;

/// A placed pod that waits for its volumes.
#[derive(Debug)]
pub(super) struct VolumeBinding {
    slot: Slot,
    started: Time,
    volumes: PodVolumes,
}

/// How often it is looked whether the volumes are bound.
const POLL: Duration = Duration::from_secs(1);

/// How long the volumes may take.
const TIMEOUT: Duration = Duration::from_secs(600);

impl Scheduler {
    /// Counts the pod on its node at once, then binds its volumes and itself.
    pub(super) fn assume_and_bind(&mut self, id: PodId, info: PodInfo, chosen: Chosen, cx: &mut Context<'_>) {
        let node = self.snapshot.node(chosen.slot).name.clone();
        self.snapshot.forget_nomination(id);
        self.snapshot.add_pod(id, info.clone(), &node);
        let volumes = chosen.volumes.unwrap_or_default();
        if volumes.bindings.is_empty() && volumes.provisions.is_empty() {
            self.bind(id, &info, &node, cx);
            return;
        }
        self.snapshot.storage.assume(&volumes, &node);
        let written = write_volumes(&volumes, &node, cx);
        self.binding.insert(id, VolumeBinding { slot: chosen.slot, started: cx.now, volumes });
        match written {
            Ok(()) => {
                self.poll_later(id, cx);
                cx.requeue_after(TIMEOUT, check_volumes(id));
            }
            Err(error) => self.binding_failed(id, &error.to_string(), cx),
        }
    }

    /// A change of a claim may end the wait of the pods that use it.
    pub(super) fn wake_bindings(&self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        let Some(claim) = change.new_as::<PersistentVolumeClaim>().or(change.old_as()) else { return };
        if self.binding.is_empty() {
            return;
        }
        let meta = &claim.metadata;
        let direct = view.users_of_claim::<Pod>(&meta.namespace, &meta.name).map(|(id, _)| id.index);
        let owner = meta.controller().and_then(|owner| view.named::<Pod>(&meta.namespace, &owner.name));
        let users = direct.chain(owner.map(|(id, _)| id.index));
        for id in users.filter(|id| self.binding.contains_key(id)) {
            queue.add(check_volumes(id));
        }
    }

    /// Looks whether a pod's volumes are bound, if this is an instant at which upstream polls.
    pub(super) fn check_volumes(&mut self, id: PodId, cx: &mut Context<'_>) {
        let Some(waiting) = self.binding.get(&id) else { return };
        let waited = cx.now.saturating_since(waiting.started);
        let polls = waited > Duration::ZERO && waited.subsec_nanos() == 0;
        if !polls {
            self.poll_later(id, cx);
            return;
        }
        let info = self.snapshot.pod(id).clone();
        match self.check_bindings(waiting) {
            Ok(true) => {
                let node = self.snapshot.node(waiting.slot).name.clone();
                self.binding.remove(&id);
                self.bind(id, &info, &node, cx);
            }
            Ok(false) if waited >= TIMEOUT => self.binding_failed(id, "context deadline exceeded", cx),
            Ok(false) => {}
            Err(error) => self.binding_failed(id, &error, cx),
        }
    }

    /// The next poll: a whole number of seconds after the wait began. What changes later asks for another.
    fn poll_later(&self, id: PodId, cx: &mut Context<'_>) {
        let waiting = &self.binding[&id];
        let waited = cx.now.saturating_since(waiting.started);
        let polls = u32::try_from(waited.as_secs()).expect("it ends after ten minutes") + 1;
        if let Some(at) = waiting.started.checked_add(POLL * polls) {
            cx.requeue_at(at, check_volumes(id));
        }
    }

    /// `checkBindings`: whether all is bound, or what has gone wrong meanwhile.
    fn check_bindings(&self, waiting: &VolumeBinding) -> Result<bool, String> {
        let node = self.snapshot.node(waiting.slot);
        let current = |claim: &PersistentVolumeClaim| {
            let (namespace, name) = (&claim.metadata.namespace, &claim.metadata.name);
            let found = self.snapshot.storage.claim(namespace, name);
            found.ok_or_else(|| format!("failed to check provisioning pvc: could not find v1.PersistentVolumeClaim \"{namespace}/{name}\""))
        };
        let mut all = true;
        for (claim, volume) in &waiting.volumes.bindings {
            let name = &volume.metadata.name;
            let volume = self.snapshot.storage.volume(name);
            let volume = volume.ok_or_else(|| {
                format!("failed to check binding: could not find v1.PersistentVolume \"{name}\"")
            })?;
            if volume.spec.claim_ref.as_ref().is_none_or(|to| to.uid.is_empty()) {
                return Err(format!("ClaimRef got reset for pv \"{name}\""));
            }
            if !is_reachable(volume, node.labels()) {
                return Err(format!("pv \"{name}\" node affinity doesn't match node \"{}\"", node.name));
            }
            all &= is_bound(current(claim)?);
        }
        for claim in &waiting.volumes.provisions {
            let claim = current(claim)?;
            if claim.metadata.annotations.get(SELECTED_NODE) != Some(&node.name) {
                return Err(format!("selectedNode annotation reset for PVC \"{}\"", claim.metadata.name));
            }
            all &= is_bound(claim);
        }
        Ok(all)
    }

    /// `handleBindingCycleError`: the pod leaves its node again and is tried later.
    fn binding_failed(&mut self, id: PodId, error: &str, cx: &mut Context<'_>) {
        let waiting = self.binding.remove(&id).expect("the pod waits for its volumes");
        let placed = self.snapshot.remove_pod(id).expect("an assumed pod is on its node");
        self.revert(&waiting.volumes, cx);
        let event = super::hints::ClusterEvent::AssignedPodDelete(placed.info.clone());
        self.move_pods(&event, cx.now);
        self.queue.failed(id, Attempt::Error, cx.now);
        let message = format!("running PreBind plugin \"VolumeBinding\": binding volumes: {error}");
        self.report(id, &placed.info, Report { reason: "SchedulerError", message, nominated: None }, cx);
    }

    /// What was assumed gives way to what the informers show.
    fn revert(&mut self, volumes: &PodVolumes, cx: &Context<'_>) {
        let view = cx.view();
        for (_, volume) in &volumes.bindings {
            if let Some((_, volume)) = view.named::<PersistentVolume>("", &volume.metadata.name) {
                self.snapshot.storage.set_volume(volume);
            }
        }
        for claim in &volumes.provisions {
            let (namespace, name) = (&claim.metadata.namespace, &claim.metadata.name);
            if let Some((_, claim)) = view.named::<PersistentVolumeClaim>(namespace, name) {
                self.snapshot.storage.set_claim(claim);
            }
        }
    }

    /// Posts the binding. A pod that is gone by now leaves the queue with the informer's word.
    fn bind(&mut self, id: PodId, info: &PodInfo, node: &ArcStr, cx: &mut Context<'_>) {
        let mut condition = Condition::new("PodScheduled", Truth::True, "", cx.now);
        condition.rest = self.observed_generation(&info.pod);
        let bound = cx.patch(pod_id(id), |pod: &mut Pod| {
            pod.node_name = node.clone();
            condition.put_into(&mut pod.status.conditions);
        });
        if bound.is_err() {
            self.snapshot.remove_pod(id);
            return;
        }
        let meta = &info.pod.metadata;
        let message = format!("Successfully assigned {}/{} to {node}", meta.namespace, meta.name);
        cx.event(&*info.pod, EventType::Normal, "Scheduled", &message);
    }
}

fn check_volumes(id: PodId) -> Work {
    Work { id: pod_id(id), what: CHECK_VOLUMES, number: 0 }
}

/// `bindAPIUpdate`: volumes are kept for their claims, and claims told the node.
fn write_volumes(volumes: &PodVolumes, node: &ArcStr, cx: &mut Context<'_>) -> Result<(), ApiError> {
    for (claim, volume) in &volumes.bindings {
        let id = live_id::<PersistentVolume>(cx, "", &volume.metadata.name)?;
        cx.patch(id, |volume: &mut PersistentVolume| {
            keep_for(volume, claim);
        })?;
    }
    for claim in &volumes.provisions {
        let meta = &claim.metadata;
        let id = live_id::<PersistentVolumeClaim>(cx, &meta.namespace, &meta.name)?;
        cx.patch(id, |claim: &mut PersistentVolumeClaim| {
            claim.metadata.annotations.insert(SELECTED_NODE, node.clone());
        })?;
    }
    Ok(())
}

fn live_id<T: crate::kind::Resource>(
    cx: &Context<'_>,
    namespace: &str,
    name: &str,
) -> Result<ObjectId, ApiError> {
    let kind: Kind = T::KIND;
    let found = cx.newest().named::<T>(namespace, name);
    found.map(|(id, _)| id).ok_or_else(|| ApiError::NotFound { kind, name: name.into() })
}
