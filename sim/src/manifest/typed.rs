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
/// Where no kind is named, a `List` has no list, or a field has a wrong type; the error names no file.
pub fn read_objects(document: &Document, field: &str) -> Result<Vec<Option<Object>>, ManifestError> {
    object_fields(document, field)?.iter().map(|field| read_object(document, field)).collect()
}

/// The paths of the objects that stand at a field of a document: the field itself, or in its place the items of a `List`.
///
/// ```
/// # use stuckvm_sim::manifest::{object_fields, parse};
/// let list = parse("x.yaml", b"kind: List\nitems: [{kind: Node}, {kind: Pod}]").unwrap();
/// assert_eq!(object_fields(&list[0], "").unwrap(), ["items[0]", "items[1]"]);
/// ```
///
/// # Errors
///
/// Where the `items` of a list are none; the error names no file.
pub fn object_fields(document: &Document, field: &str) -> Result<Vec<String>, ManifestError> {
    let value = document.at(field);
    if !is_list(value) {
        return Ok(vec![field.to_owned()]);
    }
    let path = join(field, "items");
    let items = match &value["items"] {
        Value::Null => 0,
        Value::Array(items) => items.len(),
        other => {
            let advice = "write each object as an item, `- kind: …`; a single one needs no List around it";
            return Err(document.error(&path, "a list", &described(other), advice));
        }
    };
    let each = (0..items).map(|item| object_fields(document, &format!("{path}[{item}]")));
    Ok(each.collect::<Result<Vec<_>, _>>()?.concat())
}

/// Whether objects stand in it, or should. A `PodList` has become a `List` when it was parsed, unless it has no items.
fn is_list(value: &Value) -> bool {
    let kind = value.get("kind").and_then(Value::as_str).and_then(|kind| kind.strip_suffix("List"));
    kind.is_some_and(|kind| kind.is_empty() || Kind::parse(kind).is_some() && !value["items"].is_array())
}

/// The kind of a manifest as it is counted where it is left out: with the version, where it is another group's kind with the
/// name of one that is modelled.
///
/// ```
/// let node = serde_json::json!({"kind": "Node", "apiVersion": "management.cattle.io/v3"});
/// assert_eq!(stuckvm_sim::manifest::kind_name(&node), "Node of management.cattle.io/v3");
/// ```
#[must_use]
pub fn kind_name(manifest: &Value) -> String {
    let text = |key: &str| manifest.get(key).and_then(Value::as_str).unwrap_or_default();
    let (kind, version) = (text("kind"), text("apiVersion"));
    let is_foreign = Kind::parse(kind).is_some() && Kind::of_manifest(manifest).is_none();
    if is_foreign { format!("{kind} of {version}") } else { kind.to_owned() }
}

/// Reads the one object that stands at a field of a document. A kind that is not modelled gives `None`.
///
/// # Errors
///
/// As [`read_objects`].
pub fn read_object(document: &Document, field: &str) -> Result<Option<Object>, ManifestError> {
    let value = document.at(field);
    names_its_kind(document, field)?;
    let Some(kind) = Kind::of_manifest(value) else { return Ok(None) };
    let misfit = |Misfit { field: inner, problem }: Misfit| {
        let advice = format!("compare with `kubectl explain {}`", kind.as_str().to_lowercase());
        let path = join(field, &inner);
        let (expected, mut found) = split(&problem);
        if found.is_empty() && !document.at(&path).is_null() {
            found = document.at(&path).to_string();
        }
        let advice = quoting_advice(&expected, document.at(&path)).unwrap_or(&advice);
        document.error(&path, &expected, &found, advice)
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

/// What stands there is a mapping, with a `kind` that is not empty and perhaps `apiVersion` as texts.
fn names_its_kind(document: &Document, field: &str) -> Result<(), ManifestError> {
    let value = document.at(field);
    if !value.is_object() {
        let advice = "give each object a document of its own, between lines `---`, or put all of them under `items` of a \
                      `kind: List`";
        return Err(document.error(field, "an object: a mapping with `kind`", &described(value), advice));
    }
    let is_text = |key: &str| value.get(key).is_some_and(Value::is_string);
    if !is_text("kind") || value["kind"] == "" {
        let found = value.get("kind").map_or_else(|| "none".to_owned(), Value::to_string);
        let advice = "every manifest says `kind`, such as `kind: VirtualMachine`, and `apiVersion`";
        return Err(document.error(&join(field, "kind"), "the kind of the object", &found, advice));
    }
    if !is_text("apiVersion") && !value["apiVersion"].is_null() {
        let advice = "such as `apiVersion: kubevirt.io/v1`";
        let found = described(&value["apiVersion"]);
        return Err(document.error(&join(field, "apiVersion"), "group and version", &found, advice));
    }
    Ok(())
}

/// A value that does not belong where it stands, in a few words.
fn described(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
        scalar => scalar.to_string(),
    }
}

/// What to try where a text is expected and YAML has made something else of the word that stands there.
#[must_use]
pub fn quoting_advice(expected: &str, found: &Value) -> Option<&'static str> {
    match found {
        _ if expected != "a string" => None,
        Value::Bool(_) => Some("write it in quotes: without them YAML takes it for true or false"),
        Value::Number(_) => Some("write it in quotes: without them YAML takes it for a number"),
        _ => None,
    }
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
    serde_path_to_error::deserialize::<_, T>(value).map(drop).map_err(|error| match of(&error) {
        // Of a mapping as a whole these types object to nothing but its version.
        Misfit { field, problem } if field == "." => Misfit { field: "apiVersion".to_owned(), problem },
        misfit => misfit,
    })
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
