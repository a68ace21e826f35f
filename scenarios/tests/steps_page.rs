//! `docs/steps.md` lists every verb and every target that a scenario's steps can have, and its examples are steps.

use serde_json::{Map, Value};
use std::collections::BTreeSet;
use stuckvm_scenarios::format::{Step, Target};
use stuckvm_sim::manifest;

const PAGE: &str = include_str!("../../docs/steps.md");

/// Name and example of each row of the table with this head.
fn rows(head: &str) -> Vec<(String, String)> {
    let lines = PAGE.lines().skip_while(|line| !line.starts_with(&format!("| {head} |"))).skip(2);
    let rows = lines.take_while(|line| line.starts_with('|')).map(|line| {
        let cells: Vec<&str> = line.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        (cells[1].to_owned(), cells[2].to_owned())
    });
    rows.collect()
}

fn names(rows: &[(String, String)]) -> BTreeSet<&str> {
    rows.iter().map(|(name, _)| name.as_str()).collect()
}

/// An example as a step reads it.
fn step(example: &str) -> Map<String, Value> {
    let documents = manifest::parse("docs/steps.md", format!("at: 1m\n{example}\n").as_bytes());
    let Value::Object(step) = documents.expect(example)[0].value.clone() else { panic!("{example}") };
    serde_json::from_value::<Step>(Value::Object(step.clone())).expect(example);
    step
}

#[test]
fn every_verb_stands_there_with_an_example() {
    let schema = schemars::schema_for!(Step).to_value();
    let verbs = schema["properties"].as_object().expect("a step has fields");
    let verbs: BTreeSet<&str> = verbs.keys().map(String::as_str).filter(|verb| *verb != "at").collect();
    let rows = rows("verb");
    assert_eq!(names(&rows), verbs);
    for (verb, example) in &rows {
        assert!(step(example).contains_key(verb), "{verb}: {example}");
    }
}

#[test]
fn every_target_stands_there_with_an_example() {
    let schema = schemars::schema_for!(Target).to_value();
    let targets = schema["oneOf"].as_array().expect("a target is one of several");
    let targets =
        targets.iter().flat_map(|target| target["properties"].as_object().expect("one field").keys());
    let targets: BTreeSet<&str> = targets.map(String::as_str).collect();
    let rows = rows("target");
    assert_eq!(names(&rows), targets);
    for (target, example) in &rows {
        let step = step(example);
        let spoken_of = step.get("break").or_else(|| step.get("heal")).expect("it breaks or heals");
        assert!(spoken_of.get(target).is_some(), "{target}: {example}");
    }
}
