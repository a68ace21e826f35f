//! Which nodes match which selectors, remembered: pods of one template ask the same thing again and again.

use super::plugins::node_affinity::matches_required;
use super::snapshot::Snapshot;
use crate::objects::{NodeSelector, PodSpec};
use std::sync::Arc;

/// Verdicts by slot for the selectors met last.
#[derive(Debug, Default)]
pub(super) struct NodeMatches {
    /// Most recently used last.
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    /// A spec with the selector.
    spec: Arc<PodSpec>,
    /// Filled in when the selector is met for the second time; with the revision of the labels.
    verdicts: Option<(u64, Arc<[bool]>)>,
}

const REMEMBERED: usize = 16;

impl NodeMatches {
    /// The verdicts by slot for a pod's selector; `None` when it is met for the first time.
    pub(super) fn of(&mut self, snapshot: &Snapshot, spec: &Arc<PodSpec>) -> Option<Arc<[bool]>> {
        let Some(at) = self.entries.iter().rposition(|entry| same_selector(&entry.spec, spec)) else {
            if self.entries.len() == REMEMBERED {
                self.entries.remove(0);
            }
            self.entries.push(Entry { spec: Arc::clone(spec), verdicts: None });
            return None;
        };
        let revision = snapshot.labels_revision();
        let mut entry = self.entries.remove(at);
        let verdicts = match entry.verdicts.take() {
            Some((known, verdicts)) if known == revision => verdicts,
            _ => evaluate(snapshot, spec),
        };
        entry.verdicts = Some((revision, Arc::clone(&verdicts)));
        self.entries.push(entry);
        Some(verdicts)
    }
}

fn evaluate(snapshot: &Snapshot, spec: &PodSpec) -> Arc<[bool]> {
    let matches = |node| matches_required(spec, node);
    snapshot.nodes.iter().map(|info| info.node.as_deref().is_some_and(matches)).collect()
}

/// Whether two pods ask for the same labels.
pub(super) fn same_selector(a: &PodSpec, b: &PodSpec) -> bool {
    a.node_selector == b.node_selector && required(a) == required(b)
}

/// The required node affinity of a pod.
pub(super) fn required(spec: &PodSpec) -> Option<&NodeSelector> {
    spec.affinity.as_ref()?.node_affinity.as_ref()?.required.as_ref()
}
