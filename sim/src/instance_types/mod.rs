//! Instance types and preferences: what they fill into the instance of a machine that names them.
//!
//! KubeVirt main 2026-08 (`d923fdb815cd`): `startVMI` in `pkg/virt-controller/watch/vm/vm.go`, `pkg/instancetype/find`,
//! `annotations` and `apply`. Only what a launcher pod can show: disk buses, clocks, firmware, features and the like are left
//! out. Revisions are not looked up: an instance type counts as it stands in the input.

mod instance_type;
mod preference;

use crate::admission::virtual_machine_instance::set_network_interface;
use crate::objects::{StrMap, VirtualMachine, VirtualMachineInstanceSpec};
use arcstr::ArcStr;
use instance_type::InstanceType;
use preference::Preference;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;

/// Instance types and preferences by kind, namespace and name. Those of the whole cluster have no namespace.
#[derive(Clone, Debug, Default)]
pub struct InstanceTypes(BTreeMap<(String, String, String), Value>);

/// Why a machine's instance type or preference cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InstanceTypeError {
    /// There is none of that name.
    #[error("{0} is not in the input; add its manifest with another -f")]
    NotInInput(String),
    /// The machine does not name it, but leaves it to a volume's labels.
    #[error("{field} is inferred from a volume, which is not looked up; name it in spec.{field}.name")]
    Inferred {
        /// `instancetype` or `preference`.
        field: &'static str,
    },
    /// A field of it cannot be read.
    #[error("{name}, field {field}: {problem}")]
    Unreadable {
        /// Kind and name.
        name: String,
        /// The field's path.
        field: String,
        /// The reader's words.
        problem: String,
    },
    /// The machine says itself what its instance type says; the words are KubeVirt's.
    #[error("VM field(s) {} conflicts with selected instance type", .0.join(", "))]
    Conflicts(Vec<String>),
    /// The vCPUs cannot be spread as the preference wants it.
    #[error(
        "{vcpus} vCPUs of the instance type do not divide by {divisor} as the preference's topology wants it"
    )]
    Spread {
        /// vCPUs of the instance type.
        vcpus: u32,
        /// What they must be a multiple of.
        divisor: u32,
    },
}

/// The two things that a machine may name, with all their spellings.
struct Role {
    /// Field of the machine's spec.
    field: &'static str,
    namespaced: &'static str,
    cluster: &'static str,
    /// Annotations of the instance that repeat the name.
    annotations: [&'static str; 2],
}

const INSTANCE_TYPE: Role = Role {
    field: "instancetype",
    namespaced: "VirtualMachineInstancetype",
    cluster: "VirtualMachineClusterInstancetype",
    annotations: ["kubevirt.io/instancetype-name", "kubevirt.io/cluster-instancetype-name"],
};

const PREFERENCE: Role = Role {
    field: "preference",
    namespaced: "VirtualMachinePreference",
    cluster: "VirtualMachineClusterPreference",
    annotations: ["kubevirt.io/preference-name", "kubevirt.io/cluster-preference-name"],
};

impl InstanceTypes {
    /// The kinds.
    pub const KINDS: [&str; 4] =
        [INSTANCE_TYPE.namespaced, INSTANCE_TYPE.cluster, PREFERENCE.namespaced, PREFERENCE.cluster];

    /// Of manifests those that are of these kinds.
    pub fn of(manifests: &[Value]) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let entry = |manifest: &Value| {
            let (kind, metadata) = (text(&manifest["kind"]), &manifest["metadata"]);
            let namespace = match metadata["namespace"].as_str() {
                _ if kind.starts_with("VirtualMachineCluster") => "",
                None | Some("") => "default",
                Some(namespace) => namespace,
            };
            let key = (kind, namespace.to_owned(), text(&metadata["name"]));
            InstanceTypes::KINDS.contains(&key.0.as_str()).then(|| (key, manifest["spec"].clone()))
        };
        Self(manifests.iter().filter_map(entry).collect())
    }

    /// Fills in the spec and the annotations of a machine's instance.
    ///
    /// # Errors
    ///
    /// See [`InstanceTypeError`].
    pub(crate) fn apply(
        &self,
        vm: &VirtualMachine,
        spec: &mut VirtualMachineInstanceSpec,
        annotations: &mut StrMap,
    ) -> Result<(), InstanceTypeError> {
        let instance_type: Option<InstanceType> = self.find(vm, &INSTANCE_TYPE, annotations)?;
        let preference: Option<Preference> = self.find(vm, &PREFERENCE, annotations)?;
        if let Some(preference) = &preference {
            // Before a network is added: the preference may not want any.
            preference.apply_architecture(spec);
            preference.apply_devices(spec);
            set_network_interface(spec);
        }
        if let Some(instance_type) = &instance_type {
            instance_type.apply(preference.as_ref(), spec, annotations)?;
        }
        if let Some(preference) = &preference {
            preference.apply(spec, annotations);
        }
        Ok(())
    }

    /// What a machine names in one of its fields, which the annotations are told.
    fn find<T: DeserializeOwned>(
        &self,
        vm: &VirtualMachine,
        role: &Role,
        annotations: &mut StrMap,
    ) -> Result<Option<T>, InstanceTypeError> {
        let Some(matcher) = vm.spec.rest.get(role.field).filter(|matcher| !matcher.is_null()) else {
            return Ok(None);
        };
        let name = matcher["name"].as_str().unwrap_or_default();
        if name.is_empty() && matcher["inferFromVolume"].is_string() {
            return Err(InstanceTypeError::Inferred { field: role.field });
        }
        // The kind may be written small or in the plural, and none is that of the whole cluster.
        let kind = matcher["kind"].as_str().unwrap_or_default().to_lowercase();
        let is_namespaced = kind.trim_end_matches('s') == role.namespaced.to_lowercase();
        let (kind, namespace, annotation) = match is_namespaced {
            true => (role.namespaced, vm.metadata.namespace.as_str(), role.annotations[0]),
            false => (role.cluster, "", role.annotations[1]),
        };
        let key = (kind.to_owned(), namespace.to_owned(), name.to_owned());
        let shown =
            if is_namespaced { format!("{kind} {namespace}/{name}") } else { format!("{kind} {name}") };
        let found = self.0.get(&key).ok_or_else(|| InstanceTypeError::NotInInput(shown.clone()))?;
        annotations.insert(annotation, ArcStr::from(name));
        let read = serde_path_to_error::deserialize(found).map_err(|error| InstanceTypeError::Unreadable {
            name: shown,
            field: format!("spec.{}", error.path()),
            problem: error.inner().to_string(),
        });
        read.map(Some)
    }
}

/// Copies annotations that are not there; returns the keys that say something else already.
fn add_annotations(from: &StrMap, to: &mut StrMap) -> Vec<ArcStr> {
    let mut others = Vec::new();
    for (key, value) in from.iter() {
        match to.get(key) {
            None => drop(to.insert(key.clone(), value.clone())),
            Some(found) if found != value => others.push(key.clone()),
            Some(_) => {}
        }
    }
    others
}
