//! `docs/removals.md`.

use crate::SUBJECTS;
use crate::run::Outcome;
use std::fmt::Write as _;

const HEAD: &str = "\
# Removals

Each rule below was taken away or changed a little, one at a time, and this is what failed then. `just removals` repeats it, fails
where nobody misses a rule, and writes this page; `just removals Volumes,Scores` does so for these subjects. The rows with the source
as it is and as it was made are in [sim/tests/removals](../sim/tests/removals); an ordinary test run sees to it that they fit the
source. Of the vectors the first cases that fail are named, at most two a rule.
";

/// The page. Subjects that were not run keep what the page said before.
pub(crate) fn text(outcomes: &[Outcome], before: &str) -> String {
    let kept = |subject: &str| before.split("\n## ").find(|section| section.lines().next() == Some(subject));
    let section = |(subject, _): &crate::Subject| {
        let of_subject: Vec<&Outcome> =
            outcomes.iter().filter(|outcome| outcome.row.subject == *subject).collect();
        if of_subject.is_empty() {
            return kept(subject).map(|section| format!("\n## {}\n", section.trim_end()));
        }
        Some(table(subject, &of_subject))
    };
    HEAD.to_owned() + &SUBJECTS.iter().filter_map(section).collect::<String>()
}

fn table(subject: &str, outcomes: &[&Outcome]) -> String {
    let mut text = format!("\n## {subject}\n\n| rule | without it fails |\n| --- | --- |\n");
    for Outcome { row, failed } in outcomes {
        let shown: Vec<String> = failed.iter().take(2).map(|name| format!("`{name}`")).collect();
        let shown = if shown.is_empty() { "**nothing**".to_owned() } else { shown.join(", ") };
        let _ = writeln!(text, "| {} | {shown} |", row.row.0);
    }
    text
}
