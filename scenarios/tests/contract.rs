//! The contract suite: what its files state is what the oracle derives, and the built-in detector keeps it.

use std::collections::{BTreeMap, BTreeSet};
use stuckvm_scenarios::conformance::{BuiltIn, examine};
use stuckvm_scenarios::contract::{self, ContractCase, suite};
use stuckvm_scenarios::judge::Rule;
use stuckvm_scenarios::oracle::{self, Thresholds};
use stuckvm_scenarios::verdict::Verdict;

/// The authors of the files read the contract, and so did the oracle's; neither is derived from the other.
#[test]
fn the_oracle_derives_what_the_files_state() {
    for ContractCase { case, expected, file, line, .. } in suite(None) {
        let derived = oracle::expected(&case.thresholds, &case.inputs);
        assert_eq!(
            derived, expected,
            "{} in {file}, line {line}: derived, and stated in the file",
            case.name
        );
    }
}

#[test]
fn the_built_in_detector_keeps_the_contract() {
    for contract in suite(None) {
        let examined = examine(&contract.case, &BuiltIn::candidate());
        assert_eq!(examined.verdict, Verdict::Pass, "{}", contract.case.name);
    }
}

#[test]
fn every_case_is_there_for_every_status_and_named_after_its_rule() {
    let mut statuses: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut rules = BTreeSet::new();
    for contract in suite(None) {
        let name = contract.case.name;
        assert_eq!(Rule::of_case(&name), Some(contract.rule), "{name}");
        assert!(contract.file.starts_with(&format!("contract/{}/", contract.rule.as_str())), "{name}");
        assert!(!contract.about.is_empty(), "{name} says what it shows");
        rules.insert(contract.rule);
        let (case, status) = name.rsplit_once('/').expect("a path");
        assert_eq!(status, contract.status);
        statuses.entry(case.to_owned()).or_default().insert(contract.status);
    }
    assert_eq!(rules, Rule::ALL.into_iter().collect());
    let incomplete: Vec<_> = statuses.iter().filter(|(_, found)| found.len() != 7).collect();
    assert!(incomplete.is_empty(), "{incomplete:?}");
}

#[test]
fn another_threshold_moves_what_is_relative_to_it() {
    let ten = std::time::Duration::from_secs(600);
    for ContractCase { case, expected, .. } in suite(Some(ten)) {
        let derived = oracle::expected(&case.thresholds, &case.inputs);
        assert_eq!(derived, expected, "{}", case.name);
    }
}

#[test]
fn every_threshold_has_its_cases_and_leaves_out_those_with_instants_that_it_has_not() {
    let nanos = std::time::Duration::from_nanos;
    let all = suite(None).len();
    for (threshold, without) in [
        (nanos(1), "contract/R2/advance-in-four-steps/Unknown"),
        (nanos(999_999_999), "contract/R2/advance-in-four-steps/Unknown"),
        (nanos(u64::MAX), "contract/R2/repeated-at-the-deadline/Unknown"),
    ] {
        let cases = suite(Some(threshold));
        assert!(!cases.is_empty() && cases.len() < all, "{threshold:?}: {} cases", cases.len());
        assert!(cases.iter().all(|contract| contract.case.name != without), "{threshold:?}");
        // Whatever is left can be judged.
        for contract in cases {
            let Thresholds { default, per_status } = &contract.case.thresholds;
            assert!(!default.is_zero() && per_status.values().all(|own| !own.is_zero()));
            oracle::expected(&contract.case.thresholds, &contract.case.inputs);
        }
    }
}

#[test]
fn a_file_that_does_not_read_is_refused_with_its_place() {
    let table = [
        ("cases:\n  - case: a\n    stream: []\n", "about"),
        ("about: x\ncases:\n  - case: a\n    strem: []\n", "strem"),
        (
            "about: x\ncases:\n  - case: a\n    stream:\n      - {at: 0s, vm: a}\n",
            "expected one of `vm` with `is`",
        ),
        ("about: x\ncases:\n  - case: a\n    stream:\n      - {at: soon, advance: true}\n", "`soon`"),
        ("about: x\ncases:\n  - case: a\n    stream:\n      - {vm: a, is: b}\n", "`at` is missing"),
    ];
    for (text, problem) in table {
        let error =
            contract::read("contract/R1/mine.yaml", text.as_bytes(), None).expect_err(text).to_string();
        assert!(error.contains("contract/R1/mine.yaml, line "), "{error}");
        assert!(error.contains(problem), "expected {problem} in: {error}");
    }
    let elsewhere = contract::read("mine.yaml", b"about: x\ncases: []\n", None);
    assert!(elsewhere.is_err(), "a file stands in the folder of its rule");
}

#[test]
fn every_rule_is_visited_for_every_status_before_at_and_after_its_boundary() {
    let cells = contract::coverage(&suite(None));
    assert_eq!(cells.len(), 13 * 7 * 3);
    let empty: Vec<_> = cells.iter().filter(|(_, cases)| cases.is_empty()).map(|(cell, _)| cell).collect();
    assert!(empty.is_empty(), "no case visits {empty:?}");
}

/// The same stream twice is one way, and so is a stream of which only the word differs.
#[test]
fn every_rule_is_visited_in_two_ways_for_every_status_on_every_side() {
    let suite = suite(None);
    let streams: BTreeMap<&str, _> =
        suite.iter().map(|contract| (contract.case.name.as_str(), &contract.case.inputs)).collect();
    let mut thin = Vec::new();
    for (cell, cases) in contract::coverage(&suite) {
        let of_case = |name: &String| name.split('/').nth(2).map(str::to_owned);
        let families: BTreeSet<_> = cases.iter().filter_map(of_case).collect();
        let differs = cases.iter().any(|name| streams[name.as_str()] != streams[cases[0].as_str()]);
        if families.len() < 2 || !differs {
            thin.push((cell, families));
        }
    }
    assert!(thin.is_empty(), "visited in fewer than two ways: {thin:#?}");
}

#[test]
fn a_side_that_no_stream_visits_is_empty() {
    let file = "about: x\ncases:\n  - case: a\n    stream:\n      - {at: 0s, vm: a, is: $wire}\n      - {at: T, vm: a, is: Running}\n";
    let cases = contract::read("contract/R3/mine.yaml", file.as_bytes(), None).expect("it reads");
    let cells = contract::coverage(&cases);
    let visited: Vec<_> =
        cells.iter().filter(|(_, cases)| !cases.is_empty()).map(|(cell, _)| *cell).collect();
    assert_eq!(visited.len(), 7);
    assert!(
        visited.iter().all(|(rule, _, side)| (*rule, *side) == (Rule::ObservationsFirst, contract::Side::At))
    );
}

/// One slip each in what a file states: the instant, the input, the status, the beginning, a rejection, a word.
#[test]
fn a_file_that_states_something_else_differs_from_the_oracle() {
    let right = "about: x\ncases:\n  - case: a\n    stream:\n      - {at: 1s, vm: a, is: $wire}\n      \
                 - {at: T+1s, advance: true, gives: [{fires: a, at: T+1s, as: $runbook, since: 1s}]}\n      \
                 - {at: T, vm: b, is: Running, rejected: true}\n      \
                 - {at: 2T, vm: b, is: New, unknown: [New]}\n";
    let agrees = |text: &str| {
        let cases = contract::read("contract/R1/mine.yaml", text.as_bytes(), None).expect("it reads");
        cases.iter().all(|case| oracle::expected(&case.case.thresholds, &case.case.inputs) == case.expected)
    };
    assert!(agrees(right));
    let table = [
        ("fires: a, at: T+1s", "fires: a, at: T"),
        ("fires: a", "resolves: a"),
        ("as: $runbook", "as: $wire"),
        ("since: 1s", "since: 0s"),
        (", gives: [{fires: a, at: T+1s, as: $runbook, since: 1s}]", ""),
        (", rejected: true", ""),
        (", unknown: [New]", ""),
    ];
    for (from, to) in table {
        assert!(right.contains(from) && !agrees(&right.replace(from, to)), "{from} → {to}");
    }
}
