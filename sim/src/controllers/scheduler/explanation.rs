//! EXPLANATION: of each node, why it does not do or what it scores, for people who ask.

use super::cycle::{Chosen, Failure};
use super::message::{Absent, Diagnosis, reasons};
use super::pod_info::PodInfo;
use super::score::ScoreSheet;
use super::snapshot::{Slot, Snapshot};
use super::status::{Plugin, Rejection};
use arcstr::ArcStr;
use std::collections::BTreeSet;

/// What one attempt made of each node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeByNode {
    /// The nodes that do not do, by name.
    pub rejected: Vec<RejectedNode>,
    /// The total of each feasible node, by name; empty where fewer than two are feasible.
    pub scores: Vec<(ArcStr, i64)>,
    /// The weighted score that each plugin gives each feasible node, by name.
    pub parts: Vec<(ArcStr, Vec<(&'static str, i64)>)>,
    /// The feasible nodes in the order of evaluation, where scores tie and that order decides.
    pub order: Vec<ArcStr>,
}

/// Why a node does not do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RejectedNode {
    /// The node.
    pub node: ArcStr,
    /// The first plugin of the profile that rejects it; those behind it are not asked.
    pub plugin: &'static str,
    /// The plugin's reasons, in the words of the message.
    pub reasons: Vec<ArcStr>,
}

impl NodeByNode {
    /// Of a pod that has found a node.
    pub(super) fn of_chosen(snapshot: &Snapshot, pod: &PodInfo, chosen: &Chosen) -> Self {
        let left_out = Absent::new(0, None);
        let rejected = rejected(snapshot, pod, (&chosen.rejected, left_out), &chosen.feasible);
        let Some(sheet) = &chosen.scores else { return Self { rejected, ..Self::default() } };
        let order: Vec<ArcStr> = chosen.feasible.iter().map(|slot| name(snapshot, *slot)).collect();
        let mut scores: Vec<_> = order.iter().cloned().zip(sheet.totals.iter().copied()).collect();
        scores.sort_unstable();
        let parts = parts(snapshot, &order, sheet);
        let order = if sheet.tied().len() > 1 && !chosen.narrowed { order } else { Vec::new() };
        Self { rejected, scores, parts, order }
    }

    /// Of a pod that has found none.
    pub(super) fn of_failure(snapshot: &Snapshot, pod: &PodInfo, failure: &Failure) -> Self {
        let rejected = match failure {
            Failure::NoNodes | Failure::Error(_) => Vec::new(),
            Failure::Unfit(error) => match &error.diagnosis {
                Diagnosis::Filter { rejected: nodes, absent, .. } => {
                    rejected(snapshot, pod, (nodes, *absent), &[])
                }
                Diagnosis::PreFilter(refusal) => {
                    let each = snapshot.order().iter().map(|slot| RejectedNode {
                        node: name(snapshot, *slot),
                        plugin: refusal.plugin.as_str(),
                        reasons: vec![refusal.message.clone()],
                    });
                    sorted(each.collect())
                }
            },
        };
        Self { rejected, ..Self::default() }
    }
}

/// The nodes that the filters rejected, and those that PreFilter has left out before them.
fn rejected(
    snapshot: &Snapshot,
    pod: &PodInfo,
    (rejected, left_out): (&[(Slot, Rejection)], Absent),
    feasible: &[Slot],
) -> Vec<RejectedNode> {
    let filtered = rejected.iter().map(|entry| RejectedNode {
        node: name(snapshot, entry.0),
        plugin: entry.1.plugin().as_str(),
        reasons: reasons(entry, snapshot, pod).into_iter().map(ArcStr::from).collect(),
    });
    let seen: BTreeSet<Slot> = rejected.iter().map(|(slot, _)| slot).chain(feasible).copied().collect();
    let absent = snapshot.order().iter().filter(|slot| !seen.contains(slot)).map(|slot| RejectedNode {
        node: name(snapshot, *slot),
        plugin: Plugin::NodeAffinity.as_str(),
        reasons: vec![ArcStr::from(left_out.text())],
    });
    sorted(filtered.chain(absent).collect())
}

/// Plugins that give 0 to every node stand there too.
fn parts(
    snapshot: &Snapshot,
    order: &[ArcStr],
    sheet: &ScoreSheet,
) -> Vec<(ArcStr, Vec<(&'static str, i64)>)> {
    let mut silent = vec![Plugin::ImageLocality];
    if snapshot.profile.dynamic_resources {
        silent.push(Plugin::DynamicResources);
    }
    silent.retain(|plugin| sheet.parts.iter().all(|(found, _)| found != plugin));
    let of_node = |at: usize| {
        let spoken = sheet.parts.iter().map(|(plugin, scores)| (plugin.as_str(), scores[at]));
        let mut parts: Vec<_> = spoken.chain(silent.iter().map(|plugin| (plugin.as_str(), 0))).collect();
        parts.sort_unstable();
        parts
    };
    let mut parts: Vec<_> = order.iter().enumerate().map(|(at, name)| (name.clone(), of_node(at))).collect();
    parts.sort_unstable();
    parts
}

fn sorted(mut nodes: Vec<RejectedNode>) -> Vec<RejectedNode> {
    nodes.sort_unstable();
    nodes
}

fn name(snapshot: &Snapshot, slot: Slot) -> ArcStr {
    snapshot.node(slot).name.clone()
}
