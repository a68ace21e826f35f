//! `statuses` on the objects as they stand, beside what the simulated VM controller last wrote: they agree at every
//! instant of random plays of the whole cluster, or they differ for a reason that has a name and is checked.

#[path = "statuses/deafness.rs"]
mod deafness;
#[path = "statuses/play.rs"]
mod play;

use play::{Play, STEPS};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use stuckvm_detector::PrintableStatus::{self, Migrating, WaitingForReceiver};
use stuckvm_detector::Time;
use stuckvm_sim::journal::Entry;
use stuckvm_sim::objects::{
    DataVolume, PersistentVolumeClaim, VirtualMachine, VirtualMachineInstance, VmVolume,
};
use stuckvm_sim::{Cluster, Kind, Object, Resource, VmStatus, statuses};

const PLAYS: u64 = 250;
/// So many steps a play, each within a minute of the one before.
const STEPS_A_PLAY: u32 = 20;

/// Why the stored status is not that of the objects as they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Staleness {
    /// What has changed is on its way to the VM controller: less than a reaction has passed.
    OnItsWay,
    /// A claim has turned, of which the VM controller hears nothing: it looks again when something else happens.
    ClaimUnheard,
    /// The VM controller's watch of the kind that has changed hangs.
    WatchHeld,
    /// The VM controller's process is down.
    ControllerDown,
    /// The API server is slow to answer the VM controller's look.
    SlowApi,
}

impl Staleness {
    const ALL: [Self; 5] =
        [Self::OnItsWay, Self::ClaimUnheard, Self::WatchHeld, Self::ControllerDown, Self::SlowApi];
}

/// When the objects of a name were last written.
#[derive(Clone, Copy, Debug, Default)]
struct Written {
    /// So that the VM controller hears of it.
    heard: Option<Time>,
    /// So that it does not.
    unheard: Option<Time>,
}

/// A play, with a look at every instant of it.
struct Watched {
    play: Play,
    written: BTreeMap<(Kind, String), Written>,
    seen: BTreeSet<String>,
    reasons: BTreeSet<Staleness>,
}

impl Watched {
    fn new(seed: u64) -> Self {
        let (written, seen, reasons) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        Self { play: Play::new(seed), written, seen, reasons }
    }

    fn run(&mut self) {
        for _ in 0..STEPS_A_PLAY {
            let until = self.play.cluster.now() + Duration::from_millis(self.play.draw(1, 60_000));
            self.settle();
            while let Some(at) = self.play.cluster.next_at().filter(|at| *at < until) {
                self.play.cluster.advance_to(at);
                self.settle();
            }
            self.play.cluster.advance_to(until);
            self.play.step();
        }
    }

    fn settle(&mut self) {
        let cluster = &mut self.play.cluster;
        cluster.settle().expect("an instant that comes to rest");
        let journal = cluster.take_journal();
        journal.iter().for_each(|entry| self.note(entry));
        let objects = objects(&self.play.cluster);
        let (release, now) = (self.play.cluster.config().kubevirt, self.play.cluster.now());
        for computed in statuses(&objects, release, now).expect("names of their own") {
            self.look(&computed);
        }
    }

    fn note(&mut self, entry: &Entry) {
        let Entry::Write { at, old, new, .. } = entry else { return };
        let object = new.as_ref().or(old.as_ref()).expect("a write is of something");
        let written = self.written.entry((object.kind(), object.metadata().name.to_string())).or_default();
        let unheard = object.kind() == Kind::PersistentVolumeClaim && (old.is_some() || new.is_none());
        let instant = if unheard { &mut written.unheard } else { &mut written.heard };
        *instant = Some(*at);
    }

    fn look(&mut self, computed: &VmStatus) {
        let vm = self.play.cluster.view().named::<VirtualMachine>(&computed.namespace, &computed.name);
        let vm = vm.expect("a machine that has a status").1.clone();
        let stored = vm.status.printable_status;
        self.seen.insert(stored.to_string());
        if stored == computed.status {
            return;
        }
        let reason = self.staleness(&vm, stored, computed.status);
        let reason = reason.unwrap_or_else(|| {
            panic!(
                "seed {}, {}: {} is {stored:?}, the objects say {:?} ({})",
                self.play.random.seed(),
                self.play.cluster.now(),
                computed.name,
                computed.status,
                computed.because
            )
        });
        self.reasons.insert(reason);
    }

    fn staleness(
        &self,
        vm: &VirtualMachine,
        stored: PrintableStatus,
        computed: PrintableStatus,
    ) -> Option<Staleness> {
        let now = self.play.cluster.now();
        let reaction = self.play.cluster.config().latency.reaction;
        let written =
            |kind, name: &str| self.written.get(&(kind, name.to_owned())).copied().unwrap_or_default();
        let template = vm.spec.template.as_ref().expect("a template");
        let disks: Vec<&str> =
            template.spec.volumes.iter().filter_map(VmVolume::claim_name).map(|name| name.as_str()).collect();
        let own = [Kind::VirtualMachine, Kind::VirtualMachineInstance];
        let own = own.into_iter().map(|kind| (kind, vm.metadata.name.as_str()));
        let theirs = disks
            .iter()
            .flat_map(|name| [Kind::DataVolume, Kind::PersistentVolumeClaim].map(|kind| (kind, *name)));
        let concerns: Vec<(Kind, Written)> =
            own.chain(theirs).map(|(kind, name)| (kind, written(kind, name))).collect();
        let heard = concerns.iter().filter_map(|(_, written)| written.heard).max();
        if heard.is_some_and(|at| now < at + reaction) {
            return Some(Staleness::OnItsWay);
        }
        let unheard = concerns.iter().filter_map(|(_, written)| written.unheard).max();
        let about_claims = [stored, computed].contains(&PrintableStatus::WaitingForVolumeBinding);
        // Its last look, a reaction after what it heard last, did not show the claim as it is.
        let turned = unheard.is_some_and(|at| heard.is_none_or(|heard| at > heard));
        if about_claims && turned {
            return Some(Staleness::ClaimUnheard);
        }
        // Of a kind whose watch hangs, also what it would not have heard of but seen.
        let last = |kind: Option<Kind>| match kind {
            None => heard,
            Some(kind) => {
                let written = concerns.iter().filter(|(of, _)| *of == kind);
                written.flat_map(|(_, written)| [written.heard, written.unheard]).flatten().max()
            }
        };
        self.play.deafness.explains(now, reaction, last)
    }
}

fn objects(cluster: &Cluster) -> Vec<Object> {
    fn all<T: Resource>(cluster: &Cluster) -> impl Iterator<Item = Object> {
        cluster.view().iter::<T>().map(|(_, object)| T::wrap(object.clone()))
    }
    all::<VirtualMachine>(cluster)
        .chain(all::<VirtualMachineInstance>(cluster))
        .chain(all::<DataVolume>(cluster))
        .chain(all::<PersistentVolumeClaim>(cluster))
        .collect()
}

#[test]
fn the_stored_status_is_that_of_the_objects_or_stale_for_a_reason() {
    let (mut seen, mut reasons, mut done) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for seed in 0..PLAYS {
        let mut watched = Watched::new(seed);
        watched.run();
        seen.append(&mut watched.seen);
        reasons.append(&mut watched.reasons);
        done.append(&mut watched.play.done);
    }
    assert_eq!(reasons, BTreeSet::from(Staleness::ALL), "the plays reach every reason");
    assert_eq!(done, STEPS.map(|(name, _)| name).into(), "every step takes effect in some play");
    // No play migrates, and no machine is the receiver of another cluster's.
    let all =
        PrintableStatus::ALL.into_iter().filter(|status| ![Migrating, WaitingForReceiver].contains(status));
    assert_eq!(seen, all.map(|status| status.to_string()).collect(), "the plays reach every status");
}
