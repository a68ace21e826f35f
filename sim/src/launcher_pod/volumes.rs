//! The volumes of a launcher, KubeVirt main 2026-08 (`d923fdb815cd`):
//! `pkg/virt-controller/services/rendervolumes.go`. Only those that the scheduler, the volume controllers or the kubelet
//! act on: Secrets, ConfigMaps, claims and images. Empty directories and the like are ready at once.

use super::{LAUNCHER_IMAGE, disk_images};
use crate::objects::{
    ContainerDisk, PersistentVolumeClaimSource, PodVolume, Rest, VirtualMachineInstanceSpec, VmVolume,
};
use crate::release::KubeVirtRelease;
use arcstr::ArcStr;
use serde::Deserialize;
use serde_json::{Value, json};

/// Secrets and ConfigMaps, then claims and what guests are set up with in the order of the instance's volumes, then
/// credentials, then images, which are volumes since main.
pub(super) fn render(spec: &VirtualMachineInstanceSpec, release: KubeVirtRelease) -> Vec<PodVolume> {
    let mut volumes: Vec<PodVolume> = spec.volumes.iter().filter_map(files).collect();
    volumes.extend(spec.volumes.iter().flat_map(|volume| claim(volume).into_iter().chain(set_up(volume))));
    volumes.extend(credentials(spec));
    if !release.profile().image_volumes {
        return volumes;
    }
    let images = disk_images::of(spec);
    volumes.extend(images.iter().map(|(name, disk)| image(name.clone(), disk)));
    if !images.is_empty() {
        let image_pull_policy = arcstr::literal!("IfNotPresent");
        let launcher = ContainerDisk { image: LAUNCHER_IMAGE, image_pull_policy, ..ContainerDisk::default() };
        volumes.push(image(arcstr::literal!("launcher-volume"), &launcher));
    }
    volumes
}

/// A Secret or ConfigMap that the guest sees as a disk (`withVMIConfigVolumes`).
fn files(volume: &VmVolume) -> Option<PodVolume> {
    let (kind, name) = [("secret", "secretName"), ("configMap", "name")]
        .into_iter()
        .find(|(kind, _)| volume.rest.get(kind).is_some_and(Value::is_object))?;
    let given = volume.rest.get(kind)?;
    let mut source = json!({ name: given[name] });
    if given["optional"].is_boolean() {
        source["optional"] = given["optional"].clone();
    }
    Some(of_kind(volume.name.clone(), kind, source))
}

/// What a guest is set up with: `handleCloudInitNoCloud`, `handleCloudInitConfigDrive`, `handleSysprep`.
fn set_up(volume: &VmVolume) -> Vec<PodVolume> {
    const REFERENCES: [(&str, &str); 3] =
        [("secretRef", "udata"), ("networkDataSecretRef", "ndata"), ("metaDataSecretRef", "mdata")];
    if let Some(sysprep) = volume.rest.get("sysprep") {
        let (kind, key) =
            if sysprep["secret"].is_object() { ("secret", "secretName") } else { ("configMap", "name") };
        return vec![of_kind(volume.name.clone(), kind, json!({ key: sysprep[kind]["name"] }))];
    }
    let cloud_init = ["cloudInitNoCloud", "cloudInitConfigDrive"].map(|kind| volume.rest.get(kind));
    let Some(cloud_init) = cloud_init.into_iter().flatten().next() else { return Vec::new() };
    let references = REFERENCES.into_iter().filter(|(reference, _)| cloud_init[reference].is_object());
    let secret = |(reference, suffix): (&str, &str)| {
        let name = arcstr::format!("{}-{suffix}", volume.name);
        of_kind(name, "secret", json!({ "secretName": cloud_init[reference]["name"] }))
    };
    references.map(secret).collect()
}

/// Keys and passwords (`withAccessCredentials`).
fn credentials(spec: &VirtualMachineInstanceSpec) -> impl Iterator<Item = PodVolume> {
    let credentials = spec.rest.get("accessCredentials").and_then(Value::as_array).into_iter().flatten();
    credentials.filter_map(|credential| {
        let named =
            |kind: &str| credential.get(kind)?.pointer("/source/secret/secretName").and_then(Value::as_str);
        let name = named("sshPublicKey").or_else(|| named("userPassword")).filter(|name| !name.is_empty())?;
        Some(of_kind(arcstr::format!("{name}-access-cred"), "secret", json!({ "secretName": name })))
    })
}

/// The claim of a volume, by its own name, its DataVolume's, or as what lies below a disk of which nothing stays. What may be
/// plugged in comes in a pod of its own.
fn claim(volume: &VmVolume) -> Option<PodVolume> {
    let below = volume.rest.get("ephemeral").and_then(|source| source.get("persistentVolumeClaim"));
    let below = below.and_then(|source| PersistentVolumeClaimSource::deserialize(source).ok());
    let source = below.or_else(|| {
        let renders = volume.is_claim() && !volume.is_hot_pluggable();
        let claim_name = volume.claim_name().filter(|_| renders)?.clone();
        let source = volume.persistent_volume_claim.as_ref();
        let read_only = source.and_then(|source| source.rest.get("readOnly")).and_then(Value::as_bool);
        Some(PersistentVolumeClaimSource { claim_name, read_only: read_only.unwrap_or(false) })
    })?;
    Some(PodVolume {
        name: volume.name.clone(),
        persistent_volume_claim: Some(source),
        ..PodVolume::default()
    })
}

fn image(name: ArcStr, disk: &ContainerDisk) -> PodVolume {
    let mut source = json!({ "reference": disk.image.as_str() });
    if !disk.image_pull_policy.is_empty() {
        source["pullPolicy"] = json!(disk.image_pull_policy);
    }
    of_kind(name, "image", source)
}

fn of_kind(name: ArcStr, kind: &str, source: Value) -> PodVolume {
    let mut rest = Rest::default();
    rest.insert(kind, source);
    PodVolume { name, rest, ..PodVolume::default() }
}

#[cfg(test)]
mod tests {
    use super::render;
    use crate::objects::VirtualMachineInstanceSpec;
    use crate::release::KubeVirtRelease;
    use serde_json::{Value, json};

    #[test]
    fn what_a_guest_reads_becomes_a_volume_of_its_launcher() {
        let spec: VirtualMachineInstanceSpec = serde_json::from_value(json!({
            "domain": {},
            "volumes": [
                { "name": "root", "persistentVolumeClaim": { "claimName": "c" } },
                { "name": "init", "cloudInitNoCloud": { "secretRef": { "name": "user" }, "networkDataSecretRef": { "name": "net" } } },
                { "name": "answers", "sysprep": { "configMap": { "name": "unattend" } } },
                { "name": "plain", "cloudInitConfigDrive": { "userData": "x" } },
                { "name": "app", "configMap": { "name": "app-config", "optional": true } },
                { "name": "keys", "secret": { "secretName": "app-keys" } },
            ],
            "accessCredentials": [{ "sshPublicKey": { "source": { "secret": { "secretName": "ssh" } } } }],
        }))
        .expect("a spec");
        let rendered = serde_json::to_value(render(&spec, KubeVirtRelease::Main2026_08)).expect("volumes");
        let expected: Value = json!([
            { "name": "app", "configMap": { "name": "app-config", "optional": true } },
            { "name": "keys", "secret": { "secretName": "app-keys" } },
            { "name": "root", "persistentVolumeClaim": { "claimName": "c" } },
            { "name": "init-udata", "secret": { "secretName": "user" } },
            { "name": "init-ndata", "secret": { "secretName": "net" } },
            { "name": "answers", "configMap": { "name": "unattend" } },
            { "name": "ssh-access-cred", "secret": { "secretName": "ssh" } },
        ]);
        assert_eq!(rendered, expected);
    }
}
