//! Programs that would make the harness wait or grow without end, and what they leave behind.

use crate::{
    CEILING, DONE, HELLO, assert_gone, error, error_of, fresh_file, observed, quiet_case, with_timeout,
};
use std::fs::read_to_string;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use stuckvm_detector::Time;
use stuckvm_scenarios::conformance::{Candidate as _, Case, Exec, Start, examine};
use stuckvm_scenarios::stream::{Event, Input, Observed, Vm};

/// Long enough to start a shell, if the machine is not too busy; whoever hangs does so anyway.
const SHORT: Duration = Duration::from_secs(2);

/// The most memory this process has ever had, in KiB.
fn peak_memory() -> u64 {
    let status = read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.map_or(0, |peak| peak.trim().trim_end_matches(" kB").parse().expect("a number of KiB"))
}

/// Fails if the memory grows by much more than what is kept of a program. The tests beside it count too.
fn in_bounded_memory<T>(work: impl FnOnce() -> T) -> T {
    let before = peak_memory();
    let result = work();
    let grown = peak_memory() - before;
    assert!(grown < 200 << 10, "the harness has grown by {grown} KiB");
    result
}

#[test]
fn one_that_sleeps_is_waited_for_and_killed_with_its_children() {
    let file = fresh_file("sleeping-child");
    let command = format!("sleep 1000 & echo $! > '{}'; sleep 1000", file.display());
    let error = error_of(with_timeout(&command, SHORT));
    assert_eq!(
        (error.kind.as_str(), &*error.because[0]),
        ("timeout", "it did not answer the start within 2s")
    );
    assert_gone(&file);
}

#[test]
fn a_session_that_is_dropped_in_a_panic_leaves_nothing_behind() {
    let file = fresh_file("child-in-a-panic");
    let command = format!("{HELLO}sleep 1000 & echo $! > '{}'; wait", file.display());
    let (case, candidate) = (quiet_case(), Exec::new(&command));
    let start = Start { case: &case.name, thresholds: &case.thresholds, restore: None };
    let fallen = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _session = candidate.start(&start).expect("it says hello");
        while read_to_string(&file).map_or(true, |pid| pid.is_empty()) {
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("a bug of the harness");
    }));
    assert!(fallen.is_err());
    assert_gone(&file);
}

/// One whose parent waits, one whose parent is gone, and one that has no parent that the harness ever saw.
#[cfg(target_os = "linux")]
#[test]
fn what_leaves_the_process_group_is_killed_all_the_same() {
    let detached = |file: &std::path::Path| {
        format!("setsid sh -c 'echo $$ >{0}.new; mv {0}.new {0}; exec sleep 1000'", file.display())
    };
    let wait = |file: &std::path::Path| format!("until test -s {}; do sleep 0.01; done; ", file.display());
    let [waits, orphan, grandchild] = ["setsid-waits", "setsid-orphan", "setsid-grandchild"].map(fresh_file);
    let table = [
        (&waits, format!("{} & {}cat", detached(&waits), wait(&waits)), "protocol"),
        (&orphan, format!("{HELLO}{} & {}exit 0", detached(&orphan), wait(&orphan)), "died"),
        (
            &grandchild,
            format!("{HELLO}({} &) ; {}sleep 1000", detached(&grandchild), wait(&grandchild)),
            "timeout",
        ),
    ];
    for (file, command, kind) in table {
        let error = error_of(with_timeout(&command, SHORT));
        assert_eq!(error.kind.as_str(), kind, "{command}: {error:?}");
        assert_gone(file);
    }
}

#[test]
fn the_user_need_not_wait_for_one_that_hangs() {
    let stop = Arc::new(AtomicBool::new(false));
    let candidate = Exec::new("sleep 1000").with_timeout(CEILING * 10).with_stop(stop.clone());
    let begun = Instant::now();
    let examined = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(100));
            stop.store(true, Ordering::Relaxed);
        });
        examine(&quiet_case(), &candidate)
    });
    assert!(begun.elapsed() < CEILING);
    assert_eq!(error_of(examined).kind.as_str(), "interrupted");
}

#[test]
fn a_gigabyte_without_an_end_of_line_is_not_kept() {
    let error = in_bounded_memory(|| error("head -c 1000000000 /dev/zero | tr '\\0' y"));
    assert_eq!(error.kind.as_str(), "protocol");
    assert_eq!(error.because[0], "it answered the start with a line of more than 1 MiB");
    assert_eq!(error.because[1], format!("its line begins: {}…", "y".repeat(199)));
}

#[test]
fn an_endless_answer_is_not_kept() {
    let alert = r#"{"type":"alert","alert":{"at":"1970-01-01T00:00:00Z","alert":"firing","namespace":"ns","name":"vm1","uid":"u1","status":"PvcNotFound"}}"#;
    let error = in_bounded_memory(|| error(&format!("{HELLO}read input; yes '{alert}'")));
    assert_eq!(error.kind.as_str(), "protocol");
    assert_eq!(error.because[0], "it floods: its answer to input 1 is too long to be kept");
    assert_eq!(error.because[1], format!("its line: {alert}"));
}

#[test]
fn an_endless_standard_error_neither_blocks_nor_is_kept() {
    let command = format!("{HELLO}yes moan >&2");
    let error = in_bounded_memory(|| error_of(with_timeout(&command, SHORT)));
    assert_eq!(error.kind.as_str(), "timeout");
    assert_eq!(error.because[0], "it did not answer input 1 within 2s");
    assert_eq!(error.because[2..6], [(); 4].map(|()| "its standard error: moan".to_owned()));
    // What stands in a pipe without a reader would block a detector that answers all the same.
    let talkative = format!("{HELLO}{DONE}while done_; do head -c 200000 /dev/zero >&2; done");
    assert_eq!(with_timeout(&talkative, CEILING).verdict.as_str(), "pass");
}

#[test]
fn one_that_never_reads_blocks_nobody() {
    let list =
        |number| Observed { vm: Vm::new("ns", &format!("vm{number}"), "u1"), status: "Running".into() };
    // More than a pipe holds.
    let relist = Input { at: Time::ZERO, event: Event::Relist((0..2_000).map(list).collect()) };
    let case = Case { inputs: vec![relist, observed(1, "vm1", "Running")], ..quiet_case() };
    let never = format!("{HELLO}sleep 1000");
    let error = error_of(examine(&case, &Exec::new(&never).with_timeout(SHORT)));
    assert_eq!((error.kind.as_str(), &*error.because[0]), ("timeout", "it did not answer input 1 within 2s"));
    // It is only slow if it reads at last.
    let slow = format!("{HELLO}{DONE}sleep 1; done_; done_");
    assert_eq!(examine(&case, &Exec::new(&slow)).verdict.as_str(), "pass");
}

#[test]
fn one_that_does_not_stop_hangs() {
    let command = format!("{HELLO}{DONE}done_; done_; done_; sleep 1000");
    let error = error_of(with_timeout(&command, SHORT));
    assert_eq!(
        (error.kind.as_str(), &*error.because[0]),
        ("timeout", "it did not answer the stop within 2s")
    );
}
