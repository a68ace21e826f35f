//! The rows of a machine's printable status, and their order.

use crate::Group;

const STATUSES: &[(&str, &str)] =
    &[("vectors", "status/conditions"), ("vectors", "status/"), ("status_worlds", "every_question")];

pub(crate) const GROUPS: &[Group] = &[Group {
    file: "vm_status/mod.rs",
    noticed_by: STATUSES,
    rows: &[
        (
            "row 1, Terminating",
            "TABLE.iter().find(|(_, holds)| holds(situation))",
            "TABLE.iter().find(|(status, holds)| *status != PrintableStatus::Terminating && holds(situation))",
        ),
        (
            "row 2, Stopping",
            "TABLE.iter().find(|(_, holds)| holds(situation))",
            "TABLE.iter().find(|(status, holds)| *status != PrintableStatus::Stopping && holds(situation))",
        ),
        (
            "row 3, Migrating",
            "TABLE.iter().find(|(_, holds)| holds(situation))",
            "TABLE.iter().find(|(status, holds)| *status != PrintableStatus::Migrating && holds(situation))",
        ),
        (
            "row 4, Paused",
            "TABLE.iter().find(|(_, holds)| holds(situation))",
            "TABLE.iter().find(|(status, holds)| *status != PrintableStatus::Paused && holds(situation))",
        ),
        (
            "row 5, Running",
            "TABLE.iter().find(|(_, holds)| holds(situation))",
            "TABLE.iter().find(|(status, holds)| *status != PrintableStatus::Running && holds(situation))",
        ),
        (
            "row 6, PvcNotFound",
            "TABLE.iter().find(|(_, holds)| holds(situation))",
            "TABLE.iter().find(|(status, holds)| *status != PrintableStatus::PvcNotFound && holds(situation))",
        ),
        (
            "row 7, DataVolumeError",
            "TABLE.iter().find(|(_, holds)| holds(situation))",
            "TABLE.iter().find(|(status, holds)| *status != PrintableStatus::DataVolumeError && holds(situation))",
        ),
        (
            "row 8, Unschedulable",
            "TABLE.iter().find(|(_, holds)| holds(situation))",
            "TABLE.iter().find(|(status, holds)| *status != PrintableStatus::Unschedulable && holds(situation))",
        ),
        (
            "row 9, Provisioning",
            "TABLE.iter().find(|(_, holds)| holds(situation))",
            "TABLE.iter().find(|(status, holds)| *status != PrintableStatus::Provisioning && holds(situation))",
        ),
        (
            "row 10, WaitingForVolumeBinding",
            "TABLE.iter().find(|(_, holds)| holds(situation))",
            "TABLE.iter().find(|(status, holds)| *status != PrintableStatus::WaitingForVolumeBinding && holds(situation))",
        ),
        (
            "row 11, ErrImagePull",
            "TABLE.iter().find(|(_, holds)| holds(situation))",
            "TABLE.iter().find(|(status, holds)| *status != PrintableStatus::ErrImagePull && holds(situation))",
        ),
        (
            "row 12, ImagePullBackOff",
            "TABLE.iter().find(|(_, holds)| holds(situation))",
            "TABLE.iter().find(|(status, holds)| *status != PrintableStatus::ImagePullBackOff && holds(situation))",
        ),
        (
            "row 13, Starting",
            "TABLE.iter().find(|(_, holds)| holds(situation))",
            "TABLE.iter().find(|(status, holds)| *status != PrintableStatus::Starting && holds(situation))",
        ),
        (
            "row 14, CrashLoopBackOff",
            "TABLE.iter().find(|(_, holds)| holds(situation))",
            "TABLE.iter().find(|(status, holds)| *status != PrintableStatus::CrashLoopBackOff && holds(situation))",
        ),
        (
            "row 15, Stopped",
            "TABLE.iter().find(|(_, holds)| holds(situation))",
            "TABLE.iter().find(|(status, holds)| *status != PrintableStatus::Stopped && holds(situation))",
        ),
        (
            "row 15, Stopped: the instance has ended",
            "TABLE.iter().find(|(_, holds)| holds(situation))",
            "TABLE.iter().find(|(status, holds)| holds(situation) || *status == PrintableStatus::Stopped)",
        ),
        (
            "row 16, WaitingForReceiver",
            "TABLE.iter().find(|(_, holds)| holds(situation))",
            "TABLE.iter().find(|(status, holds)| *status != PrintableStatus::WaitingForReceiver && holds(situation))",
        ),
        (
            "Terminating before Stopping",
            "TABLE.iter().find(|(_, holds)| holds(situation))",
            "TABLE.iter().find(|(status, holds)| holds(situation) && !(*status == PrintableStatus::Terminating && rules::is_stopping(situation)))",
        ),
        (
            "Stopping before Migrating",
            "TABLE.iter().find(|(_, holds)| holds(situation))",
            "TABLE.iter().find(|(status, holds)| holds(situation) && !(*status == PrintableStatus::Stopping && rules::is_migrating(situation)))",
        ),
        (
            "Migrating before Paused",
            "TABLE.iter().find(|(_, holds)| holds(situation))",
            "TABLE.iter().find(|(status, holds)| holds(situation) && !(*status == PrintableStatus::Migrating && rules::is_paused(situation)))",
        ),
        (
            "Paused before Running",
            "TABLE.iter().find(|(_, holds)| holds(situation))",
            "TABLE.iter().find(|(status, holds)| holds(situation) && !(*status == PrintableStatus::Paused && rules::is_running(situation)))",
        ),
        (
            "PvcNotFound before DataVolumeError",
            "TABLE.iter().find(|(_, holds)| holds(situation))",
            "TABLE.iter().find(|(status, holds)| holds(situation) && !(*status == PrintableStatus::PvcNotFound && rules::is_data_volume_error(situation)))",
        ),
        (
            "DataVolumeError before Unschedulable",
            "TABLE.iter().find(|(_, holds)| holds(situation))",
            "TABLE.iter().find(|(status, holds)| holds(situation) && !(*status == PrintableStatus::DataVolumeError && rules::is_unschedulable(situation)))",
        ),
        (
            "Unschedulable before Provisioning",
            "TABLE.iter().find(|(_, holds)| holds(situation))",
            "TABLE.iter().find(|(status, holds)| holds(situation) && !(*status == PrintableStatus::Unschedulable && rules::is_provisioning(situation)))",
        ),
        (
            "Provisioning before WaitingForVolumeBinding",
            "TABLE.iter().find(|(_, holds)| holds(situation))",
            "TABLE.iter().find(|(status, holds)| holds(situation) && !(*status == PrintableStatus::Provisioning && rules::is_waiting_for_volume_binding(situation)))",
        ),
        (
            "WaitingForVolumeBinding before ErrImagePull",
            "TABLE.iter().find(|(_, holds)| holds(situation))",
            "TABLE.iter().find(|(status, holds)| holds(situation) && !(*status == PrintableStatus::WaitingForVolumeBinding && rules::is_err_image_pull(situation)))",
        ),
        (
            "ImagePullBackOff before Starting",
            "TABLE.iter().find(|(_, holds)| holds(situation))",
            "TABLE.iter().find(|(status, holds)| holds(situation) && !(*status == PrintableStatus::ImagePullBackOff && rules::is_starting(situation)))",
        ),
        (
            "CrashLoopBackOff before Stopped",
            "TABLE.iter().find(|(_, holds)| holds(situation))",
            "TABLE.iter().find(|(status, holds)| holds(situation) && !(*status == PrintableStatus::CrashLoopBackOff && rules::is_stopped(situation)))",
        ),
    ],
}];
