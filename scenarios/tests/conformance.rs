//! The built-in detector comes to the same verdict through the door that everybody's detectors use.

use stuckvm_scenarios::catalog::{Tree, load_all};
use stuckvm_scenarios::conformance::{BuiltIn, Case, examine};
use stuckvm_scenarios::play::{PlayOptions, play};
use stuckvm_scenarios::verdict::Verdict;

#[test]
fn the_built_in_detector_says_the_same_through_the_door_of_all() {
    for loaded in load_all(&Tree::Embedded).expect("the catalog loads") {
        if !loaded.scenario.cluster.generate.is_empty() {
            continue;
        }
        let played = play(&loaded, PlayOptions::default());
        let case = Case::of_scenario(&loaded.scenario.scenario, &played);
        let examined = examine(&case, &BuiltIn::candidate());
        let said: Vec<_> = examined.answers.into_iter().flat_map(|answer| answer.alerts).collect();
        assert_eq!(said, played.alerts, "{}", case.name);
        assert_eq!(examined.verdict, Verdict::Pass, "{}", case.name);
    }
}
