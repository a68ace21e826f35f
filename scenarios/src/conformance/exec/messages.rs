//! Protocol 1: what is said to a detector, and what it may say.

use crate::oracle::Thresholds;
use crate::stream::{Alert, Input};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use stuckvm_sim::duration;

/// The version of the protocol.
pub(super) const PROTOCOL: u64 = 1;

/// What the harness says.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Told<'a> {
    Start(Begin<'a>),
    Input { seq: u64, input: &'a Input },
    Snapshot,
    Stop,
}

impl Told<'_> {
    /// As it is sent, with the end of the line.
    pub(super) fn line(&self) -> String {
        serde_json::to_string(self).expect("a message serializes") + "\n"
    }
}

/// What a detector is told first.
#[derive(Serialize)]
pub(super) struct Begin<'a> {
    protocol: u64,
    threshold: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    thresholds: BTreeMap<&'a str, String>,
    scenario: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    restore: Option<&'a RawValue>,
}

impl<'a> Begin<'a> {
    pub(super) fn new(scenario: &'a str, thresholds: &'a Thresholds, restore: Option<&'a RawValue>) -> Self {
        let of_status = thresholds.per_status.iter();
        Self {
            protocol: PROTOCOL,
            threshold: duration::format(thresholds.default),
            thresholds: of_status.map(|(word, own)| (word.as_str(), duration::format(*own))).collect(),
            scenario,
            restore,
        }
    }
}

/// What a detector says.
#[derive(Debug)]
pub(super) enum Said {
    Hello(Hello),
    Alert(Alert),
    Done(Done),
    Error(Refusal),
    Snapshot(Box<RawValue>),
}

/// The answer to the start.
#[derive(Debug, Deserialize)]
pub(super) struct Hello {
    pub(super) protocol: u64,
    #[serde(default)]
    pub(super) capabilities: Vec<String>,
}

/// An input is dealt with.
#[derive(Debug, Deserialize)]
pub(super) struct Done {
    pub(super) seq: u64,
    #[serde(default)]
    pub(super) unknown: Option<Vec<String>>,
}

/// An input is rejected.
#[derive(Debug, Deserialize)]
pub(super) struct Refusal {
    pub(super) seq: u64,
    pub(super) error: String,
}

#[derive(Deserialize)]
struct Typed<'a> {
    #[serde(borrow, rename = "type")]
    name: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Raised {
    alert: Alert,
}

#[derive(Deserialize)]
struct Taken {
    data: Box<RawValue>,
}

impl Said {
    /// Its `type`.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Hello(_) => "hello",
            Self::Alert(_) => "alert",
            Self::Done(_) => "done",
            Self::Error(_) => "error",
            Self::Snapshot(_) => "snapshot",
        }
    }

    /// Reads a line; the error says what is wrong with it.
    pub(super) fn read(line: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(line).map_err(|_| "it is not UTF-8".to_owned())?;
        let typed: Typed<'_> =
            serde_json::from_str(text).map_err(|_| "it is no JSON object with a `type`".to_owned())?;
        Ok(match &*typed.name {
            "hello" => Self::Hello(fields(text)?),
            "alert" => Self::Alert(fields::<Raised>(text)?.alert),
            "done" => Self::Done(fields(text)?),
            "error" => Self::Error(fields(text)?),
            "snapshot" => Self::Snapshot(fields::<Taken>(text)?.data),
            _ => return Err("a detector's `type` is hello, alert, done, error or snapshot".to_owned()),
        })
    }
}

fn fields<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let read = serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(text));
    read.map_err(|error| match error.path().to_string() {
        path if path == "." || path.ends_with('?') => error.inner().to_string(),
        path => format!("field `{path}`: {}", error.inner()),
    })
}

#[cfg(test)]
mod tests {
    use super::{Begin, Said, Told};
    use crate::oracle::Thresholds;
    use crate::stream::{Event, Input};
    use std::time::Duration;
    use stuckvm_detector::Time;

    #[test]
    fn lines_to_a_detector_stand_as_the_protocol_has_them() {
        let mut thresholds = Thresholds::default();
        let start = Told::Start(Begin::new("pvc-not-found/stuck", &thresholds, None)).line();
        let plain =
            r#"{"type":"start","protocol":1,"threshold":"5m","scenario":"pvc-not-found/stuck"}"#.to_owned();
        assert_eq!(start, plain + "\n");
        thresholds.per_status.insert("ErrImagePull".into(), Duration::from_secs(600));
        // What is opaque goes back as it came: keys keep their order, numbers their digits.
        let data =
            serde_json::from_str(r#"{"z":1e2,"a":123456789012345678901234567890}"#).expect("it is JSON");
        let start = Told::Start(Begin::new("x", &thresholds, Some(data))).line();
        let whole = r#"{"type":"start","protocol":1,"threshold":"5m","thresholds":{"ErrImagePull":"10m"},"scenario":"x","restore":{"z":1e2,"a":123456789012345678901234567890}}"#;
        assert_eq!(start, whole.to_owned() + "\n");
        let input = Input { at: Time::ZERO, event: Event::Advance };
        let line = Told::Input { seq: 7, input: &input }.line();
        let whole = r#"{"type":"input","seq":7,"input":{"at":"1970-01-01T00:00:00Z","advance":true}}"#;
        assert_eq!(line, whole.to_owned() + "\n");
        assert_eq!(
            Told::Snapshot.line() + &Told::Stop.line(),
            "{\"type\":\"snapshot\"}\n{\"type\":\"stop\"}\n"
        );
    }

    #[test]
    fn keys_that_are_not_known_are_ignored_and_what_is_wrong_is_said() {
        let done = Said::read(br#"{"new":[1],"type":"done","seq":3,"next":null}"#);
        assert!(matches!(done, Ok(Said::Done(done)) if done.seq == 3 && done.unknown.is_none()));
        let table = [
            (&b"y"[..], "it is no JSON object with a `type`"),
            (b"[]", "it is no JSON object with a `type`"),
            (b"{\"type\":\"done\"\xff}", "it is not UTF-8"),
            (br#"{"type":"start"}"#, "a detector's `type` is hello, alert, done, error or snapshot"),
            (br#"{"type":"done"}"#, "missing field `seq` at line 1 column 15"),
            (
                br#"{"type":"done","seq":"3"}"#,
                "field `seq`: invalid type: string \"3\", expected u64 at line 1 column 24",
            ),
        ];
        for (line, problem) in table {
            assert_eq!(Said::read(line).expect_err("it is no message"), problem);
        }
    }
}
