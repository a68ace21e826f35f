//! What of a pod's volumes is to be mounted, Kubernetes 1.36.2:
//! `pkg/kubelet/volumemanager/populator/desired_state_of_world_populator.go` (`createVolumeSpec`). Claims and volumes are read from
//! the API server itself.

use crate::controllers::pvc_protection::PVC_PROTECTION;
use crate::kind::{Kind, Resource};
use crate::objects::{Container, PersistentVolume, PersistentVolumeClaim, Pod, PodVolume};
use crate::store::{ApiError, View};
use std::sync::Arc;

const MOUNTS: &str = "volumeMounts";
const DEVICES: &str = "volumeDevices";

/// The places of the volumes that a container mounts (`getExpectedVolumes`).
///
/// Launchers and CDI's pods are made without mounts, since nothing else reads them; they mount all that they have.
pub(super) fn expected(pod: &Pod) -> Vec<usize> {
    let says_nothing = containers(pod)
        .all(|container| container.rest.get(MOUNTS).is_none() && container.rest.get(DEVICES).is_none());
    let is_used = |name: &str| says_nothing || is_named(pod, MOUNTS, name) || is_named(pod, DEVICES, name);
    let volumes = pod.spec.volumes.iter().enumerate();
    volumes.filter(|(_, volume)| is_used(&volume.name)).map(|(index, _)| index).collect()
}

/// The volume behind one of a pod; `None`: it is none of a claim. The error is what the pod's event tells. Whether the kubelet
/// `spares` a claim that is being deleted while it is protected, is a matter of its release.
pub(super) fn persistent_volume<'a>(
    server: View<'a>,
    pod: &Pod,
    volume: &PodVolume,
    spares: bool,
) -> Result<Option<&'a Arc<PersistentVolume>>, String> {
    let Some(claim_name) = volume.claim_name(&pod.metadata.name) else { return Ok(None) };
    let namespace = &pod.metadata.namespace;
    let told = |error| format!("error processing PVC {namespace}/{claim_name}: {error}");
    let claim = bound_claim(server, namespace, &claim_name, spares).map_err(told)?;
    let is_owner = claim.metadata.controller().is_some_and(|owner| owner.uid == pod.metadata.uid);
    if volume.persistent_volume_claim.is_none() && !is_owner {
        let pod = &pod.metadata.name;
        return Err(format!(
            "PVC {namespace}/{claim_name} was not created for pod {namespace}/{pod} (pod is not owner)"
        ));
    }
    let found = volume_of(server, claim).map_err(told)?;
    check_mode(pod, volume, found)?;
    Ok(Some(found))
}

/// `getPVCExtractPV`.
fn bound_claim<'a>(
    server: View<'a>,
    namespace: &str,
    name: &str,
    spares: bool,
) -> Result<&'a PersistentVolumeClaim, String> {
    let found = server.named::<PersistentVolumeClaim>(namespace, name);
    let (_, claim) = found.ok_or_else(|| unfetched::<PersistentVolumeClaim>("PVC", name))?;
    let is_protected = claim.metadata.finalizers.iter().any(|finalizer| finalizer == PVC_PROTECTION);
    let spared = is_protected && spares;
    if claim.metadata.is_deleting() && !spared {
        return Err("PVC is being deleted".to_owned());
    }
    if claim.status.phase != "Bound" {
        return Err("PVC is not bound".to_owned());
    }
    if claim.spec.volume_name.is_empty() {
        return Err("PVC has empty pvc.Spec.VolumeName".to_owned());
    }
    Ok(claim)
}

/// `getPVSpec`.
fn volume_of<'a>(
    server: View<'a>,
    claim: &PersistentVolumeClaim,
) -> Result<&'a Arc<PersistentVolume>, String> {
    let name = claim.spec.volume_name.as_str();
    let found = server.named::<PersistentVolume>("", name);
    let (_, volume) = found.ok_or_else(|| unfetched::<PersistentVolume>(&format!("PV {name}"), name))?;
    let Some(reference) = &volume.spec.claim_ref else {
        return Err(format!(
            "found PV object {name} but it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the claim"
        ));
    };
    if reference.uid != claim.metadata.uid {
        return Err(format!(
            "found PV object {name} but its pv.Spec.ClaimRef.UID {} does not point to claim.UID {}",
            reference.uid, claim.metadata.uid
        ));
    }
    Ok(volume)
}

fn unfetched<T: Resource>(what: &str, name: &str) -> String {
    let error = ApiError::NotFound { kind: T::KIND, name: name.into() };
    debug_assert!(
        matches!(T::KIND, Kind::PersistentVolumeClaim | Kind::PersistentVolume),
        "others have caches"
    );
    format!("failed to fetch {what} from API server: {error}")
}

/// A block device is no directory, and the other way round.
fn check_mode(pod: &Pod, volume: &PodVolume, found: &PersistentVolume) -> Result<(), String> {
    let name = &volume.name;
    let mode = found.spec.volume_mode.as_deref().unwrap_or("Filesystem");
    let misused = match mode {
        "Filesystem" => DEVICES,
        _ => MOUNTS,
    };
    if is_named(pod, misused, name) {
        return Err(format!("volume {name} has volumeMode {mode}, but is specified in {misused}"));
    }
    Ok(())
}

fn containers(pod: &Pod) -> impl Iterator<Item = &Container> {
    pod.spec.init_containers.iter().chain(&pod.spec.containers)
}

fn is_named(pod: &Pod, list: &str, name: &str) -> bool {
    let lists = containers(pod).filter_map(|container| container.rest.get(list)?.as_array());
    lists.flatten().any(|mount| mount["name"].as_str() == Some(name))
}
