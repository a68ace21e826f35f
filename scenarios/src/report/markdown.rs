//! A summary in Markdown, for the page of a job.

use super::entry::{Entry, ResultKind};
use super::summary::Summary;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// More than these are counted, not shown: GitHub takes a MiB a step.
const SHOWN: usize = 100;

/// The report on these scenarios; a summary for each detector that they were put to.
pub fn markdown(entries: &[Entry], summaries: &[Summary]) -> String {
    let not_begun: usize = summaries.iter().filter_map(|summary| summary.not_begun).sum();
    let verdict = match summaries.iter().all(Summary::all_passed) {
        _ if summaries.iter().any(|summary| summary.not_begun.is_some()) => "interrupted",
        true => "passed",
        false => "failed",
    };
    let mut text = format!("# stuckvm: {verdict}\n\n");
    text += "| detector | scenarios | passed | failed | errors | not tested |\n";
    text += "| --- | --: | --: | --: | --: | --: |\n";
    summaries.iter().for_each(|summary| text += &row(summary));
    if verdict == "interrupted" {
        let _ = writeln!(text, "\nInterrupted: {not_begun} more not begun.");
    }
    text += &broken_section(summaries);
    section(&mut text, "Failed", entries, ResultKind::Failed);
    section(&mut text, "Errors", entries, ResultKind::Error);
    not_tested_section(&mut text, entries);
    let digests: Vec<String> = summaries.iter().map(|summary| format!("`{:016x}`", summary.digest)).collect();
    let _ = writeln!(text, "\nDigest {}.", digests.join(", "));
    text
}

fn row(summary: &Summary) -> String {
    let Summary { detector, scenarios, passed, failed, errors, not_tested, .. } = summary;
    let detector = code(detector).replace('|', "\\|");
    format!("| {detector} | {scenarios} | {passed} | {failed} | {errors} | {not_tested} |\n")
}

fn broken_section(summaries: &[Summary]) -> String {
    let mut broken: BTreeMap<(usize, &str), usize> = BTreeMap::new();
    for (rule, count) in summaries.iter().flat_map(|summary| &summary.broken) {
        // R2 before R10.
        *broken.entry((rule.len(), *rule)).or_default() += count;
    }
    if broken.is_empty() {
        return String::new();
    }
    let rows = broken.iter().map(|((_, rule), count)| format!("| {rule} | {count} |\n"));
    format!("\n| rule | broken |\n| --- | --: |\n{}", rows.collect::<String>())
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
