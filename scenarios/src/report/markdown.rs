//! A summary in Markdown, for the page of a job.

use super::entry::{Entry, ResultKind};
use super::summary::Summary;
use std::fmt::Write as _;

/// More than these are counted, not shown: GitHub takes a MiB a step.
const SHOWN: usize = 100;

/// The report on these scenarios.
pub fn markdown(entries: &[Entry], summary: &Summary) -> String {
    let Summary { detector, scenarios, passed, failed, errors, not_tested, digest, .. } = summary;
    let verdict = match summary.not_begun {
        Some(_) => "interrupted",
        None if summary.all_passed() => "passed",
        None => "failed",
    };
    let mut text = format!("# stuckvm: {verdict}\n\n");
    text += "| detector | scenarios | passed | failed | errors | not tested |\n";
    text += "| --- | --: | --: | --: | --: | --: |\n";
    let detector = code(detector).replace('|', "\\|");
    let _ = writeln!(text, "| {detector} | {scenarios} | {passed} | {failed} | {errors} | {not_tested} |");
    if let Some(not_begun) = summary.not_begun {
        let _ = writeln!(text, "\nInterrupted: {not_begun} more not begun.");
    }
    if !summary.broken.is_empty() {
        text += "\n| rule | broken |\n| --- | --: |\n";
        let mut broken: Vec<_> = summary.broken.iter().collect();
        broken.sort_by_key(|(rule, _)| (rule.len(), **rule));
        broken.iter().for_each(|(rule, count)| text += &format!("| {rule} | {count} |\n"));
    }
    section(&mut text, "Failed", entries, ResultKind::Failed);
    section(&mut text, "Errors", entries, ResultKind::Error);
    not_tested_section(&mut text, entries);
    let _ = writeln!(text, "\nDigest `{digest:016x}`.");
    text
}

fn section(text: &mut String, heading: &str, entries: &[Entry], result: ResultKind) {
    let found: Vec<&Entry> = entries.iter().filter(|entry| entry.result == result).collect();
    if found.is_empty() {
        return;
    }
    let _ = write!(text, "\n## {heading}\n");
    for entry in found.iter().take(SHOWN) {
        let _ = write!(text, "\n### {}: {}\n\n", code(&entry.scenario), entry.named);
        *text += &block(&entry.because.join("\n"));
        if let Some(place) = &entry.place {
            let _ = write!(text, "\n{}, line {}\n", code(&place.file.to_string_lossy()), place.line);
        }
    }
    if found.len() > SHOWN {
        let _ = write!(text, "\n{} more.\n", found.len() - SHOWN);
    }
}

fn not_tested_section(text: &mut String, entries: &[Entry]) {
    let found: Vec<&Entry> = entries.iter().filter(|entry| entry.result == ResultKind::NotTested).collect();
    if found.is_empty() {
        return;
    }
    *text += "\n## Not tested\n\n";
    for entry in found.iter().take(SHOWN) {
        let _ = writeln!(text, "- {}: {}", code(&entry.scenario), code(&entry.because.join("; ")));
    }
    if found.len() > SHOWN {
        let _ = writeln!(text, "- {} more", found.len() - SHOWN);
    }
}

/// A code span that nothing within can end.
fn code(raw: &str) -> String {
    let fence = fence(raw, 1);
    let pad = if raw.starts_with('`') || raw.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{}{pad}{fence}", raw.replace(['\n', '\r'], " "))
}

/// A code block that nothing within can end.
fn block(raw: &str) -> String {
    let fence = fence(raw, 3);
    format!("{fence}text\n{raw}\n{fence}\n")
}

/// More backticks than stand anywhere within, and at least so many.
fn fence(raw: &str, least: usize) -> String {
    let longest = raw.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(least.max(longest + 1))
}

#[cfg(test)]
mod tests {
    use super::{block, code};

    #[test]
    fn nothing_within_ends_a_code_span_or_block() {
        assert_eq!(code("a/b"), "`a/b`");
        assert_eq!(code("`a``b"), "``` `a``b ```");
        assert_eq!(block("x\n```\ny"), "````text\nx\n```\ny\n````\n");
    }
}
