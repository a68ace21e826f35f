//! `stuckvm new`: a scenario to begin with.

use super::{CommandResult, print};
use clap::Args;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use stuckvm_scenarios::input_error::InputError;
use stuckvm_scenarios::output_file::unwritable;
use stuckvm_scenarios::template::{Template, templates};
use stuckvm_sim::manifest::wrap;

/// What `new` takes.
#[derive(Args)]
pub(super) struct Arguments {
    /// The scenario's name: its path in a catalog, without the ending; the cause's without it.
    #[arg(required_unless_present = "cause")]
    name: Option<String>,
    /// What makes the machine stuck; without a word all causes are listed.
    #[arg(long, value_name = "CAUSE", num_args = 0..=1, required = true)]
    cause: Option<Option<String>>,
    /// Where it is written; NAME.yaml without it, `-` is standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> CommandResult {
    let Arguments { name, cause, output } = arguments;
    let Some(cause) = cause.as_ref().and_then(Option::as_deref) else {
        templates().iter().for_each(|template| print(&entry(template)));
        return Ok(ExitCode::SUCCESS);
    };
    let template = Template::of(cause)?;
    let name = name.as_deref().unwrap_or(cause);
    let text = template.named(name)?;
    let path = output.clone().unwrap_or_else(|| PathBuf::from(format!("{name}.yaml")));
    if path == Path::new("-") {
        print(text.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    write_new(&path, &text)?;
    print(&format!("{}: {}", path.display(), template.about()));
    print(&format!("  stuckvm run -f {}", path.display()));
    Ok(ExitCode::SUCCESS)
}

/// A cause, and beside it what it shows, within 80 columns.
fn entry(template: &Template) -> String {
    const CAUSE: usize = 20;
    let about = wrap(template.about(), 80 - CAUSE - 1).join(&format!("\n{:CAUSE$} ", ""));
    format!("{:<CAUSE$} {about}", template.cause)
}

/// Writes a file that is not there yet, and the folders that lead to it.
fn write_new(path: &Path, text: &str) -> Result<(), InputError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| unwritable(path, &error))?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(|error| {
        if path.exists() {
            InputError::Exists { file: path.display().to_string() }
        } else {
            unwritable(path, &error)
        }
    })?;
    file.write_all(text.as_bytes()).map_err(|error| unwritable(path, &error))
}
