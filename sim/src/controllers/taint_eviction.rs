//! The taint eviction controller, Kubernetes 1.36.2: `pkg/controller/tainteviction/{taint_eviction,timed_workers}.go`.

use crate::context::{Context, EventType};
use crate::controller::{Action, Controller};
use crate::kind::{Kind, ObjectId};
use crate::objects::{Condition, Node, ObjectMeta, Pod, Taint, Toleration, Truth};
use crate::store::{Change, View};
use crate::work_queue::{Work, WorkQueue};
use arcstr::{ArcStr, literal};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const FIRE: u16 = 1;

/// The controller.
#[derive(Debug, Default)]
pub(crate) struct TaintEviction {
    /// NoExecute taints of the nodes that have some.
    tainted: BTreeMap<ArcStr, Vec<Taint>>,
    /// Pods whose clock runs.
    workers: IndexMap<ObjectId, Worker, FxBuildHasher>,
    clocks: u32,
}

/// A clock, the so-manieth of this controller.
#[derive(Debug)]
struct Worker {
    clock: u32,
    pod: PodName,
}

/// Events about pods that are gone need their names only.
#[derive(Clone, Debug)]
struct PodName {
    namespace: ArcStr,
    name: ArcStr,
}

impl Controller for TaintEviction {
    fn name(&self) -> &'static str {
        "taint-eviction"
    }

    fn on_change(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        let wanted = match change.id.kind {
            Kind::Node => !evicting(change.old_as::<Node>()).eq(evicting(change.new_as::<Node>())),
            Kind::Pod => self.concerns(change, view),
            _ => false,
        };
        if wanted {
            queue.add(change.id);
        }
        if change.new.is_none()
            && let Some(node) = change.old_as::<Node>()
        {
            self.tainted.remove(&node.metadata.name);
        }
    }

    fn reconcile(&mut self, work: Work, cx: &mut Context<'_>) -> Action {
        match (work.id.kind, work.what) {
            (Kind::Node, _) => self.handle_node_update(work.id, cx),
            (_, FIRE) => self.fire(work, cx),
            _ => self.handle_pod_update(work.id, cx),
        }
        Action::Done
    }
}

impl TaintEviction {
    /// A pod that is gone has a clock to stop; another matters if it has moved or tolerates something else than before.
    fn concerns(&self, change: &Change, view: View<'_>) -> bool {
        let Some(pod) = change.new_as::<Pod>() else { return self.workers.contains_key(&change.id) };
        let same = change.old_as::<Pod>().is_some_and(|old| {
            old.node_name == pod.node_name && old.spec.tolerations == pod.spec.tolerations
        });
        // The node's own change may still wait in the queue, before this one.
        let node = |name| view.named::<Node>("", name).map(|(_, node)| node);
        !same
            && (self.tainted.contains_key(&pod.node_name)
                || pod.node().is_some_and(|name| evicting(node(name)).next().is_some()))
    }

    fn handle_node_update(&mut self, id: ObjectId, cx: &mut Context<'_>) {
        let Some(node) = cx.view().get::<Node>(id).cloned() else { return };
        let name = &node.metadata.name;
        let taints: Vec<Taint> = evicting(Some(&node)).cloned().collect();
        if taints.is_empty() {
            self.tainted.remove(name);
        } else {
            self.tainted.insert(name.clone(), taints.clone());
        }
        let pods: Vec<_> = cx.view().pods_on(name).map(|(id, pod)| (id, pod.clone())).collect();
        for (id, pod) in pods {
            self.process_pod_on_node(id, &pod, &taints, cx);
        }
    }

    fn handle_pod_update(&mut self, id: ObjectId, cx: &mut Context<'_>) {
        let Some(pod) = cx.view().get::<Pod>(id).cloned() else {
            self.cancel_work_with_event(id, cx);
            return;
        };
        let Some(taints) = self.tainted.get(&pod.node_name).cloned() else { return };
        self.process_pod_on_node(id, &pod, &taints, cx);
    }

    /// Sets or stops the clock of a pod. One that runs is neither shortened nor extended.
    fn process_pod_on_node(&mut self, id: ObjectId, pod: &Arc<Pod>, taints: &[Taint], cx: &mut Context<'_>) {
        match patience(taints, &pod.spec.tolerations) {
            Patience::Endless => self.cancel_work_with_event(id, cx),
            Patience::None => {
                self.cancel_work_with_event(id, cx);
                evict(id, &PodName::of(pod), cx);
            }
            // Created at the same instant or before, the clock that runs wins.
            Patience::For(_) if self.workers.contains_key(&id) => {}
            Patience::For(delay) if delay.is_zero() => evict(id, &PodName::of(pod), cx),
            Patience::For(delay) => {
                self.clocks += 1;
                self.workers.insert(id, Worker { clock: self.clocks, pod: PodName::of(pod) });
                cx.requeue_after(delay, Work { id, what: FIRE, number: self.clocks });
            }
        }
    }

    fn fire(&mut self, work: Work, cx: &mut Context<'_>) {
        if self.workers.get(&work.id).is_some_and(|worker| worker.clock == work.number) {
            let worker = self.workers.swap_remove(&work.id).expect("it is there");
            evict(work.id, &worker.pod, cx);
        }
    }

    fn cancel_work_with_event(&mut self, id: ObjectId, cx: &mut Context<'_>) {
        if let Some(Worker { pod, .. }) = self.workers.swap_remove(&id) {
            pod.event("Cancelling deletion of Pod", cx);
        }
    }
}

/// Marks the pod and deletes it (`addConditionAndDeletePod`).
fn evict(id: ObjectId, name: &PodName, cx: &mut Context<'_>) {
    name.event("Marking for deletion Pod", cx);
    let kind = literal!("DisruptionTarget");
    let condition = Condition::new(kind, Truth::True, literal!("DeletionByTaintManager"), cx.now)
        .with_message(literal!("Taint manager: deleting due to NoExecute taint"));
    let marked = cx.patch::<Pod>(id, |pod| condition.put_into(&mut pod.status.conditions));
    // Refused only where the pod is gone in the meantime, so that there is nothing to evict.
    let _ = marked.and_then(|_| cx.delete::<Pod>(id));
}

impl PodName {
    fn of(pod: &Pod) -> Self {
        Self { namespace: pod.metadata.namespace.clone(), name: pod.metadata.name.clone() }
    }

    fn event(&self, what: &str, cx: &mut Context<'_>) {
        let Self { namespace, name } = self.clone();
        let message = format!("{what} {namespace}/{name}");
        let metadata = ObjectMeta { namespace, name, ..ObjectMeta::default() };
        let pod = Pod { metadata, ..Pod::default() };
        cx.event(&pod, EventType::Normal, "TaintManagerEviction", &message);
    }
}

/// How long a pod bears the taints of its node.
#[derive(Debug, PartialEq)]
enum Patience {
    /// Some taint is not tolerated at all.
    None,
    /// The least of the times that the first matching toleration of each taint names.
    For(Duration),
    /// None of them names a time, or there is no taint.
    Endless,
}

fn patience(taints: &[Taint], tolerations: &[Toleration]) -> Patience {
    let mut least: Option<i64> = None;
    for taint in taints {
        let Some(first) = tolerations.iter().find(|toleration| toleration.tolerates(taint)) else {
            return Patience::None;
        };
        least = [least, first.toleration_seconds].into_iter().flatten().min();
    }
    least.map_or(Patience::Endless, |seconds| {
        Patience::For(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
    })
}

fn evicting(node: Option<&Arc<Node>>) -> impl Iterator<Item = &Taint> {
    node.into_iter().flat_map(|node| &node.spec.taints).filter(|taint| taint.effect == "NoExecute")
}

#[cfg(test)]
mod tests {
    use super::{Patience, patience};
    use crate::objects::{Taint, Toleration};
    use std::time::Duration;

    fn taint(key: &str) -> Taint {
        Taint { key: key.into(), effect: "NoExecute".into(), ..Taint::default() }
    }

    fn exists(key: &str, toleration_seconds: Option<i64>) -> Toleration {
        Toleration { key: key.into(), operator: "Exists".into(), toleration_seconds, ..Toleration::default() }
    }

    #[test]
    fn the_first_match_of_each_taint_counts_and_the_least_time_of_them() {
        let both = [taint("a"), taint("b")];
        let seconds = |seconds| Patience::For(Duration::from_secs(seconds));
        assert_eq!(patience(&both, &[exists("a", Some(30))]), Patience::None);
        assert_eq!(patience(&both, &[exists("a", Some(30)), exists("b", Some(20))]), seconds(20));
        assert_eq!(patience(&both, &[exists("a", None), exists("b", Some(20))]), seconds(20));
        assert_eq!(patience(&both[..1], &[exists("a", Some(100)), exists("a", Some(5))]), seconds(100));
        assert_eq!(patience(&both, &[exists("a", Some(-1)), exists("", None)]), seconds(0));
        assert_eq!(patience(&both, &[exists("", None)]), Patience::Endless);
        assert_eq!(patience(&[], &[]), Patience::Endless);
    }
}
