//! Files that are written at the end: whole, or not at all.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

use crate::input_error::InputError;

/// A file that is sure to be writable and has not been touched yet.
#[derive(Debug)]
pub struct OutputFile {
    path: PathBuf,
    target: Target,
}

#[derive(Debug)]
enum Target {
    /// A file beside the path, which takes its place in the end.
    Beside(NamedTempFile),
    /// Something that cannot be replaced: a pipe or a device.
    Itself(File),
}

impl OutputFile {
    /// Opens what will be written to. What a link names is replaced, not the link; pipes and devices are written to themselves.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn create(path: &Path) -> Result<Self, InputError> {
        let path = behind_links(path);
        let target = Target::of(&path).map_err(|error| unwritable(&path, &error))?;
        Ok(Self { path, target })
    }

    /// Whether a file can be written there, for those who open it only at the end: one that is open would stay behind where a
    /// signal ends the program. A pipe or device is left alone, since its reader would take the closing for the end.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn probe(path: &Path) -> Result<(), InputError> {
        if is_special(path) { Ok(()) } else { Self::create(path).map(drop) }
    }

    /// Writes the contents.
    ///
    /// # Errors
    ///
    /// If that fails; what stood there before stands there still.
    pub fn write(self, text: &str) -> Result<(), InputError> {
        let Self { path, target } = self;
        let written = match target {
            Target::Itself(mut file) => file.write_all(text.as_bytes()),
            Target::Beside(mut file) => file
                .write_all(text.as_bytes())
                .and_then(|()| file.persist(&path).map(drop).map_err(|failed| failed.error)),
        };
        written.map_err(|error| unwritable(&path, &error))
    }
}

impl Target {
    fn of(path: &Path) -> std::io::Result<Self> {
        if path.is_dir() {
            return Err(std::io::Error::other("it is a folder"));
        }
        if is_special(path) {
            return OpenOptions::new().write(true).open(path).map(Self::Itself);
        }
        if path.is_file() {
            // One that is there and must not be written to stays.
            OpenOptions::new().write(true).open(path)?;
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            return Err(std::io::Error::other(format!("there is no folder {}", folder.display())));
        }
        temporary().tempfile_in(folder).map(Self::Beside)
    }
}

/// Whether it is a pipe or a device.
fn is_special(path: &Path) -> bool {
    path.exists() && !path.is_file() && !path.is_dir()
}

/// What a path names, also where a link leads to a file that is not there yet.
fn behind_links(path: &Path) -> PathBuf {
    let target = path.read_link().ok().map(|target| path.parent().unwrap_or(Path::new("")).join(target));
    path.canonicalize().ok().or(target).unwrap_or_else(|| path.to_owned())
}

/// As readable as a file that was made the ordinary way.
fn temporary() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".stuckvm-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder
}

/// The error of a file that cannot be written.
pub fn unwritable(path: &Path, error: &std::io::Error) -> InputError {
    InputError::Unwritable { file: path.display().to_string(), problem: error.to_string() }
}
