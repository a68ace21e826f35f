//! The crates as others get them: what a package holds, and that a crate outside of this workspace can use it.

use std::path::{Path, PathBuf};
use std::process::Command;

const PUBLISHED: [&str; 3] = ["stuckvm-detector", "stuckvm-sim", "stuckvm-scenarios"];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn run(command: &mut Command) -> String {
    let output = command.output().expect("it starts");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}:\n{told}");
    String::from_utf8(output.stdout).expect("it is text")
}

fn cargo(folder: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    command.current_dir(folder);
    command
}

/// The packages, unpacked side by side in a new folder.
fn packages(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(folder.join("package"));
    let arguments = ["package", "--offline", "--no-verify", "--allow-dirty", "--target-dir"];
    let crates = PUBLISHED.iter().flat_map(|name| ["-p", name]);
    run(cargo(&workspace()).args(arguments).arg(&folder).args(crates));
    for name in PUBLISHED {
        let file = format!("{name}-{}.crate", env!("CARGO_PKG_VERSION"));
        run(Command::new("tar").current_dir(folder.join("package")).args(["-xzf", &file]));
    }
    folder
}

fn unpacked(folder: &Path, name: &str) -> PathBuf {
    folder.join("package").join(format!("{name}-{}", env!("CARGO_PKG_VERSION")))
}

#[test]
fn packages_say_what_they_are_and_hold_what_they_need() {
    let folder = packages("packages");
    for name in PUBLISHED {
        let package = unpacked(&folder, name);
        for file in ["LICENSE", "README.md", "src/lib.rs"] {
            assert!(package.join(file).is_file(), "{name} has {file}");
        }
        for left_out in ["tests", "vectors", "must-fail"] {
            assert!(!package.join(left_out).exists(), "{name} is without {left_out}/");
        }
        let manifest = std::fs::read_to_string(package.join("Cargo.toml")).expect("it reads");
        for key in
            ["description", "license", "readme", "repository", "rust-version", "keywords", "categories"]
        {
            assert!(manifest.contains(&format!("\n{key} = ")), "{name} states {key}");
        }
    }
    let embedded = ["catalog/pvc-not-found/stuck.yaml", "templates/pvc-not-found.yaml"];
    embedded.iter().for_each(|file| assert!(unpacked(&folder, PUBLISHED[2]).join(file).is_file(), "{file}"));
}

/// The test that the README tells authors of detectors to write.
fn readme_test() -> String {
    let readme = std::fs::read_to_string(workspace().join("README.md")).expect("it reads");
    let blocks = readme.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next());
    let tests: Vec<&str> = blocks.filter(|block| block.contains("stuckvm_scenarios::check(")).collect();
    let [test] = tests.as_slice() else { panic!("the README has one such test: {tests:?}") };
    (*test).to_owned()
}

#[test]
#[ignore = "it builds every dependency anew, which takes minutes; `just package` runs it"]
fn a_detector_outside_of_the_workspace_is_checked_by_the_line_of_the_readme() {
    let folder = packages("outside");
    let outside = folder.join("crate");
    let _ = std::fs::remove_dir_all(&outside);
    std::fs::create_dir_all(outside.join("src")).expect("a folder");
    std::fs::create_dir_all(outside.join("tests")).expect("a folder");
    let mut manifest =
        "[package]\nname = \"outside\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
                        [dev-dependencies]\nstuckvm-detector = \"0\"\nstuckvm-scenarios = \"0\"\n\n\
                        [patch.crates-io]\n"
            .to_owned();
    for name in PUBLISHED {
        manifest += &format!("{name} = {{ path = {:?} }}\n", unpacked(&folder, name));
    }
    let write = |file: &str, text: &str| std::fs::write(outside.join(file), text).expect("it is written");
    write("Cargo.toml", &manifest);
    write("src/lib.rs", "");
    let detector = unpacked(&folder, PUBLISHED[2]).join("examples/my_detector.rs");
    let detector = std::fs::read_to_string(detector).expect("the package has the example");
    write("tests/my_detector.rs", &format!("{detector}\n{}", readme_test()));
    // The versions that this workspace is tested with, so that nothing is fetched.
    std::fs::copy(workspace().join("Cargo.lock"), outside.join("Cargo.lock")).expect("it is copied");
    // What was built the last time is used again.
    let told = run(cargo(&outside).args(["test", "--offline", "--target-dir"]).arg(folder.join("target")));
    assert!(told.contains("it_keeps_the_contract ... ok"), "{told}");
}
