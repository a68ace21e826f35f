//! Puts every row into the source, so that a number chooses which of them holds.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use crate::{Group, Row, SUBJECTS};

/// A row with its number, which begins at 1: 0 removes nothing.
pub(crate) struct Numbered {
    /// The number.
    pub(crate) number: usize,
    /// What it is about.
    pub(crate) subject: &'static str,
    /// Where it stands.
    pub(crate) group: &'static Group,
    /// The rule.
    pub(crate) row: &'static Row,
}

/// All rows in order.
pub(crate) fn rows() -> Vec<Numbered> {
    let groups =
        SUBJECTS.iter().flat_map(|(subject, groups)| groups.iter().map(move |group| (subject, group)));
    let rows = groups.flat_map(|(subject, group)| group.rows.iter().map(move |row| (subject, group, row)));
    let numbered = |(at, (subject, group, row)): (usize, (&&'static str, _, _))| Numbered {
        number: at + 1,
        subject,
        group,
        row,
    };
    rows.enumerate().map(numbered).collect()
}

/// The files with all rows put in, by path below the project's folder; the error names each row that does not fit.
pub(crate) fn sources(root: &Path) -> Result<BTreeMap<String, String>, String> {
    let mut by_file = BTreeMap::<&str, Vec<Numbered>>::new();
    for row in rows() {
        by_file.entry(row.group.file).or_default().push(row);
    }
    let (mut sources, mut errors) = (BTreeMap::new(), Vec::new());
    for (file, rows) in by_file {
        let path = format!("sim/src/{file}");
        let text =
            std::fs::read_to_string(root.join(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        match instrumented(&text, &rows) {
            Ok(text) => drop(sources.insert(path, text)),
            Err(error) => errors.push(format!("{path}: {error}")),
        }
    }
    if errors.is_empty() { Ok(sources) } else { Err(errors.join("\n")) }
}

/// One file with its rows put in. Rows of one place stand behind each other; places must not overlap.
fn instrumented(text: &str, rows: &[Numbered]) -> Result<String, String> {
    let mut places = BTreeMap::<usize, (Range<usize>, Vec<&Numbered>)>::new();
    for row in rows {
        let place = place(text, row.row)?;
        places.entry(place.start).or_insert((place.clone(), Vec::new())).1.push(row);
        if places[&place.start].0 != place {
            return Err(format!("{:?} begins where another row begins, and is of another length", row.row.0));
        }
    }
    let (mut out, mut done) = (String::new(), 0);
    for (place, rows) in places.into_values() {
        if place.start < done {
            return Err(format!("{:?} overlaps another row", rows[0].row.0));
        }
        out += &text[done..place.start];
        out += &chosen(&text[place.clone()], &rows);
        done = place.end;
    }
    Ok(out + &text[done..])
}

fn place(text: &str, (rule, old, _): &Row) -> Result<Range<usize>, String> {
    let found: Vec<usize> = text.match_indices(old).map(|(at, _)| at).collect();
    match found[..] {
        [at] => Ok(at..at + old.len()),
        _ => Err(format!("{rule:?}: {old:?} stands there {} times, expected once", found.len())),
    }
}

fn chosen(old: &str, rows: &[&Numbered]) -> String {
    let mut text = String::from("(");
    for Numbered { number, row: (_, _, new), .. } in rows {
        text += &format!("if crate::removed({number}) {{ {new} }} else ");
    }
    text + &format!("{{ {old} }})")
}
