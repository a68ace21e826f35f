//! `stuckvm schedule --explain`: of each node, which plugin rejects it and why, or what it scores.

use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use stuckvm_sim::{NodeByNode, Placement, RejectedNode};

/// The best nodes that the text shows; JSON has all.
const SHOWN: usize = 10;

/// The widest line; upstream's messages are never wrapped.
const WIDTH: usize = 80;

/// The keys that a line of JSON gets besides.
#[derive(Serialize)]
pub(super) struct Keys<'a> {
    /// By node: the plugin that rejects it, and its reasons.
    #[serde(serialize_with = "rejected")]
    rejected: &'a [RejectedNode],
    /// By feasible node: the total; none where only one is feasible, which nobody scores.
    scores: BTreeMap<&'a str, i64>,
    /// By feasible node and plugin: the weighted score.
    parts: BTreeMap<&'a str, BTreeMap<&'a str, i64>>,
    /// Where preemption would make room.
    nominated: Vec<&'a str>,
}

impl<'a> Keys<'a> {
    /// The keys, where each node was accounted for.
    pub(super) fn of(placement: &'a Placement) -> Option<Self> {
        let NodeByNode { rejected, scores, parts, .. } = placement.node_by_node.as_ref()?;
        let of_node = |parts: &'a [(&'static str, i64)]| parts.iter().copied().collect();
        Some(Self {
            rejected,
            scores: scores.iter().map(|(node, score)| (node.as_str(), *score)).collect(),
            parts: parts.iter().map(|(node, parts)| (node.as_str(), of_node(parts))).collect(),
            nominated: placement.nominated.iter().map(|node| node.as_str()).collect(),
        })
    }
}

fn rejected<S: Serializer>(nodes: &&[RejectedNode], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Why<'a> {
        plugin: &'a str,
        reasons: Vec<&'a str>,
    }
    serializer.collect_map(nodes.iter().map(|node| {
        let reasons = node.reasons.iter().map(|reason| reason.as_str()).collect();
        (node.node.as_str(), Why { plugin: node.plugin, reasons })
    }))
}

/// The same for people. Nodes that are rejected for the same reasons stand together, feasible ones best first.
pub(super) fn text(placement: &Placement) -> String {
    let node = placement.node.as_deref().map_or("no node".to_owned(), |node| format!("on {node}"));
    let mut text = format!("{}/{}: {node}", placement.namespace, placement.pod);
    if let Some(message) = &placement.message {
        let _ = write!(text, "\n  {message}");
    }
    let Some(nodes) = &placement.node_by_node else { return text };
    write_rejected(&mut text, &nodes.rejected);
    write_scores(&mut text, nodes);
    if let [only] = &placement.feasible[..] {
        let _ = write!(text, "\n  only {only} is left, so nothing is scored");
    }
    if placement.tied.len() > 1 {
        write_list(&mut text, "  equal: ", &names(&placement.tied));
    }
    if !placement.nominated.is_empty() {
        write_list(&mut text, "  preemption would make room on: ", &names(&placement.nominated));
    }
    text
}

fn write_rejected(text: &mut String, nodes: &[RejectedNode]) {
    let mut groups: BTreeMap<(&str, String), Vec<&str>> = BTreeMap::new();
    for node in nodes {
        groups.entry((node.plugin, names(&node.reasons).join(", "))).or_default().push(&node.node);
    }
    for ((plugin, reasons), nodes) in groups {
        let plural = if nodes.len() == 1 { "" } else { "s" };
        let _ = write!(text, "\n  {plugin} rejects {} node{plural}: {reasons}", nodes.len());
        write_list(text, "    ", &nodes);
    }
}

fn write_scores(text: &mut String, NodeByNode { scores, parts, .. }: &NodeByNode) {
    let mut best: Vec<usize> = (0..scores.len()).collect();
    best.sort_by_key(|at| std::cmp::Reverse(scores[*at].1));
    for at in best.iter().take(SHOWN) {
        let (node, total) = &scores[*at];
        let parts: Vec<String> =
            parts[*at].1.iter().map(|(plugin, score)| format!("{plugin} {score}")).collect();
        let _ = write!(text, "\n  {node} scores {total}");
        write_list(text, "    ", &parts.iter().map(String::as_str).collect::<Vec<_>>());
    }
    if best.len() > SHOWN {
        let _ =
            write!(text, "\n  {} more score less or the same; --format json shows all", best.len() - SHOWN);
    }
}

/// A list with commas, broken between its items.
fn write_list(text: &mut String, label: &str, items: &[&str]) {
    let mut line = label.to_owned();
    let mut fresh = true;
    for (at, item) in items.iter().enumerate() {
        let comma = if at + 1 < items.len() { "," } else { "" };
        if !fresh && line.chars().count() + 1 + item.chars().count() + comma.len() > WIDTH {
            let _ = write!(text, "\n{line}");
            (line, fresh) = ("    ".to_owned(), true);
        }
        let space = if fresh { "" } else { " " };
        let _ = write!(line, "{space}{item}{comma}");
        fresh = false;
    }
    let _ = write!(text, "\n{line}");
}

fn names(list: &[impl AsRef<str>]) -> Vec<&str> {
    list.iter().map(AsRef::as_ref).collect()
}
