//! virt-controller's metrics as a scraper from outside meets them: whether scrapes are answered, and by which pod.
//!
//! KubeVirt `pkg/virt-controller/watch/application.go`, `onStartedLeading`: informers start in the pod that leads, so the others
//! know of no virtual machine and export none.

/// What becomes of scrapes while virt-controller runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scrapes {
    /// They are answered.
    #[default]
    Answered,
    /// They are made and fail, as when a network policy or a certificate is in the way.
    Fail,
    /// They are not made, as when Prometheus is overloaded: nobody notes that anything is missing.
    Missed,
}

/// The exporter of virt-controller.
#[derive(Debug, Default)]
pub struct Exporter {
    /// What becomes of scrapes.
    pub scrapes: Scrapes,
    leader: usize,
}

impl Exporter {
    /// Which pod of virt-controller leads, counted from 0.
    #[must_use]
    pub const fn leader(&self) -> usize {
        self.leader
    }

    /// The pod that led is gone for good, and the next one leads.
    pub fn elect(&mut self) {
        self.leader += 1;
    }
}
