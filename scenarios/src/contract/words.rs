//! What a case stands for: the seven statuses, and the words that it is played with.

use serde_json::Value;
use std::collections::BTreeMap;

/// The seven in the contract's order: the runbook's spelling, then the wire's.
pub(super) const STATUSES: [(&str, &str); 7] = [
    ("CrashLoopBackOff", "CrashLoopBackOff"),
    ("Unknown", "Unknown"),
    ("Unschedulable", "ErrorUnschedulable"),
    ("ErrImagePull", "ErrImagePull"),
    ("ImagePullBackOff", "ImagePullBackOff"),
    ("PvcNotFound", "ErrorPvcNotFound"),
    ("DataVolumeError", "DataVolumeError"),
];

/// What the placeholders of a case stand for.
#[derive(Clone, Debug)]
pub(super) struct Substitution {
    /// In the runbook's spelling.
    pub(super) status: &'static str,
    /// The key of the word under `words`, where the case has some.
    pub(super) word: Option<String>,
    /// Placeholder and text; no placeholder is the beginning of a later one.
    texts: Vec<(&'static str, String)>,
}

/// Every substitution of a case: one a status, and with `words` one a status and word.
pub(super) fn substitutions(words: &BTreeMap<String, String>) -> Vec<Substitution> {
    let mut all = Vec::new();
    for (index, (runbook, wire)) in STATUSES.into_iter().enumerate() {
        let (other_runbook, other_wire) = STATUSES[(index + 1) % STATUSES.len()];
        let texts = vec![
            ("$other.runbook", other_runbook.to_owned()),
            ("$other.wire", other_wire.to_owned()),
            ("$runbook", runbook.to_owned()),
            ("$wire", wire.to_owned()),
            ("$lower", wire.to_lowercase()),
            ("$upper", wire.to_uppercase()),
        ];
        let plain = Substitution { status: runbook, word: None, texts };
        if words.is_empty() {
            all.push(plain);
            continue;
        }
        for (key, word) in words {
            let word = plain.apply(word);
            let texts = [("$word", word)].into_iter().chain(plain.texts.clone()).collect();
            all.push(Substitution { word: Some(key.clone()), texts, ..plain.clone() });
        }
    }
    all
}

impl Substitution {
    fn apply(&self, text: &str) -> String {
        self.texts.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    }

    /// The value with every placeholder replaced, in keys too.
    pub(super) fn of(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.apply(text)),
            Value::Array(items) => items.iter().map(|item| self.of(item)).collect(),
            Value::Object(map) => map.iter().map(|(key, value)| (self.apply(key), self.of(value))).collect(),
            other => other.clone(),
        }
    }
}
