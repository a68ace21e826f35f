//! Output that cannot be written: a bad verdict stays one, reports are written all the same, and what is lost is said.

use std::fs::{File, read_to_string};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// Where standard output goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Out {
    /// To a pipe that nobody reads.
    Closed,
    /// To a device that is full.
    Full,
}

const NO_ROOM: &str = "\
standard output:
  No space left on device (os error 28)
  try       check where it goes, and that there is room
";

fn command(arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stuckvm"));
    command.args(arguments.split_whitespace()).current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    command
}

/// A pipe whose other end is closed already.
fn closed() -> Stdio {
    let (_, writer) = std::io::pipe().expect("a pipe");
    writer.into()
}

fn run(arguments: &str, out: Out) -> (Option<i32>, String) {
    let out = match out {
        Out::Closed => closed(),
        Out::Full => File::create("/dev/full").expect("it is there").into(),
    };
    let Output { status, stderr, .. } = command(arguments).stdout(out).output().expect("stuckvm starts");
    (status.code(), String::from_utf8(stderr).expect("text"))
}

#[test]
#[cfg(target_os = "linux")]
fn the_verdict_and_the_reports_outlive_standard_output() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("streams");
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("report.xml");
    for (command, code) in
        [("run -f must-fail/wrong-count.yaml", 1), ("check -f must-fail/wrong-count.yaml", 1)]
    {
        for (out, told) in [(Out::Closed, (code, "")), (Out::Full, (2, NO_ROOM))] {
            let _ = std::fs::remove_file(&file);
            let (code, errors) = run(&format!("{command} --junit {}", file.display()), out);
            assert_eq!((code, errors.as_str()), (Some(told.0), told.1), "{command} {out:?}");
            assert!(read_to_string(&file).expect("it is written").contains("<failure "), "{command} {out:?}");
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_device_is_told_and_a_reader_that_has_gone_is_not() {
    let table = [
        "run pvc-not-found/stuck",
        "check contract/R1",
        "list",
        "schema",
        "new --cause",
        "new --cause pvc-not-found --output -",
        "metrics pvc-not-found/stuck --at 2m",
        "render -f catalog/manifests/vm1-diskless.yaml",
        "status -f catalog/manifests/vm1-diskless.yaml",
    ];
    for arguments in table {
        assert_eq!(run(arguments, Out::Closed), (Some(0), String::new()), "{arguments}");
        assert_eq!(run(arguments, Out::Full), (Some(2), NO_ROOM.to_owned()), "{arguments}");
    }
}

/// A trace that cannot be written takes neither the report nor the summary with it.
#[test]
#[cfg(target_os = "linux")]
fn a_lost_trace_is_told_at_the_end() {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("trace-report.xml");
    let arguments = format!("run pvc-not-found/stuck --trace /dev/full --junit {}", file.display());
    let Output { status, stdout, stderr } = command(&arguments).output().expect("stuckvm starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    assert_eq!(status.code(), Some(2));
    assert!(text(stderr).starts_with("/dev/full:\n  No space left on device"));
    assert!(text(stdout).contains("\n1 scenario: 1 passed"));
    assert!(read_to_string(&file).expect("it is written").contains("<testsuite"));
}

#[test]
fn closed_standard_error_changes_no_exit_code() {
    for (arguments, code) in [("status -f no-such-file.yaml", 2), ("run -f must-fail/wrong-count.yaml", 1)] {
        let status = command(arguments).stdout(Stdio::null()).stderr(closed()).status();
        assert_eq!(status.expect("stuckvm starts").code(), Some(code), "{arguments}");
    }
}
