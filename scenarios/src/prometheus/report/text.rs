//! Text for people, in 80 columns but for names that are longer.

use super::{luck, shown, slip_text};
use crate::judge::Rule;
use crate::prometheus::check::{AlertReport, CaseReport, Checked};
use crate::prometheus::exporter::Schedule;
use crate::prometheus::table::{Row, Table, Worst};
use crate::report::Summary;
use crate::verdict::{Outcome, Verdict};
use std::fmt::Write as _;
use std::time::Duration;
use stuckvm_sim::manifest::wrap;

const WIDTH: usize = 80;

/// For each alert what it broke, and its table of errors. `explained` may say more of a case than its line, by the places of
/// alert and scenario.
pub fn text(
    checked: &Checked<'_>,
    schedule: Schedule,
    explained: impl Fn(usize, usize) -> Option<String>,
) -> String {
    let mut text = String::new();
    for (alert, report) in checked.alerts.iter().enumerate() {
        for (place, case) in report.cases.iter().enumerate() {
            match explained(alert, place) {
                Some(explanation) => text += &format!("{explanation}\n\n"),
                None => text += &case_text(case),
            }
        }
        text += &summary_text(report, schedule);
        text += &table_text(&report.table);
    }
    text
}

fn summary_text(report: &AlertReport, schedule: Schedule) -> String {
    let Summary { detector, scenarios, passed, failed, errors, not_tested, broken, .. } = &report.summary;
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let counts = format!("{passed} passed, {failed} failed, {errors} error{}", plural(*errors));
    let mut text = format!("\n{detector}\n");
    let _ = writeln!(text, "  {scenarios} scenario{}: {counts}, {not_tested} not tested", plural(*scenarios));
    let [scrape, evaluate, phase] = [schedule.scrape, schedule.evaluate, schedule.phase]
        .map(|millis| shown(Duration::from_millis(millis.unsigned_abs())));
    let _ = writeln!(text, "  scraped every {scrape}, evaluated every {evaluate}, phase {phase}");
    let luck = luck(report);
    let _ = writeln!(text, "  left to luck by sampling: {luck} episode{}", plural(luck));
    for rule in Rule::ALL.into_iter().filter(|rule| broken.contains_key(rule.as_str())) {
        let _ = writeln!(text, "  broken {}: {}", rule.as_str(), rule.about());
    }
    text
}

fn case_text(case: &CaseReport) -> String {
    let CaseReport { outcome: Outcome { scenario, verdict, .. }, breaches, .. } = case;
    let mut text = String::new();
    let because = match verdict {
        Verdict::Error(error) => error.because.clone(),
        Verdict::Broken(breach) => {
            let (vm, first) = &breaches[0];
            vec![format!("{} {vm}: {}", first.rule.as_str(), breach.note.as_deref().unwrap_or_default())]
        }
        Verdict::Pass | Verdict::NotTested(_) | Verdict::Unmet(_) => return text,
    };
    let _ = writeln!(text, "{:<5} {scenario}", verdict.as_str());
    for line in because.iter().flat_map(|reason| wrap(reason, WIDTH - 6)) {
        let _ = writeln!(text, "      {line}");
    }
    text
}

fn table_text(Table { rows }: &Table) -> String {
    if rows.is_empty() {
        return "  no episode was due, and nothing fired\n".to_owned();
    }
    let mut text = "  against the exact contract:\n".to_owned();
    let _ = writeln!(
        text,
        "  {:<18} {:>3} {:<20} {:>9} {:>9} {:>5} {:>8}",
        "status", "due", "fires after", "early by", "late by", "never", "spurious"
    );
    for (status, row) in rows {
        let status = if status.is_empty() { "(none yet)" } else { status };
        let after = row.fires_after.map_or_else(
            || "-".to_owned(),
            |(least, most)| {
                if least == most { rough(least) } else { format!("{}..{}", rough(least), rough(most)) }
            },
        );
        let Row { due, early, late, never, spurious, .. } = row;
        let (early, late) = (rough(*early), rough(*late));
        let _ = writeln!(
            text,
            "  {status:<18} {due:>3} {after:<20} {early:>9} {late:>9} {never:>5} {spurious:>8}"
        );
        if let Some(Worst { slip, scenario }) = &row.worst {
            let _ = writeln!(text, "      worst: {}\n             {scenario}", slip_text(*slip));
        }
    }
    text
}

/// In milliseconds, so that a table has room for it.
fn rough(duration: Duration) -> String {
    shown(Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
}
