//! The files of `must-fail/` lie in a catalog by mistake: `stuckvm run` is red and shows each by name.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use stuckvm_scenarios::catalog::{Tree, load_all};
use stuckvm_scenarios::format::ExpectedVerdict;
use stuckvm_scenarios::load::Loaded;
use stuckvm_scenarios::verdict::{ErrorKind, Part};

fn must_fail() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("must-fail")
}

fn loaded() -> Vec<Loaded> {
    load_all(&Tree::Folder(must_fail())).expect("the files read")
}

fn wanted(loaded: &Loaded) -> &ExpectedVerdict {
    loaded.scenario.expect.verdict.as_ref().expect("each says which verdict it must get")
}

#[test]
fn each_is_red_in_a_catalog() {
    let catalog = Path::new(env!("CARGO_TARGET_TMPDIR")).join("must-fail");
    for loaded in loaded() {
        let name = &loaded.scenario.scenario;
        // Alone in its catalog: no other file can be what makes it red.
        let _ = std::fs::remove_dir_all(&catalog);
        std::fs::create_dir_all(&catalog).expect("a folder for the catalog");
        std::fs::copy(must_fail().join(&loaded.path), catalog.join(&loaded.path)).expect("it is copied");
        let output = Command::new(env!("CARGO_BIN_EXE_stuckvm"))
            .args(["run", "--format", "json", "--catalog"])
            .arg(&catalog)
            .output()
            .expect("stuckvm starts");
        let told = String::from_utf8(output.stdout).expect("it is text");
        assert_eq!(output.status.code(), Some(1), "{name}:\n{told}");
        let begin = format!(r#"{{"scenario":"{name}","verdict":"{}","#, wanted(&loaded).is.as_str());
        assert!(told.starts_with(&begin), "{name} is shown by name:\n{told}");
    }
}

#[test]
fn every_verdict_of_a_file_has_one() {
    let loaded = loaded();
    let have: BTreeSet<&str> = loaded
        .iter()
        .map(|loaded| {
            let ExpectedVerdict { rule, kind, .. } = wanted(loaded);
            rule.as_deref().or(kind.as_deref()).expect("each says the rule or the kind")
        })
        .collect();
    let all =
        Part::ALL.map(Part::as_str).into_iter().chain(ErrorKind::OF_FILES.map(ErrorKind::as_str)).collect();
    assert_eq!(have, all);
}
