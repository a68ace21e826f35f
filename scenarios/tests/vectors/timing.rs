//! `rules/timing`: the timeline is scraped into the case's samples, and those make the rule do what Prometheus says.

use crate::{files, timeline};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use stuckvm_scenarios::prometheus::alerts::{Change, Entered};
use stuckvm_scenarios::prometheus::calculator::{Answer, Question, answers};
use stuckvm_scenarios::prometheus::duration;
use stuckvm_scenarios::prometheus::rules::{Group, Rule, RuleFile, RuleKind};
use stuckvm_scenarios::prometheus::samples::{Labels, Millis, NAME, Point, Samples};
use stuckvm_scenarios::prometheus::server::{Engine, Lookback, Server};
use timeline::millis;

/// What every case of the suite gives, by its text: one server answers many at once.
static OUTCOMES: LazyLock<BTreeMap<String, Result<(), String>>> = LazyLock::new(outcomes);

/// Plays one case.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    OUTCOMES.get(&case.to_string()).cloned().unwrap_or(Err("it is no case".into()))
}

struct Played {
    value: Value,
    groups: Vec<Group>,
    samples: Samples,
}

fn outcomes() -> BTreeMap<String, Result<(), String>> {
    let paths = files::suites().remove("rules/timing").unwrap_or_default();
    let values = paths.iter().flat_map(|path| files::cases(path)).filter_map(|case| case.value.ok());
    let rules = RuleFile::load(&files::beside("rules/rules.yaml")).expect("a rule file");
    let cases: Vec<Played> = values.map(|value| Played::new(value, &rules)).collect();
    let open = answer(&cases.iter().collect::<Vec<_>>(), Lookback::Open);
    let mut outcomes: BTreeMap<_, _> =
        cases.iter().zip(&open).map(|(case, answer)| (case.value.to_string(), case.check(answer))).collect();
    if is_2x() {
        let differ: Vec<_> = cases.iter().filter(|case| case.value["expect_2_42"].is_object()).collect();
        for (case, answer) in differ.iter().zip(answer(&differ, Lookback::Closed)) {
            let outcome = outcomes.get_mut(&case.value.to_string()).expect("it is among them");
            *outcome =
                outcome.clone().and(compare(&in_all(&answer[0], case.start()), &case.value["expect_2_42"]));
        }
    }
    outcomes
}

fn is_2x() -> bool {
    Server::start(&Engine::default()).expect("it started before").version().starts_with("2.")
}

fn answer(cases: &[&Played], lookback: Lookback) -> Vec<Answer> {
    let questions: Vec<_> = cases.iter().map(|case| case.question()).collect();
    answers(&Engine { lookback, ..Engine::default() }, &questions).expect("Prometheus answers")
}

impl Played {
    fn new(value: Value, rules: &RuleFile) -> Self {
        let named =
            |rule: &&Rule| matches!(&rule.kind, RuleKind::Alert(alert) if value["rule"] == alert.name);
        let rule = rules.groups[0].rules.iter().find(named).expect("a rule of rules.yaml").clone();
        let group = Group { rules: vec![rule], ..rules.groups[0].clone() };
        let start = millis(&value["start"]);
        let mut samples: BTreeMap<Labels, Vec<Point>> = BTreeMap::new();
        for row in value["samples"].as_array().expect("samples") {
            samples.entry(labels(&row["series"])).or_default().extend(points(row, start));
        }
        samples.values_mut().for_each(|points| points.sort_by_key(|point| point.at));
        Self { value, groups: vec![group], samples: samples.into_iter().collect() }
    }

    fn start(&self) -> Millis {
        millis(&self.value["start"])
    }

    fn question(&self) -> Question<'_> {
        Question {
            samples: &self.samples,
            groups: &self.groups,
            evaluate: self.value["evaluation"].as_str().and_then(duration::parse).expect("`evaluation`"),
            first: self.start(),
            last: self.start() + millis(&self.value["until"]),
        }
    }

    fn check(&self, answer: &Answer) -> Result<(), String> {
        let scraped = timeline::samples(&self.value, &self.groups[0].rules[0]);
        if scraped != self.samples {
            return Err(difference(&scraped, &self.samples));
        }
        compare(&in_all(&answer[0], self.start()), &self.value["expect"])?;
        compare(&by_labels(&answer[0], self.start()), &self.value["alerts"])
    }
}

fn compare(found: &Value, expected: &Value) -> Result<(), String> {
    // Numbers as such: 60 and 60.0 are the same.
    let plain = |value: &Value| value.to_string().replace(".0,", ",").replace(".0]", "]");
    if plain(found) == plain(expected) { Ok(()) } else { Err(format!("found {found}, expected {expected}")) }
}

fn difference(found: &Samples, expected: &Samples) -> String {
    let of = |samples: &Samples| -> BTreeMap<Labels, Vec<Point>> {
        samples.iter().map(|(labels, points)| (labels.clone(), points.to_vec())).collect()
    };
    let (found, expected) = (of(found), of(expected));
    let differs =
        found.keys().chain(expected.keys()).find(|labels| found.get(*labels) != expected.get(*labels));
    let labels = differs.expect("they differ");
    let show = |series: &BTreeMap<Labels, Vec<Point>>| format!("{:?}", series.get(labels));
    format!("scraped {labels:?}\n{}\nexpected\n{}", show(&found), show(&expected))
}

/// All alerts together, in the order of time, in seconds from the start.
fn in_all(changes: &[Change], start: Millis) -> Value {
    let entered = |to| {
        let at = changes.iter().filter(|change| change.to == to).map(|change| change.at - start);
        at.map(|at| if at % 1000 == 0 { json!(at / 1000) } else { json!(at as f64 / 1000.0) })
            .collect::<Vec<_>>()
    };
    json!({
        "pending": entered(Entered::Pending),
        "firing": entered(Entered::Firing),
        "resolved": entered(Entered::Resolved),
        "dropped": entered(Entered::Dropped),
    })
}

fn by_labels(changes: &[Change], start: Millis) -> Value {
    let mut alerts: BTreeMap<&Labels, Vec<Change>> = BTreeMap::new();
    for change in changes {
        alerts.entry(&change.labels).or_default().push(change.clone());
    }
    let alert = |(labels, changes): (&Labels, Vec<Change>)| {
        let mut alert = in_all(&changes, start);
        alert["labels"] = json!(labels);
        alert
    };
    alerts.into_iter().map(alert).collect()
}

/// `metric{name="value",…}`, without escapes.
fn labels(series: &Value) -> Labels {
    let (metric, labels) = series.as_str().and_then(|series| series.split_once('{')).expect("a series");
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').expect("name=value");
        (name.to_owned(), value.trim_matches('"').to_owned())
    };
    let own = labels.trim_end_matches('}').split(',').map(pair);
    own.chain([(NAME.to_owned(), metric.to_owned())]).collect()
}

fn points(row: &Value, start: Millis) -> Vec<Point> {
    let at = start + millis(&row["t"]);
    if row["v"] == "stale" {
        return vec![Point::stale(at)];
    }
    let value = row["v"].as_f64().expect("a value");
    let every = row.get("every").map_or(0, millis);
    (0..row["n"].as_i64().unwrap_or(1)).map(|index| Point { at: at + index * every, value }).collect()
}
