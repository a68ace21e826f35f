//! Where the vectors lie, and how they are read.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde_json::Value;

/// One line of a suite.
pub(crate) struct Case {
    /// Its `id`, or file and line where it has none.
    pub(crate) id: String,
    /// The line, or why it is no JSON.
    pub(crate) value: Result<Value, String>,
}

/// The project's own copy.
fn own_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors")
}

/// The folder that `STUCKVM_VECTORS` names, if it does.
pub(crate) fn named_folder() -> Option<PathBuf> {
    std::env::var_os("STUCKVM_VECTORS").filter(|name| !name.is_empty()).map(PathBuf::from)
}

/// A file beside the cases: from the folder in use, else from the project's own.
#[allow(dead_code, reason = "not every test that reads vectors has one")]
pub(crate) fn beside(name: &str) -> PathBuf {
    let named = named_folder().map(|folder| folder.join(name)).filter(|path| path.exists());
    named.unwrap_or_else(|| own_folder().join(name))
}

/// The files of every suite in the folder in use, by suite; the small files before the `-more` ones.
pub(crate) fn suites() -> BTreeMap<String, Vec<PathBuf>> {
    let root = named_folder().unwrap_or_else(own_folder);
    let mut found = BTreeMap::new();
    for path in entries(&root) {
        match suite_stem(&path) {
            Some(stem) if stem.starts_with("quantities") => add(&mut found, "quantities".to_owned(), path),
            _ if path.is_dir() => add_folder(&mut found, &path),
            _ => {}
        }
    }
    found
}

fn add_folder(found: &mut BTreeMap<String, Vec<PathBuf>>, folder: &Path) {
    let folder_name = text(folder.file_name());
    for path in entries(folder) {
        if let Some(stem) = suite_stem(&path) {
            let name = format!("{folder_name}/{}", stem.strip_suffix("-more").unwrap_or(stem));
            add(found, name, path);
        }
    }
}

fn add(found: &mut BTreeMap<String, Vec<PathBuf>>, name: String, path: PathBuf) {
    found.entry(name).or_default().push(path);
}

/// Name without folder and ending of a vector file; `None` for other files.
fn suite_stem(path: &Path) -> Option<&str> {
    let name = path.file_name()?.to_str()?;
    name.strip_suffix(".jsonl").or_else(|| name.strip_suffix(".jsonl.gz"))
}

/// What lies in the folder, `NAME` before `NAME-more`.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let listing = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = listing.map(|entry| entry.expect("a readable folder").path()).collect();
    paths.sort_by_key(|path| (text(path.file_name()).contains("-more."), path.clone()));
    paths
}

/// The cases of one file, blank lines left out.
pub(crate) fn cases(path: &Path) -> Vec<Case> {
    let text = read(path);
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(at, line)| case(path, at + 1, line)).collect()
}

fn case(path: &Path, number: usize, line: &str) -> Case {
    let value: Result<Value, String> =
        serde_json::from_str(line).map_err(|error| format!("no JSON: {error}"));
    let id = value.as_ref().ok().and_then(|value| value.get("id")?.as_str()).map(str::to_owned);
    let id = id.unwrap_or_else(|| format!("{}:{number}", text(path.file_name())));
    Case { id, value }
}

fn read(path: &Path) -> String {
    let mut text = String::new();
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let result = if path.extension() == Some(OsStr::new("gz")) {
        MultiGzDecoder::new(file).read_to_string(&mut text)
    } else {
        { file }.read_to_string(&mut text)
    };
    result.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text
}

fn text(name: Option<&OsStr>) -> String {
    name.unwrap_or_default().to_string_lossy().into_owned()
}
