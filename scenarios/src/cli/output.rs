//! Files that are written at the end: whole, or not at all.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use stuckvm_scenarios::input_error::InputError;
use tempfile::NamedTempFile;

/// A file that is sure to be writable and has not been touched yet.
pub(super) struct OutputFile {
    path: PathBuf,
    target: Target,
}

enum Target {
    /// A file beside the path, which takes its place in the end.
    Beside(NamedTempFile),
    /// Something that cannot be replaced: a pipe or a device.
    Itself(File),
}

impl OutputFile {
    /// Opens what will be written to.
    pub(super) fn create(path: &Path) -> Result<Self, InputError> {
        // What a link names is replaced, not the link.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let target = Target::of(&path).map_err(|error| unwritable(&path, &error))?;
        Ok(Self { path, target })
    }

    /// Writes the contents.
    pub(super) fn write(self, text: &str) -> Result<(), InputError> {
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
        if path.exists() && !path.is_file() {
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

pub(super) fn unwritable(path: &Path, error: &std::io::Error) -> InputError {
    InputError::Unwritable { file: path.display().to_string(), problem: error.to_string() }
}
