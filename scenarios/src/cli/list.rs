//! `stuckvm list`.

use super::{CommandResult, Format, print};
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;
use stuckvm_scenarios::catalog::{Tree, load_all, select};
use stuckvm_sim::manifest::wrap;

/// What `list` takes.
#[derive(Args)]
pub(super) struct Arguments {
    /// Scenarios, by whole path components from the left; all without one.
    names: Vec<String>,
    /// A folder of scenario files, in place of the embedded catalog.
    #[arg(long, value_name = "DIR")]
    catalog: Option<PathBuf>,
}

/// A line for programs.
#[derive(Serialize)]
struct Entry<'a> {
    scenario: &'a str,
    about: &'a str,
}

pub(super) fn run(arguments: &Arguments, format: Format) -> CommandResult {
    let tree = arguments.catalog.clone().map_or(Tree::Embedded, Tree::Folder);
    for loaded in select(load_all(&tree)?, &arguments.names)? {
        let scenario = &loaded.scenario;
        match format {
            Format::Text => print(&entry(&scenario.scenario, &scenario.about)),
            Format::Json => {
                print(&serde_json::to_string(&Entry {
                    scenario: &scenario.scenario,
                    about: scenario.about.trim(),
                })?);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The name, and beside it what the scenario shows, within 80 columns.
fn entry(name: &str, about: &str) -> String {
    const NAME: usize = 40;
    let about = about.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines = wrap(&about, 80 - NAME - 1);
    let mut text = format!("{name:<NAME$} {}", lines[0]);
    // A name that is too long for its column has the line to itself.
    if name.len() > NAME {
        text = format!("{name}\n{:NAME$} {}", "", lines[0]);
    }
    for line in &lines[1..] {
        text += &format!("\n{:NAME$} {line}", "");
    }
    text.truncate(text.trim_end().len());
    text
}

#[cfg(test)]
mod tests {
    use super::entry;

    #[test]
    fn an_entry_keeps_within_80_columns() {
        let about = "A sentence that goes on\nand on until it no longer fits beside the name.";
        let entries = [entry("a/b", about), entry(&"a/long-name/".repeat(4), about), entry("a/b", "")];
        let widest = entries.iter().flat_map(|entry| entry.lines()).map(|line| line.chars().count()).max();
        assert!(widest.is_some_and(|widest| widest <= 80), "{entries:#?}");
        let column = |line: &str| format!("{:40} {line}", "");
        let first = format!("{:40} A sentence that goes on and on until it", "a/b");
        assert_eq!(entries[0], format!("{first}\n{}", column("no longer fits beside the name.")));
        assert_eq!(entries[2], "a/b");
    }
}
