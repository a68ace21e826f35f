//! What a plugin says of a node that it rejects: `pkg/scheduler/framework/types.go`, `fwk.Status`, Kubernetes 1.36.2.

/// The plugins of the default profile that say something, in the order of the profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Plugin {
    NodeUnschedulable,
    TaintToleration,
    NodeAffinity,
    NodePorts,
    NodeResourcesFit,
    VolumeRestrictions,
    VolumeBinding,
    VolumeZone,
    PodTopologySpread,
    InterPodAffinity,
    DynamicResources,
    NodeResourcesBalancedAllocation,
    ImageLocality,
}

impl Plugin {
    /// Those that reject nodes.
    const FILTERS: [Self; 10] = [
        Self::NodeUnschedulable,
        Self::TaintToleration,
        Self::NodeAffinity,
        Self::NodePorts,
        Self::NodeResourcesFit,
        Self::VolumeRestrictions,
        Self::VolumeBinding,
        Self::VolumeZone,
        Self::PodTopologySpread,
        Self::InterPodAffinity,
    ];

    /// The name in messages.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::NodeUnschedulable => "NodeUnschedulable",
            Self::TaintToleration => "TaintToleration",
            Self::NodeAffinity => "NodeAffinity",
            Self::NodePorts => "NodePorts",
            Self::NodeResourcesFit => "NodeResourcesFit",
            Self::VolumeRestrictions => "VolumeRestrictions",
            Self::VolumeBinding => "VolumeBinding",
            Self::VolumeZone => "VolumeZone",
            Self::PodTopologySpread => "PodTopologySpread",
            Self::InterPodAffinity => "InterPodAffinity",
            Self::DynamicResources => "DynamicResources",
            Self::NodeResourcesBalancedAllocation => "NodeResourcesBalancedAllocation",
            Self::ImageLocality => "ImageLocality",
        }
    }
}

/// A set of plugins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PluginSet(u16);

impl PluginSet {
    /// The set of one.
    pub(super) const fn only(plugin: Plugin) -> Self {
        Self(1 << plugin as u8)
    }

    /// Adds a plugin.
    pub(super) fn insert(&mut self, plugin: Plugin) {
        self.0 |= 1 << plugin as u8;
    }

    /// The names of the filters in it, in order.
    pub(super) fn names(self) -> Vec<&'static str> {
        let mut names: Vec<_> =
            Plugin::FILTERS.into_iter().filter(|plugin| self.contains(*plugin)).map(Plugin::as_str).collect();
        names.sort_unstable();
        names
    }

    /// The plugins in it, by number.
    pub(super) fn numbers(self) -> impl Iterator<Item = usize> {
        (0..16).filter(move |number| self.0 & (1 << number) != 0)
    }

    /// Whether the plugin is in it.
    pub(super) const fn contains(self, plugin: Plugin) -> bool {
        self.0 & (1 << plugin as u8) != 0
    }
}

/// Why a node does not do. From [`Reason::FIRST_SCALAR`] on follow the scalar resources that the pod asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Reason {
    Unschedulable,
    UntoleratedTaint,
    NodeAffinity,
    Ports,
    TooManyPods,
    Cpu,
    Memory,
    EphemeralStorage,
    Disk,
    ReadWriteOncePod,
    VolumeNodeAffinity,
    VolumeBind,
    VolumeZone,
    SpreadLabel,
    Spread,
    Affinity,
    AntiAffinity,
    ExistingAntiAffinity,
    NoVictims,
    PreemptionNotHelpful,
}

impl Reason {
    /// The bit of the first scalar resource.
    pub(super) const FIRST_SCALAR: u32 = 20;

    /// The text of each, in the order of the variants.
    pub(super) const TEXTS: [&'static str; Self::FIRST_SCALAR as usize] = [
        "node(s) were unschedulable",
        "node(s) had untolerated taint(s)",
        "node(s) didn't match Pod's node affinity/selector",
        "node(s) didn't have free ports for the requested pod ports",
        "Too many pods",
        "Insufficient cpu",
        "Insufficient memory",
        "Insufficient ephemeral-storage",
        "node(s) had no available disk",
        "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod",
        "node(s) didn't match PersistentVolume's node affinity",
        "node(s) didn't find available persistent volumes to bind",
        "node(s) had no available volume zone",
        "node(s) didn't match pod topology spread constraints (missing required label)",
        "node(s) didn't match pod topology spread constraints",
        "node(s) didn't match pod affinity rules",
        "node(s) didn't match pod anti-affinity rules",
        "node(s) didn't satisfy existing pods anti-affinity rules",
        "No preemption victims found for incoming pod",
        "Preemption is not helpful for scheduling",
    ];
}

/// Several reasons at once: a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ReasonSet(u64);

impl ReasonSet {
    /// The last bit that stands for a reason. The 43rd scalar resource and all after it share it: which of them it is,
    /// the node must be asked (`node_resources_fit::lacking_scalars`).
    pub(super) const SHARED: usize = 62;

    /// Adds a reason.
    pub(super) fn insert(&mut self, reason: Reason) {
        self.0 |= 1 << reason as u8;
    }

    /// Adds "insufficient" for the pod's scalar resource of this place.
    pub(super) fn insert_scalar(&mut self, place: usize) {
        self.0 |= 1 << (Reason::FIRST_SCALAR as usize + place).min(Self::SHARED);
    }

    /// Whether a reason is in it that shares its bit with others.
    pub(super) const fn is_crowded(self) -> bool {
        self.0 & (1 << Self::SHARED) != 0
    }

    /// The places of the bits that are set, lowest first.
    pub(super) fn places(self) -> impl Iterator<Item = usize> {
        let rest = |bits: &u64| Some(bits & (bits - 1)).filter(|rest| *rest != 0);
        std::iter::successors(Some(self.0).filter(|bits| *bits != 0), rest)
            .map(|bits| bits.trailing_zeros() as usize)
    }
}

/// A node that a plugin rejects.
///
/// A plugin and a word: a filter's verdict is handed up in registers, which counts where a pod that fits nowhere is
/// put to a thousand nodes again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rejection {
    plugin: Plugin,
    /// The reasons, and [`UNRESOLVABLE`].
    bits: u64,
}

/// Preemption does not help (`UnschedulableAndUnresolvable`).
const UNRESOLVABLE: u64 = 1 << 63;

impl Rejection {
    /// Preemption may help.
    pub(super) fn unschedulable(plugin: Plugin, reason: Reason) -> Self {
        Self { plugin, bits: 1 << reason as u8 }
    }

    /// Nothing that runs on the node is to blame.
    pub(super) fn unresolvable(plugin: Plugin, reason: Reason) -> Self {
        Self { plugin, bits: UNRESOLVABLE | 1 << reason as u8 }
    }

    /// For several reasons; `resolvable` says whether preemption may help.
    pub(super) fn new(plugin: Plugin, reasons: ReasonSet, resolvable: bool) -> Self {
        assert!(reasons != ReasonSet::default(), "a rejection has a reason");
        Self { plugin, bits: reasons.0 | if resolvable { 0 } else { UNRESOLVABLE } }
    }

    /// Who rejects it.
    pub(super) const fn plugin(&self) -> Plugin {
        self.plugin
    }

    /// Why.
    pub(super) const fn reasons(&self) -> ReasonSet {
        ReasonSet(self.bits & !UNRESOLVABLE)
    }

    /// Whether preemption may help (`Unschedulable`).
    pub(super) const fn is_resolvable(&self) -> bool {
        self.bits & UNRESOLVABLE == 0
    }
}

#[cfg(test)]
mod tests {
    use super::{Plugin, Reason, ReasonSet, Rejection};

    #[test]
    fn whether_preemption_may_help_is_none_of_the_reasons() {
        let mut reasons = ReasonSet::default();
        reasons.insert(Reason::Cpu);
        reasons.insert_scalar(99);
        for resolvable in [true, false] {
            let rejection = Rejection::new(Plugin::NodeResourcesFit, reasons, resolvable);
            assert_eq!(rejection.reasons().places().collect::<Vec<_>>(), [Reason::Cpu as usize, 62]);
            assert_eq!(rejection.is_resolvable(), resolvable);
        }
    }
}
