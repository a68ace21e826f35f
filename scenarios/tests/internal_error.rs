//! What people see of a bug: every line that is needed to see it again, whichever thread it broke.
//!
//! One test, since a process has one panic hook.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use stuckvm_detector::Time;
use stuckvm_scenarios::internal_error::{Note, tell_of_panics};

#[test]
fn a_panic_is_told_with_scenario_seed_and_instant() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let ear = told.clone();
    let hear =
        move |text: &str| ear.lock().unwrap().push(text.lines().map(str::to_owned).collect::<Vec<_>>());
    tell_of_panics("stuckvm run --seed 7".to_owned(), hear);
    // Two scenarios are played at once, as under `--jobs 2`; the first breaks, the other goes on.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let at_once = || pool.install(|| rayon::join(|| play("a/broken", true), || play("b/whole", false)));
    let outcome = catch_unwind(AssertUnwindSafe(at_once));
    assert!(outcome.is_err(), "the panic reaches whoever waits for both");
    assert!(catch_unwind(|| panic!("before anything is played")).is_err());
    let told = told.lock().unwrap();
    let [broken, outside] = told.as_slice() else { panic!("two panics are told: {told:?}") };
    let place = format!("  at            {}:", file!());
    assert!(broken[1].starts_with(&place), "{broken:?}");
    assert_eq!(broken[0], "internal error: time moves forward");
    assert_eq!(
        broken[2..8],
        [
            "  scenario      a/broken",
            "  seed          7",
            "  virtual time  2022-10-03T11:16:07Z, 5m after the start",
            "  replay with   stuckvm run --seed 7 a/broken",
            "This is a bug of stuckvm. Please report it with these lines:",
            "https://github.com/stuckvm/stuckvm/issues",
        ]
    );
    assert_eq!(outside[0], "internal error: before anything is played");
    assert_eq!(
        outside[2], "  replay with   stuckvm run --seed 7",
        "nothing is left of what was played before"
    );
}

fn play(scenario: &str, breaks: bool) {
    let start = Time::from_secs(1_664_795_467);
    let note = Note::playing(scenario, 7, start);
    note.at(start + Duration::from_secs(300));
    let holds = !breaks;
    assert!(holds, "time moves forward");
}
