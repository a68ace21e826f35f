//! A second correct detector, put to everything: the harness has no opinion beyond the contract.
//!
//! `cargo run --release -p stuckvm-scenarios --example second_detector`

mod detector;

use std::process::ExitCode;
use stuckvm_scenarios::catalog::{Tree, load_all};
use stuckvm_scenarios::conformance::{check_all, subjects};
use stuckvm_scenarios::contract::suite;
use stuckvm_scenarios::report::{Summary, text_line, text_rules, text_summary};
use stuckvm_scenarios::run::RunOptions;
use stuckvm_scenarios::verdict::Verdict;

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let subjects = subjects(load_all(&Tree::Embedded)?, suite(None));
    let mut summary = Summary::new("second");
    let mut passes = true;
    check_all(&subjects, &detector::candidate(), RunOptions::default(), |_, run| {
        if run.outcome.verdict != Verdict::Pass {
            passes = false;
            print!("{}", text_line(&run.outcome));
        }
        summary.add(&run.outcome);
    });
    println!("{}\n{}", text_summary(&summary, None), text_rules(&summary));
    Ok(if passes { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
