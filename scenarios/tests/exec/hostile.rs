//! What is said of programs that do not keep to the protocol.

use crate::{DONE, HELLO, error, error_of, with_timeout};
use std::time::Duration;

const START: &str =
    r#"it was told: {"type":"start","protocol":1,"threshold":"5m","scenario":"a/quiet/case"}"#;

fn input(seq: u64) -> String {
    let at = seq - 1;
    format!(
        r#"it was told: {{"type":"input","seq":{seq},"input":{{"at":"1970-01-01T00:00:0{at}Z","namespace":"ns","name":"vm1","uid":"u1","status":"Running"}}}}"#
    )
}

#[test]
fn what_comes_instead_of_a_hello_is_shown() {
    let not_json = "it answered the start with a line that is no message: it is no JSON object with a `type`";
    let table = [
        ("yes", vec![not_json, "its line: y"]),
        ("echo garbage; sleep 1000", vec![not_json, "its line: garbage"]),
        (
            "cat",
            vec![
                "it answered the start with a line that is no message: \
                 a detector's `type` is hello, alert, done, error or snapshot",
                r#"its line: {"type":"start","protocol":1,"threshold":"5m","scenario":"a/quiet/case"}"#,
            ],
        ),
        (
            r#"echo '{"type":"hello","protocol":2,"name":"new"}'; sleep 1000"#,
            vec![
                "it speaks protocol 2; expected protocol 1",
                r#"its line: {"type":"hello","protocol":2,"name":"new"}"#,
            ],
        ),
        (
            r#"echo '{"type":"done","seq":1,"next":null}'; sleep 1000"#,
            vec![
                "it answered the start with `done`; expected `hello`",
                r#"its line: {"type":"done","seq":1,"next":null}"#,
            ],
        ),
        (
            r#"echo '{"type":"hello","protocol":"one"}'; sleep 1000"#,
            vec![
                "it answered the start with a line that is no message: field `protocol`: \
                 invalid type: string \"one\", expected u64 at line 1 column 32",
                r#"its line: {"type":"hello","protocol":"one"}"#,
            ],
        ),
    ];
    for (command, because) in table {
        let error = error(command);
        assert_eq!(error.kind.as_str(), "protocol", "{command}");
        assert_eq!(error.because, [&because[..], &[START]].concat(), "{command}");
    }
}

#[test]
fn one_that_ends_before_its_time_died() {
    let table = [
        ("true".to_owned(), "it ended before it answered the start: exit code 0", START.to_owned()),
        ("kill -9 $$".to_owned(), "it ended before it answered the start: signal SIGKILL", START.to_owned()),
        (
            format!("{HELLO}{DONE}done_; read input; exit 3"),
            "it ended before it answered input 2: exit code 3",
            input(2),
        ),
        (
            format!("{HELLO}{DONE}done_; done_; kill -9 $$"),
            "it ended before it answered input 3: signal SIGKILL",
            input(3),
        ),
        (
            // What it has left behind keeps its streams open.
            format!("{HELLO}sleep 1000 & exit 0"),
            "it ended before it answered input 1: exit code 0",
            input(1),
        ),
    ];
    for (command, problem, told) in table {
        let error = error(&command);
        assert_eq!(
            (error.kind.as_str(), error.because),
            ("died", vec![problem.to_owned(), told]),
            "{command}"
        );
    }
}

#[test]
fn half_a_line_is_shown() {
    let error = error(&format!("{HELLO}printf '{{\"type\":\"do'"));
    assert_eq!(error.kind.as_str(), "died");
    assert_eq!(error.because[0], "it ended before it answered input 1: exit code 0");
    assert_eq!(error.because[1], r#"its line begins: {"type":"do"#);
    let hangs = format!("{HELLO}printf half; sleep 1000");
    let error = error_of(with_timeout(&hangs, Duration::from_secs(1)));
    assert_eq!(error.kind.as_str(), "timeout");
    assert_eq!(
        error.because,
        ["it did not answer input 1 within 1s", "its line begins: half", &input(1)].map(str::to_owned)
    );
}

#[test]
fn answers_with_a_wrong_number_or_twice_are_told_apart() {
    let table = [
        (
            format!(r#"{HELLO}read input; echo '{{"type":"done","seq":7,"next":null}}'; sleep 1000"#),
            "it answered input 1 with the number 7",
            r#"its line: {"type":"done","seq":7,"next":null}"#,
        ),
        (
            format!(r#"{HELLO}{DONE}done_; echo '{{"type":"done","seq":1,"next":null}}'; sleep 1000"#),
            "it answered input 1 a second time",
            r#"its line: {"type":"done","seq":1,"next":null}"#,
        ),
        (
            // Also where nothing is asked any more.
            format!(r#"{HELLO}{DONE}done_; done_; done_; echo '{{"type":"error","seq":3,"error":"no"}}'"#),
            "it answered input 3 a second time",
            r#"its line: {"type":"error","seq":3,"error":"no"}"#,
        ),
        (
            format!("{HELLO}{DONE}done_; done_; done_; read stop; echo bye"),
            "it said more after it was told to stop",
            "its line: bye",
        ),
        (
            format!(r#"{HELLO}read input; echo '{{"type":"snapshot","data":1}}'; sleep 1000"#),
            "it answered input 1 with `snapshot`; expected `alert`, `done` or `error`",
            r#"its line: {"type":"snapshot","data":1}"#,
        ),
    ];
    for (command, problem, line) in table {
        let error = error(&command);
        assert_eq!(error.kind.as_str(), "protocol", "{command}");
        assert_eq!(error.because[..2], [problem, line], "{command}");
    }
}

#[test]
fn one_that_closes_a_stream_and_goes_on_is_told_which() {
    for (stream, name) in [("exec <&-", "standard input"), ("exec >&-", "standard output")] {
        let early = error(&format!("{stream}; sleep 1000"));
        let problem = format!("it closed its {name} before it answered the start");
        assert_eq!((early.kind.as_str(), early.because), ("protocol", vec![problem, START.to_owned()]));
        let late = error(&format!("{HELLO}{DONE}done_; {stream}; sleep 1000"));
        let problem = format!("it closed its {name} before it answered input 2");
        assert_eq!((late.kind.as_str(), late.because), ("protocol", vec![problem, input(2)]));
    }
}

#[test]
fn the_end_of_its_standard_error_is_shown() {
    let error = error("seq 1 1000 >&2; echo no such module >&2; exit 1");
    assert_eq!(error.because[0], "it ended before it answered the start: exit code 1");
    let shown = ["997", "998", "999", "1000", "no such module"].map(|l| format!("its standard error: {l}"));
    assert_eq!(error.because[2..], shown);
    let error = crate::error("no-such-program-anywhere");
    assert_eq!(error.because[0], "it ended before it answered the start: exit code 127");
    assert!(error.because[2].contains("no-such-program-anywhere"), "{error:?}");
}

#[test]
fn a_long_line_is_quoted_up_to_200_characters_and_not_obeyed_by_a_terminal() {
    let error = error("printf '\\033[2J'; yes | head -c 5000 | tr '\\n' x; echo; sleep 1000");
    let line = error.because[1].strip_prefix("its line: ").expect("the line is quoted");
    assert!(
        line.starts_with("\\u{1b}[2Jyxyx") && line.ends_with('…') && line.chars().count() < 220,
        "{line}"
    );
}
