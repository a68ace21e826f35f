//! NODE TREE: the order in which nodes are looked at, zone by zone in turn.
//!
//! kube-scheduler 1.36.2: `pkg/scheduler/backend/cache/node_tree.go`.

use crate::objects::StrMap;
use arcstr::ArcStr;

/// The nodes by zone; zones in the order of their first node, nodes in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct NodeTree {
    zones: Vec<Zone>,
}

#[derive(Debug)]
struct Zone {
    key: ZoneKey,
    nodes: Vec<u32>,
}

/// Region and zone.
type ZoneKey = (ArcStr, ArcStr);

impl NodeTree {
    /// Adds a node by its slot.
    pub(super) fn add(&mut self, slot: u32, labels: &StrMap) {
        let key = zone_key(labels);
        match self.zones.iter_mut().find(|zone| zone.key == key) {
            Some(zone) => zone.nodes.push(slot),
            None => self.zones.push(Zone { key, nodes: vec![slot] }),
        }
    }

    /// Removes a node; a zone without nodes goes.
    pub(super) fn remove(&mut self, slot: u32) {
        for zone in &mut self.zones {
            zone.nodes.retain(|found| *found != slot);
        }
        self.zones.retain(|zone| !zone.nodes.is_empty());
    }

    /// The first node of each zone, then the second of each, and so on.
    pub(super) fn list(&self) -> Vec<u32> {
        let rounds = self.zones.iter().map(|zone| zone.nodes.len()).max().unwrap_or(0);
        let round = |at: usize| self.zones.iter().filter_map(move |zone| zone.nodes.get(at).copied());
        (0..rounds).flat_map(round).collect()
    }
}

/// Whether two sets of labels mean the same zone.
pub(super) fn same_zone(a: &StrMap, b: &StrMap) -> bool {
    zone_key(a) == zone_key(b)
}

/// The beta labels are read before the stable ones.
fn zone_key(labels: &StrMap) -> ZoneKey {
    let first = |beta, stable| labels.get(beta).or_else(|| labels.get(stable)).cloned().unwrap_or_default();
    (
        first("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"),
        first("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"),
    )
}

#[cfg(test)]
mod tests {
    use super::NodeTree;
    use crate::objects::StrMap;

    #[test]
    fn zones_take_turns() {
        let zone = |name: &str| StrMap::from_iter([("topology.kubernetes.io/zone", name)]);
        let mut tree = NodeTree::default();
        for (slot, name) in ["a", "a", "b", "a"].into_iter().enumerate() {
            tree.add(slot as u32, &zone(name));
        }
        assert_eq!(tree.list(), [0, 2, 1, 3]);
        tree.remove(2);
        assert_eq!(tree.list(), [0, 1, 3]);
    }
}
