//! The manifests that a scenario names, read and checked before anything runs.

use crate::format::Manifest;
use serde_json::Value;
use std::collections::BTreeMap;
use stuckvm_sim::Object;

/// Objects by the path that the scenario gives.
#[derive(Clone, Debug, Default)]
pub struct Files(BTreeMap<String, Vec<Object>>);

impl Files {
    /// Adds the objects of a file.
    pub fn add(&mut self, path: impl Into<String>, objects: Vec<Object>) {
        self.0.insert(path.into(), objects);
    }

    /// Whether a file has been read.
    pub fn contains(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    /// The objects of manifests that the loader has checked, in order; kinds that do not matter are left out.
    pub fn objects(&self, manifests: &[Manifest]) -> Vec<Object> {
        let mut objects = Vec::new();
        for manifest in manifests {
            match manifest {
                Manifest::File(path) => {
                    objects.extend(self.0.get(path).expect("the loader has read the file").iter().cloned())
                }
                Manifest::Inline(value) => add(value, &mut objects),
            }
        }
        objects
    }
}

/// Adds an object that is written out, or the items of a list.
fn add(value: &Value, objects: &mut Vec<Object>) {
    if value["kind"] == "List" {
        value["items"].as_array().into_iter().flatten().for_each(|item| add(item, objects));
    } else {
        objects.extend(Object::from_value(value).expect("the loader has read the object"));
    }
}
