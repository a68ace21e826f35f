//! `apps/v1` ControllerRevision: what an object said once, kept although the object may change.

use super::{InstancetypeSpec, ObjectMeta, PreferenceSpec, VirtualMachineSpec};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};
use std::sync::Arc;

/// A state that somebody wants to come back to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ControllerRevision {
    /// Names; the owner is the object whose controller keeps it.
    pub metadata: ObjectMeta,
    /// What was said.
    pub data: RevisionData,
    /// Which state it is: for the start of a machine, the machine's generation.
    pub revision: u64,
}

/// What a revision keeps. Written as KubeVirt writes it: the spec of a machine by itself, anything else as a whole object.
#[derive(Clone, Debug, PartialEq)]
pub enum RevisionData {
    /// The spec that a machine was started with.
    Machine(Arc<VirtualMachineSpec>),
    /// The spec of an instance type, and the kind it is of.
    Instancetype(&'static str, Arc<InstancetypeSpec>),
    /// The spec of a preference, and the kind it is of.
    Preference(&'static str, Arc<PreferenceSpec>),
    /// Something that KubeVirt does not keep.
    Other(Value),
}

impl Default for RevisionData {
    fn default() -> Self {
        Self::Other(Value::Null)
    }
}

/// The kinds of what is kept as a whole.
const INSTANCETYPES: [&str; 2] = ["VirtualMachineInstancetype", "VirtualMachineClusterInstancetype"];
const PREFERENCES: [&str; 2] = ["VirtualMachinePreference", "VirtualMachineClusterPreference"];

impl Serialize for RevisionData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let whole = |kind: &str, spec: Value| json!({"apiVersion": "instancetype.kubevirt.io/v1beta1", "kind": kind, "spec": spec});
        let value = |spec: serde_json::Result<Value>| spec.map_err(serde::ser::Error::custom);
        match self {
            Self::Machine(spec) => json!({ "spec": value(serde_json::to_value(spec))? }),
            Self::Instancetype(kind, spec) => whole(kind, value(serde_json::to_value(spec))?),
            Self::Preference(kind, spec) => whole(kind, value(serde_json::to_value(spec))?),
            Self::Other(other) => other.clone(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RevisionData {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        fn spec<T: serde::de::DeserializeOwned, E: serde::de::Error>(of: &Value) -> Result<Arc<T>, E> {
            T::deserialize(&of["spec"]).map(Arc::new).map_err(E::custom)
        }
        let value = Value::deserialize(deserializer)?;
        let kind = value["kind"].as_str().unwrap_or_default();
        let known = |kinds: [&'static str; 2]| kinds.into_iter().find(|known| *known == kind);
        if let Some(kind) = known(INSTANCETYPES) {
            return Ok(Self::Instancetype(kind, spec(&value)?));
        }
        if let Some(kind) = known(PREFERENCES) {
            return Ok(Self::Preference(kind, spec(&value)?));
        }
        // Other controllers, of DaemonSets say, keep a patch with `spec` too, but no run strategy.
        let is_machine = ["runStrategy", "running"].iter().any(|key| value["spec"].get(key).is_some());
        if is_machine { Ok(Self::Machine(spec(&value)?)) } else { Ok(Self::Other(value)) }
    }
}

#[cfg(test)]
mod tests {
    use super::{ControllerRevision, RevisionData};
    use serde_json::{Value, json};

    #[test]
    fn what_is_kept_is_read_as_it_was_written() {
        let datas = [
            json!({"spec": {"runStrategy": "Always"}}),
            json!({"apiVersion": "instancetype.kubevirt.io/v1beta1", "kind": "VirtualMachineClusterInstancetype",
                "spec": {"cpu": {"guest": 2}, "memory": {"guest": "1Gi"}}}),
            json!({"apiVersion": "instancetype.kubevirt.io/v1beta1", "kind": "VirtualMachinePreference",
                "spec": {"cpu": {"preferredCPUTopology": "cores"}}}),
            json!({"spec": {"template": {"$patch": "replace"}}}),
        ];
        let is_other = |data: &RevisionData| matches!(data, RevisionData::Other(_));
        let mut others = Vec::new();
        for data in datas {
            let value = json!({"metadata": {"name": "r"}, "data": data, "revision": 3});
            let revision: ControllerRevision = serde_json::from_value(value.clone()).expect("a revision");
            others.push(is_other(&revision.data));
            let shown: Value = serde_json::to_value(&revision).expect("objects serialize");
            assert_eq!(shown, value);
        }
        assert_eq!(others, [false, false, false, true]);
    }
}
