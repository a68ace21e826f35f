//! Failures of the control plane itself: watches that lag or break, controllers that are down, an API server that is slow or
//! contended. They change what a controller gets to know and when its writes land; stale reads and conflicts follow from that.

use crate::cluster::Cluster;
use crate::environment::Exporter;
use crate::kind::{Kind, ObjectId, Resource};
use crate::store::Change;
use crate::user::{ForKind, with_kind};
use std::collections::BTreeMap;
use std::time::Duration;

/// The processes of the control plane and the controllers that each runs. Agents of the nodes are not among them: they are down
/// with their machine.
pub const COMPONENTS: [(&str, &[&str]); 6] = [
    ("kube-controller-manager", &KUBE_CONTROLLERS),
    ("kube-scheduler", &["scheduler"]),
    ("virt-controller", &["virtual-machine", "virtual-machine-instance", "migration", "evacuation"]),
    (
        "cdi-deployment",
        &[
            "data-volume",
            "import",
            "upload",
            "clone",
            "import-populator",
            "upload-populator",
            "clone-populator",
        ],
    ),
    ("external-provisioner", &["provisioner"]),
    ("external-snapshotter", &["snapshotter"]),
];

const KUBE_CONTROLLERS: [&str; 7] = [
    "garbage-collector",
    "node-lifecycle",
    "taint-eviction",
    "pod-gc",
    "pv-binder",
    "pvc-protection",
    "pv-protection",
];

/// The controllers that a name of the control plane stands for: a process or one controller; none for other names.
///
/// # Examples
///
/// ```
/// use stuckvm_sim::control_plane::controllers_of;
///
/// assert_eq!(controllers_of("external-provisioner"), ["provisioner"]);
/// assert_eq!(controllers_of("scheduler"), ["scheduler"]);
/// assert!(controllers_of("kubelet").is_empty());
/// ```
#[must_use]
pub fn controllers_of(name: &str) -> Vec<&'static str> {
    let process = COMPONENTS.iter().find(|(component, _)| *component == name);
    let all = COMPONENTS.iter().flat_map(|(_, controllers)| controllers.iter().copied());
    process
        .map_or_else(|| all.filter(|known| *known == name).collect(), |(_, controllers)| controllers.to_vec())
}

impl Cluster {
    /// Stops telling a controller of changes of a kind: its watch hangs. Returns whether there is such a controller.
    pub fn hold_watch(&mut self, controller: &str, kind: Kind) -> bool {
        self.seat_of(controller).map(|index| self.seats[index].horizon.hold(kind)).is_some()
    }

    /// Tells a controller of all changes of a kind that it has missed, one by one, and of new ones from now on: the watch
    /// goes on where it hung.
    pub fn release_watch(&mut self, controller: &str, kind: Kind) -> bool {
        self.resume_watch(controller, kind, |missed| missed)
    }

    /// Tells a controller how the objects of a kind differ from what it knows, and of new changes from now on: the watch
    /// had broken and the informer lists anew. What came and went in the meantime it never hears of.
    ///
    /// client-go 1.36, `tools/cache/delta_fifo.go`, `Replace`.
    pub fn relist_watch(&mut self, controller: &str, kind: Kind) -> bool {
        self.resume_watch(controller, kind, differences)
    }

    fn resume_watch(
        &mut self,
        controller: &str,
        kind: Kind,
        told: impl Fn(Vec<Change>) -> Vec<Change>,
    ) -> bool {
        let Some(index) = self.seat_of(controller) else { return false };
        let horizon = &mut self.seats[index].horizon;
        let Some(from) = horizon.release(kind) else { return true };
        let upto = horizon.delivered();
        let missed = (from + 1..=upto).map(|revision| self.store.change(revision));
        let missed = told(missed.filter(|change| change.id.kind == kind).cloned().collect());
        missed.iter().for_each(|change| self.tell(index, change));
        true
    }

    /// The process of a controller ends: its queue, its timers and all that it had in memory are lost. Returns whether there is
    /// such a controller; one that is down stays so.
    pub fn stop_controller(&mut self, controller: &str) -> bool {
        self.forget_causes(controller);
        self.seat_of(controller).map(|index| self.seats[index].stop()).is_some()
    }

    /// The process of a controller starts: its informers list what there is, and it begins from nothing. Returns whether there
    /// is such a controller; one that runs is left alone.
    pub fn start_controller(&mut self, controller: &str) -> bool {
        let Some(index) = self.seat_of(controller) else { return false };
        if self.is_up(index) {
            return true;
        }
        let all = crate::controllers::all(self.config()).into_iter();
        let fresh = all
            .into_iter()
            .find(|fresh| fresh.name() == controller)
            .expect("a seat's controller has its like");
        self.seats[index].restart(fresh, self.store.revision());
        self.with_controller(index, |controller, cx| controller.start(cx));
        for change in self.everything() {
            self.tell(index, &change);
        }
        true
    }

    /// virt-controller's metrics as a scraper from outside meets them.
    #[must_use]
    pub const fn exporter(&self) -> &Exporter {
        &self.environment.exporter
    }

    /// Whether the process of a controller runs; false also where there is no such controller.
    #[must_use]
    pub fn is_running(&self, controller: &str) -> bool {
        self.seat_of(controller).is_some_and(|index| self.is_up(index))
    }

    /// From now on the API server takes so long to answer the requests of a controller; zero makes it fast again.
    ///
    /// A look at one thing has its requests answered after that time: it goes by what the informers knew when it began, and
    /// what it writes lands then. Other things are looked at meanwhile.
    pub fn slow_requests(&mut self, controller: &str, latency: Duration) -> bool {
        let known = self.seat_of(controller).is_some();
        self.environment_mut().api.slow(controller, latency);
        known
    }

    /// Every object, as news to an informer that has just started.
    fn everything(&self) -> Vec<Change> {
        Kind::ALL.into_iter().flat_map(|kind| with_kind(kind, Listed(self))).collect()
    }
}

/// For each object what it was before the first of these changes and what it is after the last.
fn differences(missed: Vec<Change>) -> Vec<Change> {
    let mut by_object: BTreeMap<ObjectId, Change> = BTreeMap::new();
    for change in missed {
        match by_object.get_mut(&change.id) {
            Some(known) => (known.revision, known.new) = (change.revision, change.new),
            None => drop(by_object.insert(change.id, change)),
        }
    }
    by_object.into_values().filter(|change| change.old.is_some() || change.new.is_some()).collect()
}

/// The objects of a kind as creations.
struct Listed<'a>(&'a Cluster);

impl ForKind for Listed<'_> {
    type Output = Vec<Change>;

    fn run<T: Resource>(self) -> Self::Output {
        let listed = self.0.view().iter::<T>().map(|(id, object)| Change {
            revision: object.metadata().resource_version,
            id,
            old: None,
            new: Some(T::wrap(object.clone())),
        });
        listed.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{COMPONENTS, differences};
    use crate::config::Config;
    use crate::kind::{Kind, Object, ObjectId};
    use crate::store::Change;

    fn pod(phase: &str) -> Option<Object> {
        let pod = serde_json::json!({"kind": "Pod", "metadata": {"name": "p"}, "status": {"phase": phase}});
        Object::from_value(&pod).unwrap()
    }

    #[test]
    fn a_list_shows_neither_steps_in_between_nor_what_came_and_went() {
        let change = |revision, index, old, new| Change {
            revision,
            id: ObjectId { kind: Kind::Pod, index },
            old,
            new,
        };
        let missed = vec![
            change(1, 0, pod("Pending"), pod("Running")),
            change(2, 1, None, pod("Pending")),
            change(3, 0, pod("Running"), pod("Failed")),
            change(4, 1, pod("Pending"), None),
            change(5, 2, pod("Running"), None),
        ];
        let shown: Vec<(u32, bool, bool)> = differences(missed)
            .iter()
            .map(|change| (change.id.index, change.old.is_some(), change.new.is_some()))
            .collect();
        assert_eq!(shown, [(0, true, true), (2, true, false)]);
    }

    #[test]
    fn every_controller_that_is_not_an_agent_belongs_to_a_process() {
        let all = crate::controllers::all(&Config::default());
        let agents = ["virt-handler", "kubelet", "node-heartbeat"];
        let mut named: Vec<&str> =
            COMPONENTS.iter().flat_map(|(_, names)| names.iter().copied()).chain(agents).collect();
        let mut seats: Vec<&str> = all.iter().map(|controller| controller.name()).collect();
        named.sort_unstable();
        seats.sort_unstable();
        assert_eq!(named, seats);
    }
}
