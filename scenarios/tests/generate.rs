//! `generate`: sizes by share, draws that shift no others, and machines that break some time after they were made.

use std::path::PathBuf;
use stuckvm_scenarios::catalog::Tree;
use stuckvm_scenarios::load::{Loaded, load};
use stuckvm_scenarios::play::{PlayOptions, Played, play};
use stuckvm_sim::{Kind, Random};

/// Twenty machines of drawn sizes and images.
const MACHINES: &str = r#"
    - count: 20
      choose: {image: {"a.example/disk:v1": 1, "b.example/disk:v1": 3}}
      sizes: [{share: 6, cores: 1, memory: 1Gi}, {share: 3, cores: 2, memory: 4Gi}, {share: 1, cores: 8, memory: 32Gi}]
      template:
        kind: VirtualMachine
        metadata: {name: "vm-{i}", namespace: fleet}
        spec:
          runStrategy: Halted
          template:
            spec:
              domain: {cpu: {cores: "{cores}"}, memory: {guest: "{memory}"}, devices: {disks: [{name: root, disk: {bus: virtio}}]}}
              volumes: [{name: root, containerDisk: {image: "{image}"}}]
"#;

/// Others, whose draws come from streams of their own.
const OTHERS: &str = r#"
    - count: 5
      sizes: [{share: 1, cores: 1, memory: 1Gi}, {share: 1, cores: 2, memory: 2Gi}]
      template:
        kind: VirtualMachine
        metadata: {name: "other-{i}", namespace: fleet}
        spec: {runStrategy: Halted, template: {spec: {domain: {cpu: {cores: "{cores}"}, memory: {guest: "{memory}"}, devices: {}}}}}
"#;

fn loaded(test: &str, seed: u64, generate: &str) -> Loaded {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("generate").join(test);
    std::fs::create_dir_all(&folder).expect("a folder for the file");
    let text = format!(
        "scenario: x\nuntil: 10m\nseed: {seed}\ncluster:\n  generate:\n{generate}expect: {{alerts: []}}\n"
    );
    std::fs::write(folder.join("x.yaml"), text).expect("it is written");
    load(&Tree::Folder(folder), "x.yaml").unwrap_or_else(|error| panic!("{error}"))
}

/// Cores, memory and image of the twenty machines.
fn drawn(played: &Played) -> Vec<(u64, String, String)> {
    let machine = |index: u32| {
        let found = played.cluster.find(Kind::VirtualMachine, "fleet", &format!("vm-{index}"));
        let spec = found.expect("it was made").1.to_value()["spec"]["template"]["spec"].clone();
        let text = |path: &str| spec.pointer(path).and_then(|text| text.as_str()).expect("a text").to_owned();
        let cores = spec["domain"]["cpu"]["cores"].as_u64().expect("a number");
        (cores, text("/domain/memory/guest"), text("/volumes/0/containerDisk/image"))
    };
    (0..20).map(machine).collect()
}

/// The same by the definition: a draw below the sum of the shares falls to the first size whose share reaches beyond it.
fn derived(seed: u64) -> Vec<(u64, String, String)> {
    let mut random = Random::new(seed);
    let mut machine = || {
        let (cores, memory) = match random.uniform("generate/VirtualMachine/fleet/vm-{i}/sizes", 0..=9) {
            0..=5 => (1, "1Gi"),
            6..=8 => (2, "4Gi"),
            _ => (8, "32Gi"),
        };
        let image = match random.uniform("generate/VirtualMachine/fleet/vm-{i}/image", 0..=3) {
            0 => "a.example/disk:v1",
            _ => "b.example/disk:v1",
        };
        (cores, memory.to_owned(), image.to_owned())
    };
    (0..20).map(|_| machine()).collect()
}

#[test]
fn sizes_and_images_are_drawn_by_share_from_the_seed() {
    for seed in [0, 7, 8] {
        let played = play(&loaded("sizes", seed, MACHINES), PlayOptions::default());
        assert_eq!(drawn(&played), derived(seed), "seed {seed}");
    }
    assert_ne!(derived(7), derived(8));
}

#[test]
fn one_more_template_or_key_shifts_no_other_draw() {
    let alone = drawn(&play(&loaded("alone", 7, MACHINES), PlayOptions::default()));
    let after_others = format!("{OTHERS}{MACHINES}");
    assert_eq!(drawn(&play(&loaded("after", 7, &after_others), PlayOptions::default())), alone);
    let one_more_key = MACHINES.replace("choose: {", "choose: {a: {x: 1, y: 1}, ");
    assert_eq!(drawn(&play(&loaded("key", 7, &one_more_key), PlayOptions::default())), alone);
}
