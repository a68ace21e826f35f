//! The built-in detector as a program that speaks protocol 1, such as `stuckvm check --exec` runs:
//!
//! ```console
//! $ cargo build --release --example protocol_detector
//! $ stuckvm check --exec target/release/examples/protocol_detector
//! ```

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead as _, Write as _, stdin, stdout};
use stuckvm_detector::{NamedDetector, NamedSnapshot, PrintableStatus, Rule, Time};
use stuckvm_scenarios::feed::{feed, stream_alert};
use stuckvm_scenarios::stream::{Alert, Input};
use stuckvm_sim::duration;

/// What the harness says.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Told {
    Start(Start),
    Input { seq: u64, input: Input },
    Snapshot,
    Stop,
}

#[derive(Deserialize)]
struct Start {
    threshold: String,
    #[serde(default)]
    thresholds: BTreeMap<String, String>,
    restore: Option<Value>,
}

/// What the detector says.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Said {
    Hello { protocol: u32, name: &'static str, capabilities: [&'static str; 2] },
    Alert { alert: Alert },
    Done { seq: u64, next: Option<Time>, unknown: Vec<String> },
    Error { seq: u64, error: String },
    Snapshot { data: NamedSnapshot },
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut detector = NamedDetector::new(Rule::default());
    for line in stdin().lock().lines() {
        let answer = match serde_json::from_str(&line?)? {
            Told::Start(start) => {
                detector = begin(start)?;
                vec![Said::Hello { protocol: 1, name: "built-in", capabilities: ["snapshot", "thresholds"] }]
            }
            Told::Input { seq, input } => answer(&mut detector, seq, &input),
            Told::Snapshot => vec![Said::Snapshot { data: detector.snapshot() }],
            Told::Stop => return Ok(()),
        };
        for said in answer {
            println!("{}", serde_json::to_string(&said)?);
        }
        stdout().flush()?;
    }
    Ok(())
}

fn begin(start: Start) -> Result<NamedDetector, Box<dyn Error>> {
    if let Some(snapshot) = start.restore {
        return Ok(NamedDetector::restore(&serde_json::from_value(snapshot)?)?);
    }
    let mut rule = Rule::new(duration::parse(&start.threshold)?)?;
    for (word, threshold) in &start.thresholds {
        let status = PrintableStatus::parse(word).ok_or("a threshold for no status")?;
        rule = rule.with(status, duration::parse(threshold)?)?;
    }
    Ok(NamedDetector::new(rule))
}

fn answer(detector: &mut NamedDetector, seq: u64, input: &Input) -> Vec<Said> {
    let output = match feed(detector, input) {
        Ok(output) => output.clone(),
        Err(error) => return vec![Said::Error { seq, error: error.to_string() }],
    };
    let alerts = output.alerts.iter().map(|alert| Said::Alert { alert: stream_alert(alert) });
    let done = Said::Done { seq, next: detector.next_deadline(), unknown: output.unknown };
    alerts.chain([done]).collect()
}
