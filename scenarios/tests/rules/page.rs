//! `docs/findings.md` has the figures that come out for the catalog as it is. Where they differ, the message has the lines as they must be.

use super::{HALF_A_MINUTE, path, scenarios};
use std::fmt::Write as _;
use std::time::Duration;
use stuckvm_scenarios::prometheus::rules::RuleFile;
use stuckvm_scenarios::prometheus::table::{Row, Table};
use stuckvm_scenarios::prometheus::{AlertReport, Evaluator, Options, check_rules};

/// The alerts of a file. The embedded engine agrees with Prometheus on them (`engines.rs`) and is always there.
fn reports(file: &str) -> Vec<AlertReport> {
    let file = RuleFile::load(&path(file)).expect("a rule file");
    let options = Options { schedule: HALF_A_MINUTE, engine: Evaluator::Embedded, ..Options::default() };
    check_rules(&file, &scenarios(&[]), &options, |_| ()).unwrap_or_else(|error| panic!("{error}")).alerts
}

/// A duration in tenths of a second.
fn tenths(duration: Duration) -> String {
    let tenth = Duration::from_millis(100).as_nanos();
    let tenths = (duration.as_nanos() + tenth / 2) / tenth;
    stuckvm_sim::duration::format(Duration::from_millis(u64::try_from(tenths).expect("short") * 100))
}

fn status(status: &str) -> &str {
    if status.is_empty() { "none yet" } else { status }
}

/// A line without its last column, which is prose.
fn line(status_name: &str, row: &Row) -> String {
    let range = match row.fires_after.map(|(first, last)| (tenths(first), tenths(last))) {
        None => " ".to_owned(),
        Some((first, last)) if first == last => format!(" {first} "),
        Some((first, last)) => format!(" {first} to {last} "),
    };
    let Row { due, never, spurious, .. } = row;
    format!("| {} | {due} |{range}| {never} | {spurious} |", status(status_name))
}

fn lines(table: &Table) -> Vec<String> {
    table.rows.iter().map(|(status, row)| line(status, row)).collect()
}

fn cell(row: Option<&Row>) -> String {
    let Some(Row { due, never, spurious, .. }) = row else { return " ".to_owned() };
    let due = (*due > 0).then(|| format!("{due} due, {never} never"));
    let spurious = (*spurious > 0).then(|| format!("{spurious} for nothing"));
    format!(" {} ", [due, spurious].into_iter().flatten().collect::<Vec<_>>().join(", "))
}

/// Two alerts side by side.
fn pairs(left: &Table, right: &Table) -> Vec<String> {
    let mut names: Vec<&String> = left.rows.keys().chain(right.rows.keys()).collect();
    names.sort();
    names.dedup();
    let pair = |name: &String| {
        format!("| {} |{}|{}|", status(name), cell(left.rows.get(name)), cell(right.rows.get(name)))
    };
    names.into_iter().map(pair).collect()
}

/// How many scenarios fail an alert, and how many it was put to.
fn failed(report: &AlertReport) -> (usize, usize) {
    let (passed, failed) = (report.summary.passed, report.summary.failed);
    (failed, passed + failed)
}

/// What a section of the page lacks: a line of its first table, or a sentence. A line too many is told too.
fn missing(page: &str, heading: &str, table: &[String], sentence: &str) -> String {
    let section =
        page.split("\n## ").find(|section| section.starts_with(heading)).expect("the section is there");
    let rows = || section.lines().skip_while(|line| !line.starts_with("| --- ")).skip(1);
    let rows: Vec<&str> = rows().take_while(|line| line.starts_with("| ")).collect();
    let mut missing = String::new();
    for line in table.iter().filter(|line| !rows.iter().any(|row| row.starts_with(line.as_str()))) {
        writeln!(missing, "{heading}: {line}").expect("a text takes all");
    }
    for row in rows.iter().filter(|row| !table.iter().any(|line| row.starts_with(line.as_str()))) {
        writeln!(missing, "{heading}: not {row}").expect("a text takes all");
    }
    if !section.split_whitespace().collect::<Vec<_>>().join(" ").contains(sentence) {
        writeln!(missing, "{heading}: {sentence}").expect("a text takes all");
    }
    missing
}

#[test]
fn the_page_of_findings_has_the_figures_of_the_catalog() {
    let page = std::fs::read_to_string(path("../../docs/findings.md")).expect("the page");
    let historical = reports("historical.yaml");
    let (wrong, of) = failed(&historical[0]);
    let sentence = format!("{wrong} of {of} scenarios fail.");
    let mut lacks = missing(&page, "The historical alert", &lines(&historical[0].table), &sentence);

    let successors = reports("successors.yaml");
    let [(unhealthy, of), (on_node, also)] = [failed(&successors[0]), failed(&successors[1])];
    assert_eq!(of, also, "both are put to the same");
    let sentence = format!("{unhealthy} scenarios fail the one, {on_node} the other, of {of}.");
    let table = pairs(&successors[0].table, &successors[1].table);
    lacks += &missing(&page, "The successors", &table, &sentence);

    let kept = reports("any-error-for-5m.yaml");
    let (wrong, of) = failed(&kept[0]);
    assert_eq!(wrong, 0, "it keeps the profile");
    let sentence = format!("It passes every scenario that it can be put to, {of} (");
    lacks += &missing(&page, "A rule that keeps the profile", &lines(&kept[0].table), &sentence);

    let count = scenarios(&[]).len();
    let sentence = format!("over the {count} scenarios of the catalog");
    if !page.contains(&sentence) {
        lacks += &sentence;
    }
    assert!(lacks.is_empty(), "docs/findings.md lacks:\n{lacks}");
}
