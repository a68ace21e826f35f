//! JSON Lines: for each alert a line a scenario and a line a status of its table, then its summary.

use super::{luck, shown, slip_text};
use crate::prometheus::check::{AlertReport, CaseReport, Checked};
use crate::prometheus::judge::JUDGED;
use crate::prometheus::table::Row;
use crate::report::Summary;
use crate::verdict::Verdict;
use serde::Serialize;
use std::collections::BTreeMap;
use stuckvm_detector::Time;

#[derive(Serialize)]
struct CaseLine<'a> {
    scenario: &'a str,
    alert: &'a str,
    verdict: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'a str>,
    #[serde(flatten)]
    breach: Option<BreachKeys<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    because: Vec<String>,
    luck: usize,
}

#[derive(Serialize)]
struct BreachKeys<'a> {
    rule: &'static str,
    also: Vec<&'static str>,
    namespace: &'a str,
    name: &'a str,
    at: Time,
}

#[derive(Serialize)]
struct RowLine<'a> {
    table: &'a str,
    status: &'a str,
    due: usize,
    fires_after: Option<Range>,
    early: String,
    late: String,
    never: usize,
    spurious: usize,
    worst: Option<WorstKeys<'a>>,
}

#[derive(Serialize)]
struct Range {
    min: String,
    max: String,
}

#[derive(Serialize)]
struct WorstKeys<'a> {
    slip: String,
    scenario: &'a str,
}

#[derive(Serialize)]
struct SummaryLine<'a> {
    summary: SummaryKeys<'a>,
}

#[derive(Serialize)]
struct SummaryKeys<'a> {
    detector: &'a str,
    scenarios: usize,
    passed: usize,
    failed: usize,
    errors: usize,
    not_tested: usize,
    luck: usize,
    rules: BTreeMap<&'static str, &'static str>,
    digest: String,
}

/// The lines of all alerts.
pub fn json_lines(checked: &Checked<'_>) -> Vec<String> {
    checked.alerts.iter().flat_map(alert_lines).collect()
}

fn alert_lines(report: &AlertReport) -> Vec<String> {
    let alert = &report.summary.detector;
    let cases = report.cases.iter().map(|case| line(&case_line(alert, case)));
    let rows = report.table.rows.iter().map(|(status, row)| line(&row_line(alert, status, row)));
    cases.chain(rows).chain([line(&SummaryLine { summary: summary(report) })]).collect()
}

fn line(line: &impl Serialize) -> String {
    serde_json::to_string(line).expect("texts and numbers serialize")
}

fn case_line<'a>(alert: &'a str, case: &'a CaseReport) -> CaseLine<'a> {
    let CaseReport { outcome, breaches, luck, .. } = case;
    let mut line = CaseLine {
        scenario: &outcome.scenario,
        alert,
        verdict: outcome.verdict.as_str(),
        kind: None,
        breach: None,
        because: Vec::new(),
        luck: *luck,
    };
    match &outcome.verdict {
        Verdict::Pass | Verdict::Unmet(_) => {}
        Verdict::NotTested(because) => line.because = vec![because.clone()],
        Verdict::Error(error) => {
            line.kind = Some(error.kind.as_str());
            line.because = error.because.clone();
        }
        Verdict::Broken(breach) => {
            let (vm, first) = &breaches[0];
            let also = breach.also.iter().map(|rule| rule.as_str()).collect();
            let (namespace, name) = (vm.namespace.as_str(), vm.name.as_str());
            line.breach = Some(BreachKeys { rule: first.rule.as_str(), also, namespace, name, at: first.at });
            line.because = breaches.iter().map(|(vm, breach)| format!("{vm}: {}", breach.because)).collect();
        }
    }
    line
}

fn row_line<'a>(alert: &'a str, status: &'a str, row: &'a Row) -> RowLine<'a> {
    let worst = row.worst.as_ref();
    RowLine {
        table: alert,
        status,
        due: row.due,
        fires_after: row.fires_after.map(|(least, most)| Range { min: shown(least), max: shown(most) }),
        early: shown(row.early),
        late: shown(row.late),
        never: row.never,
        spurious: row.spurious,
        worst: worst.map(|worst| WorstKeys { slip: slip_text(worst.slip), scenario: &worst.scenario }),
    }
}

fn summary(report: &AlertReport) -> SummaryKeys<'_> {
    let Summary { detector, scenarios, passed, failed, errors, not_tested, digest, .. } = &report.summary;
    SummaryKeys {
        detector,
        scenarios: *scenarios,
        passed: *passed,
        failed: *failed,
        errors: *errors,
        not_tested: *not_tested,
        luck: luck(report),
        rules: JUDGED.map(|rule| (rule.as_str(), report.summary.standing(rule).as_str())).into(),
        digest: format!("{digest:016x}"),
    }
}
