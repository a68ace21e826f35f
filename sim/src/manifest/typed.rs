//! From a document to an object: which kind it is, and whether each field has the type that the API gives it.
//!
//! Kinds of Kubernetes itself are read as their `k8s-openapi` types first, so that a field that no controller looks at
//! is checked too; kinds of KubeVirt and CDI are read as ours.

use super::{Document, ManifestError};
use crate::kind::{Kind, Object};
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::api::storage::v1::StorageClass;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A field that cannot be read: its path and the reader's words.
struct Misfit {
    field: String,
    problem: String,
}

/// The API server's words for an object without a name.
const NAME_REQUIRED: &str = "Required value: name or generateName is required";

/// Reads the objects that stand at a field of a document (the empty path: the document itself), those of a `List` one by
/// one. A kind that is not modelled gives `None`.
///
/// # Errors
///
/// Where no kind is named, or a field has a wrong type; the error names no file.
pub fn read_objects(document: &Document, field: &str) -> Result<Vec<Option<Object>>, ManifestError> {
    object_fields(document, field).iter().map(|field| read_object(document, field)).collect()
}

/// The paths of the objects that stand at a field of a document: the field itself, or in its place the items of a `List`.
///
/// ```
/// # use stuckvm_sim::manifest::{object_fields, parse};
/// let list = parse("x.yaml", b"kind: List\nitems: [{kind: Node}, {kind: Pod}]").unwrap();
/// assert_eq!(object_fields(&list[0], ""), ["items[0]", "items[1]"]);
/// ```
#[must_use]
pub fn object_fields(document: &Document, field: &str) -> Vec<String> {
    let value = document.at(field);
    if value.get("kind").and_then(Value::as_str) != Some("List") {
        return vec![field.to_owned()];
    }
    let items = value.get("items").and_then(Value::as_array).map_or(0, Vec::len);
    (0..items).flat_map(|item| object_fields(document, &join(field, &format!("items[{item}]")))).collect()
}

/// Reads the one object that stands at a field of a document. A kind that is not modelled gives `None`.
///
/// # Errors
///
/// As [`read_objects`].
pub fn read_object(document: &Document, field: &str) -> Result<Option<Object>, ManifestError> {
    let value = document.at(field);
    let kind_field = join(field, "kind");
    let Some(kind) = value.get("kind").and_then(Value::as_str) else {
        let found = value.get("kind").map_or_else(|| "none".to_owned(), Value::to_string);
        let advice = "every manifest says `kind`, such as `kind: VirtualMachine`, and `apiVersion`";
        return Err(document.error(&kind_field, "the kind of the object", &found, advice));
    };
    let Some(kind) = Kind::parse(kind) else { return Ok(None) };
    let misfit = |Misfit { field: inner, problem }: Misfit| {
        let advice = format!("compare with `kubectl explain {}`", kind.as_str().to_lowercase());
        let path = join(field, &inner);
        let (expected, mut found) = split(&problem);
        if found.is_empty() && !document.at(&path).is_null() {
            found = document.at(&path).to_string();
        }
        document.error(&path, &expected, &found, &advice)
    };
    check_types(kind, value).map_err(misfit)?;
    let object = Object::from_value(value).map_err(|error| misfit(of(&error)))?;
    let named = object.as_ref().map(Object::metadata).is_some_and(|metadata| {
        !metadata.name.is_empty() || kind == Kind::Pod && !metadata.generate_name.is_empty()
    });
    if !named {
        let advice = "give the object a name; generateName is enough for a Pod only";
        return Err(document.error(&join(field, "metadata.name"), NAME_REQUIRED, "none", advice));
    }
    Ok(object)
}

/// Two parts of a path.
pub(crate) fn join(path: &str, inner: &str) -> String {
    match (path.is_empty(), inner.is_empty() || inner == ".") {
        (true, _) => inner.to_owned(),
        (_, true) => path.to_owned(),
        _ => format!("{path}.{inner}"),
    }
}

fn check_types(kind: Kind, value: &Value) -> Result<(), Misfit> {
    match kind {
        Kind::Node => reads::<core::Node>(value),
        Kind::Pod => reads::<core::Pod>(value),
        Kind::ConfigMap => reads::<core::ConfigMap>(value),
        Kind::Secret => reads::<core::Secret>(value),
        Kind::PersistentVolume => reads::<core::PersistentVolume>(value),
        Kind::PersistentVolumeClaim => reads::<core::PersistentVolumeClaim>(value),
        Kind::StorageClass => reads::<StorageClass>(value),
        Kind::PriorityClass => reads::<PriorityClass>(value),
        // Kinds of KubeVirt and CDI are read as our own types, right after.
        _ => Ok(()),
    }
}

fn reads<T: DeserializeOwned>(value: &Value) -> Result<(), Misfit> {
    serde_path_to_error::deserialize::<_, T>(value).map(drop).map_err(|error| of(&error))
}

fn of(error: &serde_path_to_error::Error<serde_json::Error>) -> Misfit {
    Misfit { field: error.path().to_string(), problem: error.inner().to_string() }
}

/// serde's words as what was expected and what is there, in words that are not Rust's.
pub fn split(problem: &str) -> (String, String) {
    if let Some(field) = problem.strip_prefix("missing field ") {
        return (format!("{field}, which must be given"), "nothing".to_owned());
    }
    match problem.split_once(", expected ") {
        Some((found, expected)) => {
            let found = found.trim_start_matches("invalid type: ").trim_start_matches("invalid value: ");
            (plain(expected), plain(found))
        }
        None => (problem.strip_prefix("expected ").unwrap_or(problem).to_owned(), String::new()),
    }
}

fn plain(rust: &str) -> String {
    let words = match rust {
        "map with a single key" => "exactly one key",
        "a map" | "map" => "a mapping",
        "a sequence" | "sequence" => "a list",
        "u8" | "u16" | "u32" | "u64" => "a whole number that is not negative",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        _ if rust.starts_with("struct ") => "a mapping",
        _ => rust,
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn what_serde_says_is_told_in_plain_words() {
        let table = [
            (
                "invalid type: string \"lots\", expected u64",
                "a whole number that is not negative",
                "string \"lots\"",
            ),
            ("invalid value: integer `-1`, expected i32", "a whole number", "integer `-1`"),
            ("invalid type: map, expected a sequence", "a list", "a mapping"),
            ("invalid type: null, expected struct Expect", "a mapping", "null"),
            ("missing field `until`", "`until`, which must be given", "nothing"),
            ("expected a day from 01 to 28", "a day from 01 to 28", ""),
            ("no quantity", "no quantity", ""),
        ];
        for (serde, expected, found) in table {
            assert_eq!(split(serde), (expected.to_owned(), found.to_owned()), "{serde}");
        }
    }
}
