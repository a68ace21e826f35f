//! The volumes of a launcher, KubeVirt main 2026-08 (`d923fdb815cd`):
//! `pkg/virt-controller/services/rendervolumes.go`. Only those that the scheduler, the volume controllers or the kubelet
//! act on: claims and images. Empty directories, cloud-init data and the like are ready at once.

use super::{LAUNCHER_IMAGE, disk_images};
use crate::objects::{
    ContainerDisk, PersistentVolumeClaimSource, PodVolume, Rest, VirtualMachineInstanceSpec, VmVolume,
};
use crate::release::KubeVirtRelease;
use arcstr::ArcStr;
use serde_json::{Value, json};

/// Claims in the order of the instance's volumes, then images, which are volumes since main.
pub(super) fn render(spec: &VirtualMachineInstanceSpec, release: KubeVirtRelease) -> Vec<PodVolume> {
    let mut volumes: Vec<PodVolume> = spec.volumes.iter().filter_map(claim).collect();
    if !release.profile().image_volumes {
        return volumes;
    }
    let images = disk_images::of(spec);
    volumes.extend(images.iter().map(|(name, disk)| image(name.clone(), disk)));
    if !images.is_empty() {
        let launcher = ContainerDisk { image: LAUNCHER_IMAGE, ..ContainerDisk::default() };
        volumes.push(image(arcstr::literal!("launcher-volume"), &launcher));
    }
    volumes
}

/// The claim of a volume, by its own name or its DataVolume's.
fn claim(volume: &VmVolume) -> Option<PodVolume> {
    let claim_name = volume.claim_name()?.clone();
    let source = volume.persistent_volume_claim.as_ref();
    let read_only = source.and_then(|source| source.rest.get("readOnly")).and_then(Value::as_bool);
    let source = PersistentVolumeClaimSource { claim_name, read_only: read_only.unwrap_or(false) };
    Some(PodVolume {
        name: volume.name.clone(),
        persistent_volume_claim: Some(source),
        ..PodVolume::default()
    })
}

fn image(name: ArcStr, disk: &ContainerDisk) -> PodVolume {
    let policy = if disk.image_pull_policy.is_empty() { "IfNotPresent" } else { &disk.image_pull_policy };
    let mut rest = Rest::default();
    rest.insert("image", json!({ "reference": disk.image.as_str(), "pullPolicy": policy }));
    PodVolume { name, rest, ..PodVolume::default() }
}
