//! Zones, their states and the rates of eviction that follow, Kubernetes 1.36.2:
//! `pkg/controller/nodelifecycle/node_lifecycle_controller.go` (`handleDisruption`, `ComputeZoneState`),
//! `component-helpers/node/topology/helpers.go`.

use super::tainter::Tainter;
use crate::flags::ControllerManagerFlags;
use crate::objects::Node;
use arcstr::ArcStr;
use std::collections::BTreeMap;
use stuckvm_detector::Time;

/// How a zone fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ZoneState {
    /// Not looked at yet.
    Initial,
    /// Evictions at the normal rate.
    Normal,
    /// No node is ready.
    FullDisruption,
    /// Many nodes are not ready.
    PartialDisruption,
}

/// How many nodes of a zone are ready, and how many are not.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ZoneCount {
    pub(super) ready: usize,
    pub(super) not_ready: usize,
}

/// What the states of all zones ask for beyond new rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disruption {
    /// Nothing.
    Unchanged,
    /// No node of the cluster is ready any more: stop all evictions.
    Enters,
    /// Some node is ready again.
    Exits,
}

/// Every zone with its state and the queue of its nodes.
#[derive(Debug, Default)]
pub(super) struct Zones {
    states: BTreeMap<ArcStr, ZoneState>,
    tainters: BTreeMap<ArcStr, Tainter>,
}

impl ZoneCount {
    fn state(self, flags: &ControllerManagerFlags) -> ZoneState {
        let Self { ready, not_ready } = self;
        let share = not_ready as f32 / (not_ready + ready) as f32;
        match self {
            _ if ready == 0 && not_ready > 0 => ZoneState::FullDisruption,
            _ if not_ready > 2 && share >= flags.unhealthy_zone_threshold => ZoneState::PartialDisruption,
            _ => ZoneState::Normal,
        }
    }

    /// Nodes a second that may be tainted in a zone of this size and state.
    fn rate(self, state: ZoneState, flags: &ControllerManagerFlags) -> f32 {
        let large = self.ready + self.not_ready > flags.large_cluster_size_threshold;
        match state {
            ZoneState::PartialDisruption if large => flags.secondary_node_eviction_rate,
            ZoneState::PartialDisruption => 0.0,
            _ => flags.node_eviction_rate,
        }
    }
}

impl Zones {
    /// Gets to know a zone (`addPodEvictorForNewZone`).
    pub(super) fn add(&mut self, zone: ArcStr, flags: &ControllerManagerFlags) {
        if !self.states.contains_key(&zone) {
            self.tainters.insert(zone.clone(), Tainter::new(flags.node_eviction_rate));
            self.states.insert(zone, ZoneState::Initial);
        }
    }

    /// Whether the zone is known.
    pub(super) fn contains(&self, zone: &str) -> bool {
        self.states.contains_key(zone)
    }

    /// The queue of a zone.
    pub(super) fn tainter(&mut self, zone: &str) -> Option<&mut Tainter> {
        self.tainters.get_mut(zone)
    }

    /// The queues of all zones.
    pub(super) fn tainters(&mut self) -> impl Iterator<Item = &mut Tainter> {
        self.tainters.values_mut()
    }

    /// Works out the states anew and sets the rates that follow (`handleDisruption`).
    pub(super) fn update(
        &mut self,
        counts: &BTreeMap<ArcStr, ZoneCount>,
        flags: &ControllerManagerFlags,
        now: Time,
    ) -> Disruption {
        let new: BTreeMap<&ArcStr, ZoneState> =
            counts.iter().map(|(zone, count)| (zone, count.state(flags))).collect();
        for zone in counts.keys() {
            self.add(zone.clone(), flags);
        }
        self.states.retain(|zone, _| counts.contains_key(zone));
        let all_are = new.values().all(|state| *state == ZoneState::FullDisruption);
        let all_were = self.states.values().all(|state| *state == ZoneState::FullDisruption);
        match (all_were, all_are) {
            (true, true) => Disruption::Unchanged,
            (false, true) => {
                self.stop(now);
                Disruption::Enters
            }
            (true, false) => {
                self.set_rates(counts, flags, now, |_, _| true);
                Disruption::Exits
            }
            (false, false) => {
                self.set_rates(counts, flags, now, |old, new| old != new);
                Disruption::Unchanged
            }
        }
    }

    fn stop(&mut self, now: Time) {
        for (zone, state) in &mut self.states {
            *state = ZoneState::FullDisruption;
            if let Some(tainter) = self.tainters.get_mut(zone) {
                tainter.swap_limiter(0.0, now);
            }
        }
    }

    fn set_rates(
        &mut self,
        counts: &BTreeMap<ArcStr, ZoneCount>,
        flags: &ControllerManagerFlags,
        now: Time,
        wanted: impl Fn(ZoneState, ZoneState) -> bool,
    ) {
        for (zone, state) in &mut self.states {
            let count = counts[zone];
            let new = count.state(flags);
            if wanted(*state, new) {
                *state = new;
                let tainter = self.tainters.get_mut(zone).expect("every zone has a queue");
                tainter.swap_limiter(count.rate(new, flags), now);
            }
        }
    }
}

/// Region and zone of a node (`GetZoneKey`); empty where it has neither.
pub(super) fn zone_key(node: &Node) -> ArcStr {
    let label = |names: [&str; 2]| {
        let found = names.into_iter().find_map(|name| node.metadata.labels.get(name));
        found.map_or("", |value| value.as_str())
    };
    let zone = label(["topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"]);
    let region = label(["topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"]);
    if zone.is_empty() && region.is_empty() {
        return ArcStr::new();
    }
    arcstr::format!("{region}:\0:{zone}")
}

#[cfg(test)]
mod tests {
    use super::{ZoneCount, ZoneState};
    use crate::flags::ControllerManagerFlags;

    #[test]
    fn a_zone_is_unhealthy_from_three_nodes_and_eleven_twentieths_on() {
        let state =
            |not_ready, ready| ZoneCount { ready, not_ready }.state(&ControllerManagerFlags::default());
        assert_eq!(state(2, 1), ZoneState::Normal);
        assert_eq!(state(3, 2), ZoneState::PartialDisruption);
        assert_eq!(state(11, 9), ZoneState::PartialDisruption);
        assert_eq!(state(6, 5), ZoneState::Normal);
        assert_eq!(state(1, 0), ZoneState::FullDisruption);
    }
}
