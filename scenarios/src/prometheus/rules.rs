//! Rule files of Prometheus: groups of alerting and recording rules (`model/rulefmt/rulefmt.go`, 3.15).

use super::embedded::Refused;
use super::expression::Expression;
use super::samples::{Labels, Millis};
use super::template::LabelValue;
use crate::input_error::InputError;
use crate::load::read_as;
use crate::report::Place;
use std::path::Path;
use stuckvm_sim::manifest::{self, Document, ManifestError, Scalars};

mod text;

use text::{FileText, GroupText, RuleText};

/// A rule file.
#[derive(Clone, Debug)]
pub struct RuleFile {
    /// Its groups, in the order of the file.
    pub groups: Vec<Group>,
    /// Where it came from, and the text's places, for errors that only Prometheus finds.
    source: Source,
}

/// Rules that are evaluated together, one after the other.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// The time between two evaluations, where it has one of its own.
    pub interval: Option<Millis>,
    /// How far before its evaluation a query looks.
    pub query_offset: Millis,
    /// How many alerts a rule may have; any number at 0.
    pub limit: usize,
    /// Its rules.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What it does.
    pub kind: RuleKind,
    /// The expression.
    pub expression: Expression,
    /// Labels that the result gets on top.
    pub labels: Vec<(String, LabelValue)>,
    field: String,
}

/// What a rule does with its result.
#[derive(Clone, Debug)]
pub enum RuleKind {
    /// It raises alerts.
    Alert(Alert),
    /// It records a metric of this name.
    Record(String),
}

/// What an alerting rule has besides its expression and labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// The alert's name.
    pub name: String,
    /// `for`
    pub hold: Millis,
    /// `keep_firing_for`
    pub keep: Millis,
}

#[derive(Clone, Debug)]
struct Source {
    file: String,
    document: Document,
}

impl RuleFile {
    /// Reads a rule file.
    ///
    /// # Errors
    ///
    /// If it cannot be read, is none, or asks for what a range query would answer otherwise. PromQL itself is not checked here:
    /// Prometheus does that.
    pub fn load(path: &Path) -> Result<Self, InputError> {
        let file = path.display().to_string();
        let problem =
            |error: std::io::Error| InputError::File { file: file.clone(), problem: error.to_string() };
        Self::read(&file, &std::fs::read(path).map_err(problem)?)
    }

    /// Reads the text of a rule file.
    ///
    /// # Errors
    ///
    /// As [`RuleFile::load`]; the error names `file`.
    ///
    /// ```
    /// use stuckvm_scenarios::prometheus::rules::RuleFile;
    ///
    /// let text = b"groups: [{name: g, rules: [{alert: Down, expr: up == 0, for: 5m}]}]";
    /// assert_eq!(RuleFile::read("r.yaml", text)?.groups[0].rules.len(), 1);
    /// # Ok::<(), stuckvm_scenarios::input_error::InputError>(())
    /// ```
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self, InputError> {
        let mut documents = manifest::parse_with(file, bytes, Scalars::AsWritten)?;
        let document = documents.swap_remove(0);
        if let Some(second) = documents.first() {
            let advice = "put each into a file of its own";
            return Err(second
                .error("", "one document a rule file", "a second one", advice)
                .in_file(file)
                .into());
        }
        let groups = groups(&document).map_err(|error| error.in_file(file))?;
        Ok(Self { groups, source: Source { file: file.to_owned(), document } })
    }

    /// Refuses a file in which nothing can alert: of it there is nothing to judge.
    ///
    /// # Errors
    ///
    /// If no group has an alerting rule.
    pub fn must_alert(&self) -> Result<(), InputError> {
        let mut rules = self.groups.iter().flat_map(|group| &group.rules);
        if rules.any(|rule| matches!(rule.kind, RuleKind::Alert(_))) {
            return Ok(());
        }
        let (expected, found) = ("a rule with `alert`", "none in the whole file");
        let error =
            self.source.document.error("groups", expected, found, "name the file that has the alerts");
        Err(error.in_file(&self.source.file).into())
    }

    /// The line in which a rule says what it is.
    pub fn place_of(&self, rule: &Rule) -> Place {
        let alert = format!("{}.alert", rule.field.trim_end_matches(".expr"));
        Place::new(Path::new(&self.source.file), self.source.document.place(&alert).line)
    }

    /// An error of Prometheus about the expression at a field, at its place in the file.
    pub fn error_at(&self, field: &str, problem: &str) -> InputError {
        let advice = "`promtool check rules FILE` tells the same";
        let expected = "an expression of PromQL that an alert can have";
        let error = self.source.document.error(field, expected, problem, advice);
        error.in_file(&self.source.file).into()
    }

    /// An error of the embedded engine about the expression at a field, at its place in the file.
    pub fn refusal_at(&self, field: &str, refused: &Refused) -> InputError {
        let advice = "install Prometheus, which knows all (Debian: apt-get install prometheus; others: \
                      prometheus.io/download), or name the program with --prometheus FILE";
        let expected = "an expression of instant vectors, as far as the embedded engine knows them";
        let error = self.source.document.error(field, expected, &refused.to_string(), advice);
        error.in_file(&self.source.file).into()
    }
}

impl Rule {
    /// Where its expression stands in the file, as `groups[0].rules[1].expr`.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// The labels of an alert or of a recorded series: the result's, without the metric's name, and on top of them the rule's.
    /// A label that comes out empty is none.
    pub fn labels_of(&self, result: &Labels) -> Labels {
        let mut labels = result.clone();
        labels.remove(super::samples::NAME);
        for (name, value) in &self.labels {
            let value = value.expand(result);
            if value.is_empty() {
                labels.remove(name)
            } else {
                labels.insert(name.clone(), value)
            };
        }
        labels
    }
}

fn groups(document: &Document) -> Result<Vec<Group>, ManifestError> {
    let advice = "prometheus.io/docs says what may stand there: \"Recording rules\", \"Alerting rules\"";
    let file: FileText = read_as(document, "a rule file: `groups`", advice)?;
    let mut groups: Vec<Group> = Vec::new();
    for (index, text) in file.groups.into_iter().enumerate() {
        let field = format!("groups[{index}]");
        if groups.iter().any(|group| group.name == text.name) {
            let (found, field) = (format!("`{}` twice", text.name), format!("{field}.name"));
            return Err(document.error(&field, "a name of its own for each group", &found, "rename one"));
        }
        groups.push(group(document, &field, text)?);
    }
    refuse_late_records(document, &groups)?;
    Ok(groups)
}

fn group(document: &Document, field: &str, text: GroupText) -> Result<Group, ManifestError> {
    let mut rules = Vec::new();
    for (index, mut rule) in text.rules.into_iter().enumerate() {
        for (name, value) in &text.labels {
            rule.labels.entry(name.clone()).or_insert_with(|| value.clone());
        }
        rules.push(self::rule(document, &format!("{field}.rules[{index}]"), rule)?);
    }
    Ok(Group {
        name: text.name,
        interval: text.interval.map(|interval| interval.0).filter(|interval| *interval > 0),
        query_offset: text.query_offset.map_or(0, |offset| offset.0),
        limit: text.limit.0,
        rules,
    })
}

fn rule(document: &Document, field: &str, text: RuleText) -> Result<Rule, ManifestError> {
    let expr_field = format!("{field}.expr");
    let expression = Expression::new(&text.expr).map_err(|refused| {
        let advice = "write the rule without it: a range query would take it otherwise than a rule does";
        document.error(&expr_field, "an expression about now and the past", &refused.to_string(), advice)
    })?;
    let mut labels = Vec::new();
    for (name, value) in &text.labels {
        let value = LabelValue::new(value).map_err(|template| {
            let (expected, advice) =
                ("a text, with {{ $labels.NAME }} at most", "templates in labels make alerts come and go");
            document.error(&format!("{field}.labels.{name}"), expected, &template, advice)
        })?;
        labels.push((name.clone(), value));
    }
    let kind = kind(document, field, text)?;
    Ok(Rule { kind, expression, labels, field: expr_field })
}

fn kind(document: &Document, field: &str, text: RuleText) -> Result<RuleKind, ManifestError> {
    let RuleText { alert, record, hold, keep, .. } = text;
    match (alert, record) {
        (Some(name), None) => {
            let [hold, keep] = [hold, keep].map(|duration| duration.map_or(0, |duration| duration.0));
            Ok(RuleKind::Alert(Alert { name, hold, keep }))
        }
        (None, Some(record)) if hold.is_none() && keep.is_none() => Ok(RuleKind::Record(record)),
        (None, Some(_)) => {
            let advice = "take `for` and `keep_firing_for` away, or name it `alert`";
            Err(document.error(field, "a recording rule", "one that waits", advice))
        }
        (alert, _) => {
            let found = if alert.is_some() { "both" } else { "neither" };
            let advice = "an alerting rule has `alert`, a recording rule `record`";
            Err(document.error(field, "`alert` or `record`", found, advice))
        }
    }
}

/// Rules are evaluated in the order of the file, over the whole of a run each.
fn refuse_late_records(document: &Document, groups: &[Group]) -> Result<(), ManifestError> {
    let rules: Vec<&Rule> = groups.iter().flat_map(|group| &group.rules).collect();
    for (index, rule) in rules.iter().enumerate() {
        let late = rules[index..].iter().find_map(|later| match &later.kind {
            RuleKind::Record(name) if rule.expression.may_read(name) => Some(name),
            _ => None,
        });
        if let Some(name) = late {
            let found = format!("`{name}`, which is recorded here or below");
            let expected = "metrics that are exported, or recorded above";
            return Err(document.error(&rule.field, expected, &found, "put the recording rule in front"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
