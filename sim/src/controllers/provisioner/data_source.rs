//! What a claim wants in its new volume: nothing, a copy, or something that somebody else puts there.
//!
//! external-provisioner 6.x: `pkg/controller/controller.go` (`prepareProvision`, `getPVCSource`, `getSnapshotSource`).

use crate::context::Context;
use crate::objects::{PersistentVolumeClaim, VolumeSnapshot};

/// Who fills the volume.
pub(super) enum Content {
    /// Nobody: it is empty.
    Empty,
    /// The driver, from another claim of the namespace.
    Claim(String),
    /// The driver, from a snapshot of the namespace.
    Snapshot(String),
    /// A populator, which provides the volume as well.
    Populator,
}

impl Content {
    /// `dataSourceRef`, or `dataSource` where a claim has only that.
    pub(super) fn of(claim: &PersistentVolumeClaim) -> Self {
        let (kind, name) = match (&claim.spec.data_source_ref, claim.spec.rest.get("dataSource")) {
            (Some(source), _) => (source.kind.as_str(), source.name.as_str()),
            (None, Some(source)) => {
                let text = |field| source.get(field).and_then(serde_json::Value::as_str).unwrap_or_default();
                (text("kind"), text("name"))
            }
            (None, None) => return Self::Empty,
        };
        match kind {
            "PersistentVolumeClaim" => Self::Claim(name.to_owned()),
            "VolumeSnapshot" => Self::Snapshot(name.to_owned()),
            _ => Self::Populator,
        }
    }

    /// Why the driver cannot copy it now.
    pub(super) fn obstacle(&self, cx: &Context<'_>, namespace: &str) -> Option<String> {
        let (kind, name, why) = match self {
            Self::Empty | Self::Populator => return None,
            Self::Claim(name) => ("PersistentVolumeClaim", name, claim_obstacle(cx, namespace, name)?),
            Self::Snapshot(name) => ("VolumeSnapshot", name, snapshot_obstacle(cx, namespace, name)?),
        };
        Some(format!("error getting handle for DataSource Type {kind} by Name {name}: {why}"))
    }
}

fn claim_obstacle(cx: &Context<'_>, namespace: &str, name: &str) -> Option<String> {
    match cx.view().named::<PersistentVolumeClaim>(namespace, name) {
        None => Some(format!(
            "error getting PVC {name} (namespace \"{namespace}\") from api server: persistentvolumeclaim \"{name}\" \
             not found"
        )),
        Some((_, claim)) if claim.status.phase != "Bound" => {
            let phase = &claim.status.phase;
            Some(format!("the PVC DataSource {name} must have a status of Bound.  Got {phase}"))
        }
        Some(_) => None,
    }
}

fn snapshot_obstacle(cx: &Context<'_>, namespace: &str, name: &str) -> Option<String> {
    match cx.view().named::<VolumeSnapshot>(namespace, name) {
        None => Some(format!(
            "error getting snapshot {name} from api server: volumesnapshots.snapshot.storage.k8s.io \"{name}\" not \
             found"
        )),
        Some((_, snapshot)) if !snapshot.is_ready() => Some(format!("snapshot {name} is not Ready")),
        Some(_) => None,
    }
}
