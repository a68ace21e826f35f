//! What a scenario's steps do beside the API: what they break and heal. The trace shows what users write.

use crate::load::Loaded;
use serde_json::Value;
use stuckvm_detector::Time;

/// Keys of a step that no write shows.
const BESIDE_THE_API: [&str; 8] =
    ["break", "heal", "pause", "unpause", "upload", "panic", "power-off", "crash-detector"];

/// Something that a step does.
pub(super) struct Deed {
    pub(super) at: Time,
    /// In the file's words, with its line.
    pub(super) text: String,
}

/// The deeds of a scenario, in order.
pub(super) fn of(loaded: &Loaded, start: Time) -> Vec<Deed> {
    let written = loaded.document.value["steps"].as_array().into_iter().flatten();
    let steps = loaded.scenario.steps.iter().zip(written).enumerate();
    let deeds = steps.flat_map(|(index, (step, written))| {
        let at = start.checked_add(step.at.0).unwrap_or(Time::MAX);
        let found = BESIDE_THE_API.iter().filter_map(|key| Some((*key, written.get(key)?)));
        found.map(move |(key, what)| {
            let line = loaded.document.place(&format!("steps[{index}].{key}")).line;
            Deed { at, text: format!("{key} {} (line {line})", flow(what)) }
        })
    });
    deeds.collect()
}

/// A value in one line, as people write it.
fn flow(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let pairs: Vec<String> =
                map.iter().map(|(key, value)| format!("{key}: {}", flow(value))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
