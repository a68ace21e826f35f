//! `stuckvm detect` by its whole text: what goes in, what comes out.

use std::path::PathBuf;
use std::time::Duration;

use stuckvm_detector::Time;
use stuckvm_scenarios::detect::{DetectOptions, detect};

/// Output, messages and exit code.
fn run(options: &DetectOptions, input: &str) -> (String, String, u8) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let summary = detect(options, input.as_bytes(), &mut out, &mut err).unwrap();
    (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap(), summary.exit_code())
}

fn options() -> DetectOptions {
    DetectOptions { source: "in.jsonl".to_owned(), ..DetectOptions::default() }
}

/// An observation of `ns/vm1`.
fn observed(at: &str, status: &str) -> String {
    format!(r#"{{"at":"{at}","namespace":"ns","name":"vm1","uid":"u1","status":"{status}"}}"#) + "\n"
}

fn alert(at: &str, kind: &str, since: &str) -> String {
    format!(
        r#"{{"at":"{at}","alert":"{kind}","namespace":"ns","name":"vm1","uid":"u1","status":"Unschedulable","since":"{since}"}}"#
    ) + "\n"
}

const STUCK: &str = "2022-10-03T11:11:07Z";

#[test]
fn a_machine_that_recovers_at_300_s_or_sooner_is_silent() {
    for healed in ["2022-10-03T11:16:06.999999999Z", "2022-10-03T11:16:07Z"] {
        let input = observed(STUCK, "ErrorUnschedulable") + &observed(healed, "Running");
        let until = Some("2022-10-03T12:00:00Z".parse().unwrap());
        let silent = (String::new(), String::new(), 0);
        assert_eq!(run(&DetectOptions { until, ..options() }, &input), silent, "{healed}");
    }
}

#[test]
fn a_machine_that_recovers_a_nanosecond_later_fires_and_resolves() {
    let healed = "2022-10-03T11:16:07.000000001Z";
    let input = observed(STUCK, "Unschedulable") + &observed(healed, "Running");
    let alerts = alert("2022-10-03T11:16:07Z", "firing", STUCK) + &alert(healed, "resolved", STUCK);
    assert_eq!(run(&options(), &input), (alerts, String::new(), 0));
}

#[test]
fn the_end_of_the_input_closes_nothing_but_until_does() {
    let input = observed(STUCK, "Unschedulable");
    assert_eq!(run(&options(), &input), (String::new(), String::new(), 0));
    let until = |until: &str| DetectOptions { until: Some(until.parse().unwrap()), ..options() };
    let fires = alert("2022-10-03T11:16:07Z", "firing", STUCK);
    assert_eq!(run(&until("2022-10-03T11:16:06.999999999Z"), &input).0, "");
    assert_eq!(run(&until("2022-10-03T11:16:07Z"), &input).0, fires);
    assert_eq!(run(&until("2023-10-03T00:00:00Z"), &input).0, fires);
}

#[test]
fn the_threshold_is_the_users() {
    let threshold = Some(Duration::from_nanos(1));
    let input = observed("1970-01-01T00:00:00Z", "ErrorUnschedulable")
        + r#"{"at":"1970-01-01T00:00:00.000000001Z","advance":true}"#
        + "\n"
        + r#"{"at":"1970-01-01T00:00:01.5Z","relist":[]}"#;
    let since = "1970-01-01T00:00:00Z";
    let alerts = alert("1970-01-01T00:00:00.000000001Z", "firing", since)
        + &alert("1970-01-01T00:00:01.5Z", "resolved", since);
    assert_eq!(run(&DetectOptions { threshold, ..options() }, &input), (alerts, String::new(), 0));
}

#[test]
fn bad_lines_are_reported_and_the_rest_goes_on() {
    let input = observed(STUCK, "Unschedulable")
        + "\n{\"at\":\"2022-10-03T11:11:08+02:00\",\"advance\":true}\nnonsense\n"
        + &observed("2022-10-03T11:11:06Z", "Running")
        + &observed("2022-10-03T11:11:08Z", "ErrorUnschedulable");
    let until = Some("2022-10-03T11:16:07Z".parse().unwrap());
    let messages = r#"in.jsonl:3:33: field `at`: expected a time in UTC that ends in Z; convert it, other offsets are not read
  found: {"at":"2022-10-03T11:11:08+02:00","advance":true}
  try: a line is one JSON object:
       {"at":TIME,"namespace":…,"name":…,"uid":…,"status":WORD}, the same with
       "deleted":true for the status, {"at":TIME,"relist":[…]} or
       {"at":TIME,"advance":true}
in.jsonl:4:2: expected value
  found: nonsense
in.jsonl:5: rejected: an input at 2022-10-03T11:11:06Z is older than the newest, at 2022-10-03T11:11:07Z; expected inputs in the order of their times
3 of the inputs could not be used; lines read: 5
"#;
    let alerts = alert("2022-10-03T11:16:07Z", "firing", STUCK);
    let (out, err, code) = run(&DetectOptions { until, ..options() }, &input);
    assert_eq!((out, err.as_str(), code), (alerts, messages, 2));
}

#[test]
fn a_mark_in_front_of_the_first_line_is_no_part_of_it() {
    let input = "\u{feff}".to_owned() + &observed(STUCK, "Unschedulable");
    let until = Some("2022-10-03T11:16:07Z".parse().unwrap());
    let fires = alert("2022-10-03T11:16:07Z", "firing", STUCK);
    assert_eq!(run(&DetectOptions { until, ..options() }, &input), (fires, String::new(), 0));
    let (_, err, code) = run(&options(), &(input.clone() + &input));
    assert!(code == 2 && err.starts_with("in.jsonl:2:1: expected value\n"), "only there: {err}");
}

#[test]
fn strict_stops_at_the_first_bad_line() {
    let input =
        observed(STUCK, "Unschedulable") + "nonsense\n" + &observed("2022-10-03T11:17:07Z", "Running");
    let until = Some(Time::MAX);
    let (out, err, code) = run(&DetectOptions { strict: true, until, ..options() }, &input);
    assert_eq!((out.as_str(), code), ("", 2));
    let first = err.lines().take(2).collect::<Vec<_>>();
    assert_eq!(first, ["in.jsonl:2:2: expected value", "  found: nonsense"]);
}

#[test]
fn long_lines_are_quoted_to_200_characters() {
    for (length, quoted) in [(200, "é".repeat(200)), (201, "é".repeat(199) + "…")] {
        let (_, err, _) = run(&options(), &"é".repeat(length));
        assert_eq!(err.lines().nth(1), Some(format!("  found: {quoted}").as_str()));
    }
}

#[test]
fn lines_that_are_no_utf8_are_reported() {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let summary = detect(&options(), &b"{\"at\xff\n"[..], &mut out, &mut err).unwrap();
    assert_eq!(summary.exit_code(), 2);
    assert!(String::from_utf8(err).unwrap().starts_with("in.jsonl:1:5: expected UTF-8\n"));
}

#[test]
fn unknown_words_are_noted_once_and_end_the_episode() {
    let input = observed(STUCK, "Unschedulable")
        + &observed("2022-10-03T11:16:08Z", "Melting")
        + &observed("2022-10-03T11:16:09Z", "Melting");
    let alerts =
        alert("2022-10-03T11:16:07Z", "firing", STUCK) + &alert("2022-10-03T11:16:08Z", "resolved", STUCK);
    let note = "in.jsonl:2: note: no printable status that this release knows, so no error status: Melting\n";
    assert_eq!(run(&options(), &input), (alerts, note.to_owned(), 0));
}

/// A file in the tests' own folder.
fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

#[test]
fn a_snapshot_goes_on_where_it_stopped() {
    let path = file("goes-on.json");
    let stop = DetectOptions { snapshot: Some(path.clone()), ..options() };
    let resume = DetectOptions { restore: Some(path.clone()), ..options() };
    assert_eq!(run(&stop, &observed(STUCK, "Unschedulable")), (String::new(), String::new(), 0));
    let healed = "2022-10-03T13:00:00Z";
    let alerts = alert("2022-10-03T11:16:07Z", "firing", STUCK) + &alert(healed, "resolved", STUCK);
    assert_eq!(run(&resume, &observed(healed, "Running")), (alerts, String::new(), 0));
}

#[test]
fn a_snapshot_that_does_not_fit_is_refused() {
    let path = file("refused.json");
    run(&DetectOptions { snapshot: Some(path.clone()), ..options() }, &observed(STUCK, "Unschedulable"));
    let refusal = |restore: &PathBuf, threshold| {
        let options = DetectOptions { restore: Some(restore.clone()), threshold, ..options() };
        detect(&options, &b""[..], Vec::new(), Vec::new()).map_err(|error| error.to_string())
    };
    assert!(refusal(&path, Some(Duration::from_secs(300))).is_ok());
    assert_eq!(
        refusal(&path, Some(Duration::from_secs(60))).unwrap_err(),
        format!(
            "--threshold 60s is not the rule that {} was made with; leave --threshold out, or start without --restore",
            path.display()
        ),
    );
    let newer = file("newer.json");
    let text = std::fs::read_to_string(&path).unwrap().replace(r#""version":1"#, r#""version":2"#);
    std::fs::write(&newer, text).unwrap();
    assert_eq!(
        refusal(&newer, None).unwrap_err(),
        format!(
            "{}: expected a snapshot of version 1, found version 2; start without it, or use the release that wrote it",
            newer.display()
        ),
    );
    let missing = file("missing.json");
    assert!(refusal(&missing, None).unwrap_err().starts_with(&missing.display().to_string()));
    assert_eq!(
        refusal(&path, Some(Duration::ZERO)).unwrap_err(),
        "--threshold: expected a threshold above zero, such as 5m",
    );
}

#[test]
#[cfg(unix)]
fn a_snapshot_behind_a_link_replaces_what_the_link_names() {
    let folder = file("links");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("real.json"), "old").expect("it is written");
    // One file that is there, and one that is not there yet.
    for real in ["real.json", "new.json"] {
        let link = folder.join(format!("to-{real}"));
        std::os::unix::fs::symlink(real, &link).expect("a link");
        run(&DetectOptions { snapshot: Some(link.clone()), ..options() }, "");
        assert!(link.is_symlink(), "{real}");
        let written = std::fs::read_to_string(folder.join(real)).expect("it is there");
        assert!(written.starts_with(r#"{"detector":{"version":1"#), "{written}");
    }
    assert_eq!(std::fs::read_dir(&folder).expect("it reads").count(), 4, "nothing else stays behind");
}

#[test]
fn a_snapshot_that_cannot_be_written_is_refused_before_anything_is_read() {
    let path = file("no-such-folder").join("snapshot.json");
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let options = DetectOptions { snapshot: Some(path.clone()), until: Some(Time::MAX), ..options() };
    let input = observed(STUCK, "Unschedulable");
    let error = detect(&options, input.as_bytes(), &mut out, &mut err).expect_err("no folder");
    assert!(error.to_string().starts_with(&format!("{}:\n  there is no folder", path.display())), "{error}");
    assert!(out.is_empty() && err.is_empty());
}

/// A reader that has gone away.
struct Gone;

impl std::io::Write for Gone {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn when_nobody_reads_the_alerts_the_end_is_quiet_and_no_snapshot_says_that_they_were_given() {
    let input = "nonsense\n".to_owned() + &observed(STUCK, "Unschedulable");
    let until = Some(Time::MAX);
    let ended = detect(&DetectOptions { until, ..options() }, input.as_bytes(), Gone, Vec::new());
    assert_eq!(ended.expect("no error").exit_code(), 2, "the bad line still counts");
    let path = file("not-given.json");
    let _ = std::fs::remove_file(&path);
    let options = DetectOptions { until, snapshot: Some(path.clone()), ..options() };
    let error = detect(&options, input.as_bytes(), Gone, Vec::new()).expect_err("alerts would be lost");
    assert_eq!(error.to_string(), "the output cannot be written: broken pipe");
    assert!(!path.exists());
}
