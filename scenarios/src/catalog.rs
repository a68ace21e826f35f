//! Where scenarios come from: the embedded catalog, a folder, or one file.

use crate::input_error::InputError;
use crate::load::{Loaded, load};
use include_dir::{Dir, include_dir};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use stuckvm_sim::manifest;

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/catalog");

/// A folder of this name holds manifests that scenarios name, and no scenarios.
const MANIFESTS: &str = "manifests";

/// A tree of files with scenarios and the manifests that they name.
#[derive(Clone, Debug)]
pub enum Tree {
    /// The catalog that is part of the program.
    Embedded,
    /// A folder.
    Folder(PathBuf),
}

impl Tree {
    /// The bytes of a file, by its path from the root of the tree.
    ///
    /// # Errors
    ///
    /// Why it cannot be read.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        match self {
            Self::Embedded => {
                let file = EMBEDDED.get_file(path).ok_or_else(|| "no such file in the catalog".to_owned())?;
                Ok(file.contents().to_vec())
            }
            Self::Folder(root) => std::fs::read(root.join(path)).map_err(|error| error.to_string()),
        }
    }

    /// The path as messages show it.
    pub fn shown(&self, path: &str) -> String {
        match self {
            Self::Embedded => format!("catalog/{path}"),
            Self::Folder(root) => root.join(path).display().to_string(),
        }
    }

    /// The file of that path on disk, if it is one.
    pub fn file(&self, path: &str) -> Option<PathBuf> {
        match self {
            Self::Embedded => None,
            Self::Folder(root) => Some(root.join(path)),
        }
    }

    /// Every scenario file, in order of path.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read, or has no scenarios.
    pub fn scenario_files(&self) -> Result<Vec<String>, InputError> {
        let mut found = Vec::new();
        match self {
            Self::Embedded => embedded_files(&EMBEDDED, &mut found),
            Self::Folder(root) => {
                let failed = |error: std::io::Error| InputError::File {
                    file: root.display().to_string(),
                    problem: error.to_string(),
                };
                folder_files(root, root, &mut found).map_err(failed)?;
                if found.is_empty() {
                    return Err(InputError::NoScenarios { folder: root.display().to_string() });
                }
            }
        }
        found.sort();
        Ok(found)
    }
}

/// Reads every scenario of a tree, in order of name.
///
/// # Errors
///
/// The first file that cannot be read, or two files with one name.
pub fn load_all(tree: &Tree) -> Result<Vec<Loaded>, InputError> {
    let mut by_name: BTreeMap<String, Loaded> = BTreeMap::new();
    for path in tree.scenario_files()? {
        let loaded = load(tree, &path)?;
        let name = loaded.scenario.scenario.clone();
        if let Some(other) = by_name.get(&name) {
            let (file, other) = (tree.shown(&path), tree.shown(&other.path));
            return Err(InputError::DuplicateScenario { file, name, other });
        }
        by_name.insert(name, loaded);
    }
    Ok(by_name.into_values().collect())
}

/// Reads one scenario file. Manifests that it names are looked for in its folder, and from the root of its catalog
/// where its path ends with its scenario's name.
///
/// # Errors
///
/// If it cannot be read.
pub fn load_file(path: &Path) -> Result<Loaded, InputError> {
    let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
    if path.is_dir() || path.file_name().is_none() {
        let problem = "it is a folder; `--catalog` takes one".to_owned();
        return Err(InputError::File { file: path.display().to_string(), problem });
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (root, name) = catalog_of(path).unwrap_or((folder, name));
    load(&Tree::Folder(root), &name)
}

/// The root of the catalog that a file lies in, and its path from there.
fn catalog_of(path: &Path) -> Option<(PathBuf, String)> {
    let documents = manifest::parse("", &std::fs::read(path).ok()?).ok()?;
    let name = format!("{}.yaml", documents.first()?.value.get("scenario")?.as_str()?);
    let depth = Path::new(&name).components().count();
    let root = path.ancestors().nth(depth).filter(|_| path.ends_with(&name))?;
    Some((root.to_path_buf(), name))
}

/// The scenarios that one of the names matches, by whole components from the left; all without names.
///
/// # Errors
///
/// A name that matches nothing.
pub fn select(scenarios: Vec<Loaded>, names: &[String]) -> Result<Vec<Loaded>, InputError> {
    select_by(scenarios, names, |loaded| &loaded.scenario.scenario)
}

/// The same for anything that has a name.
///
/// # Errors
///
/// A name that matches nothing.
pub fn select_by<T>(
    items: Vec<T>,
    names: &[String],
    name_of: impl Fn(&T) -> &str,
) -> Result<Vec<T>, InputError> {
    for name in names {
        if !items.iter().any(|item| matches(name, name_of(item))) {
            let known: Vec<&str> = items.iter().map(&name_of).collect();
            return Err(InputError::unknown_name(name, &known));
        }
    }
    let wanted = |item: &T| names.is_empty() || names.iter().any(|name| matches(name, name_of(item)));
    Ok(items.into_iter().filter(wanted).collect())
}

fn matches(name: &str, scenario: &str) -> bool {
    let name = name.trim_end_matches('/');
    scenario.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn embedded_files(dir: &Dir<'_>, found: &mut Vec<String>) {
    for file in dir.files() {
        found.extend(is_yaml(file.path()).then(|| slashes(file.path())));
    }
    for folder in dir.dirs() {
        if folder.path().file_name().is_none_or(|name| name != MANIFESTS) {
            embedded_files(folder, found);
        }
    }
}

fn folder_files(root: &Path, folder: &Path, found: &mut Vec<String>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != MANIFESTS) {
                folder_files(root, &path, found)?;
            }
        } else if is_yaml(&path) {
            found.push(slashes(path.strip_prefix(root).unwrap_or(&path)));
        }
    }
    Ok(())
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

fn slashes(path: &Path) -> String {
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_name_matches_whole_components_from_the_left() {
        assert!(matches("pvc-not-found", "pvc-not-found/stuck"));
        assert!(matches("pvc-not-found/", "pvc-not-found/stuck"));
        assert!(matches("pvc-not-found/stuck", "pvc-not-found/stuck"));
        assert!(!matches("pvc-not", "pvc-not-found/stuck"));
        assert!(!matches("stuck", "pvc-not-found/stuck"));
    }
}
