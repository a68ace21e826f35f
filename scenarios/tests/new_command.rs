//! `stuckvm new`: for every cause a scenario that passes as it is.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use stuckvm_scenarios::template::templates;

fn stuckvm(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stuckvm"))
        .current_dir(folder)
        .args(arguments)
        .output()
        .expect("it starts")
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("new").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("it is text")
}

#[test]
fn what_is_written_passes_for_every_cause() {
    let folder = folder("passes");
    for template in templates() {
        let name = format!("mine/{}", template.cause);
        let output = stuckvm(&folder, &["new", &name, "--cause", template.cause]);
        assert_eq!(output.status.code(), Some(0), "{}", text(output.stderr));
        let output = stuckvm(&folder, &["run", "--format", "json", "-f", &format!("{name}.yaml")]);
        let told = text(output.stdout);
        assert_eq!(output.status.code(), Some(0), "{told}");
        assert!(told.starts_with(&format!(r#"{{"scenario":"{name}","verdict":"pass""#)), "{told}");
        assert_eq!(told.matches(r#""alert":"firing""#).count(), 1, "it shows an alert: {told}");
    }
}

#[test]
fn causes_are_listed_and_named_where_one_is_wrong() {
    let folder = folder("causes");
    let listed = text(stuckvm(&folder, &["new", "--cause"]).stdout);
    assert!(listed.lines().all(|line| line.chars().count() <= 80), "{listed}");
    let output = stuckvm(&folder, &["new", "a", "--cause", "pvc"]);
    let told = text(output.stderr);
    assert_eq!(output.status.code(), Some(2));
    for template in templates() {
        assert!(listed.lines().any(|line| line.starts_with(template.cause)), "{listed}");
        assert!(told.contains(template.cause), "{told}");
    }
    assert_eq!(stuckvm(&folder, &["new", "a"]).status.code(), Some(2), "a cause is needed");
}

#[test]
fn nothing_is_overwritten_and_a_dash_is_standard_output() {
    let folder = folder("output");
    let new =
        |arguments: &[&str]| stuckvm(&folder, &[&["new", "a", "--cause", "unknown"], arguments].concat());
    assert_eq!(new(&["--output", "b.yaml"]).status.code(), Some(0));
    let written = std::fs::read_to_string(folder.join("b.yaml")).expect("it is there");
    assert!(written.contains("\nscenario: a\n"));
    assert_eq!(text(new(&["--output", "-"]).stdout), written);
    std::fs::write(folder.join("b.yaml"), "mine").expect("it is written");
    let again = new(&["--output", "b.yaml"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(text(again.stderr).contains("b.yaml:\n  it is there already\n  try "));
    assert_eq!(std::fs::read_to_string(folder.join("b.yaml")).expect("it reads"), "mine");
    let escaped = stuckvm(&folder, &["new", "../a", "--cause", "unknown"]);
    assert_eq!(escaped.status.code(), Some(2), "{}", text(escaped.stderr));
}
