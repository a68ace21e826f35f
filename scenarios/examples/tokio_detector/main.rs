//! An async detector on tokio's timers, put to everything that it can be asked, on a paused clock.
//!
//! `cargo run --release -p stuckvm-scenarios --features tokio --example tokio_detector`

mod detector;

use std::process::ExitCode;
use std::time::Duration;
use stuckvm_scenarios::catalog::{Tree, load_all};
use stuckvm_scenarios::conformance::{PausedClock, TICK, check_all, subjects};
use stuckvm_scenarios::contract::suite;
use stuckvm_scenarios::report::{Summary, text_line, text_rules, text_summary};
use stuckvm_scenarios::run::RunOptions;
use stuckvm_scenarios::verdict::Verdict;

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let candidate = PausedClock::new("tokio", true, |start, inputs, says| {
        detector::detect(start.thresholds.clone(), Duration::ZERO, inputs, says)
    });
    let subjects = subjects(load_all(&Tree::Embedded)?, suite(None));
    let mut summary = Summary { resolution: Some(TICK), ..Summary::new("tokio") };
    let mut passes = true;
    check_all(&subjects, &candidate, RunOptions::default(), |_, run| {
        if !matches!(run.outcome.verdict, Verdict::Pass | Verdict::NotTested(_)) {
            passes = false;
            print!("{}", text_line(&run.outcome));
        }
        summary.add(&run.outcome);
    });
    println!("{}\n{}", text_summary(&summary, None), text_rules(&summary));
    Ok(if passes { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
