//! `docs/removals.md`.

use crate::run::Outcome;
use std::fmt::Write as _;

const HEAD: &str = "\
# Removals

Each rule below was taken away or changed a little, one at a time, and this is what failed then. `just removals` repeats it, fails
where nobody misses a rule, and writes this page. The rows with the source as it is and as it was made are in
[sim/tests/removals](../sim/tests/removals); an ordinary test run sees to it that they fit the source.
Of the vectors the first cases that fail are named, at most two a rule.
";

/// The page.
pub(crate) fn text(outcomes: &[Outcome]) -> String {
    let mut text = HEAD.to_owned();
    let mut subject = "";
    for Outcome { row, failed } in outcomes {
        if row.subject != subject {
            subject = row.subject;
            let _ = write!(text, "\n## {subject}\n\n| rule | without it fails |\n| --- | --- |\n");
        }
        let shown: Vec<String> = failed.iter().take(2).map(|name| format!("`{name}`")).collect();
        let shown = if shown.is_empty() { "**nothing**".to_owned() } else { shown.join(", ") };
        let _ = writeln!(text, "| {} | {shown} |", row.row.0);
    }
    text
}
