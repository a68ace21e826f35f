//! OBJECTS: what `-f` names. Kinds that a command does not look at are counted on standard error; an object
//! or a file that cannot be used ends the command, or with `--keep-going` is reported and left out.

use super::{BAD_INPUT, tell, time};
use clap::Args;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use stuckvm_detector::Time;
use stuckvm_scenarios::input_error::InputError;
use stuckvm_sim::manifest::{self, Document, ManifestError, kind_name, object_fields, read_object};
use stuckvm_sim::validation;
use stuckvm_sim::{Config, Object};

/// Where the objects come from.
#[derive(Args)]
pub(super) struct Sources {
    /// Kubernetes objects in YAML or JSON; `-` is standard input. May be repeated.
    #[arg(short, long, value_name = "FILE", required = true)]
    file: Vec<PathBuf>,
    /// Answer for the others where an object or a file cannot be used; the exit code is 2 all the same.
    #[arg(long)]
    keep_going: bool,
}

/// Stored objects, and when virt-controller looks at them.
#[derive(Args)]
pub(super) struct StoredObjects {
    #[command(flatten)]
    sources: Sources,
    /// When virt-controller looks; the newest timestamp in the input without it.
    #[arg(long, value_name = "TIME", value_parser = time)]
    now: Option<Time>,
}

impl StoredObjects {
    /// Reads everything, and the instant. `kinds` are those that the command looks at.
    pub(super) fn read(&self, kinds: &[&str]) -> Result<(Input, Time), InputError> {
        let input = self.sources.read(kinds, Taken::AsStored)?;
        let now = self.now.or(input.newest).unwrap_or_else(|| Config::default().start);
        Ok((input, now))
    }
}

/// What the objects are to the command.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// To be created: the API server refuses some.
    AsNew,
    /// As they are stored, whatever they say.
    AsStored,
}

/// What was read.
#[derive(Default)]
pub(super) struct Input {
    /// The objects that the command looks at, in the order read.
    pub(super) objects: Vec<Object>,
    /// The newest timestamp that stands anywhere in the input.
    pub(super) newest: Option<Time>,
    /// Everything that was read, each behind the name of its file.
    documents: Vec<(String, Document)>,
    /// In which document each of the objects stands, and where in it.
    stand: Vec<(usize, String)>,
    /// How many objects and files could not be used.
    refused: usize,
}

impl Sources {
    /// Reads everything. `kinds` are those that the command looks at.
    pub(super) fn read(&self, kinds: &[&str], taken: Taken) -> Result<Input, InputError> {
        let mut refused = Refused { keep_going: self.keep_going, count: 0 };
        let mut documents = Vec::new();
        for path in &self.file {
            match parsed(path) {
                Ok(of_file) => documents.extend(of_file),
                Err(error) => refused.add(error)?,
            }
        }
        let (input, first, skipped) = (Input::default(), BTreeMap::new(), BTreeMap::new());
        let classes = priority_classes(&documents);
        let mut reader = Reader { kinds, taken, classes, input, first, skipped };
        for (index, (file, document)) in documents.iter().enumerate() {
            reader.input.newest = reader.input.newest.max(newest(&document.value));
            let fields = object_fields(document, "")
                .or_else(|error| refused.add(error.in_file(file).into()).map(|()| Vec::new()))?;
            for field in fields {
                let before = reader.input.objects.len();
                reader.take(file, document, field.clone()).or_else(|error| refused.add(error))?;
                if reader.input.objects.len() > before {
                    reader.input.stand.push((index, field));
                }
            }
        }
        reader.report_skipped();
        let input = reader.input;
        Ok(Input { refused: refused.count, documents, ..input })
    }
}

impl Input {
    /// An error of a field of the object with this number, with its place.
    pub(super) fn error(
        &self,
        object: usize,
        field: &str,
        [expected, found, advice]: [&str; 3],
    ) -> InputError {
        let (document, of_object) = &self.stand[object];
        let (file, document) = &self.documents[*document];
        let path = if of_object.is_empty() { field.to_owned() } else { format!("{of_object}.{field}") };
        document.error(&path, expected, found, advice).in_file(file).into()
    }

    /// Success, unless something could not be used.
    pub(super) fn exit_code(&self) -> ExitCode {
        if self.refused == 0 { ExitCode::SUCCESS } else { ExitCode::from(BAD_INPUT) }
    }
}

/// What cannot be used.
struct Refused {
    /// Whether it is told and left out; else it ends the command.
    keep_going: bool,
    count: usize,
}

impl Refused {
    fn add(&mut self, error: InputError) -> Result<(), InputError> {
        if !self.keep_going {
            return Err(error);
        }
        tell(error);
        self.count += 1;
        Ok(())
    }
}

/// Kind, namespace, name.
type Key = (String, String, String);

struct Reader<'a> {
    kinds: &'a [&'a str],
    taken: Taken,
    /// The names of all priority classes, which may stand behind the pods that name them.
    classes: BTreeSet<&'a str>,
    input: Input,
    /// Where each object stands.
    first: BTreeMap<Key, (&'a str, &'a Document, String)>,
    skipped: BTreeMap<String, usize>,
}

impl<'a> Reader<'a> {
    /// Takes up one object.
    fn take(&mut self, file: &'a str, document: &'a Document, field: String) -> Result<(), InputError> {
        let manifest = document.at(&field);
        let kind = kind_name(manifest);
        if !kind.is_empty() && !self.kinds.contains(&kind.as_str()) {
            *self.skipped.entry(kind).or_default() += 1;
            return Ok(());
        }
        let object = read_object(document, &field).map_err(|error| error.in_file(file))?;
        let key = key(kind, object.as_ref(), manifest);
        // Objects whose name is generated are not the same.
        if let Some(first) = self.first.get(&key).filter(|_| !key.2.is_empty()) {
            return Err(duplicate(document, &field, &key, first).in_file(file).into());
        }
        if self.taken == Taken::AsNew {
            let refusals = validation::of_object(file, document, &field, manifest);
            if !refusals.is_empty() {
                return Err(InputError::Refused(refusals));
            }
            if let Some(class) = class_of(manifest).filter(|class| !self.classes.contains(class)) {
                return Err(unknown_class(document, &field, class).in_file(file).into());
            }
        }
        self.first.insert(key, (file, document, field));
        match object {
            Some(object) => self.input.objects.push(object),
            None => unreachable!("a command looks at kinds that are modelled"),
        }
        Ok(())
    }

    fn report_skipped(&self) {
        let total: usize = self.skipped.values().sum();
        if total == 0 {
            return;
        }
        let kinds: Vec<String> =
            self.skipped.iter().map(|(kind, count)| format!("{count} {}", manifest::quote(kind))).collect();
        let plural = if total == 1 { "" } else { "s" };
        tell(format_args!(
            "skipped {total} object{plural} of kinds that do not matter here: {}",
            kinds.join(", ")
        ));
    }
}

fn key(kind: String, object: Option<&Object>, manifest: &Value) -> Key {
    let (namespace, name) = match object.map(Object::metadata) {
        Some(metadata) => (metadata.namespace.as_str(), metadata.name.as_str()),
        None => {
            let text = |key: &str| manifest["metadata"][key].as_str().unwrap_or_default();
            (text("namespace"), text("name"))
        }
    };
    (kind, namespace.to_owned(), name.to_owned())
}

fn duplicate(
    document: &Document,
    field: &str,
    (kind, namespace, name): &Key,
    (file, first, first_field): &(&str, &Document, String),
) -> ManifestError {
    let shown = if namespace.is_empty() { name.clone() } else { format!("{namespace}/{name}") };
    let line = first.place(first_field).line;
    let found = format!("{kind} {shown} again; it stands in {file}, line {line} too");
    let path = if field.is_empty() { "metadata.name".to_owned() } else { format!("{field}.metadata.name") };
    document.error(&path, "objects of different names", &found, "leave one of the two away, or rename it")
}

fn priority_classes(documents: &[(String, Document)]) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for (_, document) in documents {
        for field in object_fields(document, "").unwrap_or_default() {
            let manifest = document.at(&field);
            if manifest["kind"] == "PriorityClass" {
                names.extend(manifest["metadata"]["name"].as_str());
            }
        }
    }
    names
}

/// The class that decides over a pod's priority. One that has a priority was stored before, and its class may be gone.
fn class_of(manifest: &Value) -> Option<&str> {
    let spec = Some(&manifest["spec"]).filter(|spec| manifest["kind"] == "Pod" && spec["priority"].is_null());
    let name = spec?["priorityClassName"].as_str()?;
    Some(name).filter(|name| !["", "system-cluster-critical", "system-node-critical"].contains(name))
}

fn unknown_class(document: &Document, field: &str, class: &str) -> ManifestError {
    let path = if field.is_empty() { String::new() } else { format!("{field}.") };
    let found = format!("no PriorityClass with name {class} was found");
    let advice = "add its manifest with another -f; the API server would not store the pod without it";
    let expected = "the name of a PriorityClass in the input";
    document.error(&format!("{path}spec.priorityClassName"), expected, &found, advice)
}

/// The documents of a file, each with the file's name for messages.
fn parsed(path: &Path) -> Result<Vec<(String, Document)>, InputError> {
    let (file, bytes) = bytes(path)?;
    let documents = manifest::parse(&file, &bytes)?;
    Ok(documents.into_iter().map(|document| (file.clone(), document)).collect())
}

/// A name for messages, and what stands there.
fn bytes(path: &Path) -> Result<(String, Vec<u8>), InputError> {
    let mut bytes = Vec::new();
    let (file, read) = if path.as_os_str() == "-" {
        ("<stdin>".to_owned(), std::io::stdin().lock().read_to_end(&mut bytes).map(drop))
    } else {
        (path.display().to_string(), std::fs::read(path).map(|found| bytes = found))
    };
    match read {
        Ok(()) => Ok((file, bytes)),
        Err(error) => Err(InputError::File { file, problem: error.to_string() }),
    }
}

/// The newest timestamp among all texts of a manifest.
fn newest(value: &Value) -> Option<Time> {
    match value {
        Value::String(text) if text.ends_with('Z') => text.parse().ok(),
        Value::Array(items) => items.iter().filter_map(newest).max(),
        Value::Object(fields) => fields.values().filter_map(newest).max(),
        _ => None,
    }
}
