//! `metadata`: names, owners, finalizers.

use super::{Rest, SharedVec, StrMap, is_default, nullable, time_opt};
use arcstr::ArcStr;
use serde::{Deserialize, Serialize};
use stuckvm_detector::Time;

/// `metadata` of an object.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectMeta {
    /// The name, unique for its kind within the namespace.
    pub name: ArcStr,
    /// Prefix from which the store makes a name when `name` is empty.
    #[serde(skip_serializing_if = "is_default")]
    pub generate_name: ArcStr,
    /// The namespace; empty for kinds that have none.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: ArcStr,
    /// Tells an object from a later one of the same name.
    #[serde(skip_serializing_if = "is_default")]
    pub uid: ArcStr,
    /// Counts changes of the spec, from 1.
    #[serde(skip_serializing_if = "is_default")]
    pub generation: u64,
    /// The store's revision of the last write.
    #[serde(skip_serializing_if = "is_default", with = "revision_text")]
    pub resource_version: u64,
    /// When it was created.
    #[serde(with = "time_opt", skip_serializing_if = "Option::is_none")]
    pub creation_timestamp: Option<Time>,
    /// Set while the object is being deleted: when its grace ends.
    #[serde(with = "time_opt", skip_serializing_if = "Option::is_none")]
    pub deletion_timestamp: Option<Time>,
    /// The grace in seconds, beside `deletion_timestamp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_grace_period_seconds: Option<u32>,
    /// Labels.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "StrMap::is_empty")]
    pub labels: StrMap,
    /// Annotations.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "StrMap::is_empty")]
    pub annotations: StrMap,
    /// What must be done before the object may go.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub finalizers: SharedVec<ArcStr>,
    /// The objects that this one depends on.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub owner_references: SharedVec<OwnerReference>,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

impl ObjectMeta {
    /// Whether a deletion timestamp is set.
    pub fn is_deleting(&self) -> bool {
        self.deletion_timestamp.is_some()
    }

    /// The owner that controls this object, if any.
    pub fn controller(&self) -> Option<&OwnerReference> {
        self.owner_references.iter().find(|owner| owner.controller)
    }

    /// Whether `finalizer` stands in the list.
    pub fn has_finalizer(&self, finalizer: &str) -> bool {
        self.finalizers.iter().any(|found| found == finalizer)
    }

    /// Adds a finalizer unless it is there, and returns whether it was added.
    pub fn add_finalizer(&mut self, finalizer: impl Into<ArcStr>) -> bool {
        let finalizer = finalizer.into();
        let missing = !self.has_finalizer(&finalizer);
        if missing {
            self.finalizers.push(finalizer);
        }
        missing
    }

    /// Removes a finalizer and returns whether it was there.
    pub fn remove_finalizer(&mut self, finalizer: &str) -> bool {
        let before = self.finalizers.len();
        self.finalizers.retain(|found| found != finalizer);
        self.finalizers.len() != before
    }
}

/// An entry of `metadata.ownerReferences`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OwnerReference {
    /// Group and version, such as `kubevirt.io/v1`.
    pub api_version: ArcStr,
    /// The kind.
    pub kind: ArcStr,
    /// The name; the namespace is that of the dependent.
    pub name: ArcStr,
    /// The uid that decides whether the owner still exists.
    pub uid: ArcStr,
    /// Whether this owner is the managing controller.
    #[serde(skip_serializing_if = "is_default")]
    pub controller: bool,
    /// Whether a foreground deletion of the owner waits for this object.
    #[serde(skip_serializing_if = "is_default")]
    pub block_owner_deletion: bool,
}

/// `resourceVersion` is a decimal string in the API.
mod revision_text {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(revision: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(revision)
    }

    /// A version that is no number comes from another cluster and means nothing here.
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.and_then(|text| text.parse().ok()).unwrap_or(0))
    }
}
