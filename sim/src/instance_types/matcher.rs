//! What a machine names in `spec.instancetype` and `spec.preference`.
//!
//! KubeVirt main 2026-08: `InstancetypeMatcher` and `PreferenceMatcher` in `staging/src/kubevirt.io/api/core/v1/types.go`, the kinds
//! as `pkg/instancetype/find/spec.go` reads them.

use super::InstanceTypeError;
use crate::kind::Kind;
use crate::objects::{StrMap, VirtualMachineSpec};
use arcstr::ArcStr;
use serde_json::Value;

/// One of the two things that a machine may name, with all their spellings.
#[derive(Debug)]
pub(crate) struct Role {
    /// Field of the machine's spec.
    pub(crate) field: &'static str,
    /// Field of its status that keeps the revision.
    pub(crate) status_field: &'static str,
    /// Reason of the condition where it is not there.
    pub(crate) not_found: ArcStr,
    /// The type's name in upstream's messages.
    pub(super) matcher: &'static str,
    namespaced: Kind,
    cluster: Kind,
    /// Annotations of the instance that repeat the name.
    annotations: [ArcStr; 2],
}

/// Instance type and preference.
pub(crate) static ROLES: [Role; 2] = [
    Role {
        field: "instancetype",
        status_field: "instancetypeRef",
        not_found: arcstr::literal!("FailedFindInstancetype"),
        matcher: "InstancetypeMatcher",
        namespaced: Kind::VirtualMachineInstancetype,
        cluster: Kind::VirtualMachineClusterInstancetype,
        annotations: [
            arcstr::literal!("kubevirt.io/instancetype-name"),
            arcstr::literal!("kubevirt.io/cluster-instancetype-name"),
        ],
    },
    Role {
        field: "preference",
        status_field: "preferenceRef",
        not_found: arcstr::literal!("FailedFindPreference"),
        matcher: "PreferenceMatcher",
        namespaced: Kind::VirtualMachinePreference,
        cluster: Kind::VirtualMachineClusterPreference,
        annotations: [
            arcstr::literal!("kubevirt.io/preference-name"),
            arcstr::literal!("kubevirt.io/cluster-preference-name"),
        ],
    },
];

impl Role {
    /// What the annotations of an instance repeat; of the whole cluster if not of a namespace.
    pub(crate) fn annotated<'a>(&self, annotations: &'a StrMap) -> Option<(Kind, &'a str)> {
        let [namespaced, cluster] = &self.annotations;
        let named = |kind, key: &str| Some((kind, annotations.get(key)?.as_str()));
        named(self.namespaced, namespaced).or_else(|| named(self.cluster, cluster))
    }
}

/// What a machine says in one of the two fields.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matcher<'a> {
    pub(crate) role: &'static Role,
    /// The name; empty where it is left to a volume.
    pub(crate) name: &'a str,
    /// The kind as it is written, perhaps not at all.
    pub(crate) written_kind: &'a str,
    /// The revision that counts, if it says so itself.
    pub(crate) revision: &'a str,
    value: &'a Value,
}

impl<'a> Matcher<'a> {
    /// What a machine names: its instance type, its preference.
    pub(crate) fn all(spec: &'a VirtualMachineSpec) -> impl Iterator<Item = Self> {
        ROLES.iter().filter_map(|role| {
            let value = spec.rest.get(role.field).filter(|value| !value.is_null())?;
            let text = |key: &str| value[key].as_str().unwrap_or_default();
            let (name, written_kind, revision) = (text("name"), text("kind"), text("revisionName"));
            Some(Self { role, name, written_kind, revision, value })
        })
    }

    /// Whether the name is left to a volume's labels.
    pub(crate) fn is_inferred(&self) -> bool {
        self.value["inferFromVolume"].as_str().is_some_and(|volume| !volume.is_empty())
    }

    /// What is to be done where the volume's labels name nothing.
    pub(super) fn failure_policy(&self) -> Option<&'a str> {
        self.value["inferFromVolumeFailurePolicy"].as_str()
    }

    /// The kind: it may be written small or in the plural, and none is that of the whole cluster.
    pub(crate) fn kind(&self) -> Result<Kind, InstanceTypeError> {
        let written = self.written_kind.to_lowercase();
        let singular = written.strip_suffix('s').unwrap_or(&written);
        let is = |kind: Kind| singular == kind.as_str().to_lowercase();
        match self.role {
            role if written.is_empty() || is(role.cluster) => Ok(role.cluster),
            role if is(role.namespaced) => Ok(role.namespaced),
            role => Err(InstanceTypeError::UnexpectedKind {
                matcher: role.matcher,
                kind: self.written_kind.to_owned(),
            }),
        }
    }

    /// The kind where it is written out in the singular, in whatever case: where nothing is filled in for it.
    pub(crate) fn kind_in_full(&self) -> Option<Kind> {
        let kinds = [self.role.namespaced, self.role.cluster];
        kinds.into_iter().find(|kind| self.written_kind.eq_ignore_ascii_case(kind.as_str()))
    }

    /// Repeats the name in an instance's annotations.
    pub(super) fn annotate(&self, annotations: &mut StrMap) {
        let [namespaced, cluster] = &self.role.annotations;
        let key = match self.kind() {
            Ok(kind) if kind.is_namespaced() => namespaced,
            Ok(_) => cluster,
            Err(_) => return,
        };
        annotations.insert(key.clone(), ArcStr::from(self.name));
    }
}

#[cfg(test)]
mod tests {
    use super::Matcher;
    use crate::objects::VirtualMachineSpec;
    use serde_json::json;

    #[test]
    fn a_kind_may_be_written_in_several_ways() {
        let kind = |field: &str, kind: &str| {
            let spec = json!({field: {"name": "a", "kind": kind}});
            let spec: VirtualMachineSpec = serde_json::from_value(spec).expect("a spec");
            let kind = Matcher::all(&spec).next().expect("one is named").kind();
            kind.map_or_else(|error| error.to_string(), |kind| kind.to_string())
        };
        let table = [
            ("instancetype", "", "VirtualMachineClusterInstancetype"),
            ("instancetype", "virtualmachineinstancetypes", "VirtualMachineInstancetype"),
            ("instancetype", "VirtualMachineClusterInstancetype", "VirtualMachineClusterInstancetype"),
            ("preference", "VirtualMachinePreference", "VirtualMachinePreference"),
            ("preference", "", "VirtualMachineClusterPreference"),
            ("preference", "Pod", "got unexpected kind in PreferenceMatcher: Pod"),
            ("instancetype", "foobar", "got unexpected kind in InstancetypeMatcher: foobar"),
        ];
        for (field, written, expected) in table {
            assert_eq!(kind(field, written), expected, "{field} {written}");
        }
    }
}
