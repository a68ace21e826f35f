//! `status/recorded-releases`: the printable status of stored objects, as an older KubeVirt computes it.

use serde_json::Value;
use stuckvm_sim::{KubeVirtRelease, VmStatus, statuses};

use crate::status::{NOW, objects, shown};

/// Plays one case.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    let now = NOW.parse().expect("a time");
    let found = statuses(&objects(case)?, release(case)?, now).map_err(|error| error.to_string())?;
    let (found, expected) = (found.iter().map(without_reconcile).collect::<Value>(), &case["expect"]);
    if found == *expected { Ok(()) } else { Err(format!("found {found}, expected {expected}")) }
}

/// The profile of the release that was asked. Since 1.9.0 it is that of main.
pub(crate) fn release(case: &Value) -> Result<KubeVirtRelease, String> {
    let release = case["release"].as_str().ok_or("no release")?;
    let profiles = [
        ("v0.59.", KubeVirtRelease::V0_59),
        ("v1.3.", KubeVirtRelease::V1_3),
        ("v1.9.", KubeVirtRelease::Main2026_08),
        ("main-2026-08", KubeVirtRelease::Main2026_08),
    ];
    let found = profiles.into_iter().find(|(begins, _)| release.starts_with(begins));
    found.map(|(_, profile)| profile).ok_or_else(|| format!("no profile for {release}"))
}

/// Whole reconciles were not asked.
fn without_reconcile(vm: &VmStatus) -> Value {
    let mut answer = shown(vm);
    if let Some(answer) = answer.as_object_mut() {
        answer.retain(|key, _| !["updateOnly", "reconcile", "reconcileFails"].contains(&key.as_str()));
    }
    answer
}
