//! The reports of a small result.

use super::{json_lines, text};
use crate::format::VmName;
use crate::judge::{Breach as RuleBreach, Rule};
use crate::prometheus::check::{AlertReport, CaseReport, Checked};
use crate::prometheus::exporter::Schedule;
use crate::prometheus::judge::{Breach, Sampling};
use crate::prometheus::table::{Row, Slip, Table, Worst};
use crate::report::{Place, Summary};
use crate::stream::Vm;
use crate::verdict::{Outcome, Verdict};
use std::time::Duration;
use stuckvm_detector::Time;

fn case(scenario: &str, verdict: Verdict, breaches: Vec<(VmName, Breach)>) -> CaseReport {
    let outcome = Outcome {
        scenario: scenario.to_owned(),
        start: Time::ZERO,
        verdict,
        digest: 0,
        events: 0,
        statuses: Vec::new(),
        alerts: Vec::new(),
        lag: None,
        observations: 1,
    };
    let half = Duration::from_secs(30);
    let (keep, lag, phase) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    let sampling = Sampling { scrape: half, evaluate: half, keep, lag, first: Time::ZERO, phase };
    CaseReport { outcome, luck: breaches.len(), breaches, changes: Vec::new(), sampling }
}

fn early_case() -> CaseReport {
    let vm = VmName { namespace: "default".to_owned(), name: "vm1".to_owned() };
    let because = "fired 4m59.85s after the error began".to_owned();
    let note = Some(because.clone());
    let breach = Breach { at: Time::from_secs(300), rule: Rule::NeverEarly, because, episode: None };
    let verdict = Verdict::Broken(Box::new(RuleBreach {
        rule: breach.rule,
        also: Vec::new(),
        at: breach.at,
        vm: Some(Vm::new("default", "vm1", "")),
        expected: None,
        got: None,
        note,
        episode: None,
    }));
    case("x/early", verdict, vec![(vm, breach)])
}

fn checked() -> Checked<'static> {
    let early = Duration::from_nanos(150_000_001);
    let row = Row {
        due: 2,
        fires_after: Some((Duration::from_secs(300) - early, Duration::from_millis(329_850))),
        early,
        late: Duration::from_millis(29_850),
        worst: Some(Worst { slip: Slip::Early(early), scenario: "x/early".to_owned() }),
        ..Row::default()
    };
    let lacks = "KubeVirt 0.59 does not export kubevirt_vm_info".to_owned();
    let cases = vec![
        early_case(),
        case("x/good", Verdict::Pass, Vec::new()),
        case("x/old", Verdict::NotTested(lacks), Vec::new()),
    ];
    let table = Table { rows: [("PvcNotFound".to_owned(), row)].into() };
    let summary = Summary { digest: 0xd1, ..Summary::of("Stuck", cases.iter().map(|case| &case.outcome)) };
    let place = Place { file: "r.yaml".into(), line: 1 };
    Checked { alerts: vec![AlertReport { summary, place, cases, table }], runs: Vec::new() }
}

#[test]
fn text_names_the_rule_the_machine_and_what_the_rule_costs() {
    let expected = "\
fail  x/early
      R2 default/vm1: fired 4m59.85s after the error began

Stuck
  3 scenarios: 1 passed, 1 failed, 0 errors, 1 not tested
  scraped every 30s, evaluated every 30s, phase 0s
  left to luck by sampling: 1 episode
  broken R2: nothing fires before the threshold
  against the exact contract:
  status             due fires after           early by   late by never spurious
  PvcNotFound          2 4m59.849s..5m29.85s      150ms    29.85s     0        0
      worst: 150.000001ms early
             x/early
";
    let text = text(&checked(), Schedule::default(), |_, _| None);
    assert_eq!(text, expected);
    assert!(text.lines().all(|line| line.chars().count() <= 80));
}

#[test]
fn json_has_a_line_a_scenario_a_line_a_status_and_a_summary() {
    let expected = [
        r#"{"scenario":"x/early","alert":"Stuck","verdict":"fail","rule":"R2","also":[],"namespace":"default","name":"vm1","at":"1970-01-01T00:05:00Z","because":["default/vm1: fired 4m59.85s after the error began"],"luck":1}"#,
        r#"{"scenario":"x/good","alert":"Stuck","verdict":"pass","luck":0}"#,
        r#"{"scenario":"x/old","alert":"Stuck","verdict":"not tested","because":["KubeVirt 0.59 does not export kubevirt_vm_info"],"luck":0}"#,
        r#"{"table":"Stuck","status":"PvcNotFound","due":2,"fires_after":{"min":"4m59.849999999s","max":"5m29.85s"},"early":"150.000001ms","late":"29.85s","never":0,"spurious":0,"worst":{"slip":"150.000001ms early","scenario":"x/early"}}"#,
        r#"{"summary":{"detector":"Stuck","scenarios":3,"passed":1,"failed":1,"errors":0,"not_tested":1,"luck":1,"rules":{"R1":"pass","R2":"fail","R6":"pass","R7":"pass"},"digest":"00000000000000d1"}}"#,
    ];
    assert_eq!(json_lines(&checked()), expected);
}
