//! The statuses of stored machines, without a cluster that runs.

use super::because::because;
use super::{Expected, Situation, printable_status};
use crate::cluster::Cluster;
use crate::config::Config;
use crate::controller::{Action, Controller};
use crate::controllers::virtual_machine::{NAME, Ownership, VirtualMachineController, ownership};
use crate::kind::{Kind, Object, ObjectId};
use crate::objects::{VirtualMachine, VirtualMachineInstance};
use crate::release::KubeVirtRelease;
use crate::store::ApiError;
use arcstr::ArcStr;
use std::sync::Arc;
use stuckvm_detector::{PrintableStatus, Time};

/// What virt-controller makes of one stored machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VmStatus {
    /// The machine's namespace.
    pub namespace: ArcStr,
    /// Its name.
    pub name: ArcStr,
    /// The status of the objects as they stand; never empty.
    pub status: PrintableStatus,
    /// Why that status holds.
    pub because: String,
    /// The status with the creation of the instance asked for and not yet seen.
    pub create_expected: PrintableStatus,
    /// The status with the deletion of the instance asked for and not yet seen.
    pub delete_expected: PrintableStatus,
    /// What a reconcile stores whose actions are skipped, because a DataVolume of the controller is outstanding.
    pub update_only: PrintableStatus,
    /// What a whole reconcile stores, which may start or stop the instance on the way.
    pub reconcile: PrintableStatus,
    /// Why the reconcile ends before the status, which then stays as it was stored.
    pub reconcile_fails: Option<ArcStr>,
}

/// The statuses of every VirtualMachine among stored objects, in their order, as virt-controller of `release` computes
/// them at `now` from nothing but these objects.
///
/// # Errors
///
/// Two objects of one kind have the same name.
pub fn statuses(objects: &[Object], release: KubeVirtRelease, now: Time) -> Result<Vec<VmStatus>, ApiError> {
    let config = Config { start: now, kubevirt: release, ..Config::default() };
    let (mut whole, vms) = stored(objects, &config, |_| VirtualMachineController::default())?;
    let (mut idle, _) = stored(objects, &config, |vms| {
        VirtualMachineController::expecting_data_volumes(vms.iter().copied(), now)
    })?;
    // Everything is read before anything is written; informers learn of writes later than now.
    let as_they_stand: Vec<_> = vms.iter().map(|vm| as_it_stands(&whole, *vm)).collect();
    let stored = vms.iter().zip(as_they_stand).map(|(vm, status)| {
        let (reconcile, reconcile_fails) = reconciled(&mut whole, *vm);
        let (update_only, _) = reconciled(&mut idle, *vm);
        VmStatus { update_only, reconcile, reconcile_fails, ..status }
    });
    Ok(stored.collect())
}

/// A cluster of these objects with the VM controller alone.
fn stored(
    objects: &[Object],
    config: &Config,
    controller: impl FnOnce(&[ObjectId]) -> VirtualMachineController,
) -> Result<(Cluster, Vec<ObjectId>), ApiError> {
    // Ids are dense and follow the order in which the objects are loaded.
    let count = objects.iter().filter(|object| object.kind() == Kind::VirtualMachine).count();
    let count = u32::try_from(count).expect("fewer than 2^32 machines");
    let vms: Vec<_> = (0..count).map(|index| ObjectId { kind: Kind::VirtualMachine, index }).collect();
    let controller: Box<dyn Controller> = Box::new(controller(&vms));
    let mut cluster = Cluster::with_controllers(config.clone(), |_| vec![controller]);
    let ids = cluster.load_unseen(objects.iter().map(kept))?;
    debug_assert!(ids.into_iter().filter(|id| id.kind == Kind::VirtualMachine).eq(vms.iter().copied()));
    Ok((cluster, vms))
}

/// A machine that the reconcile lets go stays readable, by a finalizer that nobody removes.
fn kept(object: &Object) -> Object {
    let Object::VirtualMachine(vm) = object else { return object.clone() };
    let mut vm = VirtualMachine::clone(vm);
    vm.metadata.add_finalizer(arcstr::literal!("stuckvm/stored"));
    Object::VirtualMachine(Arc::new(vm))
}

fn as_it_stands(cluster: &Cluster, id: ObjectId) -> VmStatus {
    let view = cluster.view();
    let vm = view.get::<VirtualMachine>(id).expect("a loaded machine is there");
    let (namespace, name) = (vm.metadata.namespace.clone(), vm.metadata.name.clone());
    let namesake = view.named::<VirtualMachineInstance>(&namespace, &name).map(|(_, vmi)| &**vmi);
    let vmi = namesake.filter(|vmi| ownership(&vm.metadata, &vmi.metadata) != Ownership::Foreign);
    let (release, now) = (cluster.config().kubevirt, cluster.now());
    let situation = |expected| Situation { vm, status: &vm.status, vmi, expected, view, release, now };
    let of = |create, delete| printable_status(&situation(Expected { create, delete }));
    let status = of(false, false);
    VmStatus {
        because: because(status, &situation(Expected::default())),
        namespace,
        name,
        status,
        create_expected: of(true, false),
        delete_expected: of(false, true),
        update_only: PrintableStatus::Empty,
        reconcile: PrintableStatus::Empty,
        reconcile_fails: None,
    }
}

/// The status that is stored after one reconcile, and what ended the reconcile before it.
fn reconciled(cluster: &mut Cluster, id: ObjectId) -> (PrintableStatus, Option<ArcStr>) {
    let action = cluster.reconcile_once(NAME, id).expect("the VM controller is there");
    let vm = cluster.view().get::<VirtualMachine>(id).expect("a finalizer keeps the machine");
    // Nobody else writes here, so that only the spec itself can end a reconcile early.
    let fatal = vm.spec.run_strategy().is_err_and(|error| error.is_fatal());
    let fails = match action {
        Action::Fail(error) if fatal => Some(error),
        _ => None,
    };
    (vm.status.printable_status, fails)
}
