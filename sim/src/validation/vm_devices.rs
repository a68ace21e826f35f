//! Disks and volumes of a virtual machine, KubeVirt main of August 2026: `pkg/storage/admitters/disks.go`, and `validateBootOrder`,
//! `validateVolumes` and `validateVirtualMachineInstanceSpecVolumeDisks` of `vmi-create-admitter.go`.

use super::field::Field;
use super::field_error::Errors;
use super::names::dns1123_label;
use std::collections::BTreeSet;

/// What a volume may be of.
const VOLUME_SOURCES: [&str; 16] = [
    "persistentVolumeClaim",
    "cloudInitNoCloud",
    "cloudInitConfigDrive",
    "sysprep",
    "containerDisk",
    "ephemeral",
    "emptyDisk",
    "hostDisk",
    "dataVolume",
    "configMap",
    "secret",
    "downwardAPI",
    "serviceAccount",
    "downwardMetrics",
    "memoryDump",
    "containerPath",
];

/// Buses that a disk may hang on.
const BUSES: [&str; 4] = ["virtio", "scsi", "sata", "usb"];

/// Every disk has a volume of its name; an empty CD-ROM drive is behind a feature that is off.
pub(super) fn disks_have_volumes(spec: &Field<'_>, errors: &mut Errors) {
    let names = names(&spec.child("volumes"));
    let mut orders = BTreeSet::new();
    super::visit(spec, "domain.devices.disks[]", &mut |disk| {
        let name = disk.child("name");
        if !names.contains(name.text()) {
            let message = if disk.child("cdrom").is_set() {
                "DeclarativeHotplugVolumes feature gate not enabled, cannot define an empty CD-ROM disk"
                    .to_owned()
            } else {
                format!("{} '{}' not found.", disk.child("Name").path(), name.text())
            };
            errors.cause(&name, message);
        }
        let order = disk.child("bootOrder");
        if order.number().is_some_and(|number| !orders.insert(number)) {
            let message = format!("Boot order for {} already set for a different device.", order.path());
            errors.cause(&order, message);
        }
    });
}

/// Every volume has a disk or a file system of its name. Upstream's path has `domain` before `volumes`.
pub(super) fn volumes_have_disks(spec: &Field<'_>, errors: &mut Errors) {
    let domain = spec.child("domain");
    let devices = domain.child("devices");
    let mut known = names(&devices.child("disks"));
    known.extend(names(&devices.child("filesystems")));
    for (index, volume) in spec.child("volumes").items().enumerate() {
        let name = volume.child("name");
        if volume.child("memoryDump").is_set() || known.contains(name.text()) {
            continue;
        }
        let shown = format!("{}[{index}].name", domain.child("volumes").path());
        errors.cause(&name, format!("{shown} '{}' not found.", name.text())).shown_as(shown);
    }
}

/// `ValidateDisks`.
pub(super) fn disks(at: &Field<'_>, errors: &mut Errors) {
    same_names(at, errors);
    for disk in at.items() {
        let targets = ["disk", "lun", "cdrom"].map(|name| disk.child(name));
        if targets.iter().filter(|target| target.is_set()).count() > 1 {
            errors.cause(&disk, format!("{} can only have a single target type defined", disk.path()));
        }
        let order = disk.child("bootOrder");
        if order.number().is_some_and(|number| number < 1) {
            errors.cause(&order, format!("{} must have a boot order > 0, if supplied", disk.path()));
        }
        for target in targets.iter().filter(|target| target.is_set()).take(1) {
            bus(&disk, target, errors);
        }
        let name = disk.child("name");
        for message in dns1123_label(name.text()) {
            errors.cause(&name, message);
        }
    }
}

fn bus(disk: &Field<'_>, target: &Field<'_>, errors: &mut Errors) {
    let bus = target.child("bus");
    let message = match bus.text() {
        "" => return,
        "ide" => "IDE bus is not supported".to_owned(),
        "virtio" if disk.child("cdrom").is_set() => "Bus type virtio is invalid for CD-ROM device".to_owned(),
        known if BUSES.contains(&known) => return,
        other => {
            let known = BUSES.join(" ");
            format!("{} is set with an unrecognized bus {other}, must be one of: [{known}]", disk.path())
        }
    };
    errors.cause(&bus, message);
}

/// `validateVolumes`.
pub(super) fn volumes(at: &Field<'_>, errors: &mut Errors) {
    same_names(at, errors);
    for volume in at.items() {
        let sources = VOLUME_SOURCES.iter().filter(|source| volume.child(source).is_set());
        if sources.count() != 1 {
            errors.cause(&volume, format!("{} must have exactly one source type set", volume.path()));
        }
        let data_volume = volume.child("dataVolume");
        let name = data_volume.child("name");
        if data_volume.is_set() && name.is_empty() {
            errors.cause(&name, "DataVolume 'name' must be set").shown_as(volume.child("name").path());
        }
    }
}

fn same_names(at: &Field<'_>, errors: &mut Errors) {
    let mut first: Vec<(&str, String)> = Vec::new();
    let items: Vec<Field<'_>> = at.items().collect();
    for item in &items {
        let name = item.child("name");
        match first.iter().find(|(known, _)| *known == name.text()) {
            Some((_, other)) => {
                let message = format!("{} and {other} must not have the same Name.", item.path());
                errors.cause(&name, message);
            }
            None => first.push((name.text(), item.path())),
        }
    }
}

fn names(list: &Field<'_>) -> BTreeSet<String> {
    list.items().map(|item| item.child("name").text().to_owned()).collect()
}
