//! Programs that keep to the protocol: what they may add, and that the built-in detector says through pipes what it says as a library.

use crate::{CEILING, DONE, HELLO, observed, quiet_case, with_timeout};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;
use stuckvm_detector::Time;
use stuckvm_scenarios::conformance::{BuiltIn, Case, Exec, examine};
use stuckvm_scenarios::oracle::Thresholds;
use stuckvm_scenarios::stream::{Event, Input};
use stuckvm_scenarios::verdict::Verdict;

#[test]
fn one_that_keeps_to_the_protocol_passes_and_may_say_more() {
    assert_eq!(
        with_timeout(&format!("{HELLO}{DONE}while done_; do :; done"), CEILING).verdict,
        Verdict::Pass
    );
    let hello = r#"read start; echo '{"by":["me"],"type":"hello","protocol":1,"name":"sh","capabilities":["telepathy"],"since":2}'; "#;
    let done = r#"for n in 1 2 3; do read input; echo '{"mood":"good","next":"never","seq":'$n',"type":"done"}'; done; exit 1"#;
    assert_eq!(with_timeout(&format!("{hello}{done}"), CEILING).verdict, Verdict::Pass);
}

#[test]
fn what_a_program_cannot_is_not_tested() {
    let command = format!("{HELLO}{DONE}while done_; do :; done");
    let restarted = Case { restarts: vec![1], ..quiet_case() };
    let verdict = examine(&restarted, &Exec::new(&command)).verdict;
    assert_eq!(verdict, Verdict::NotTested("no snapshot capability".into()));
    let thresholds = Thresholds {
        per_status: [("Unknown".into(), Duration::from_secs(1))].into(),
        ..Thresholds::default()
    };
    let verdict = examine(&Case { thresholds, ..quiet_case() }, &Exec::new(&command)).verdict;
    assert_eq!(verdict, Verdict::NotTested("no thresholds capability".into()));
}

/// The example `protocol_detector`, built as this test is.
pub(crate) static PROTOCOL_DETECTOR: LazyLock<String> = LazyLock::new(|| {
    let test = std::env::current_exe().expect("a test has a path");
    let folder = test.parent().and_then(|deps| deps.parent()).expect("it lies in target/PROFILE/deps");
    let release = folder.ends_with("release").then_some("--release");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", env!("CARGO_PKG_NAME"), "--example", "protocol_detector"])
        .args(release)
        .status();
    assert!(built.expect("cargo starts").success(), "the example does not build");
    let program: PathBuf = folder.join("examples/protocol_detector");
    format!("exec '{}'", program.display())
});

#[test]
fn through_pipes_and_restarts_the_built_in_detector_says_what_it_says_in_process() {
    let per_status = [("DataVolumeError".to_owned(), Duration::from_millis(1))].into();
    let advance = |at| Input { at: Time::from_secs(at), event: Event::Advance };
    let case = Case {
        inputs: vec![
            observed(0, "vm1", "ErrorPvcNotFound"),
            observed(1, "vm2", "DataVolumeError"),
            observed(1, "vm3", "NewWord"),
            observed(0, "vm3", "Running"),
            advance(200),
            observed(400, "vm1", "Running"),
            advance(700),
        ],
        thresholds: Thresholds { default: Duration::from_nanos(299_999_999_999), per_status },
        restarts: vec![0, 1, 4, 5, 6],
        ..quiet_case()
    };
    let here = examine(&case, &BuiltIn::candidate());
    let there = examine(&case, &Exec::new(&PROTOCOL_DETECTOR));
    assert_eq!(there.verdict, Verdict::Pass);
    assert_eq!(there.answers, here.answers);
    assert_eq!(here.answers.iter().map(|answer| answer.alerts.len()).sum::<usize>(), 3);
    assert_eq!(here.answers[2].unknown, Some(vec!["NewWord".to_owned()]));
    assert!(here.answers[3].rejected.is_some());
}

/// The transcript in `docs/protocol.md` is what the program says to what the harness says.
#[test]
fn the_conversation_in_the_documentation_takes_place() {
    let page = include_str!("../../../docs/protocol.md");
    let said = |mark: &str| -> String {
        let lines = page.lines().filter_map(|line| line.strip_prefix(mark));
        lines.map(|line| line.to_owned() + "\n").collect()
    };
    let program = Command::new("sh")
        .args(["-c", &PROTOCOL_DETECTOR])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut program = program.expect("the example starts");
    let mut input = program.stdin.take().expect("its input is piped");
    input.write_all(said("> ").as_bytes()).expect("it reads all");
    drop(input);
    let answer =
        String::from_utf8(program.wait_with_output().expect("it ends").stdout).expect("it writes UTF-8");
    assert_eq!(answer, said("< "));
}
