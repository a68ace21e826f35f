//! `stuckvm check --exec` as people and scripts meet it.

use crate::right::PROTOCOL_DETECTOR;
use crate::{assert_gone, fresh_file};
use serde_json::Value;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

fn check(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_stuckvm"))
        .arg("check")
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("stuckvm starts")
}

fn output(arguments: &[&str]) -> Output {
    check(arguments).wait_with_output().expect("stuckvm ends")
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

#[test]
fn the_built_in_detector_gets_the_same_lines_through_pipes() {
    let cases = ["contract/R11", "contract/R13", "identity", "--format", "json"];
    let here = lines(&output(&cases));
    let there = output(&[&cases[..], &["--exec", &PROTOCOL_DETECTOR]].concat());
    assert_eq!(there.status.code(), Some(0), "{}", String::from_utf8_lossy(&there.stdout));
    let there = lines(&there);
    assert_eq!(there[..there.len() - 1], here[..here.len() - 1]);
    let summary = &there[there.len() - 1]["summary"];
    assert_eq!(summary["detector"], Value::from(PROTOCOL_DETECTOR.as_str()));
    assert_eq!((&summary["errors"], &summary["not_tested"]), (&Value::from(0), &Value::from(0)));
    assert_eq!(summary["passed"], summary["scenarios"]);
}

#[test]
fn after_three_time_outs_in_a_row_nothing_is_started_however_many_at_once() {
    let with = |jobs| {
        let hangs = ["contract/R2", "--exec", "exec sleep 1000", "--timeout", "300ms", "--jobs", jobs];
        output(&[&hangs[..], &["--format", "json"]].concat())
    };
    let one_by_one = with("1");
    assert_eq!(one_by_one.status.code(), Some(1));
    let (mut cases, first) = (lines(&one_by_one), "it did not answer the start within 300ms");
    let summary = cases.pop().expect("the summary comes last");
    assert!(cases.len() > 4, "there is more than what is waited for");
    assert_eq!(summary["summary"]["errors"], Value::from(cases.len()));
    for (place, case) in cases.iter().enumerate() {
        let because =
            if place < 3 { first } else { "not started, since 3 cases in a row ran into the time limit" };
        assert_eq!((&case["kind"], &case["because"][0]), (&"timeout".into(), &because.into()), "{case}");
    }
    assert_eq!(with("4").stdout, one_by_one.stdout);
}

#[test]
fn ctrl_c_ends_the_detector_too() {
    let file = fresh_file("interrupted");
    let command = format!("sleep 1000 & echo $! > '{}'; wait", file.display());
    let running = check(&["contract/R2", "--exec", &command, "--timeout", "1h"]);
    while std::fs::read_to_string(&file).map_or(true, |pid| !pid.ends_with('\n')) {
        std::thread::sleep(Duration::from_millis(10));
    }
    let interrupt = Command::new("sh").args(["-c", &format!("kill -INT {}", running.id())]).status();
    assert!(interrupt.expect("sh starts").success());
    assert_eq!(running.wait_with_output().expect("stuckvm ends").status.code(), Some(130));
    assert_gone(&file);
}

#[test]
fn what_cannot_be_asked_for_is_refused() {
    for (arguments, problem) in [
        (&["--timeout", "5s"][..], "--exec <CMD>"),
        (&["--exec", "true", "--timeout", "0s"], "a timeout is longer than 0s"),
    ] {
        let refused = output(arguments);
        assert_eq!(refused.status.code(), Some(2));
        let message = String::from_utf8_lossy(&refused.stderr);
        assert!(message.contains(problem), "{message}");
    }
}
