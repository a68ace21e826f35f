//! What people get who write a scenario wrong: where, what was expected, what stands there, what to try; on standard
//! error, with exit code 2, and before anything has run.

mod table;

use std::path::PathBuf;
use std::process::Command;
use stuckvm_scenarios::catalog::load_file;
use table::TABLE;

/// What the program answers to these arguments: it must refuse, and run nothing.
fn refusal(folder: &str, file: &[u8], arguments: &[&str]) -> String {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bad-input").join(folder);
    std::fs::create_dir_all(&folder).expect("a folder for the files");
    std::fs::write(folder.join("x.yaml"), file).expect("the file is written");
    let program = Command::new(env!("CARGO_BIN_EXE_stuckvm")).args(arguments).current_dir(folder).output();
    let output = program.expect("stuckvm starts");
    let told = String::from_utf8(output.stderr).expect("messages are text");
    assert_eq!(output.status.code(), Some(2), "exit code; the message was:\n{told}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "nothing has run");
    told.trim_end().to_owned()
}

#[test]
fn a_wrong_scenario_is_answered_with_place_and_advice() {
    for (why, text, message) in TABLE {
        assert_eq!(refusal("table", text.as_bytes(), &["run", "-f", "x.yaml"]), message, "{why}");
        assert!(message.lines().all(|line| line.chars().count() <= 80), "{why}: within 80 columns");
    }
}

#[test]
fn aliases_that_grow_without_bound_are_refused() {
    let mut bomb = "scenario: x\nuntil: 5m\nexpect: {alerts: []}\na0: &a0 [x, x]\n".to_owned();
    for level in 1..30 {
        bomb += &format!("a{level}: &a{level} [*a{0}, *a{0}]\n", level - 1);
    }
    // Level n has 2^(n+2) - 1 values, and each level copies the one before twice. Up to level 13 these are 65,502 copies; the
    // first of level 14 makes them 98,269, the second is too much.
    let message = "\
x.yaml, line 18, column 18:
  field     a14[1]
  expected  aliases for at most 100000 values
  found     more
  try       write the repeated part out, or leave it away";
    assert_eq!(refusal("bomb", bomb.as_bytes(), &["run", "-f", "x.yaml"]), message);
}

#[test]
fn nesting_without_end_is_refused() {
    let deep = |open: &str, close: &str| {
        format!("scenario: x\nuntil: 5m\nsteps: {}{}\n", open.repeat(10_000), close.repeat(10_000))
    };
    // The document is one level, so the 128th brace is one too many. Brackets might be keys: the parser looks ahead, and
    // gives up itself at the 256th.
    for (open, close, column) in [("[ ", "]", 8 + 255 * 2), ("{a: ", "}", 8 + 127 * 4)] {
        let message = format!(
            "x.yaml, line 3, column {column}:\n  expected  lists and mappings nested at most 128 deep\n  \
             found     deeper nesting\n  try       no Kubernetes object needs that: look for stray brackets"
        );
        assert_eq!(refusal("deep", deep(open, close).as_bytes(), &["run", "-f", "x.yaml"]), message);
    }
}

#[test]
fn a_file_that_is_not_utf_8_is_refused() {
    let message = "\
x.yaml, line 2, column 11:
  expected  UTF-8 text
  found     byte 0xE9
  try       save the file as UTF-8";
    let latin_1 = b"scenario: x\nabout: caf\xe9\nuntil: 5m\nexpect: {alerts: []}\n";
    assert_eq!(refusal("latin-1", latin_1, &["run", "-f", "x.yaml"]), message);
}

#[test]
fn files_and_folders_that_cannot_be_used_are_named() {
    let advice = "\n  try       check the path, and that it can be read";
    let table: [(&[&str], String); 6] = [
        (&["run", "-f", "y.yaml"], format!("y.yaml:\n  No such file or directory (os error 2){advice}")),
        (&["run", "-f", "."], format!(".:\n  it is a folder; `--catalog` takes one{advice}")),
        (&["run", "--catalog", "y"], format!("y:\n  No such file or directory (os error 2){advice}")),
        (&["list", "--catalog", "y"], format!("y:\n  No such file or directory (os error 2){advice}")),
        (&["detect", "y.jsonl"], format!("y.jsonl:\n  No such file or directory (os error 2){advice}")),
        (
            &["run", "pvc-not-found/stuck", "--trace", "y/trace"],
            "y/trace:\n  No such file or directory (os error 2)\n  try       check the path, and that it can be written"
                .to_owned(),
        ),
    ];
    for (arguments, message) in table {
        assert_eq!(refusal("files", b"", arguments), message, "{arguments:?}");
    }
    let empty = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bad-input/files/empty");
    std::fs::create_dir_all(&empty).expect("a folder without scenarios");
    let message = "\
empty:
  expected  scenario files, *.yaml or *.yml, in it or in folders within
  found     none
  try       check the path; manifests/ folders are not looked into";
    assert_eq!(refusal("files", b"", &["run", "--catalog", "empty"]), message);
}

#[test]
fn a_name_that_matches_nothing_is_answered_with_near_ones() {
    let message = "\
no scenario is named `pvc-not-fund`
  try       `stuckvm list` shows all; near are `causes/pvc-not-found`,
            `pvc-not-found`";
    for command in ["run", "list"] {
        assert_eq!(refusal("names", b"", &[command, "pvc-not-fund"]), message);
    }
}

#[test]
fn one_wrong_file_of_two_runs_nothing() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bad-input/two");
    std::fs::create_dir_all(&folder).expect("a folder for the files");
    std::fs::write(folder.join("good.yaml"), "scenario: good\nuntil: 5m\nexpect: {alerts: []}\n")
        .expect("it is written");
    let told = refusal("two", b"scenario: x\n", &["run", "-f", "good.yaml", "-f", "x.yaml"]);
    assert!(told.starts_with("x.yaml, line 1, column 1:\n"), "{told}");
}

#[test]
fn a_file_of_a_catalog_finds_the_manifests_of_its_catalog() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("catalog/pvc-not-found/stuck.yaml");
    let loaded = load_file(&file).expect("its manifests lie two folders up");
    assert_eq!(loaded.scenario.scenario, "pvc-not-found/stuck");
}
