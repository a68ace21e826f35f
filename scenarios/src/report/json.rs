//! JSON Lines: one line a scenario, then the summary. Keys stand in the order that programs rely on.

use super::Summary;
use crate::judge::Rule;
use crate::stream::Alert;
use crate::verdict::{Outcome, StatusEntry, Verdict};
use serde_json::{Value, json};
use stuckvm_detector::Time;
use stuckvm_sim::duration;

/// The line of one scenario.
pub fn json_line(outcome: &Outcome) -> String {
    let mut line = Line::default();
    line.add("scenario", json!(outcome.scenario));
    line.add("verdict", json!(outcome.verdict.as_str()));
    match &outcome.verdict {
        Verdict::Pass => {}
        Verdict::Broken(breach) => {
            line.add("rule", json!(breach.rule.as_str()));
            line.add("also", breach.also.iter().map(|rule| rule.as_str()).collect());
            if let Some(vm) = &breach.vm {
                line.add("namespace", json!(vm.namespace));
                line.add("name", json!(vm.name));
            }
            line.add("at", time(breach.at));
            line.add_raw("expected", &alert(breach.expected.as_ref()));
            line.add_raw("got", &alert(breach.got.as_ref()));
            line.add("because", super::text::because(outcome).into());
        }
        Verdict::Unmet(unmet) => {
            line.add("rule", json!(unmet.part.as_str()));
            if let Some(vm) = &unmet.vm {
                line.add("namespace", json!(vm.namespace));
                line.add("name", json!(vm.name));
            }
            line.add("at", unmet.at.map_or(Value::Null, time));
            line.add("expected", json!(unmet.expected));
            line.add("got", json!(unmet.got));
            line.add("because", super::text::because(outcome).into());
        }
        Verdict::Error(error) => {
            line.add("kind", json!(error.kind.as_str()));
            line.add("because", json!(error.because));
        }
        Verdict::NotTested(lack) => line.add("because", json!([lack])),
    }
    line.add("digest", digest(outcome.digest));
    line.add("events", json!(outcome.events));
    line.add_raw("statuses", &list(outcome.statuses.iter().map(status)));
    line.add_raw("alerts", &list(outcome.alerts.iter().map(|found| alert(Some(found)))));
    if let Some(lag) = outcome.lag {
        line.add("lag", json!(duration::format(lag)));
    }
    line.0
}

/// The last line.
pub fn json_summary(summary: &Summary, seed: Option<u64>) -> String {
    let mut rules = Line::default();
    for rule in Rule::ALL {
        rules.add(rule.as_str(), json!(summary.standing(rule).as_str()));
    }
    let mut inner = Line::default();
    inner.add("detector", json!(summary.detector));
    inner.add("scenarios", json!(summary.scenarios));
    inner.add("passed", json!(summary.passed));
    inner.add("failed", json!(summary.failed));
    inner.add("errors", json!(summary.errors));
    inner.add("not_tested", json!(summary.not_tested));
    inner.add_raw("rules", &rules.0);
    inner.add("digest", digest(summary.digest));
    inner.add("events", json!(summary.events));
    if let Some(seed) = seed {
        inner.add("seed", json!(seed));
    }
    if let Some(threshold) = summary.threshold {
        inner.add("threshold", json!(duration::format(threshold)));
    }
    if seed.is_some() || summary.threshold.is_some() {
        inner.add("pinned", json!(false));
    }
    if let Some(resolution) = summary.resolution {
        inner.add("resolution", json!(duration::format(resolution)));
    }
    if let Some(not_begun) = summary.not_begun {
        inner.add("interrupted", json!(true));
        inner.add("not_begun", json!(not_begun));
    }
    let mut line = Line::default();
    line.add_raw("summary", &inner.0);
    line.0
}

/// An object under construction whose keys keep their order.
struct Line(String);

impl Default for Line {
    fn default() -> Self {
        Self("{}".to_owned())
    }
}

impl Line {
    fn add(&mut self, key: &str, value: Value) {
        self.add_raw(key, &value.to_string());
    }

    fn add_raw(&mut self, key: &str, json: &str) {
        self.0.pop();
        let comma = if self.0.len() == 1 { "" } else { "," };
        self.0 += &format!("{comma}{}:{json}}}", Value::from(key));
    }
}

fn status(entry: &StatusEntry) -> String {
    let mut line = Line::default();
    line.add("at", time(entry.at));
    line.add("namespace", json!(entry.vm.namespace));
    line.add("name", json!(entry.vm.name));
    line.add("status", json!(entry.status));
    line.0
}

fn alert(alert: Option<&Alert>) -> String {
    serde_json::to_string(&alert).expect("an alert serializes")
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

fn time(at: Time) -> Value {
    Value::from(at.to_string())
}

fn digest(digest: u64) -> Value {
    Value::from(format!("{digest:016x}"))
}

#[cfg(test)]
mod tests {
    use super::{json_line, json_summary};
    use crate::report::Summary;
    use crate::stream::{Alert, AlertKind, Vm};
    use crate::verdict::{Outcome, StatusEntry, Verdict};
    use stuckvm_detector::Time;

    #[test]
    fn keys_stand_in_the_order_that_programs_rely_on() {
        let (at, vm) = (Time::from_secs(1), Vm::new("ns", "vm1", "u1"));
        let status = StatusEntry { at, vm: vm.clone(), status: "Running".into() };
        let alert =
            Alert { at, kind: AlertKind::Firing, vm, status: "Unknown".into(), since: Some(Time::ZERO) };
        let outcome = Outcome {
            scenario: "a/b".into(),
            start: Time::ZERO,
            verdict: Verdict::Pass,
            digest: 0x1f,
            events: 3,
            observations: 1,
            statuses: vec![status],
            alerts: vec![alert],
            lag: Some(std::time::Duration::from_millis(1500)),
        };
        let line = concat!(
            r#"{"scenario":"a/b","verdict":"pass","digest":"000000000000001f","events":3,"#,
            r#""statuses":[{"at":"1970-01-01T00:00:01Z","namespace":"ns","name":"vm1","status":"Running"}],"#,
            r#""alerts":[{"at":"1970-01-01T00:00:01Z","alert":"firing","namespace":"ns","name":"vm1","uid":"u1","#,
            r#""status":"Unknown","since":"1970-01-01T00:00:00Z"}],"lag":"1.5s"}"#
        );
        assert_eq!(json_line(&outcome), line);
    }

    #[test]
    fn a_rule_that_nothing_puts_to_the_test_is_not_said_to_pass() {
        let passed = |name: &str| Outcome {
            scenario: name.into(),
            start: Time::ZERO,
            verdict: Verdict::Pass,
            digest: 0,
            events: 0,
            observations: 1,
            statuses: Vec::new(),
            alerts: Vec::new(),
            lag: None,
        };
        let rules = |outcome: Outcome| json_summary(&Summary::of("mine", [&outcome]), None);
        let line = json_summary(&Summary::default(), None);
        assert!(line.contains(r#""R1":"not tested""#), "{line}");
        let line = rules(passed("pvc-not-found/stuck"));
        assert!(line.contains(r#""R1":"pass""#) && line.contains(r#""R13":"not tested""#), "{line}");
        let line = rules(Outcome { observations: 0, ..passed("nodes/only") });
        assert!(line.contains(r#""R1":"not tested""#) && line.contains(r#""R7":"not tested""#), "{line}");
        let line = rules(passed("contract/R13/older/Unknown"));
        assert!(line.contains(r#""R1":"pass""#) && line.contains(r#""R13":"pass""#), "{line}");
        let untested =
            Outcome { verdict: Verdict::NotTested("…".into()), ..passed("contract/R13/older/Unknown") };
        let line = rules(untested);
        assert!(line.contains(r#""R1":"not tested""#) && line.contains(r#""R13":"not tested""#), "{line}");
    }
}
