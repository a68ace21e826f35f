//! The API server as its clients meet it: how long it takes to answer, and who else writes.

use crate::kind::Kind;
use arcstr::ArcStr;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What is slow and what is contended, by controller.
#[derive(Debug, Default)]
pub struct ApiServer {
    latency: BTreeMap<ArcStr, Duration>,
    contended: BTreeSet<(ArcStr, Kind)>,
}

impl ApiServer {
    /// Requests of this controller take so long; zero makes them fast again.
    pub fn slow(&mut self, controller: &str, latency: Duration) {
        if latency.is_zero() {
            self.latency.remove(controller);
        } else {
            self.latency.insert(controller.into(), latency);
        }
    }

    /// How long requests of this controller take; none where that is no time at all.
    pub fn latency(&self, controller: &str) -> Option<Duration> {
        if self.latency.is_empty() { None } else { self.latency.get(controller).copied() }
    }

    /// Another client writes every object of this kind just before the controller does.
    pub fn contend(&mut self, controller: impl Into<ArcStr>, kind: Kind) {
        self.contended.insert((controller.into(), kind));
    }

    /// The other client is gone.
    pub fn relent(&mut self, controller: impl Into<ArcStr>, kind: Kind) {
        self.contended.remove(&(controller.into(), kind));
    }

    /// Whether another client writes first.
    pub fn is_contended(&self, controller: &str, kind: Kind) -> bool {
        !self.contended.is_empty() && self.contended.contains(&(controller.into(), kind))
    }
}
