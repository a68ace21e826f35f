//! The in-tree volume plugins that are left, host-path and NFS, and what they can do: `pkg/volume/{plugins.go,hostpath,nfs}`.

use super::migration::MIGRATED_TO;
use crate::objects::PersistentVolume;

const HOST_PATH: &str = "kubernetes.io/host-path";
const NFS: &str = "kubernetes.io/nfs";

/// Who makes volumes of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Provisioner {
    /// Someone outside of this controller.
    External,
    /// The host-path plugin.
    HostPath,
}

/// Who deletes a volume's backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deleter {
    /// Someone outside of this controller.
    External,
    /// The host-path plugin.
    HostPath,
}

/// Finds who makes volumes for a provisioner's name; `Err` is why nobody does.
pub(super) fn provisioner(name: &str) -> Result<Provisioner, String> {
    match name {
        HOST_PATH => Ok(Provisioner::HostPath),
        _ if super::migration::csi_name(name).is_some() || !name.starts_with("kubernetes.io/") => {
            Ok(Provisioner::External)
        }
        NFS => Err("no provisionable volume plugin matched".to_owned()),
        _ => Err(format!("no volume plugin matched name: {name}")),
    }
}

/// Finds who deletes a volume that this provisioner made, or that nobody made; `Err` is why nobody does.
pub(super) fn deleter(volume: &PersistentVolume, provisioned_by: Option<&str>) -> Result<Deleter, String> {
    match provisioned_by.filter(|name| !name.is_empty()) {
        Some(HOST_PATH) => return Ok(Deleter::HostPath),
        Some(NFS) => return Err("no deletable volume plugin matched".to_owned()),
        Some(name) if name.starts_with("kubernetes.io/") => {
            return Err(format!("no volume plugin matched name: {name}"));
        }
        Some(_) => return Ok(Deleter::External),
        None => {}
    }
    let has = |source| volume.spec.rest.get(source).is_some_and(|value| !value.is_null());
    if volume.metadata.annotations.contains_key(MIGRATED_TO) || has("csi") {
        return Ok(Deleter::External);
    }
    if has("hostPath") {
        return Ok(Deleter::HostPath);
    }
    let why = if has("nfs") { "no deletable volume plugin matched" } else { "no volume plugin matched" };
    Err(format!("error getting deleter volume plugin for volume \"{}\": {why}", volume.metadata.name))
}

/// Whether a plugin can scrub a volume for its next claim.
pub(super) fn is_recyclable(volume: &PersistentVolume) -> bool {
    ["hostPath", "nfs"]
        .iter()
        .any(|source| volume.spec.rest.get(source).is_some_and(|value| !value.is_null()))
}

/// Deletes the backend of a host-path volume: only below /tmp.
pub(super) fn delete_host_path(volume: &PersistentVolume) -> Result<(), String> {
    let source = volume.spec.rest.get("hostPath").filter(|source| !source.is_null());
    let Some(source) = source else {
        return Err(format!(
            "failed to create deleter for volume \"{}\": spec.PersistentVolumeSource.HostPath is nil",
            volume.metadata.name
        ));
    };
    let path = source.get("path").and_then(serde_json::Value::as_str).unwrap_or("");
    // Upstream's pattern is not anchored.
    match path.split_once("/tmp/") {
        Some((_, below)) if !below.is_empty() => Ok(()),
        _ => Err(format!("host_path deleter only supports /tmp/.+ but received provided {path}")),
    }
}
