//! The different sets of taints that nodes have, so that a pod's tolerations are compared once a set, not once a node.

use crate::objects::{Taint, Toleration};

/// Sets of taints, numbered as they are met; 0 is the empty set.
#[derive(Debug)]
pub(super) struct TaintSets(Vec<Vec<Taint>>);

impl Default for TaintSets {
    fn default() -> Self {
        Self(vec![Vec::new()])
    }
}

impl TaintSets {
    /// The number of a set.
    pub(super) fn id(&mut self, taints: &[Taint]) -> u32 {
        let known = self.0.iter().position(|set| same(set, taints));
        let at = known.unwrap_or_else(|| {
            self.0.push(taints.to_vec());
            self.0.len() - 1
        });
        u32::try_from(at).expect("few sets of taints")
    }

    /// The sets in the order of their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[Taint]> {
        self.0.iter().map(Vec::as_slice)
    }
}

/// When a taint was added does not matter.
fn same(a: &[Taint], b: &[Taint]) -> bool {
    let alike = |(a, b): (&Taint, &Taint)| a.key == b.key && a.value == b.value && a.effect == b.effect;
    a.len() == b.len() && a.iter().zip(b).all(alike)
}

/// The first taint that forbids scheduling and that no toleration covers.
pub(super) fn untolerated<'a>(taints: &'a [Taint], tolerations: &[Toleration]) -> Option<&'a Taint> {
    let forbids = |taint: &&Taint| matches!(taint.effect.as_str(), "NoSchedule" | "NoExecute");
    taints.iter().filter(forbids).find(|taint| !tolerations.iter().any(|found| found.tolerates(taint)))
}
