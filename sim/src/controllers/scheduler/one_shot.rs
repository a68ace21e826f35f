//! What `stuckvm schedule` shows: each waiting pod scheduled once, by the very cycle that the cluster's scheduler runs.

use super::cycle::{Chosen, Rotation, schedule_pod};
use super::failure::{Explanation, explain};
use super::profile::Profile;
use super::score::ScoreSheet;
use super::snapshot::{PodId, Slot, Snapshot};
use super::status::Plugin;
use crate::admission::pod;
use crate::kind::Object;
use crate::objects::{Pod, PriorityClass};
use crate::random::Random;
use crate::release::KubernetesRelease;
use arcstr::ArcStr;
use std::sync::Arc;
use stuckvm_detector::Time;

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
    /// The feasible nodes in the order of evaluation, where scores tie.
    pub order: Vec<ArcStr>,
    /// Whether the release chooses among the equals at random.
    pub random_tie: bool,
    /// The total of each feasible node, by name; empty where fewer than two are feasible.
    pub scores: Vec<(ArcStr, i64)>,
    /// The weighted score that each plugin gives each feasible node, by name.
    pub parts: Vec<(ArcStr, Vec<(&'static str, i64)>)>,
    /// The reason of the condition PodScheduled; `None` when the pod has found a node.
    pub reason: Option<&'static str>,
    /// The message of that condition.
    pub message: Option<String>,
    /// The nodes on which preemption would make room, equals all of them, by name.
    pub nominated: Vec<ArcStr>,
}

/// Schedules every waiting pod once, in the order of the queue; gated pods come last.
///
/// Reads Nodes, Pods, PersistentVolumeClaims, PersistentVolumes, StorageClasses and PriorityClasses; within a kind their
/// order is the order of creation. Pods with a node run there. All nodes are looked at, whatever their number. A pod that
/// fits is assumed on its node before the next one is tried. `seed` is for releases that draw among equals.
pub fn schedule(objects: &[Object], release: KubernetesRelease, seed: u64) -> Vec<Placement> {
    let mut world = OneShot::new(objects, release, seed);
    let mut waiting = Vec::new();
    for (at, object) in objects.iter().enumerate() {
        let id = PodId::try_from(at).expect("fewer than 2^32 objects");
        world.take(id, object, &mut waiting);
    }
    world.snapshot.update_order();
    let gated = |pod: &Pod| !pod.spec.scheduling_gates.is_empty();
    waiting.sort_by_key(|(_, pod)| (gated(pod), std::cmp::Reverse(pod.spec.priority.unwrap_or(0))));
    waiting.into_iter().map(|(id, pod)| world.place(id, &pod)).collect()
}

struct OneShot {
    snapshot: Snapshot,
    rotation: Rotation,
    classes: Vec<Arc<PriorityClass>>,
    random: Random,
}

impl OneShot {
    fn new(objects: &[Object], release: KubernetesRelease, seed: u64) -> Self {
        let class = |object: &Object| match object {
            Object::PriorityClass(class) => Some(Arc::clone(class)),
            _ => None,
        };
        Self {
            snapshot: Snapshot::new(Profile::of(release)),
            rotation: Rotation { every_node: true, ..Rotation::default() },
            classes: objects.iter().filter_map(class).collect(),
            random: Random::new(seed),
        }
    }

    fn take(&mut self, id: PodId, object: &Object, waiting: &mut Vec<(PodId, Arc<Pod>)>) {
        match object {
            Object::Node(node) => self.snapshot.set_node(node),
            Object::PersistentVolume(volume) => self.snapshot.storage.set_volume(volume),
            Object::PersistentVolumeClaim(claim) => self.snapshot.storage.set_claim(claim),
            Object::StorageClass(class) => self.snapshot.storage.set_class(class),
            Object::Pod(pod) if !pod.is_finished() => {
                let mut admitted = Pod::clone(pod);
                pod::default(&mut admitted);
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

    fn place(&mut self, id: PodId, pod: &Arc<Pod>) -> Placement {
        let (namespace, name) = (pod.metadata.namespace.clone(), pod.metadata.name.clone());
        let placement = Placement { namespace, pod: name, ..Placement::default() };
        if !pod.spec.scheduling_gates.is_empty() {
            let message = Some(pod::GATED.to_owned());
            return Placement { reason: Some("SchedulingGated"), message, ..placement };
        }
        let info = self.snapshot.pod_info(pod);
        let random = &mut self.random;
        let draw = |equals: u64| random.uniform("scheduler", 0..=equals - 1);
        match schedule_pod(&self.snapshot, &mut self.rotation, &info, draw) {
            Ok(chosen) => {
                let placement = self.chosen(placement, &chosen);
                let node = self.snapshot.node(chosen.slot).name.clone();
                if let Some(volumes) = &chosen.volumes {
                    self.snapshot.storage.assume(volumes, &node);
                }
                self.snapshot.add_pod(id, info, &node);
                placement
            }
            Err(failure) => {
                // The pods that have no start time count as started now; when that is does not matter.
                let Explanation { reason, message, best, .. } =
                    explain(&self.snapshot, &info, &failure, Time::MAX);
                let mut nominated: Vec<ArcStr> =
                    best.iter().map(|candidate| self.name(candidate.slot)).collect();
                nominated.sort_unstable();
                Placement { reason: Some(reason), message: Some(message), nominated, ..placement }
            }
        }
    }

    fn chosen(&self, placement: Placement, chosen: &Chosen) -> Placement {
        let order: Vec<ArcStr> = chosen.feasible.iter().map(|slot| self.name(*slot)).collect();
        let mut feasible = order.clone();
        feasible.sort_unstable();
        let node = Some(self.name(chosen.slot));
        let Some(sheet) = &chosen.scores else { return Placement { node, feasible, ..placement } };
        let mut tied: Vec<ArcStr> = sheet.tied().into_iter().map(|at| order[at].clone()).collect();
        tied.sort_unstable();
        let random_tie = tied.len() > 1 && (chosen.narrowed || !self.snapshot.profile.heap_ties);
        let node = if chosen.narrowed && random_tie { tied.first().cloned() } else { node };
        let mut scores: Vec<(ArcStr, i64)> =
            order.iter().cloned().zip(sheet.totals.iter().copied()).collect();
        scores.sort_unstable();
        let parts = self.parts(&order, sheet);
        let order = if tied.len() > 1 && !chosen.narrowed { order } else { Vec::new() };
        Placement { node, feasible, tied, order, random_tie, scores, parts, ..placement }
    }

    /// Plugins that give 0 to every node stand there too.
    fn parts(&self, order: &[ArcStr], sheet: &ScoreSheet) -> Vec<(ArcStr, Vec<(&'static str, i64)>)> {
        let mut silent = vec![Plugin::ImageLocality];
        if self.snapshot.profile.dynamic_resources {
            silent.push(Plugin::DynamicResources);
        }
        silent.retain(|plugin| sheet.parts.iter().all(|(found, _)| found != plugin));
        let of_node = |at: usize| {
            let spoken = sheet.parts.iter().map(|(plugin, scores)| (plugin.as_str(), scores[at]));
            let mut parts: Vec<_> = spoken.chain(silent.iter().map(|plugin| (plugin.as_str(), 0))).collect();
            parts.sort_unstable();
            parts
        };
        let mut parts: Vec<_> =
            order.iter().enumerate().map(|(at, name)| (name.clone(), of_node(at))).collect();
        parts.sort_unstable();
        parts
    }

    fn name(&self, slot: Slot) -> ArcStr {
        self.snapshot.node(slot).name.clone()
    }
}
