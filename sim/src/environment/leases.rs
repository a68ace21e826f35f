//! The heartbeats of the nodes: leases in `kube-node-lease`, renewed by every live kubelet.
//!
//! A hundred thousand renewals say nothing, so none is an object. A live machine counts as renewed at any instant; of a
//! lost one the last renewal is kept. Whoever plays the kubelets gives the renewals one by one instead.

use arcstr::ArcStr;
use std::collections::BTreeMap;
use stuckvm_detector::Time;

/// What the leases tell of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heartbeat {
    /// It has no lease.
    None,
    /// It renews every ten seconds.
    Live,
    /// It was lost; this was its last renewal.
    Silent(Time),
    /// Its lease was renewed at this instant, by whoever plays its kubelet.
    Renewed(Time),
}

/// The leases of the nodes.
#[derive(Debug, Default)]
pub struct Leases {
    /// Last renewal of the machines that are lost.
    silent: BTreeMap<ArcStr, Time>,
    /// Renewals that are played; `None` where the machines renew by themselves.
    played: Option<BTreeMap<ArcStr, Time>>,
}

impl Leases {
    /// From now on no machine renews by itself: leases are what [`Leases::renew`] makes them.
    pub fn play(&mut self) {
        self.played.get_or_insert_default();
    }

    /// Creates or renews the lease of a node, as its kubelet does.
    ///
    /// # Panics
    ///
    /// Unless leases are played.
    pub fn renew(&mut self, node: impl Into<ArcStr>, at: Time) {
        let played = self.played.as_mut().expect("leases are played");
        played.insert(node.into(), at);
    }

    /// Deletes the lease of a node.
    ///
    /// # Panics
    ///
    /// Unless leases are played.
    pub fn remove(&mut self, node: &str) {
        self.played.as_mut().expect("leases are played").remove(node);
    }

    /// Whether the renewals are played, so that a node can fall silent without notice.
    pub fn are_played(&self) -> bool {
        self.played.is_some()
    }

    /// What the leases tell of a node.
    pub fn heartbeat(&self, node: &str) -> Heartbeat {
        match &self.played {
            Some(played) => played.get(node).map_or(Heartbeat::None, |at| Heartbeat::Renewed(*at)),
            None => self.silent.get(node).map_or(Heartbeat::Live, |last| Heartbeat::Silent(*last)),
        }
    }

    /// A machine is lost whose last renewal was then; one that is lost already keeps its own.
    pub(crate) fn silence(&mut self, node: &str, last: Time) {
        self.silent.entry(node.into()).or_insert(last);
    }

    /// A machine renews again.
    pub(crate) fn resume(&mut self, node: &str) {
        self.silent.remove(node);
    }
}

#[cfg(test)]
mod tests {
    use super::{Heartbeat, Leases};
    use stuckvm_detector::Time;

    #[test]
    fn a_lost_machine_keeps_its_first_last_renewal_until_it_is_back() {
        let mut leases = Leases::default();
        assert_eq!(leases.heartbeat("a"), Heartbeat::Live);
        leases.silence("a", Time::from_secs(3));
        leases.silence("a", Time::from_secs(9));
        assert_eq!(leases.heartbeat("a"), Heartbeat::Silent(Time::from_secs(3)));
        leases.resume("a");
        assert_eq!(leases.heartbeat("a"), Heartbeat::Live);
    }

    #[test]
    fn played_leases_are_what_was_played() {
        let mut leases = Leases::default();
        leases.play();
        assert_eq!(leases.heartbeat("a"), Heartbeat::None);
        leases.renew("a", Time::from_secs(3));
        assert_eq!(leases.heartbeat("a"), Heartbeat::Renewed(Time::from_secs(3)));
        leases.remove("a");
        assert_eq!(leases.heartbeat("a"), Heartbeat::None);
    }
}
