//! The coverage of the contract suite, as a table and as JSON Lines.

use crate::contract::{Cell, Side};
use crate::judge::Rule;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// How wide the column of a status is; names are cut to it.
const COLUMN: usize = 8;

/// How many cases visit each cell: a row a rule and side, a column a status.
pub fn text_coverage(cells: &BTreeMap<Cell, Vec<String>>) -> String {
    let statuses: Vec<&str> = {
        let of_one = cells.keys().filter(|(rule, _, side)| (*rule, *side) == (Rule::Exact, Side::Before));
        of_one.map(|(_, status, _)| *status).collect()
    };
    let mut text = format!("{:<10}", "");
    for status in &statuses {
        let _ = write!(text, " {:>COLUMN$}", &status[..status.len().min(COLUMN)]);
    }
    for rule in Rule::ALL {
        for side in Side::ALL {
            let _ = write!(text, "\n{:<3} {:<6}", rule.as_str(), side.as_str());
            for status in &statuses {
                let cases = cells.get(&(rule, *status, side)).map_or(0, Vec::len);
                let _ = write!(text, " {cases:>COLUMN$}");
            }
        }
    }
    let empty = cells.values().filter(|cases| cases.is_empty()).count();
    let _ = write!(text, "\n\n{} cells, {empty} of them empty", cells.len());
    text
}

/// A line a cell, with the names of the cases.
pub fn json_coverage(cells: &BTreeMap<Cell, Vec<String>>) -> String {
    #[derive(Serialize)]
    struct Line<'a> {
        rule: &'a str,
        status: &'a str,
        side: &'a str,
        cases: &'a [String],
    }
    let lines = cells.iter().map(|((rule, status, side), cases)| {
        let line = Line { rule: rule.as_str(), status, side: side.as_str(), cases };
        serde_json::to_string(&line).expect("a line serializes")
    });
    lines.collect::<Vec<_>>().join("\n")
}
