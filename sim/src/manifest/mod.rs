//! Manifests: YAML and JSON texts with one document or many, as `kubectl get … -o yaml` prints them; every value with
//! its line and column, so that an error can point at it.
//!
//! [`parse`] is the one way in. What it makes of a text is what `sigs.k8s.io/yaml` 1.6.0 makes of it for Kubernetes,
//! except that a key given twice is an error with both places.

mod error;
mod lists;
pub mod position;
mod scalar;
mod strict;
mod tree;
mod typed;
mod write;
pub mod yaml;

pub use error::{MAX_QUOTE, ManifestError, quote, wrap};
pub use position::{Place, Positions};
pub use strict::StrictValue;
pub use tree::{MAX_ALIASED, MAX_DEPTH, Scalars};
pub(crate) use typed::join;
pub use typed::{kind_name, object_fields, quoting_advice, read_object, read_objects, split};
pub use write::to_yaml;
pub use yaml::{Document, MAX_BYTES, parse, parse_with};

#[cfg(test)]
mod tests;
