//! The kill matrix: detectors with one slip each, and how many cases of each rule catch them.
//!
//! `cargo run --release -p stuckvm-scenarios --example kill_matrix [-- --csv | --slips]`

mod changes;
mod deadline;
mod known;
mod matrix;
mod mutant;
mod slip;
mod words;

use matrix::{Matrix, cases, family};
use slip::ROWS;
use stuckvm_scenarios::judge::Rule;

fn main() {
    let asked = std::env::args().nth(1);
    match asked.as_deref() {
        Some("--slips") => print_slips(),
        Some("--csv") => print_cells(&Matrix::of(&cases(true))),
        _ => print_counts(&Matrix::of(&cases(true))),
    }
}

/// What the mutants are.
fn print_slips() {
    for row in ROWS {
        println!("{}, {}\n    {}", row.slip.name(), row.breaks.as_str(), row.about);
    }
}

/// A line a mutant: how many cases of each rule, and scenarios of the catalog, catch it.
fn print_counts(matrix: &Matrix) {
    let rules: String =
        Rule::ALL.map(|rule| format!("{:>3}", rule.as_str().trim_start_matches('R'))).concat();
    println!("{:31}{rules}  cat", "mutants caught by cases of rule");
    for (index, row) in ROWS.iter().enumerate() {
        let families = matrix.families(index);
        let count = |rule: Option<Rule>| families.iter().filter(|name| Rule::of_case(name) == rule).count();
        let cell = |count: usize| if count == 0 { ".".to_owned() } else { count.to_string() };
        let counts: String = Rule::ALL.map(|rule| format!("{:>3}", cell(count(Some(rule))))).concat();
        println!("{:31}{counts}{:>5}", row.slip.name(), cell(count(None)));
    }
    let mut families: Vec<&str> = matrix.cases.iter().map(|name| family(name)).collect();
    families.sort_unstable();
    families.dedup();
    let (mutants, cases) = (ROWS.len(), families.len());
    println!("\n{mutants} mutants, {cases} cases, {} with their statuses and words", matrix.cases.len());
    for case in matrix.idle() {
        println!("catches nothing: {case}");
    }
}

/// A line a cell that is not empty.
fn print_cells(matrix: &Matrix) {
    println!("mutant,breaks,foreseen,case,named,looks_like");
    for (index, row) in ROWS.iter().enumerate() {
        let foreseen = row.looks_like.iter().map(|rule| rule.as_str()).collect::<Vec<_>>().join(" ");
        for (case, caught) in matrix.catching(index) {
            let name = |rule: Option<Rule>| rule.map_or("error", Rule::as_str);
            let (named, looks_like) = (name(caught.rule), name(caught.looks_like));
            let (mutant, breaks) = (row.slip.name(), row.breaks.as_str());
            println!("{mutant},{breaks},{foreseen},{case},{named},{looks_like}");
        }
    }
}
