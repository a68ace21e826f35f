//! What keeps the VM controller from hearing of the world, or from answering it. Once it is well again it knows all at once.

use std::time::Duration;
use stuckvm_detector::Time;
use stuckvm_sim::{Cluster, Kind};

use super::Staleness;

const CONTROLLER: &str = "virtual-machine";

/// What ails the VM controller, and since when.
#[derive(Debug, Default)]
pub(crate) struct Deafness(Option<(Ailment, Time)>);

#[derive(Clone, Copy, Debug)]
enum Ailment {
    /// It hears of no change of this kind.
    Watch(Kind),
    /// It does not run.
    Down,
    /// Each of its looks ends so much later than it begins.
    Slow(Duration),
}

const AILMENTS: [Ailment; 6] = [
    Ailment::Watch(Kind::VirtualMachine),
    Ailment::Watch(Kind::VirtualMachineInstance),
    Ailment::Watch(Kind::DataVolume),
    Ailment::Watch(Kind::PersistentVolumeClaim),
    Ailment::Down,
    Ailment::Slow(Duration::from_secs(2)),
];

impl Deafness {
    /// Ends what there is, or begins the one of this number.
    pub(crate) fn turn(&mut self, cluster: &mut Cluster, choice: usize) {
        let Some((ailment, _)) = self.0.take() else {
            let ailment = AILMENTS[choice];
            assert!(match ailment {
                Ailment::Watch(kind) => cluster.hold_watch(CONTROLLER, kind),
                Ailment::Down => cluster.stop_controller(CONTROLLER),
                Ailment::Slow(latency) => cluster.slow_requests(CONTROLLER, latency),
            });
            self.0 = Some((ailment, cluster.now()));
            return;
        };
        assert!(match ailment {
            Ailment::Watch(kind) => cluster.release_watch(CONTROLLER, kind),
            Ailment::Down => cluster.start_controller(CONTROLLER),
            Ailment::Slow(_) => cluster.slow_requests(CONTROLLER, Duration::ZERO),
        });
    }

    /// Why a status that was to follow what was written at `heard`, of any kind or of one, does not stand yet.
    pub(crate) fn explains(
        &self,
        now: Time,
        reaction: Duration,
        heard: impl Fn(Option<Kind>) -> Option<Time>,
    ) -> Option<Staleness> {
        // One look may be under way when another becomes due.
        let slowly = |latency: Duration| heard(None).is_some_and(|at| now < at + reaction + 2 * latency);
        let untold = |kind, since: Time| heard(kind).is_some_and(|at| at + reaction >= since);
        match self.0 {
            Some((Ailment::Watch(kind), since)) if untold(Some(kind), since) => Some(Staleness::WatchHeld),
            Some((Ailment::Down, since)) if untold(None, since) => Some(Staleness::ControllerDown),
            Some((Ailment::Slow(latency), _)) if slowly(latency) => Some(Staleness::SlowApi),
            _ => None,
        }
    }
}
