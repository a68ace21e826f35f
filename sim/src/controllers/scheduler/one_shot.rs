//! What `stuckvm schedule` shows: each waiting pod scheduled once, by the very cycle that the cluster's scheduler runs.

use super::cycle::{Chosen, Rotation, schedule_pod};
use super::explanation::NodeByNode;
use super::failure::{Explanation, explain};
use super::profile::Profile;
use super::skips_deleting;
use super::snapshot::{PodId, Slot, Snapshot};
use crate::admission::{node, pod};
use crate::kind::Object;
use crate::objects::{Node, Pod, PriorityClass};
use crate::random::Random;
use crate::release::KubernetesRelease;
use crate::store::generated_name;
use arcstr::ArcStr;
use std::sync::Arc;
use stuckvm_detector::Time;
use xxhash_rust::xxh3::xxh3_128;

/// What became of one waiting pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// The pod's namespace.
    pub namespace: ArcStr,
    /// The pod's name.
    pub pod: ArcStr,
    /// The choice.
    pub node: Option<ArcStr>,
    /// The nodes that pass every filter, by name.
    pub feasible: Vec<ArcStr>,
    /// The nodes with the top score, by name; empty where fewer than two are feasible.
    pub tied: Vec<ArcStr>,
    /// Whether the release chooses among the equals at random.
    pub random_tie: bool,
    /// The reason of the condition PodScheduled; `None` when the pod has found a node.
    pub reason: Option<&'static str>,
    /// The message of that condition; of a pod that is being deleted, which gets none, that of the event.
    pub message: Option<String>,
    /// The nodes on which preemption would make room, equals all of them, by name.
    pub nominated: Vec<ArcStr>,
    /// What the attempt made of each node, where that was asked for.
    pub node_by_node: Option<NodeByNode>,
}

/// How pods are scheduled once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OneShotOptions {
    /// Whose rules hold.
    pub release: KubernetesRelease,
    /// For releases that draw among equals.
    pub seed: u64,
    /// Whether each node is accounted for.
    pub node_by_node: bool,
}

/// Schedules every waiting pod once, in the order of the queue; gated pods come last.
///
/// Reads Nodes, Pods, PersistentVolumeClaims, PersistentVolumes, StorageClasses and PriorityClasses; within a kind their
/// order is the order of creation. Pods with a node run there. All nodes are looked at, whatever their number. A pod that
/// fits is assumed on its node before the next one is tried, and one that waits keeps room on its nominated node. Every
/// pod is tried, whichever scheduler it names; one that is being deleted is passed over. A name that is left to
/// `generateName` follows from the pod's place among the objects.
pub fn schedule(objects: &[Object], options: OneShotOptions) -> Vec<Placement> {
    let mut world = OneShot::new(objects, options);
    let mut waiting = Vec::new();
    for (at, object) in objects.iter().enumerate() {
        let id = PodId::try_from(at).expect("fewer than 2^32 objects");
        world.take(id, object, &mut waiting);
    }
    world.snapshot.update_order();
    world.by_name = world.snapshot.order().to_vec();
    world.by_name.sort_unstable_by_key(|slot| world.snapshot.node(*slot).name.clone());
    world.nominate(&waiting);
    let gated = |pod: &Pod| !pod.spec.scheduling_gates.is_empty();
    waiting.sort_by_key(|(_, pod)| (gated(pod), std::cmp::Reverse(pod.spec.priority.unwrap_or(0))));
    waiting.into_iter().map(|(id, pod)| world.place(id, &pod)).collect()
}

struct OneShot {
    snapshot: Snapshot,
    rotation: Rotation,
    classes: Vec<Arc<PriorityClass>>,
    random: Random,
    options: OneShotOptions,
    /// The nodes by name, so that names need sorting once only.
    by_name: Vec<Slot>,
}

impl OneShot {
    fn new(objects: &[Object], options: OneShotOptions) -> Self {
        let class = |object: &Object| match object {
            Object::PriorityClass(class) => Some(Arc::clone(class)),
            _ => None,
        };
        Self {
            snapshot: Snapshot::new(Profile::of(options.release)),
            rotation: Rotation { every_node: true, ..Rotation::default() },
            classes: objects.iter().filter_map(class).collect(),
            random: Random::new(options.seed),
            options,
            by_name: Vec::new(),
        }
    }

    fn take(&mut self, id: PodId, object: &Object, waiting: &mut Vec<(PodId, Arc<Pod>)>) {
        match object {
            Object::Node(node) => {
                let mut admitted = Node::clone(node);
                node::read(&mut admitted);
                self.snapshot.set_node(&Arc::new(admitted));
            }
            Object::PersistentVolume(volume) => self.snapshot.storage.set_volume(volume),
            Object::PersistentVolumeClaim(claim) => self.snapshot.storage.set_claim(claim),
            Object::StorageClass(class) => self.snapshot.storage.set_class(class),
            Object::Pod(pod) if !pod.is_finished() => {
                let mut admitted = Pod::clone(pod);
                let meta = &mut admitted.metadata;
                if meta.name.is_empty() {
                    meta.name = generated_name(&meta.generate_name, xxh3_128(&id.to_le_bytes()));
                }
                if admitted.metadata.uid.is_empty() {
                    // Pods are told apart by it.
                    admitted.metadata.uid = arcstr::format!("uid-{id}");
                }
                pod::read(&mut admitted, self.options.release);
                let classes = self.classes.iter().map(|class| &**class);
                pod::resolve_priority(&mut admitted, classes);
                let admitted = Arc::new(admitted);
                match admitted.node() {
                    Some(node) => {
                        let info = self.snapshot.pod_info(&admitted);
                        self.snapshot.add_pod(id, info, node);
                    }
                    None => waiting.push((id, admitted)),
                }
            }
            _ => {}
        }
    }

    /// The nominator knows the pods that wait, but for gated ones (`PriorityQueue.Add`).
    fn nominate(&mut self, waiting: &[(PodId, Arc<Pod>)]) {
        let queued = waiting.iter().filter(|(_, pod)| pod.spec.scheduling_gates.is_empty());
        for (id, pod) in queued.filter(|(_, pod)| !pod.status.nominated_node_name.is_empty()) {
            let info = self.snapshot.pod_info(pod);
            self.snapshot.nominate(*id, &info, &pod.status.nominated_node_name);
        }
    }

    fn place(&mut self, id: PodId, pod: &Arc<Pod>) -> Placement {
        let (namespace, name) = (pod.metadata.namespace.clone(), pod.metadata.name.clone());
        let placement = Placement { namespace, pod: name, ..Placement::default() };
        if !pod.spec.scheduling_gates.is_empty() {
            let message = Some(pod::GATED.to_owned());
            return Placement { reason: Some("SchedulingGated"), message, ..placement };
        }
        if pod.metadata.is_deleting() {
            self.snapshot.blank_nomination(id);
            return Placement { message: Some(skips_deleting(&pod.metadata)), ..placement };
        }
        let info = self.snapshot.pod_info(pod);
        let random = &mut self.random;
        // A release that does not draw comes to a draw among nodes that the pod itself names: the first one then.
        let draws = !self.snapshot.profile.heap_ties;
        let draw = |equals: u64| if draws { random.uniform("scheduler", 0..=equals - 1) } else { 0 };
        match schedule_pod(&self.snapshot, &mut self.rotation, &info, draw) {
            Ok(chosen) => {
                let wanted = self.options.node_by_node;
                let node_by_node = wanted.then(|| NodeByNode::of_chosen(&self.snapshot, &info, &chosen));
                let placement = Placement { node_by_node, ..self.chosen(placement, &chosen) };
                let node = self.snapshot.node(chosen.slot).name.clone();
                if let Some(volumes) = &chosen.volumes {
                    self.snapshot.storage.assume(volumes, &node);
                }
                self.snapshot.forget_nomination(id);
                self.snapshot.add_pod(id, info, &node);
                placement
            }
            Err(failure) => {
                // The pods that have no start time count as started now; when that is does not matter.
                let Explanation { reason, message, best, clears } =
                    explain(&self.snapshot, &info, &failure, Time::MAX);
                let nominated = self.names(best.iter().map(|candidate| candidate.slot));
                let wanted = self.options.node_by_node;
                let node_by_node = wanted.then(|| NodeByNode::of_failure(&self.snapshot, &info, &failure));
                if clears {
                    self.snapshot.forget_nomination(id);
                }
                Placement {
                    reason: Some(reason),
                    message: Some(message),
                    nominated,
                    node_by_node,
                    ..placement
                }
            }
        }
    }

    fn chosen(&self, placement: Placement, chosen: &Chosen) -> Placement {
        let feasible = self.names(chosen.feasible.iter().copied());
        let node = Some(self.name(chosen.slot));
        let Some(sheet) = &chosen.scores else { return Placement { node, feasible, ..placement } };
        let tied = self.names(sheet.tied().into_iter().map(|at| chosen.feasible[at]));
        let random_tie = tied.len() > 1 && (chosen.narrowed || !self.snapshot.profile.heap_ties);
        Placement { node, feasible, tied, random_tie, ..placement }
    }

    /// The names of some nodes, in order.
    fn names(&self, slots: impl Iterator<Item = Slot>) -> Vec<ArcStr> {
        let mut wanted = vec![false; self.snapshot.nodes.len()];
        slots.for_each(|slot| wanted[slot as usize] = true);
        let named = self.by_name.iter().filter(|slot| wanted[**slot as usize]);
        named.map(|slot| self.name(*slot)).collect()
    }

    fn name(&self, slot: Slot) -> ArcStr {
        self.snapshot.node(slot).name.clone()
    }
}
