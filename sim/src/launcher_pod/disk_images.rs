//! Images that hold what a guest boots from, KubeVirt main 2026-08 (`d923fdb815cd`): `pkg/container-disk/container-disk.go`.

use crate::objects::{ContainerDisk, VirtualMachineInstanceSpec};
use arcstr::ArcStr;

/// The name under which the image of a kernel stands among the disks (`KernelBootVolumeName`).
const KERNEL_BOOT_VOLUME: ArcStr = arcstr::literal!("kernel-boot-volume");

/// The container disks by their volumes' names, in order, and last the image of the kernel, if it comes from one.
pub(super) fn of(spec: &VirtualMachineInstanceSpec) -> Vec<(ArcStr, ContainerDisk)> {
    let disks = spec.volumes.iter().filter_map(|volume| {
        let disk = volume.container_disk.clone()?;
        Some((volume.name.clone(), disk))
    });
    disks.chain(kernel(spec).map(|kernel| (KERNEL_BOOT_VOLUME, kernel))).collect()
}

/// `firmware.kernelBoot.container`, which has a container disk's fields (`HasKernelBootContainerImage`).
fn kernel(spec: &VirtualMachineInstanceSpec) -> Option<ContainerDisk> {
    let container = spec.domain.rest.get("firmware")?.get("kernelBoot")?.get("container")?;
    serde_json::from_value(container.clone()).ok().filter(|_| !container.is_null())
}
