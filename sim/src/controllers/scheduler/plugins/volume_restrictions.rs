//! VolumeRestrictions: disks and claims that only one pod may use. Kubernetes 1.36.2: `plugins/volumerestrictions`.

use crate::controllers::scheduler::cycle::Refusal;
use crate::controllers::scheduler::node_info::NodeInfo;
use crate::controllers::scheduler::pod_info::PodInfo;
use crate::controllers::scheduler::snapshot::Snapshot;
use crate::controllers::scheduler::status::{Plugin, Reason, Rejection};
use crate::controllers::scheduler::storage::ClaimKey;
use crate::objects::PodVolume;
use serde_json::Value;

/// The pod's claims that only one pod may use.
#[derive(Clone, Debug, Default)]
pub(in crate::controllers::scheduler) struct State {
    exclusive: Vec<ClaimKey>,
    /// How many of them some pod uses.
    conflicts: i64,
    /// PreFilter has skipped the pod: the plugin neither filters nor hears of other pods.
    skipped: bool,
}

/// Looks the claims up, and refuses the pod where one is missing.
pub(in crate::controllers::scheduler) fn pre_filter(
    snapshot: &Snapshot,
    pod: &PodInfo,
) -> Result<State, Refusal> {
    let mut state = State::default();
    if !pod.needs.claims {
        return Ok(state);
    }
    let namespace = &pod.pod.metadata.namespace;
    let sources = pod.pod.spec.volumes.iter().filter_map(|volume| volume.persistent_volume_claim.as_ref());
    for source in sources {
        let name = &source.claim_name;
        let Some(claim) = snapshot.storage.claim(namespace, name) else {
            let message = arcstr::format!("persistentvolumeclaim \"{name}\" not found");
            return Err(Refusal { plugin: Plugin::VolumeRestrictions, message });
        };
        let key = (namespace.clone(), name.clone());
        if claim.spec.access_modes.iter().any(|mode| mode == "ReadWriteOncePod")
            && !state.exclusive.contains(&key)
        {
            state.conflicts += i64::from(snapshot.storage.is_used(&key));
            state.exclusive.push(key);
        }
    }
    state.skipped = snapshot.profile.skips_for_good && state.is_silent(pod);
    Ok(state)
}

impl State {
    /// Rejects a node with a pod that has the disk; rejects every node while some pod has the claim.
    pub(in crate::controllers::scheduler) fn filter(
        &self,
        snapshot: &Snapshot,
        pod: &PodInfo,
        node: &NodeInfo,
    ) -> Result<(), Rejection> {
        if pod.needs.disks && node.disks > 0 {
            let there = node.pods.iter().flat_map(|id| &snapshot.pod_or_nominated(*id).pod.spec.volumes);
            let conflict =
                |had: &PodVolume| pod.pod.spec.volumes.iter().any(|wanted| share_disk(wanted, had));
            if there.into_iter().any(conflict) {
                return Err(Rejection::unschedulable(Plugin::VolumeRestrictions, Reason::Disk));
            }
        }
        if self.conflicts > 0 && !self.skipped {
            return Err(Rejection::unschedulable(Plugin::VolumeRestrictions, Reason::ReadWriteOncePod));
        }
        Ok(())
    }

    /// Whether no node is rejected as things are.
    pub(in crate::controllers::scheduler) fn is_silent(&self, pod: &PodInfo) -> bool {
        self.conflicts == 0 && !pod.needs.disks
    }

    /// Counts a pod that comes (+1) or goes (-1).
    pub(in crate::controllers::scheduler) fn update(&mut self, other: &PodInfo, change: i64) {
        if self.skipped || self.exclusive.is_empty() || !other.needs.claims {
            return;
        }
        let namespace = &other.pod.metadata.namespace;
        let sources =
            other.pod.spec.volumes.iter().filter_map(|volume| volume.persistent_volume_claim.as_ref());
        let shared = sources.filter(|source| {
            self.exclusive.iter().any(|(ns, name)| ns == namespace && *name == source.claim_name)
        });
        self.conflicts += change * i64::try_from(shared.count()).expect("few claims");
    }
}

/// Whether two volumes are one disk that both cannot have; two readers may, except on EBS.
pub(in crate::controllers::scheduler) fn share_disk(a: &PodVolume, b: &PodVolume) -> bool {
    let both = |disk: &str| Some((a.rest.get(disk)?, b.rest.get(disk)?));
    let writer = |(a, b): &(&Value, &Value)| !(is_read_only(a) && is_read_only(b));
    let same = |field: &'static str| move |(a, b): &(&Value, &Value)| a.get(field) == b.get(field);
    both("gcePersistentDisk").filter(writer).is_some_and(|pair| same("pdName")(&pair))
        || both("awsElasticBlockStore").is_some_and(|pair| same("volumeID")(&pair))
        || both("iscsi").filter(writer).is_some_and(|pair| same("iqn")(&pair))
        || both("rbd").filter(writer).is_some_and(|(a, b)| same_rbd(a, b))
}

fn is_read_only(disk: &Value) -> bool {
    disk.get("readOnly").and_then(Value::as_bool).unwrap_or(false)
}

fn same_rbd(a: &Value, b: &Value) -> bool {
    let pool = |disk: &Value| disk.get("pool").and_then(Value::as_str).unwrap_or("rbd").to_owned();
    let monitors = |disk: &Value| disk.get("monitors").and_then(Value::as_array).cloned().unwrap_or_default();
    let theirs = monitors(b);
    monitors(a).iter().any(|monitor| theirs.contains(monitor))
        && pool(a) == pool(b)
        && a.get("image") == b.get("image")
}
