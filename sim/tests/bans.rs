//! Both crates that must be deterministic ban the same clocks, entropy and hash collections.

use std::path::Path;

#[test]
fn detector_and_sim_ban_the_same_things() {
    let sim = Path::new(env!("CARGO_MANIFEST_DIR"));
    let [ours, theirs] = [sim.join("clippy.toml"), sim.join("../detector/clippy.toml")].map(|path| {
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    });
    assert_eq!(ours, theirs, "sim/clippy.toml and detector/clippy.toml are one list");
    for banned in ["std::time::Instant", "std::time::SystemTime", "std::collections::HashMap", "rand::rng"] {
        assert!(ours.contains(banned), "{banned} is banned");
    }
}
