//! The vectors of the rule engine: when a rule fires, by Prometheus' own answers. `sim/tests/vectors.rs` plays the others.
//!
//! `cargo test vectors -- --nocapture` prints a line a suite. Without Prometheus on the PATH it says that it was skipped.

#[path = "../../sim/tests/vectors/files.rs"]
mod files;
#[path = "../../sim/tests/vectors/suite.rs"]
mod suite;
#[path = "vectors/timeline.rs"]
mod timeline;
#[path = "vectors/timing.rs"]
mod timing;

use std::process::ExitCode;
use stuckvm_scenarios::prometheus::server::{Engine, Server, ServerError};
use suite::Suite;

/// Every suite with a model behind it.
const SUITES: &[Suite] = &[Suite { name: "rules/timing", run: timing::run, floor: None }];

/// Suites that this test cannot play where there is no Prometheus.
const SKIPPED: &[(&str, &str)] = &[("rules/timing", "needs Prometheus (Debian: apt-get install prometheus)")];

fn main() -> ExitCode {
    let missing = matches!(Server::start(&Engine::default()), Err(ServerError::Missing { .. }));
    let suites = if missing { &[] } else { SUITES };
    suite::run_all(suites, SKIPPED, |name| name.starts_with("rules/"))
}
