//! What the importer pod mounts. Without a Secret or ConfigMap that it names, it does not start.
//!
//! CDI main 2026-08: `pkg/controller/import-controller.go` (`makeImporterVolumeSpec`).

use super::pod::{is_node_import, rest, source};
use super::scratch;
use crate::controllers::cdi::annotations as ann;
use crate::controllers::cdi::claims::Claim;
use crate::objects::{PersistentVolumeClaimSource, PodVolume, Rest};
use arcstr::ArcStr;
use serde_json::json;
use std::sync::LazyLock;

pub(super) const SCRATCH_VOLUME: &str = "cdi-scratch-vol";

/// In upstream's order. Headers from Secrets come in the order of their annotations, upstream in any.
pub(super) fn of(claim: &Claim, needs_scratch: bool) -> Vec<PodVolume> {
    let kind = source(claim);
    let text = |annotation: ArcStr| claim.annotation(&annotation).cloned().unwrap_or_default();
    let mut volumes = vec![claim_volume("cdi-data-vol", &claim.object.metadata.name)];
    if is_node_import(claim) {
        volumes.push(empty_volume("shared-volume"));
    }
    if needs_scratch {
        volumes.push(claim_volume(SCRATCH_VOLUME, &scratch::name(claim)));
    }
    if kind == "vddk" {
        volumes.push(empty_volume("vddk-vol-mount"));
        volumes.extend(config_map("vddk-extra-args", &text(ann::VDDK_EXTRA_ARGS)));
    }
    if kind == "none" {
        return volumes;
    }
    volumes.extend(config_map("cdi-cert-vol", &text(ann::CERT_CONFIG_MAP)));
    if kind == "gcs" {
        volumes.extend(secret("cdi-secret-vol".into(), &text(ann::SECRET)));
    }
    let annotations = claim.object.metadata.annotations.iter();
    let headers = annotations.filter(|(key, _)| key.starts_with(ann::SECRET_EXTRA_HEADERS.as_str()));
    for (index, (_, name)) in headers.enumerate() {
        volumes.extend(secret(arcstr::format!("cdi-secret-extra-headers-vol-{index}"), name));
    }
    volumes
}

static EMPTY_DIR: LazyLock<Rest> = LazyLock::new(|| rest("emptyDir", json!({})));

fn empty_volume(name: &'static str) -> PodVolume {
    PodVolume { name: name.into(), rest: EMPTY_DIR.clone(), ..PodVolume::default() }
}

fn claim_volume(name: &'static str, claim: &ArcStr) -> PodVolume {
    let source = PersistentVolumeClaimSource { claim_name: claim.clone(), read_only: false };
    PodVolume { name: name.into(), persistent_volume_claim: Some(source), ..PodVolume::default() }
}

/// None where no ConfigMap is named.
fn config_map(volume: &'static str, name: &ArcStr) -> Option<PodVolume> {
    let rest = rest("configMap", json!({ "name": name.as_str() }));
    (!name.is_empty()).then(|| PodVolume { name: volume.into(), rest, ..PodVolume::default() })
}

/// None where no Secret is named.
fn secret(volume: ArcStr, name: &ArcStr) -> Option<PodVolume> {
    let rest = rest("secret", json!({ "secretName": name.as_str() }));
    (!name.is_empty()).then(|| PodVolume { name: volume, rest, ..PodVolume::default() })
}
