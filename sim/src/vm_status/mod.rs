//! A virtual machine's printable status: an ordered table, the first row that holds wins.
//!
//! KubeVirt main of August 2026 (`d923fdb815cd`): `setPrintableStatus` in `pkg/virt-controller/watch/vm/vm.go`.

mod because;
mod helpers;
mod rules;
mod statuses;
mod volumes;

pub(crate) use helpers::{has_start_request, has_stop_request_for, is_migrating, is_restarted};
pub use statuses::{VmStatus, statuses};

use crate::objects::{VirtualMachine, VirtualMachineInstance, VirtualMachineStatus};
use crate::release::KubeVirtRelease;
use crate::store::View;
use stuckvm_detector::{PrintableStatus, Time};

/// All that the table looks at.
pub(crate) struct Situation<'a> {
    /// The machine; of its status only what `status` holds counts.
    pub(crate) vm: &'a VirtualMachine,
    /// Its status as the bookkeeping of this reconcile has left it.
    pub(crate) status: &'a VirtualMachineStatus,
    /// The instance that it owns.
    pub(crate) vmi: Option<&'a VirtualMachineInstance>,
    /// Issued and not yet seen.
    pub(crate) expected: Expected,
    /// Where DataVolumes and claims are looked up.
    pub(crate) view: View<'a>,
    /// Whose rules hold.
    pub(crate) release: KubeVirtRelease,
    /// Virtual time.
    pub(crate) now: Time,
}

/// What the controller has asked the server for and not yet seen in its watch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Expected {
    /// The creation of the instance (`isVMIStartExpected`).
    pub(crate) create: bool,
    /// The deletion of the instance (`isVMIStopExpected`).
    pub(crate) delete: bool,
}

/// One row: the status, and whether it holds.
type Row = (PrintableStatus, fn(&Situation<'_>) -> bool);

/// Several rows may hold at once; their order decides.
const TABLE: [Row; 16] = [
    (PrintableStatus::Terminating, rules::is_terminating),
    (PrintableStatus::Stopping, rules::is_stopping),
    (PrintableStatus::Migrating, rules::is_migrating),
    (PrintableStatus::Paused, rules::is_paused),
    (PrintableStatus::Running, rules::is_running),
    (PrintableStatus::PvcNotFound, rules::is_pvc_not_found),
    (PrintableStatus::DataVolumeError, rules::is_data_volume_error),
    (PrintableStatus::Unschedulable, rules::is_unschedulable),
    (PrintableStatus::Provisioning, rules::is_provisioning),
    (PrintableStatus::WaitingForVolumeBinding, rules::is_waiting_for_volume_binding),
    (PrintableStatus::ErrImagePull, rules::is_err_image_pull),
    (PrintableStatus::ImagePullBackOff, rules::is_image_pull_back_off),
    (PrintableStatus::Starting, rules::is_starting),
    (PrintableStatus::CrashLoopBackOff, rules::is_crash_loop_back_off),
    (PrintableStatus::Stopped, rules::is_stopped),
    (PrintableStatus::WaitingForReceiver, rules::is_waiting_for_receiver),
];

/// The status of the first row that holds, `Unknown` where none does. Never `Empty`.
pub(crate) fn printable_status(situation: &Situation<'_>) -> PrintableStatus {
    debug_assert_eq!(
        TABLE.len() + 2,
        PrintableStatus::ALL.len(),
        "every status but Empty and Unknown has a row"
    );
    let row = TABLE.iter().find(|(_, holds)| holds(situation));
    row.map_or(PrintableStatus::Unknown, |(status, _)| *status)
}
