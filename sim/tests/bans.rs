//! Both crates that must be deterministic ban the same clocks, entropy and hash collections, and clippy reports each.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Stand-ins for the crates that the ban list names, so that nothing is downloaded: paths and names are all that counts.
const STAND_INS: [(&str, &str); 2] = [
    (
        "rand",
        "pub mod rngs {\n    pub struct ThreadRng;\n    pub struct SysRng;\n}\npub fn rng() {}\npub fn random() {}\npub fn make_rng() {}\n",
    ),
    ("getrandom", "pub fn fill() {}\npub fn u32() {}\npub fn u64() {}\n"),
];

fn sim() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("a folder for it");
    std::fs::write(path, text).expect("it is written");
}

#[test]
fn detector_and_sim_ban_the_same_things() {
    let [ours, theirs] = ["clippy.toml", "../detector/clippy.toml"].map(|path| read(&sim().join(path)));
    assert_eq!(ours, theirs, "sim/clippy.toml and detector/clippy.toml are one list");
    for banned in ["std::time::Instant", "std::time::SystemTime", "std::collections::HashMap", "rand::rng"] {
        assert!(ours.contains(banned), "{banned} is banned");
    }
}

#[test]
fn whoever_uses_a_banned_thing_is_told_by_clippy() {
    if !Command::new(env!("CARGO"))
        .args(["clippy", "--version"])
        .output()
        .is_ok_and(|told| told.status.success())
    {
        eprintln!("skipped: clippy is not installed; `rustup component add clippy` installs it");
        return;
    }
    let banned = banned();
    assert!(banned.len() > 10, "the list is read: {banned:?}");
    let told = clippy(&plant(&banned));
    for (index, (_, path)) in banned.iter().enumerate() {
        let place = format!("src/lib.rs:{}:", index + 1);
        let is_it = |line: &&str| line.contains(&place) && line.contains(&format!("`{path}`"));
        assert!(
            told.lines().any(|line| is_it(&line)),
            "{path} is banned, but clippy says nothing of it:\n{told}"
        );
    }
    let harmless = format!("src/lib.rs:{}:", banned.len() + 1);
    assert!(!told.contains(&harmless), "what is not banned is not reported:\n{told}");
}

/// The entries of the list, each with the key that it stands under.
fn banned() -> Vec<(&'static str, String)> {
    let mut key = "";
    let mut entries = Vec::new();
    for line in read(&sim().join("clippy.toml")).lines() {
        for known in ["disallowed-types", "disallowed-methods"] {
            if line.starts_with(known) {
                key = known;
            }
        }
        let path = line.trim().strip_prefix("{ path = \"").and_then(|rest| rest.split('"').next());
        entries.extend(path.map(|path| (key, path.to_owned())));
    }
    entries
}

/// A crate that uses every banned thing, a line each, and then one that is not banned.
fn plant(banned: &[(&str, String)]) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bans");
    let mut manifest =
        "[package]\nname = \"planted\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n".to_owned();
    for (name, text) in STAND_INS {
        let _ = writeln!(manifest, "{name} = {{ path = \"{name}\" }}");
        let its_manifest = format!("[package]\nname = \"{name}\"\nedition = \"2024\"\n");
        write(&root.join(name).join("Cargo.toml"), &its_manifest);
        write(&root.join(name).join("src/lib.rs"), text);
    }
    let mut code = String::new();
    for (index, (key, path)) in banned.iter().enumerate() {
        let _ = match *key {
            "disallowed-types" => writeln!(code, "pub use {path} as Type{index};"),
            _ => writeln!(code, "pub fn method_{index}() {{ let _ = {path}; }}"),
        };
    }
    code += "pub use std::collections::BTreeMap as Harmless;\n";
    write(&root.join("Cargo.toml"), &manifest);
    write(&root.join("src/lib.rs"), &code);
    root
}

/// What clippy says of a crate with this crate's settings, a line a warning.
fn clippy(root: &Path) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["clippy", "--offline", "--quiet", "--message-format", "short"])
        .current_dir(root)
        .env("CLIPPY_CONF_DIR", sim())
        .env("CARGO_TARGET_DIR", root.join("target"))
        .output()
        .expect("cargo starts");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "the planted crate is Rust:\n{told}");
    told
}
