//! Refusals for the person who wrote the manifest: where, and the API's words.

use super::{FieldError, validate};
use crate::manifest::{Document, Place, join, object_fields};
use serde_json::Value;
use std::fmt;

/// An objection to an object of a file. Shown on a few lines; the API's message stands on one, whatever its length.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Refusal {
    /// File name as the user gave it; `-` is standard input.
    pub file: String,
    /// Line and column of the field, or of what is around it where it is missing.
    pub place: Place,
    /// Path of the object in the document; empty where it is the document, `items[2]` in a `List`.
    pub object: String,
    /// Path of the field in the document, as `steps[0].apply[1].spec.runStrategy`.
    pub path: String,
    /// Kind of the object.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The objection.
    pub error: FieldError,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, place: Place { line, column }, path, kind, name, error, .. } = self;
        write!(f, "{file}, line {line}, column {column}:")?;
        write!(f, "\n  field     {path}")?;
        write!(f, "\n  refused   {kind} \"{name}\" is invalid: {error}")?;
        write!(f, "\n  try       the API server would not store this object; mend the field, or")?;
        write!(f, "\n            leave the object out")
    }
}

/// All that the API server would refuse in the objects of a document, each with its place.
///
/// The object stands at a field of the document (the empty path: the document itself); a `List` gives the refusals of all its
/// items, in their order. A caller that goes on without the refused objects tells them by [`Refusal::object`].
///
/// # Examples
///
/// ```
/// use stuckvm_sim::{manifest, validation};
///
/// let text = "kind: Node\nmetadata: {name: a}\nspec:\n  taints: [{key: dedicated, effect: Never}]\n";
/// let documents = manifest::parse("nodes.yaml", text.as_bytes()).unwrap();
/// let refusals = validation::refusals("nodes.yaml", &documents[0], "");
/// assert_eq!(refusals.len(), 1);
/// assert_eq!((refusals[0].place.line, refusals[0].path.as_str()), (4, "spec.taints[0].effect"));
/// ```
#[must_use]
pub fn refusals(file: &str, document: &Document, field: &str) -> Vec<Refusal> {
    // A list that is none is an error to whoever reads the objects.
    let fields = object_fields(document, field).unwrap_or_default();
    fields.iter().flat_map(|field| of_object(file, document, field, document.at(field))).collect()
}

/// The same for one object that was made of what stands at the field, as a template with its placeholders filled in.
#[must_use]
pub fn of_object(file: &str, document: &Document, field: &str, object: &Value) -> Vec<Refusal> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let refuse = |error: FieldError| Refusal {
        file: file.to_owned(),
        place: document.place(&join(field, &error.path)),
        object: field.to_owned(),
        path: join(field, &error.path),
        kind: text(&object["kind"]),
        name: text(&object["metadata"]["name"]),
        error,
    };
    validate(object).into_iter().map(refuse).collect()
}
