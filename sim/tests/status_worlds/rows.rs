//! How to change a world so that a row of the table holds, and no row before it that did not hold already.

use stuckvm_detector::PrintableStatus;

use crate::world::{DataVolume, Instance, Migration, Owner, PAST, Volume, VolumeKind, Wants, World};

/// A row: its status, and a change that makes it hold.
pub(crate) type Row = (PrintableStatus, fn(&mut World));

/// The rows in upstream's order (`setPrintableStatus`), written down from there and not from the model.
pub(crate) const ROWS: [Row; 17] = [
    (PrintableStatus::Terminating, |world| world.deleting = true),
    (PrintableStatus::Stopping, |world| {
        let instance = own_instance(world);
        instance.deleting = true;
        if matches!(instance.phase, "Failed" | "Succeeded") {
            instance.phase = "Running";
        }
    }),
    (PrintableStatus::Migrating, |world| {
        own_instance(world).migration = Some(Migration { start: Some(PAST), end: None });
    }),
    (PrintableStatus::Paused, |world| {
        let instance = own_instance(world);
        (instance.phase, instance.paused) = ("Running", Some("True"));
    }),
    (PrintableStatus::Running, |world| {
        let instance = own_instance(world);
        (instance.phase, instance.paused) = ("Running", None);
    }),
    (PrintableStatus::PvcNotFound, |world| synchronized(world, "FailedPvcNotFound")),
    (PrintableStatus::DataVolumeError, |world| add_volume(world, Some("Failed"), None)),
    (PrintableStatus::Unschedulable, |world| {
        own_instance(world).scheduled = Some(("False", "Unschedulable"))
    }),
    (PrintableStatus::Provisioning, |world| add_volume(world, Some("ImportInProgress"), None)),
    (PrintableStatus::WaitingForVolumeBinding, |world| {
        world.wants = Wants::strategy("Always");
        add_volume(world, None, Some("Pending"));
    }),
    (PrintableStatus::ErrImagePull, |world| synchronized(world, "ErrImagePull")),
    (PrintableStatus::ImagePullBackOff, |world| synchronized(world, "ImagePullBackOff")),
    (PrintableStatus::Starting, |world| own_instance(world).phase = "Scheduled"),
    // Not set to start, and yet of a strategy whose failures count.
    (PrintableStatus::CrashLoopBackOff, |world| {
        (world.instance, world.failures) = (None, Some(1));
        (world.wants, world.wanted) = (Wants::strategy("RerunOnFailure"), "RerunOnFailure");
        world.requests.clear();
    }),
    (PrintableStatus::Stopped, |world| {
        (world.instance, world.wants) = (None, Wants::strategy("Halted"));
    }),
    (PrintableStatus::WaitingForReceiver, |world| {
        own_instance(world).phase = "WaitingForSync";
        world.wants = Wants::strategy("WaitAsReceiver");
    }),
    (PrintableStatus::Unknown, |world| own_instance(world).phase = "Unknown"),
];

/// The machine's own instance, which stays; a new one where there is none. A machine with an instance that had none may
/// be set to start by that, which `Halted` prevents.
fn own_instance(world: &mut World) -> &mut Instance {
    world.wants = Wants::strategy("Halted");
    let owned = world.instance.take().filter(is_own);
    let instance = world.instance.insert(owned.unwrap_or(Instance::new()));
    (instance.owner, instance.deleting) = (Owner::Machine, false);
    instance
}

/// Whether the instance counts, of a machine that is not being deleted.
fn is_own(instance: &Instance) -> bool {
    match instance.owner {
        Owner::Machine => true,
        Owner::Nobody => !instance.deleting,
        Owner::Another => false,
    }
}

fn synchronized(world: &mut World, reason: &'static str) {
    own_instance(world).synchronized = Some(("False", reason));
}

fn add_volume(world: &mut World, data_volume: Option<&'static str>, claim: Option<&'static str>) {
    let kind = if data_volume.is_some() { VolumeKind::DataVolume } else { VolumeKind::Claim };
    let data_volume = data_volume.map(|phase| DataVolume { phase, bound: None, running: None });
    world.volumes.push(Volume { kind, templated: false, data_volume, claim });
}
