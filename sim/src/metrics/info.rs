//! `kubevirt_vm_info` and `kubevirt_vmi_info`: what a machine or an instance is, in labels.
//!
//! KubeVirt main of August 2026: `CollectVMsInfo` in `vmstats_collector.go` and `collectVMIInfo` in `vmistats_collector.go`;
//! 1.3 where it differs.

use super::{Group, ObjectNames, Sample};
use crate::instance_types::matcher::{Matcher, ROLES, Role};
use crate::kind::{Kind, Object};
use crate::kubevirt_profile::KubeVirtProfile;
use crate::objects::{Conditions, Pod, Rest, StrMap, Truth, VirtualMachine, VirtualMachineInstance};
use crate::release::KubeVirtRelease;
use crate::store::View;
use arcstr::ArcStr;
use serde_json::Value;
use std::collections::BTreeMap;

/// Labels of `kubevirt_vmi_info` that came later than it.
const EXTENSION: [&str; 3] = ["evictable", "outdated", "vmi_pod"];
/// The label of instance types and preferences that says whose they are.
const VENDOR: &str = "instancetype.kubevirt.io/vendor";
/// Whose instance types and preferences are told by name.
const KNOWN_VENDORS: [&str; 2] = ["kubevirt.io", "redhat.com"];
/// All others.
const OTHER: ArcStr = arcstr::literal!("<other>");

/// What the labels of one scrape are taken from.
pub(super) struct Infos<'a> {
    view: View<'a>,
    profile: &'static KubeVirtProfile,
    /// The pods that run, by the uid of the instance that their label names, in order of creation.
    launchers: BTreeMap<&'a str, Vec<&'a Pod>>,
}

impl<'a> Infos<'a> {
    /// What the informers show now.
    pub(super) fn new(view: View<'a>, release: KubeVirtRelease) -> Self {
        let profile = release.profile();
        let mut launchers: BTreeMap<&str, Vec<&Pod>> = BTreeMap::new();
        let pods =
            view.iter::<Pod>().filter(|(_, pod)| profile.extends_vmi_info && pod.status.phase == "Running");
        for (_, pod) in pods {
            let made_for = pod.metadata.labels.get("kubevirt.io/created-by").map_or("", ArcStr::as_str);
            launchers.entry(made_for).or_default().push(pod);
        }
        Self { view, profile, launchers }
    }

    /// `kubevirt_vm_info`.
    pub(super) fn of_machine(&self, vm: &VirtualMachine) -> Sample {
        let template = vm.spec.template.as_deref();
        let [os, workload, flavor] = self.system(template.map(|template| &template.metadata.annotations));
        let machine =
            template.map_or(ArcStr::new(), |template| field(&template.spec.domain.rest, "machine", "type"));
        let [instance_type, preference] = ROLES.each_ref().map(|role| self.chosen(role, vm));
        let status = vm.status.printable_word();
        let ObjectNames { name, namespace } = ObjectNames::of(&vm.metadata);
        sample(
            "kubevirt_vm_info",
            [
                ("name", name),
                ("namespace", namespace),
                ("os", os),
                ("workload", workload),
                ("flavor", flavor),
                ("machine_type", machine),
                ("instance_type", instance_type),
                ("preference", preference),
                ("status", status.to_lowercase().into()),
                ("status_group", Group::of(status).map_or("<unknown>", Group::as_str).into()),
            ],
        )
    }

    /// `kubevirt_vmi_info`.
    pub(super) fn of_instance(&self, vmi: &VirtualMachineInstance) -> Sample {
        let [os, workload, flavor] = self.system(Some(&vmi.metadata.annotations));
        let [instance_type, preference] = ROLES.each_ref().map(|role| self.repeated(role, vmi));
        let ObjectNames { name, namespace } = ObjectNames::of(&vmi.metadata);
        let guest = |key| field(&vmi.status.rest, "guestOSInfo", key);
        let [machine, architecture] = match self.profile.tells_machine_type {
            true => [field(&vmi.status.rest, "machine", "type"), guest("machine")],
            false => [guest("machine"), ArcStr::new()],
        };
        let outdated = vmi.metadata.labels.contains_key("kubevirt.io/outdatedLauncherImage");
        let mut sample = sample(
            "kubevirt_vmi_info",
            [
                ("node", vmi.status.node_name.clone()),
                ("namespace", namespace),
                ("name", name),
                ("phase", vmi.status.phase.to_lowercase().into()),
                ("os", os),
                ("workload", workload),
                ("flavor", flavor),
                ("instance_type", instance_type),
                ("preference", preference),
                ("guest_os_kernel_release", guest("kernelRelease")),
                ("guest_os_machine", machine),
                ("guest_os_arch", architecture),
                ("guest_os_name", guest("name")),
                ("guest_os_version_id", guest("versionId")),
                ("evictable", bool_label(is_evictable(vmi))),
                ("outdated", bool_label(outdated)),
                ("vmi_pod", self.launcher(vmi)),
            ],
        );
        if !self.profile.extends_vmi_info {
            sample.labels.retain(|(label, _)| !EXTENSION.contains(label));
        }
        sample
    }

    /// What the annotations say of the guest: operating system, workload, flavor.
    fn system(&self, annotations: Option<&StrMap>) -> [ArcStr; 3] {
        ["vm.kubevirt.io/os", "vm.kubevirt.io/workload", "vm.kubevirt.io/flavor"].map(|key| {
            let said = annotations.and_then(|annotations| annotations.get(key)).cloned();
            said.unwrap_or_else(|| self.none())
        })
    }

    /// What a machine names itself. A kind that is not written out is none here, though it has a default elsewhere.
    fn chosen(&self, role: &Role, vm: &VirtualMachine) -> ArcStr {
        let matcher = Matcher::all(&vm.spec).find(|matcher| matcher.role.field == role.field);
        let named = matcher.and_then(|matcher| Some((matcher.kind_in_full()?, matcher.name)));
        named.map_or_else(|| self.none(), |(kind, name)| self.told(kind, &vm.metadata.namespace, name))
    }

    /// What an instance repeats in its annotations; that of its namespace before that of the whole cluster.
    fn repeated(&self, role: &Role, vmi: &VirtualMachineInstance) -> ArcStr {
        let named = role.annotated(&vmi.metadata.annotations);
        named.map_or_else(|| self.none(), |(kind, name)| self.told(kind, &vmi.metadata.namespace, name))
    }

    /// The name, if it is that of a known vendor.
    fn told(&self, kind: Kind, namespace: &str, name: &str) -> ArcStr {
        let namespace = if kind.is_namespaced() { namespace } else { "" };
        let is_looked_up = self.profile.finds_namespaced_types || !kind.is_namespaced();
        let found = Object::named(self.view, kind, namespace, name).filter(|_| is_looked_up);
        let vendor = found.and_then(|found| found.metadata().labels.get(VENDOR).cloned());
        let is_known = vendor.is_some_and(|vendor| KNOWN_VENDORS.contains(&vendor.as_str()));
        if is_known { name.into() } else { OTHER }
    }

    /// The label of what is not there.
    fn none(&self) -> ArcStr {
        if self.profile.spells_out_none { arcstr::literal!("<none>") } else { ArcStr::new() }
    }

    /// The pod of the instance that runs on its node, by its label; who owns it does not count.
    fn launcher(&self, vmi: &VirtualMachineInstance) -> ArcStr {
        let is_here = |pod: &&&Pod| {
            pod.metadata.namespace == vmi.metadata.namespace && pod.node_name == vmi.status.node_name
        };
        let mut pods = self.launchers.get(vmi.metadata.uid.as_str()).into_iter().flatten();
        pods.find(is_here).map_or(ArcStr::new(), |pod| pod.metadata.name.clone())
    }
}

/// An instance that must migrate and is not known to be able to is not evictable. Whether it must is asked of all conditions,
/// whether it is able to of the first.
fn is_evictable(vmi: &VirtualMachineInstance) -> bool {
    let mut migratable = vmi.status.conditions.iter().filter(|condition| condition.kind == "LiveMigratable");
    let first = vmi.status.conditions.condition("LiveMigratable").map(|condition| condition.status);
    let must_migrate = match vmi.spec.rest.get("evictionStrategy").and_then(Value::as_str) {
        Some("LiveMigrate") => true,
        Some("LiveMigrateIfPossible") => migratable.any(|condition| condition.status == Truth::True),
        _ => false,
    };
    !must_migrate || !matches!(first, None | Some(Truth::False))
}

fn sample<const N: usize>(metric: &'static str, labels: [(&'static str, ArcStr); N]) -> Sample {
    let labels = labels.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    Sample { metric, labels, value: 1 }
}

fn field(rest: &Rest, outer: &str, inner: &str) -> ArcStr {
    let value = rest.get(outer).and_then(|value| value.get(inner)).and_then(Value::as_str);
    value.map_or(ArcStr::new(), ArcStr::from)
}

fn bool_label(value: bool) -> ArcStr {
    if value { arcstr::literal!("true") } else { arcstr::literal!("false") }
}
