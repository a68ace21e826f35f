//! `stuckvm list`.

use super::{CommandResult, Format, print};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use stuckvm_scenarios::catalog::{Tree, load_all, select};

/// What `list` takes.
#[derive(Args)]
pub(super) struct Arguments {
    /// Scenarios, by whole path components from the left; all without one.
    names: Vec<String>,
    /// A folder of scenario files, in place of the embedded catalog.
    #[arg(long, value_name = "DIR")]
    catalog: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, format: Format) -> CommandResult {
    let tree = arguments.catalog.clone().map_or(Tree::Embedded, Tree::Folder);
    for loaded in select(load_all(&tree)?, &arguments.names)? {
        let scenario = &loaded.scenario;
        match format {
            Format::Text => print(&format!("{:<44} {}", scenario.scenario, first_line(&scenario.about))),
            Format::Json => {
                print(&json!({"scenario": scenario.scenario, "about": scenario.about.trim()}).to_string())
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn first_line(about: &str) -> &str {
    about.trim().lines().next().unwrap_or_default()
}
