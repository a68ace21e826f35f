//! Reads scenario files and the manifests that they name, and checks everything before anything runs.

use crate::catalog::Tree;
use crate::check;
use crate::files::Files;
use crate::format::{Manifest, Scenario};
use crate::input_error::InputError;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use stuckvm_sim::manifest::{
    self, Document, ManifestError, StrictValue, kind_name, quoting_advice, read_objects, split,
};
use stuckvm_sim::validation::{Refusal, refusals};
use stuckvm_sim::{Kind, Object};

/// A scenario that is ready to be played.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Its file, from the root of its tree.
    pub path: String,
    /// The file as users name it; `None` for one that is part of the program.
    pub file: Option<PathBuf>,
    /// The text as it was read, with the place of each field.
    pub document: Arc<Document>,
    /// What the file says.
    pub scenario: Scenario,
    /// The manifests that it names.
    pub files: Files,
    /// Kinds of its manifests that the cluster does not know, with how many objects of each were left out.
    pub skipped: BTreeMap<String, usize>,
}

/// What manifests bring up besides objects.
#[derive(Default)]
struct Remarks {
    /// How many objects of a kind were skipped, since it is not modelled.
    skipped: BTreeMap<String, usize>,
    /// What the API server would not store.
    refused: Vec<Refusal>,
}

/// Reads one scenario of a tree.
///
/// # Errors
///
/// If the file, or one that it names, cannot be used; nothing has been run.
pub fn load(tree: &Tree, path: &str) -> Result<Loaded, InputError> {
    let shown = tree.shown(path);
    let document = Arc::new(only_document(tree, path)?);
    let scenario = read(&document).map_err(|error| error.in_file(&shown))?;
    check::scenario(&scenario, &document).map_err(|error| error.in_file(&shown))?;
    let refused = check::refused_templates(&scenario, &document, &shown);
    let mut remarks = Remarks { refused, ..Remarks::default() };
    let mut loaded = Loaded {
        path: path.to_owned(),
        file: tree.file(path),
        document: document.clone(),
        scenario,
        files: Files::default(),
        skipped: BTreeMap::new(),
    };
    for (field, manifest) in check::manifests(&loaded.scenario) {
        match manifest {
            Manifest::Inline(value) => {
                read_objects(&document, &field).map_err(|error| error.in_file(&shown))?;
                remarks.refused.extend(refusals(&shown, &document, &field));
                skip_unknown(&value, &mut remarks.skipped);
            }
            Manifest::File(name) if loaded.files.contains(&name) => {}
            Manifest::File(name) => {
                let objects = manifest_file(tree, path, &name, &mut remarks)
                    .map_err(|found| found.unwrap_or_else(|| missing(&document, &field, &name, &shown)))?;
                loaded.files.add(name, objects);
            }
        }
    }
    check::objects(&loaded, &document).map_err(|error| error.in_file(&shown))?;
    loaded.skipped = remarks.skipped;
    if remarks.refused.is_empty() { Ok(loaded) } else { Err(InputError::Refused(remarks.refused)) }
}

fn only_document(tree: &Tree, path: &str) -> Result<Document, InputError> {
    let shown = tree.shown(path);
    let bytes = tree.read(path).map_err(|problem| InputError::File { file: shown.clone(), problem })?;
    let mut documents = manifest::parse(&shown, &bytes)?;
    if let Some(second) = documents.get(1) {
        let advice = "put each scenario into a file of its own";
        return Err(second
            .error("", "one document a scenario file", "a second one", advice)
            .in_file(&shown)
            .into());
    }
    Ok(documents.remove(0))
}

fn read(document: &Document) -> Result<Scenario, ManifestError> {
    let expected = "the keys of a scenario: `scenario`, `until`, `expect` …";
    read_as(document, expected, "`stuckvm schema` prints what may stand there")
}

/// Reads a document that is a mapping as a type of ours; the error points at the field and names no file.
pub(crate) fn read_as<T: DeserializeOwned>(
    document: &Document,
    expected: &str,
    advice: &str,
) -> Result<T, ManifestError> {
    if !document.value.is_object() {
        let found = manifest::quote(&document.value.to_string());
        return Err(document.error("", expected, &found, advice));
    }
    serde_path_to_error::deserialize(StrictValue(&document.value)).map_err(|error| {
        let problem = error.inner().to_string();
        let mut field = error.path().to_string();
        let (expected, found) = split(&problem);
        if field == "." {
            field.clear();
        }
        if let Some(key) = problem.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next())
            && !field.ends_with(key)
        {
            field = if field.is_empty() { key.to_owned() } else { format!("{field}.{key}") };
        }
        let advice = quoting_advice(&expected, document.at(&field)).unwrap_or(advice);
        document.error(&field, &expected, &found, advice)
    })
}

/// The objects of a manifest file, looked for beside the scenario and from the root of the tree. `Err(None)`: there is
/// no such file.
fn manifest_file(
    tree: &Tree,
    scenario: &str,
    name: &str,
    remarks: &mut Remarks,
) -> Result<Vec<Object>, Option<InputError>> {
    let folder = scenario.rsplit_once('/').map_or("", |(folder, _)| folder);
    let beside = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    let candidates = [beside, name.to_owned()];
    let read = candidates.iter().find_map(|path| Some((tree.shown(path), tree.read(path).ok()?)));
    let (shown, bytes) = read.ok_or(None)?;
    let documents = manifest::parse(&shown, &bytes).map_err(|error| Some(error.into()))?;
    let mut objects = Vec::new();
    for document in &documents {
        let read = read_objects(document, "").map_err(|error| Some(error.in_file(&shown).into()))?;
        objects.extend(read.into_iter().flatten());
        skip_unknown(&document.value, &mut remarks.skipped);
        remarks.refused.extend(refusals(&shown, document, ""));
    }
    Ok(objects)
}

/// Counts objects of kinds that the cluster does not know.
fn skip_unknown(manifest: &Value, skipped: &mut BTreeMap<String, usize>) {
    if manifest["kind"] == "List" {
        manifest["items"].as_array().into_iter().flatten().for_each(|item| skip_unknown(item, skipped));
    } else if Kind::of_manifest(manifest).is_none() {
        *skipped.entry(kind_name(manifest)).or_default() += 1;
    }
}

fn missing(document: &Document, field: &str, name: &str, shown: &str) -> InputError {
    let advice = "paths are taken from the scenario's folder, then from the root of the catalog";
    document.error(field, "a file with manifests", &format!("no file `{name}`"), advice).in_file(shown).into()
}
