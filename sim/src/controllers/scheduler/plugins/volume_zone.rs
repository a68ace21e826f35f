//! VolumeZone: a volume with a zone label is reached from that zone only. Kubernetes 1.36.2: `plugins/volumezone`.

use crate::controllers::scheduler::cycle::Refusal;
use crate::controllers::scheduler::node_info::NodeInfo;
use crate::controllers::scheduler::pod_info::PodInfo;
use crate::controllers::scheduler::snapshot::Snapshot;
use crate::controllers::scheduler::status::{Plugin, Reason, Rejection};
use crate::objects::StrMap;
use arcstr::ArcStr;

/// Labels that say where a volume or a node is.
const TOPOLOGY: [&str; 4] = [
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
];

/// The zones of the pod's volumes: a label and its values, joined by `__`.
#[derive(Clone, Debug, Default)]
pub(in crate::controllers::scheduler) struct State(Vec<(&'static str, ArcStr)>);

/// Looks the volumes up, and refuses the pod where one is missing.
pub(in crate::controllers::scheduler) fn pre_filter(
    snapshot: &Snapshot,
    pod: &PodInfo,
) -> Result<State, Refusal> {
    let mut state = State::default();
    if !pod.needs.claims {
        return Ok(state);
    }
    let refuse = |message| Err(Refusal { plugin: Plugin::VolumeZone, message });
    let sources = pod.pod.spec.volumes.iter().filter_map(|volume| volume.persistent_volume_claim.as_ref());
    for source in sources {
        let claim = snapshot.storage.claim(&pod.pod.metadata.namespace, &source.claim_name);
        let claim = claim.expect("VolumeRestrictions has found it");
        let name = &claim.spec.volume_name;
        if name.is_empty() {
            // VolumeBinding has let it pass: its volume is made, or chosen, for the node.
            continue;
        }
        let Some(volume) = snapshot.storage.volume(name) else {
            return refuse(arcstr::format!("persistentvolume \"{name}\" not found"));
        };
        state.0.extend(topologies(&volume.metadata.labels));
    }
    Ok(state)
}

impl State {
    /// Whether no node is rejected.
    pub(in crate::controllers::scheduler) fn is_silent(&self) -> bool {
        self.0.is_empty()
    }

    /// Rejects a node in another zone; nodes without any zone label do.
    pub(in crate::controllers::scheduler) fn filter(&self, node: &NodeInfo) -> Result<(), Rejection> {
        if self.is_silent() {
            return Ok(());
        }
        let labels = node.labels();
        if !TOPOLOGY.iter().any(|key| labels.contains_key(key)) {
            return Ok(());
        }
        let reached = |(key, values): &(&'static str, ArcStr)| {
            zone_of(labels, key).is_some_and(|zone| values.split("__").any(|value| value == zone))
        };
        if self.0.iter().all(reached) {
            return Ok(());
        }
        Err(Rejection::unresolvable(Plugin::VolumeZone, Reason::VolumeZone))
    }
}

/// `getPVTopologies`: the labels of a volume that can be read. A list of zones with an empty part cannot.
pub(in crate::controllers::scheduler) fn topologies(
    labels: &StrMap,
) -> impl Iterator<Item = (&'static str, ArcStr)> {
    let readable = |zones: &&ArcStr| zones.split("__").all(|zone| !zone.trim().is_empty());
    TOPOLOGY.into_iter().filter_map(move |key| Some((key, labels.get(key).filter(readable)?.clone())))
}

/// A beta key falls back on the stable one.
fn zone_of<'a>(labels: &'a StrMap, key: &str) -> Option<&'a ArcStr> {
    let stable = key.replace("failure-domain.beta", "topology");
    labels.get(key).or_else(|| labels.get(&stable))
}
