//! Programs as candidates: each that does wrong gets its verdict, in bounded time and memory, and one that does right passes.
//!
//! The programs are small scripts for `sh`, so that the tests need nothing but Rust and a shell.

mod command;
mod hostile;
mod limits;
mod right;

use std::fs::read_to_string;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use stuckvm_detector::Time;
use stuckvm_scenarios::conformance::{Case, Examined, Exec, examine};
use stuckvm_scenarios::oracle::Thresholds;
use stuckvm_scenarios::stream::{Event, Input, Observed, Vm};
use stuckvm_scenarios::verdict::{RunError, Verdict};

/// Nothing here takes longer, however busy the machine is; a hang does.
const CEILING: Duration = Duration::from_secs(60);

/// Says hello.
const HELLO: &str =
    r#"hello() { read start; echo '{"type":"hello","protocol":1,"name":"sh","capabilities":[]}'; }; hello; "#;
/// Reads an input and closes it, number by number.
const DONE: &str = r#"n=0; done_() { read input || exit; case $input in *'"stop"'*) exit;; esac; n=$((n + 1)); echo '{"type":"done","seq":'$n',"next":null}'; }; "#;

fn observed(at: u64, name: &str, status: &str) -> Input {
    let vm = Vm::new("ns", name, "u1");
    Input { at: Time::from_secs(at), event: Event::Observed(Observed { vm, status: status.into() }) }
}

/// A case in which nothing is to be said.
fn quiet_case() -> Case {
    Case {
        name: "a/quiet/case".into(),
        start: Time::ZERO,
        thresholds: Thresholds::default(),
        inputs: (0..3).map(|at| observed(at, "vm1", "Running")).collect(),
        restarts: Vec::new(),
    }
}

fn with_timeout(command: &str, timeout: Duration) -> Examined {
    let begun = Instant::now();
    let examined = examine(&quiet_case(), &Exec::new(command).with_timeout(timeout));
    assert!(begun.elapsed() < CEILING, "{command}: hangs");
    examined
}

/// The error that the command gets, which must not be one of time.
fn error(command: &str) -> RunError {
    error_of(with_timeout(command, CEILING))
}

fn error_of(examined: Examined) -> RunError {
    match examined.verdict {
        Verdict::Error(error) => error,
        verdict => panic!("expected an error, got {verdict:?}"),
    }
}

/// A file of this test run that is not there yet.
fn fresh_file(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_file(&path);
    path
}

/// Waits until the process whose id stands in the file is gone, or a zombie that nobody looks after.
fn assert_gone(file: &Path) {
    let pid = read_to_string(file).expect("the program has written its child's id");
    let stat = format!("/proc/{}/stat", pid.trim());
    let is_gone = || read_to_string(&stat).map_or(true, |stat| stat.contains(") Z "));
    let begun = Instant::now();
    while !is_gone() {
        assert!(begun.elapsed() < CEILING, "{pid} lives on");
        std::thread::sleep(Duration::from_millis(10));
    }
}
