//! How much a detector has seen and said since it began.

/// Totals since the beginning, restarts from a snapshot included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Counters {
    /// Statuses and deletions taken in, repeats included.
    pub observations: u64,
    /// Those among them that changed a machine's status.
    pub transitions: u64,
    /// `firing` alerts raised.
    pub firing: u64,
    /// `resolved` alerts raised.
    pub resolved: u64,
    /// Observations whose status was a word that this version does not know.
    pub unknown_words: u64,
}
