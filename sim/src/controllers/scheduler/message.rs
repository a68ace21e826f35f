//! FIT ERROR: the text that says why no node does.
//!
//! kube-scheduler 1.36.2: `FitError` of `pkg/scheduler/framework/types.go`.

use super::cycle::{CycleState, Refusal};
use super::node_info::NodeInfo;
use super::plugins::node_resources_fit::lacking_scalars;
use super::pod_info::PodInfo;
use super::snapshot::{Slot, Snapshot};
use super::status::{Plugin, PluginSet, Reason, ReasonSet, Rejection};
use std::fmt::Write as _;

/// The nodes that PreFilter has left out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Absent {
    /// How many they are.
    pub(super) nodes: usize,
    /// Who is named for them.
    pub(super) plugins: PluginSet,
}

impl Absent {
    /// None but NodeAffinity leaves nodes out. What a nominated node is rejected by comes into the same set of names
    /// (`evaluateNominatedNode` notes it before the text is made).
    pub(super) fn new(nodes: usize, nominated: Option<Rejection>) -> Self {
        let mut plugins = PluginSet::only(Plugin::NodeAffinity);
        if let Some(rejection) = nominated {
            plugins.insert(rejection.plugin());
        }
        Self { nodes, plugins }
    }

    /// What is said of each.
    pub(super) fn text(self) -> String {
        format!("node(s) didn't satisfy plugin(s) [{}]", self.plugins.names().join(" "))
    }
}

/// No node does.
#[derive(Debug)]
pub(super) struct FitError {
    /// Number of nodes.
    pub(super) nodes: usize,
    /// Why.
    pub(super) diagnosis: Diagnosis,
}

/// Who rejected the pod.
#[derive(Debug)]
pub(super) enum Diagnosis {
    /// A plugin refused before any node was looked at.
    PreFilter(Refusal),
    /// The filters rejected every node.
    Filter {
        /// The nodes that were looked at.
        rejected: Vec<(Slot, Rejection)>,
        /// Those that were not.
        absent: Absent,
        /// What the plugins had computed.
        state: Box<CycleState>,
    },
}

impl FitError {
    /// A plugin refused before any node was looked at.
    pub(super) fn refused(nodes: usize, refusal: Refusal) -> Self {
        Self { nodes, diagnosis: Diagnosis::PreFilter(refusal) }
    }

    /// The filters rejected every node.
    pub(super) fn filtered(
        nodes: usize,
        rejected: Vec<(Slot, Rejection)>,
        absent: Absent,
        state: CycleState,
    ) -> Self {
        Self { nodes, diagnosis: Diagnosis::Filter { rejected, absent, state: Box::new(state) } }
    }

    /// The plugins whose events may help.
    pub(super) fn rejectors(&self) -> PluginSet {
        match &self.diagnosis {
            Diagnosis::PreFilter(refusal) => PluginSet::only(refusal.plugin),
            Diagnosis::Filter { rejected, absent, .. } => {
                let mut plugins = PluginSet::default();
                rejected.iter().for_each(|(_, rejection)| plugins.insert(rejection.plugin()));
                if absent.nodes > 0 {
                    plugins.insert(Plugin::NodeAffinity);
                }
                plugins
            }
        }
    }

    /// The text, `after` being what the PostFilter plugins say.
    pub(super) fn text(&self, snapshot: &Snapshot, pod: &PodInfo, after: &str) -> String {
        let mut text = match &self.diagnosis {
            Diagnosis::PreFilter(refusal) => self.refused_text(refusal, snapshot),
            Diagnosis::Filter { rejected, absent, .. } => {
                let mut histogram = Histogram::default();
                for (slot, rejection) in rejected {
                    histogram.add((*slot, snapshot.node(*slot)), pod, rejection);
                }
                let mut parts = histogram.parts(snapshot, pod);
                if absent.nodes > 0 {
                    parts.push(format!("{} {}", absent.nodes, absent.text()));
                }
                sentence(self.nodes, parts)
            }
        };
        if !after.is_empty() {
            text.push(' ');
            text.push_str(after);
        }
        text
    }

    /// Before 1.25 every node had the refusal as its own status.
    fn refused_text(&self, refusal: &Refusal, snapshot: &Snapshot) -> String {
        let (nodes, message) = (self.nodes, &refusal.message);
        if snapshot.profile.prefilter_message {
            return format!("0/{nodes} nodes are available: {message}.");
        }
        format!("0/{nodes} nodes are available: {nodes} {message}.")
    }
}

/// `0/N nodes are available: ` and the parts in byte order.
pub(super) fn sentence(nodes: usize, mut parts: Vec<String>) -> String {
    parts.sort_unstable();
    let mut text = format!("0/{nodes} nodes are available:");
    if !parts.is_empty() {
        let _ = write!(text, " {}.", parts.join(", "));
    }
    text
}

/// How many nodes each reason keeps away.
#[derive(Debug)]
pub(super) struct Histogram {
    /// By the place of the reason.
    counts: Vec<u32>,
    tainted: Vec<Slot>,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; ReasonSet::SHARED], tainted: Vec::new() }
    }
}

impl Histogram {
    /// Counts a node, which is as it was when it rejected the pod.
    pub(super) fn add(&mut self, (slot, node): (Slot, &NodeInfo), pod: &PodInfo, rejection: &Rejection) {
        if rejection.plugin() == Plugin::TaintToleration {
            self.tainted.push(slot);
        }
        places(rejection, node, pod).for_each(|place| self.count(place));
    }

    fn count(&mut self, place: usize) {
        if place >= self.counts.len() {
            self.counts.resize(place + 1, 0);
        }
        self.counts[place] += 1;
    }

    /// Counts nodes that have no status of their own.
    pub(super) fn add_many(&mut self, reason: Reason, nodes: usize) {
        self.counts[reason as usize] += u32::try_from(nodes).expect("fewer than 2^32 nodes");
    }

    /// `<count> <reason>` for each reason.
    pub(super) fn parts(&self, snapshot: &Snapshot, pod: &PodInfo) -> Vec<String> {
        let mut parts = Vec::new();
        let names_taint = snapshot.profile.names_taint;
        for (place, count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            if place == Reason::UntoleratedTaint as usize && names_taint {
                parts.extend(self.taints(snapshot, pod));
            } else {
                parts.push(format!("{count} {}", reason_text(place, snapshot, pod)));
            }
        }
        parts
    }

    fn taints(&self, snapshot: &Snapshot, pod: &PodInfo) -> Vec<String> {
        let mut texts = std::collections::BTreeMap::<String, u32>::new();
        for slot in &self.tainted {
            *texts.entry(named_taint(*slot, snapshot, pod)).or_insert(0) += 1;
        }
        texts.into_iter().map(|(text, count)| format!("{count} {text}")).collect()
    }
}

/// Why one node does not do.
pub(super) fn reasons(
    (slot, rejection): &(Slot, Rejection),
    snapshot: &Snapshot,
    pod: &PodInfo,
) -> Vec<String> {
    if rejection.plugin() == Plugin::TaintToleration && snapshot.profile.names_taint {
        return vec![named_taint(*slot, snapshot, pod)];
    }
    let node = snapshot.node(*slot);
    places(rejection, node, pod).map(|place| reason_text(place, snapshot, pod)).collect()
}

/// The places of a node's reasons, those that share a bit told apart.
fn places(rejection: &Rejection, node: &NodeInfo, pod: &PodInfo) -> impl Iterator<Item = usize> {
    let reasons = rejection.reasons();
    let crowded = reasons.is_crowded().then(|| lacking_scalars(&pod.needs.requests, node));
    let crowded = crowded.into_iter().flatten().map(|scalar| Reason::TEXTS.len() + scalar);
    let own = reasons.places().filter(|place| *place < ReasonSet::SHARED);
    own.chain(crowded.filter(|place| *place >= ReasonSet::SHARED))
}

/// The older wording names the first taint that is not tolerated.
fn named_taint(slot: Slot, snapshot: &Snapshot, pod: &PodInfo) -> String {
    let taints = &snapshot.node(slot).node.as_ref().expect("a node that was looked at").spec.taints;
    let taint = super::taint_sets::untolerated(taints, &pod.pod.spec.tolerations);
    let taint = taint.expect("the plugin has found one");
    format!("node(s) had untolerated taint {{{}: {}}}", taint.key, taint.value)
}

fn reason_text(place: usize, snapshot: &Snapshot, pod: &PodInfo) -> String {
    if place == Reason::VolumeNodeAffinity as usize && !snapshot.profile.volume_affinity_wording {
        return "node(s) had volume node affinity conflict".into();
    }
    match Reason::TEXTS.get(place) {
        Some(text) => (*text).into(),
        None => {
            let (scalar, _) = pod.needs.requests.scalars[place - Reason::TEXTS.len()];
            format!("Insufficient {}", snapshot.scalars.name(scalar))
        }
    }
}
