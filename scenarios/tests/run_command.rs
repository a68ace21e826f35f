//! `stuckvm run` as people and scripts meet it: seeds, jobs, terminals, and Ctrl-C.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn stuckvm(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stuckvm"));
    command.args(arguments);
    command
}

/// Exit code, standard output, standard error.
fn told(output: Output) -> (Option<i32>, String, String) {
    let text = |bytes| String::from_utf8(bytes).expect("it is text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    told(stuckvm(arguments).output().expect("stuckvm starts"))
}

fn must_fail(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("must-fail").join(name).display().to_string()
}

#[test]
fn with_a_seed_what_a_file_pins_is_not_judged_and_the_summary_says_so() {
    let file = must_fail("wrong-count.yaml");
    let (code, text, _) = run(&["run", "-f", &file]);
    assert_eq!(code, Some(1), "{text}");
    let (code, text, _) = run(&["run", "-f", &file, "--seed", "3"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.ends_with("seed 3 for all: the contract was judged, not what the files pin\n"), "{text}");
    let (code, json, _) = run(&["run", "-f", &file, "--seed", "3", "--format", "json"]);
    assert!(code == Some(0) && json.contains(r#""seed":3,"pinned":false"#), "{json}");
    // What ends a run is not pinned but happens: another seed does not make it well.
    assert_eq!(run(&["run", "-f", &must_fail("step-error.yaml"), "--seed", "3"]).0, Some(1));
}

#[test]
fn the_number_of_jobs_changes_no_byte() {
    for format in ["text", "json"] {
        let with = |jobs: &str| run(&["run", "pvc-not-found", "unknown", "--jobs", jobs, "--format", format]);
        let (code, text, errors) = with("1");
        assert_eq!((code, errors.as_str()), (Some(0), ""), "no progress where there is no terminal");
        assert_eq!(with("3"), (code, text, errors));
    }
}

#[test]
fn text_keeps_within_80_columns_and_has_no_colours_in_a_pipe() {
    for arguments in
        [&["run"][..], &["list"], &["--help"], &["run", "--help"], &["detect", "--help"], &["list", "--help"]]
    {
        let (code, text, errors) = run(arguments);
        assert_eq!((code, errors.as_str()), (Some(0), ""), "{arguments:?}");
        assert!(!text.contains('\u{1b}'), "{arguments:?}: no escape sequences");
        let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty(), "{arguments:?}: beyond 80 columns: {wide:#?}");
    }
}

#[test]
fn objects_of_unknown_kinds_are_left_out_and_counted() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("run-command");
    std::fs::create_dir_all(&folder).expect("a folder for the file");
    let file = folder.join("kinds.yaml");
    let text = "\
scenario: kinds
until: 1m
cluster:
  manifests:
    - {kind: Service, apiVersion: v1, metadata: {name: a}}
    - kind: List
      items:
        - {kind: Service, apiVersion: v1, metadata: {name: b}}
        - {kind: Node, apiVersion: v1, metadata: {name: node-a}}
        - {kind: VirtualMachin, apiVersion: kubevirt.io/v1, metadata: {name: vm1}}
expect: {alerts: []}
";
    std::fs::write(&file, text).expect("it is written");
    let (code, text, errors) = run(&["run", "-f", &file.display().to_string()]);
    assert_eq!(code, Some(0));
    let left_out = "kinds: left out, since the cluster does not know the kind: 2 Service, 1 VirtualMachin\n";
    assert_eq!(errors, left_out);
    assert!(text.contains("user create Node node-a"), "what stands in a list is there: {text}");
}

/// A scenario that takes minutes to play, after one that takes none.
#[test]
#[cfg(unix)]
fn an_interrupt_prints_what_is_known_so_far() {
    let long = Path::new(env!("CARGO_MANIFEST_DIR")).join("../benches/scale/100k.yaml").display().to_string();
    let quick = must_fail("unlisted-alert.yaml");
    // Files are played in the order given.
    let arguments = ["run", "-f", &quick, "-f", &long, "-f", &quick, "--jobs", "1"];
    let mut child =
        stuckvm(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("stuckvm starts");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut first = String::new();
    lines.read_line(&mut first).expect("the quick one ends");
    assert!(first.starts_with("fail  unlisted-alert "), "each line comes when it is due: {first}");
    // On a busy machine a signal would come before the long one has begun.
    std::thread::sleep(std::time::Duration::from_millis(500));
    let interrupt = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupt.expect("kill starts").success());
    let mut rest = String::new();
    lines.read_to_string(&mut rest).expect("it ends");
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(130), "{rest}");
    assert!(rest.contains("\nerror scale/100k "), "{rest}");
    assert!(rest.contains("\n      interrupted: the run had come to "), "{rest}");
    assert!(rest.contains("\n2 scenarios: 0 passed, 1 failed, 1 error\n"), "{rest}");
    assert!(rest.ends_with("\ninterrupted: 1 more scenario not begun\n"), "{rest}");
}
