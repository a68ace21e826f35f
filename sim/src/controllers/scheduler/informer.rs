//! What reaches the scheduler of the cluster: `pkg/scheduler/eventhandlers.go`, Kubernetes 1.36.2.

use super::Scheduler;
use super::hints::{ClusterEvent, own_update_helps, scales_down};
use super::snapshot::PodId;
use crate::objects::{Node, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass};
use crate::store::{Change, View};
use std::sync::Arc;
use stuckvm_detector::Time;

/// A change that waits for the scheduler's next turn, since back-offs need to know the time.
#[derive(Debug)]
pub(super) enum Pending {
    /// A pod came that needs a node.
    Add(PodId, Arc<Pod>),
    /// A pod that needs a node changed.
    Update(PodId, Arc<Pod>),
    /// Something that may help the pods that wait.
    Event(ClusterEvent),
}

impl Scheduler {
    /// Takes a change into the snapshot, and notes what it means for the queue.
    pub(super) fn take(&mut self, change: &Change) {
        if let Some(pod) = change.new_as::<Pod>().or(change.old_as::<Pod>()) {
            self.take_pod(change.id.index, pod, change.new.is_none());
        } else if let Some(node) = change.new_as::<Node>() {
            self.take_node(change.old_as(), node);
        } else if let Some(node) = change.old_as::<Node>() {
            self.snapshot.remove_node(&node.metadata.name);
            self.note(ClusterEvent::NodeDelete(Arc::clone(node)));
        } else {
            self.take_storage(change);
        }
    }

    /// Does what has been noted.
    pub(super) fn catch_up(&mut self, now: Time, view: View<'_>) {
        for pending in std::mem::take(&mut self.pending) {
            match pending {
                Pending::Add(id, pod) => {
                    let info = self.snapshot.pod_info(&pod);
                    self.snapshot.nominate(id, &info, &pod.status.nominated_node_name);
                    self.queue.add(id, info, now);
                }
                Pending::Update(id, pod) => self.update_queued(id, &pod, now),
                Pending::Event(event) => match &event {
                    ClusterEvent::Claim(claim, _) if self.snapshot.profile.queueing_hints => {
                        self.move_users(claim, &event, (now, view));
                    }
                    _ => self.move_pods(&event, now),
                },
            }
        }
    }

    /// `moveAllToActiveOrBackoffQueue`.
    pub(super) fn move_pods(&mut self, event: &ClusterEvent, now: Time) {
        let helped = |(id, pod): (PodId, &super::queue::QueuedPod)| {
            event.helps(&self.snapshot, &pod.info, pod.rejectors).then_some(id)
        };
        let helped: Vec<PodId> = self.queue.unschedulable().filter_map(helped).collect();
        for id in helped {
            self.queue.wake(id, now);
        }
    }

    /// The same for an event of a claim, which by the hints helps none but the pods that use it: they are looked up, not
    /// searched.
    fn move_users(
        &mut self,
        claim: &PersistentVolumeClaim,
        event: &ClusterEvent,
        (now, view): (Time, View<'_>),
    ) {
        let meta = &claim.metadata;
        let direct = view.users_of_claim::<Pod>(&meta.namespace, &meta.name).map(|(id, _)| id.index);
        let owner = meta.controller().and_then(|owner| view.named::<Pod>(&meta.namespace, &owner.name));
        for id in direct.chain(owner.map(|(id, _)| id.index)) {
            let queued = self.queue.get(id);
            if queued.is_some_and(|pod| event.helps(&self.snapshot, &pod.info, pod.rejectors)) {
                self.queue.wake(id, now);
            }
        }
    }

    fn note(&mut self, event: ClusterEvent) {
        if self.queue.is_waited_for(event.registered()) {
            self.pending.push(Pending::Event(event));
        }
    }

    /// Finished pods are as good as gone.
    fn take_pod(&mut self, id: PodId, pod: &Arc<Pod>, gone: bool) {
        if gone || pod.is_finished() {
            self.nomination_ends(id);
            self.forget_pod(id);
            return;
        }
        match pod.node() {
            Some(node) if self.snapshot.is_on(id, node) => self.refresh_placed(id, pod),
            Some(node) => {
                self.forget_pod(id);
                let info = self.snapshot.pod_info(pod);
                self.snapshot.add_pod(id, info, node);
                self.note(ClusterEvent::AssignedPodAdd(Arc::clone(pod)));
            }
            None if !self.is_responsible(pod) => {}
            None if self.known.insert(id) => self.pending.push(Pending::Add(id, Arc::clone(pod))),
            None => self.pending.push(Pending::Update(id, Arc::clone(pod))),
        }
    }

    fn is_responsible(&self, pod: &Pod) -> bool {
        matches!(pod.spec.scheduler_name.as_str(), "" | "default-scheduler")
    }

    /// `deletePodFromSchedulingQueue`: who is nominated counts as placed for those that matter no more.
    fn nomination_ends(&mut self, id: PodId) {
        let Some(queued) = self.queue.get(id) else { return };
        let placed = self.snapshot.pods.contains_key(&id);
        if self.snapshot.profile.nomination_events && !placed && queued.info.is_nominated() {
            self.note(ClusterEvent::NominationEnd(queued.info.clone()));
        }
    }

    fn forget_pod(&mut self, id: PodId) {
        if self.known.remove(&id) {
            self.queue.remove(id);
            self.snapshot.forget_nomination(id);
            let is_this = |pending: &Pending| matches!(pending, Pending::Add(of, _) | Pending::Update(of, _) if *of == id);
            self.pending.retain(|pending| !is_this(pending));
            self.binding.remove(&id);
        }
        if let Some(placed) = self.snapshot.remove_pod(id) {
            self.note(ClusterEvent::AssignedPodDelete(placed.info));
        }
    }

    /// The scheduler's own bindings come back here, and what the kubelet writes.
    fn refresh_placed(&mut self, id: PodId, pod: &Arc<Pod>) {
        if self.known.remove(&id) {
            self.queue.remove(id);
            self.binding.remove(&id);
            self.snapshot.refresh_pod(id, pod);
            self.note(ClusterEvent::AssignedPodAdd(Arc::clone(pod)));
            return;
        }
        let old = self.snapshot.pod(id).clone();
        if Arc::ptr_eq(&old.pod.spec, &pod.spec) || old.pod.spec == pod.spec {
            self.snapshot.refresh_pod(id, pod);
        } else {
            self.snapshot.remove_pod(id);
            let new = self.snapshot.pod_info(pod);
            self.snapshot.add_pod(id, new.clone(), &pod.node_name);
            if scales_down(&old, &new) {
                self.note(ClusterEvent::AssignedPodScaleDown { old: old.clone(), new });
            }
        }
        if old.pod.metadata.labels != pod.metadata.labels {
            self.note(ClusterEvent::AssignedPodLabels { old: old.pod, new: Arc::clone(pod) });
        }
    }

    fn update_queued(&mut self, id: PodId, pod: &Arc<Pod>, now: Time) {
        let Some(queued) = self.queue.get(id) else { return };
        let (old, rejectors) = (queued.info.clone(), queued.rejectors);
        let same_spec = Arc::ptr_eq(&old.pod.spec, &pod.spec) || old.pod.spec == pod.spec;
        let info = if same_spec { old.with_pod(pod) } else { self.snapshot.pod_info(pod) };
        let renominated = old.pod.status.nominated_node_name != pod.status.nominated_node_name;
        if renominated {
            self.snapshot.nominate(id, &info, &pod.status.nominated_node_name);
        }
        let helped = own_update_helps(&old, &info, rejectors);
        self.queue.update(id, info);
        if helped {
            self.queue.wake(id, now);
        }
        // `hasNominatedNodeNameChanged`.
        if renominated && old.is_nominated() && self.snapshot.profile.nomination_events {
            self.move_pods(&ClusterEvent::NominationEnd(old), now);
        }
    }

    fn take_node(&mut self, old: Option<&Arc<Node>>, node: &Arc<Node>) {
        self.snapshot.set_node(node);
        let slot = self.snapshot.slot(&node.metadata.name).expect("the node was just set");
        match old {
            None => self.note(ClusterEvent::NodeAdd(slot)),
            Some(old) if matters(old, node) => {
                self.note(ClusterEvent::NodeUpdate { slot, old: Arc::clone(old), new: Arc::clone(node) });
            }
            Some(_) => {}
        }
    }

    fn take_storage(&mut self, change: &Change) {
        if let Some(claim) = change.new_as::<PersistentVolumeClaim>() {
            self.snapshot.storage.set_claim(claim);
            self.note(ClusterEvent::Claim(Arc::clone(claim), change.old.is_none()));
        } else if let Some(claim) = change.old_as::<PersistentVolumeClaim>() {
            self.snapshot.storage.remove_claim(claim);
        } else if let Some(volume) = change.new_as::<PersistentVolume>() {
            self.snapshot.storage.set_volume(volume);
            let old = change.old_as().cloned();
            self.note(ClusterEvent::Volume { old, new: Arc::clone(volume) });
        } else if let Some(volume) = change.old_as::<PersistentVolume>() {
            self.snapshot.storage.remove_volume(&volume.metadata.name);
        } else if let Some(class) = change.new_as::<StorageClass>() {
            self.snapshot.storage.set_class(class);
            let old = change.old_as().cloned();
            self.note(ClusterEvent::Class { old, new: Arc::clone(class) });
        } else if let Some(class) = change.old_as::<StorageClass>() {
            self.snapshot.storage.remove_class(&class.metadata.name);
        }
    }
}

/// Heartbeats are no events.
fn matters(old: &Node, new: &Node) -> bool {
    old.metadata.labels != new.metadata.labels
        || old.spec != new.spec
        || old.status.allocatable != new.status.allocatable
}
