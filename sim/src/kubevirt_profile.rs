//! What differs between the releases of KubeVirt that are modelled: a table of switches, a column a release.
//!
//! Read in release-0.59 (`c7a8dee9935a`), release-1.3 and main of August 2026 (`d923fdb815cd`).

use crate::release::KubeVirtRelease;

/// The switches of a release. Scenarios of the catalog's folder `releases/` show each of them, those of metrics the tests of
/// `stuckvm metrics`; what neither does, vectors of `status/`.
#[derive(Clone, Copy, Debug)]
pub struct KubeVirtProfile {
    /// DataVolumes that are not bound count as on their way (1.0); before, they are passed over.
    pub counts_unbound_volumes: bool,
    /// An importer whose image cannot be pulled is an error (1.4, kubevirt#12648; by our notes 1.3 too, but 1.3.0 is older).
    pub heeds_refused_pulls: bool,
    /// DataVolumes that wait for their population are passed over (by 1.3); in 0.59 bound ones count as on their way.
    pub knows_pending_population: bool,
    /// A machine with RerunOnFailure that has been started once waits for volumes only if its start is asked for
    /// (main, kubevirt#18787); before, whenever it has no instance.
    pub reruns_as_asked: bool,
    /// A missing claim is looked for before the pod is rendered, and waited for (1.0); before, rendering fails.
    pub waits_for_claims: bool,
    /// The run strategy WaitAsReceiver and the phase WaitingForSync exist (1.6).
    pub knows_receivers: bool,
    /// The webhook copies the guest's memory to the requests (until 1.0), so that page tables count.
    pub requests_guest_memory: bool,
    /// virt-launcher-monitor, virt-launcher, virtlogd, virtqemud and qemu, in Mi.
    pub fixed_overhead: i64,
    /// A graphics device, in Mi.
    pub graphics_overhead: i64,
    /// Where the guest's console is logged.
    pub console_log: ConsoleLog,
    /// Container disks are volumes of their images (gate ImageVolume); before, containers that serve them.
    pub image_volumes: bool,
    /// Launchers ask for the node's architecture (1.0).
    pub selects_architecture: bool,
    /// Launchers ask for the machine type (1.5).
    pub selects_machine_type: bool,
    /// Guests whose liveness probe pings their agent may be paused; before, those with any liveness probe may not.
    pub pauses_pinged_guests: bool,
    /// The instance's finalizer has KubeVirt's domain in its name.
    pub qualifies_finalizer: bool,
    /// An instance that is to leave its node has the condition EvictionRequested, its launcher an annotation (1.7).
    pub marks_evictions: bool,
    /// A machine whose instance type or preference is not there is stored and waits for it (1.6, kubevirt#14219); before, it is
    /// refused.
    pub lets_types_be_missing: bool,
    /// The revisions of both are named in the machine's status (1.5); before, in its spec.
    pub keeps_revisions_in_status: bool,
    /// A changed template is told by the condition RestartRequired (1.2, kubevirt#11054).
    pub requires_restarts: bool,
    /// The rollout strategy is LiveUpdate unless another is set (1.6, kubevirt#14068); before, Stage.
    pub updates_live: bool,
    /// The condition goes when the template is as it was (1.8, kubevirt#16606).
    pub takes_back_restarts: bool,
    /// The metric `kubevirt_vmi_info` exists (1.3).
    pub exports_vmi_info: bool,
    /// It has the labels `evictable`, `outdated` and `vmi_pod` (1.4, kubevirt#12737, #12992, #13148).
    pub extends_vmi_info: bool,
    /// `guest_os_machine` is the machine type, and `guest_os_arch` the architecture (by 1.6); before, the first is the
    /// architecture and the second is not there.
    pub tells_machine_type: bool,
    /// Labels of what is not there say `<none>`; by 1.6 they are left out.
    pub spells_out_none: bool,
    /// Instance types and preferences of a namespace are looked up in it (by 1.6); before, by their name alone, so that none
    /// is found.
    pub finds_namespaced_types: bool,
    /// The metric `kubevirt_vm_info` exists (1.4).
    pub exports_vm_info: bool,
}

/// Where the guest's console is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsoleLog {
    /// Nowhere.
    None,
    /// In a container like others.
    Container,
    /// In an init container that runs on.
    Sidecar,
}

const V0_59: KubeVirtProfile = KubeVirtProfile {
    counts_unbound_volumes: false,
    heeds_refused_pulls: false,
    knows_pending_population: false,
    reruns_as_asked: false,
    waits_for_claims: false,
    knows_receivers: false,
    requests_guest_memory: true,
    fixed_overhead: 25 + 100 + 20 + 35 + 30,
    graphics_overhead: 16,
    console_log: ConsoleLog::None,
    image_volumes: false,
    selects_architecture: false,
    selects_machine_type: false,
    pauses_pinged_guests: false,
    qualifies_finalizer: false,
    marks_evictions: false,
    lets_types_be_missing: false,
    keeps_revisions_in_status: false,
    requires_restarts: false,
    updates_live: false,
    takes_back_restarts: false,
    exports_vmi_info: false,
    extends_vmi_info: false,
    tells_machine_type: false,
    spells_out_none: true,
    finds_namespaced_types: false,
    exports_vm_info: false,
};

const V1_3: KubeVirtProfile = KubeVirtProfile {
    counts_unbound_volumes: true,
    heeds_refused_pulls: true,
    knows_pending_population: true,
    waits_for_claims: true,
    requests_guest_memory: false,
    fixed_overhead: 25 + 100 + 25 + 40 + 50,
    graphics_overhead: 32,
    console_log: ConsoleLog::Container,
    selects_architecture: true,
    requires_restarts: true,
    exports_vmi_info: true,
    ..V0_59
};

const MAIN: KubeVirtProfile = KubeVirtProfile {
    reruns_as_asked: true,
    knows_receivers: true,
    console_log: ConsoleLog::Sidecar,
    image_volumes: true,
    selects_machine_type: true,
    pauses_pinged_guests: true,
    qualifies_finalizer: true,
    marks_evictions: true,
    lets_types_be_missing: true,
    keeps_revisions_in_status: true,
    updates_live: true,
    takes_back_restarts: true,
    extends_vmi_info: true,
    tells_machine_type: true,
    spells_out_none: false,
    finds_namespaced_types: true,
    exports_vm_info: true,
    ..V1_3
};

impl KubeVirtRelease {
    /// The switches of this release.
    pub const fn profile(self) -> &'static KubeVirtProfile {
        match self {
            Self::V0_59 => &V0_59,
            Self::V1_3 => &V1_3,
            Self::Main2026_08 => &MAIN,
        }
    }
}
