//! `stuckvm metrics`.

use super::{CommandResult, Format, INTERNAL, duration, print, tell};
use clap::Args;
use serde_json::{Map, Value, json};
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use stuckvm_scenarios::catalog::{Tree, load_all, load_file, select};
use stuckvm_scenarios::load::Loaded;
use stuckvm_scenarios::play::{PlayOptions, play};
use stuckvm_sim::exposition::exposition;
use stuckvm_sim::manifest::wrap;
use stuckvm_sim::metrics::{Sample, scrape};

const NO_NAME: &str = "no scenario is named\n  expected  NAME of the catalog, or -f FILE\n  \
     try       `stuckvm metrics pvc-not-found/stuck --at 2m`; `stuckvm list` shows all";

/// What `metrics` takes.
#[derive(Args)]
pub(super) struct Arguments {
    /// A scenario of the catalog.
    name: Option<String>,
    /// A scenario file, in place of the catalog.
    #[arg(short, long, value_name = "FILE", conflicts_with = "name")]
    file: Option<PathBuf>,
    /// When virt-controller is scraped, from the scenario's start; at its end without it.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    at: Option<Duration>,
}

pub(super) fn run(arguments: &Arguments, format: Format) -> CommandResult {
    let loaded = scenario(arguments)?;
    let end = loaded.scenario.until.0;
    if let Some(at) = arguments.at.filter(|at| *at > end) {
        let [at, end] = [at, end].map(stuckvm_sim::duration::format);
        return Err(format!("--at {at}: expected at most {end}, where the scenario ends").into());
    }
    let played = play(&loaded, PlayOptions { until: arguments.at, ..PlayOptions::default() });
    if let Some(error) = played.error {
        tell(format_args!("{}: {}", error.kind.as_str(), error.because.join("; ")));
        return Ok(ExitCode::from(INTERNAL));
    }
    let seen = played.cluster.view_of("virtual-machine").expect("every cluster has virt-controller");
    let samples = scrape(seen, played.cluster.config().kubevirt);
    match format {
        Format::Text => print(exposition(&samples).trim_end()),
        Format::Json => samples.iter().for_each(|sample| print(&json_line(sample))),
    }
    Ok(ExitCode::SUCCESS)
}

fn scenario(arguments: &Arguments) -> Result<Loaded, Box<dyn Error>> {
    let Arguments { name, file, .. } = arguments;
    let name = match (name, file) {
        (_, Some(path)) => return Ok(load_file(path)?),
        (Some(name), None) => name,
        (None, None) => return Err(NO_NAME.into()),
    };
    let mut found = select(load_all(&Tree::Embedded)?, std::slice::from_ref(name))?;
    match found.len() {
        1 => Ok(found.remove(0)),
        _ => Err(group(name, &found).into()),
    }
}

/// A name that stands for several scenarios.
fn group(name: &str, found: &[Loaded]) -> String {
    let (count, first) = (found.len(), &found[0].scenario.scenario);
    let advice = format!("one of them, such as `{first}`; `stuckvm list {name}` shows all");
    let advice = wrap(&advice, 68).join("\n            ");
    format!(
        "`{name}` is a group\n  expected  one scenario\n  found     {count} scenarios\n  try       {advice}"
    )
}

fn json_line(sample: &Sample) -> String {
    let labels =
        sample.labels.iter().map(|(label, value)| ((*label).to_owned(), Value::from(value.as_str())));
    json!({ "metric": sample.metric, "labels": labels.collect::<Map<_, _>>(), "value": sample.value })
        .to_string()
}
