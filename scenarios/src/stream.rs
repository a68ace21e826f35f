//! The JSON Lines that detectors read and write: one input a line, one alert a
//! line. Keys may be added to either; keys that are not known are ignored.

use std::fmt;

/// Names and words: a text that is shared, and cheap to clone.
pub use arcstr::ArcStr;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use stuckvm_detector::Time;

use crate::mapping::Mapping;

/// A virtual machine's identity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Vm {
    /// `metadata.namespace`
    pub namespace: ArcStr,
    /// `metadata.name`
    pub name: ArcStr,
    /// `metadata.uid`
    pub uid: ArcStr,
}

impl Vm {
    /// The machine with this identity.
    pub fn new(namespace: &str, name: &str, uid: &str) -> Vm {
        Vm { namespace: namespace.into(), name: name.into(), uid: uid.into() }
    }
}

/// One line that a detector reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "InputLine")]
pub struct Input {
    /// When it is delivered.
    pub at: Time,
    /// What is delivered.
    pub event: Event,
}

/// What a line tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The machine has this printable status, in whatever word.
    Observed(Observed),
    /// The machine is gone.
    Deleted(Vm),
    /// These are all the machines that there are.
    Relist(Vec<Observed>),
    /// Nothing more comes at or before this instant.
    Advance,
}

/// A machine and the word of its printable status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "ObservedLine")]
pub struct Observed {
    /// The machine.
    pub vm: Vm,
    /// The word, which need not be known.
    pub status: ArcStr,
}

impl Input {
    /// Whether it tells of machines; an advance tells of time alone.
    pub fn is_observation(&self) -> bool {
        self.event != Event::Advance
    }

    /// Reads one line.
    ///
    /// # Errors
    ///
    /// If it is no JSON, or not one of the four kinds of input.
    pub fn from_line(line: &str) -> Result<Input, LineError> {
        let mut json = serde_json::Deserializer::from_str(line);
        let read: InputLine =
            serde_path_to_error::deserialize(Mapping(&mut json)).map_err(LineError::from_path)?;
        json.end().map_err(|error| LineError::from_json(None, &error))?;
        Input::try_from(read).map_err(LineError::from_kind)
    }
}

/// One line that a detector writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "AlertLine")]
pub struct Alert {
    /// The deadline, or the end of the episode.
    pub at: Time,
    /// Whether the alert begins or ends.
    pub kind: AlertKind,
    /// The machine.
    pub vm: Vm,
    /// The error status, in the runbook's spelling.
    pub status: String,
    /// When the episode began; other people's detectors may leave it out.
    pub since: Option<Time>,
}

impl Alert {
    /// Whether the alert begins.
    pub fn is_firing(&self) -> bool {
        self.kind == AlertKind::Firing
    }
}

/// Whether an alert begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertKind {
    /// The episode has ended.
    Resolved,
    /// The episode has lasted for the threshold.
    Firing,
}

/// Why a line is not an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineError {
    /// Where, in bytes from 1.
    pub column: usize,
    /// In which field, as a path such as `relist[2].uid`.
    pub field: Option<String>,
    /// What is wrong, or what was expected.
    pub problem: String,
}

/// What a line may look like, for those whose line does not.
pub const LINE_ADVICE: &str = r#"a line is one JSON object: {"at":TIME,"namespace":…,"name":…,"uid":…,"status":WORD}, the same with "deleted":true for the status, {"at":TIME,"relist":[…]} or {"at":TIME,"advance":true}"#;

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(field) = &self.field {
            write!(f, "field `{field}`: ")?;
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for LineError {}

impl LineError {
    fn from_path(error: serde_path_to_error::Error<serde_json::Error>) -> LineError {
        let path = error.path().to_string();
        // `.` is the line as a whole, `?` a key that could not be read.
        let field = (path != "." && !path.ends_with('?')).then_some(path);
        LineError::from_json(field, error.inner())
    }

    fn from_json(field: Option<String>, error: &serde_json::Error) -> LineError {
        let text = error.to_string();
        // The position stands in front of our own message already.
        let problem = match text.rsplit_once(" at line ").map_or(text.as_str(), |(problem, _)| problem) {
            // One of `true`, `false` and `null` is meant, or so the parser thinks.
            "expected ident" => "expected value",
            problem => problem,
        };
        LineError { column: error.column().max(1), field, problem: problem.to_owned() }
    }

    fn from_kind(error: KindError) -> LineError {
        let field = match error {
            KindError::Missing(field) => Some(field.to_owned()),
            KindError::NoKind | KindError::TwoKinds => None,
        };
        LineError { column: 1, field, problem: error.to_string() }
    }
}

/// Why the keys of a line do not make an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum KindError {
    /// None of the keys that tell the kind is there.
    #[error("expected one of `status`, `deleted`, `relist`, `advance`, found none")]
    NoKind,
    /// Several are.
    #[error("expected one of `status`, `deleted`, `relist`, `advance`, found several")]
    TwoKinds,
    /// A key of the machine's identity is not there.
    #[error("expected a string, found none")]
    Missing(&'static str),
}

/// An input's keys as they stand, in the order in which they are written.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(expecting = "an object")]
struct InputLine {
    at: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    namespace: Option<ArcStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<ArcStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uid: Option<ArcStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<ArcStr>,
    #[serde(default, skip_serializing_if = "is_false")]
    deleted: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    relist: Option<Vec<Observed>>,
    #[serde(default, skip_serializing_if = "is_false")]
    advance: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

impl InputLine {
    fn vm(&mut self) -> Result<Vm, KindError> {
        Ok(Vm {
            namespace: self.namespace.take().ok_or(KindError::Missing("namespace"))?,
            name: self.name.take().ok_or(KindError::Missing("name"))?,
            uid: self.uid.take().ok_or(KindError::Missing("uid"))?,
        })
    }
}

impl TryFrom<InputLine> for Input {
    type Error = KindError;

    fn try_from(mut line: InputLine) -> Result<Input, KindError> {
        let event = match (line.status.take(), line.deleted, line.relist.take(), line.advance) {
            (Some(status), false, None, false) => Event::Observed(Observed { vm: line.vm()?, status }),
            (None, true, None, false) => Event::Deleted(line.vm()?),
            (None, false, Some(list), false) => Event::Relist(list),
            (None, false, None, true) => Event::Advance,
            (None, false, None, false) => return Err(KindError::NoKind),
            _ => return Err(KindError::TwoKinds),
        };
        Ok(Input { at: line.at, event })
    }
}

impl<'de> Deserialize<'de> for Input {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Input, D::Error> {
        InputLine::deserialize(Mapping(deserializer))?.try_into().map_err(D::Error::custom)
    }
}

impl From<Input> for InputLine {
    fn from(input: Input) -> InputLine {
        let of_vm = |vm: Vm| InputLine {
            at: input.at,
            namespace: Some(vm.namespace),
            name: Some(vm.name),
            uid: Some(vm.uid),
            ..InputLine::default()
        };
        let bare = InputLine { at: input.at, ..InputLine::default() };
        match input.event {
            Event::Observed(Observed { vm, status }) => InputLine { status: Some(status), ..of_vm(vm) },
            Event::Deleted(vm) => InputLine { deleted: true, ..of_vm(vm) },
            Event::Relist(list) => InputLine { relist: Some(list), ..bare },
            Event::Advance => InputLine { advance: true, ..bare },
        }
    }
}

/// An entry of a relist as it stands.
#[derive(Serialize, Deserialize)]
#[serde(expecting = "an object")]
struct ObservedLine {
    namespace: ArcStr,
    name: ArcStr,
    uid: ArcStr,
    status: ArcStr,
}

impl<'de> Deserialize<'de> for Observed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Observed, D::Error> {
        let ObservedLine { namespace, name, uid, status } = Deserialize::deserialize(Mapping(deserializer))?;
        Ok(Observed { vm: Vm { namespace, name, uid }, status })
    }
}

impl From<Observed> for ObservedLine {
    fn from(Observed { vm, status }: Observed) -> ObservedLine {
        ObservedLine { namespace: vm.namespace, name: vm.name, uid: vm.uid, status }
    }
}

/// An alert as it stands.
#[derive(Serialize, Deserialize)]
#[serde(expecting = "an object")]
struct AlertLine {
    at: Time,
    alert: AlertKind,
    namespace: ArcStr,
    name: ArcStr,
    uid: ArcStr,
    status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<Time>,
}

impl<'de> Deserialize<'de> for Alert {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Alert, D::Error> {
        let line = AlertLine::deserialize(Mapping(deserializer))?;
        let vm = Vm { namespace: line.namespace, name: line.name, uid: line.uid };
        Ok(Alert { at: line.at, kind: line.alert, vm, status: line.status, since: line.since })
    }
}

impl From<Alert> for AlertLine {
    fn from(alert: Alert) -> AlertLine {
        let Vm { namespace, name, uid } = alert.vm;
        let Alert { at, kind, status, since, .. } = alert;
        AlertLine { at, alert: kind, namespace, name, uid, status, since }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_read_and_write_alike() {
        for line in [
            r#"{"at":"2022-10-03T11:11:07Z","namespace":"ns","name":"vm1","uid":"u1","status":"ErrorUnschedulable"}"#,
            r#"{"at":"2022-10-03T11:11:07Z","namespace":"ns","name":"vm1","uid":"u1","status":""}"#,
            r#"{"at":"2022-10-03T11:11:07Z","namespace":"ns","name":"vm1","uid":"u1","deleted":true}"#,
            r#"{"at":"2022-10-03T11:11:07Z","relist":[{"namespace":"ns","name":"vm1","uid":"u1","status":"Running"}]}"#,
            r#"{"at":"2022-10-03T11:11:07Z","relist":[]}"#,
            r#"{"at":"2022-10-03T11:11:07.000000001Z","advance":true}"#,
        ] {
            let input = Input::from_line(line).unwrap();
            assert_eq!(serde_json::to_string(&input).unwrap(), line);
        }
        let line = r#"{"at":"2022-10-03T11:16:07Z","alert":"firing","namespace":"ns","name":"vm1","uid":"u1","status":"Unschedulable","since":"2022-10-03T11:11:07Z"}"#;
        let alert: Alert = serde_json::from_str(line).unwrap();
        assert_eq!(serde_json::to_string(&alert).unwrap(), line);
    }

    #[test]
    fn keys_that_are_not_known_are_ignored() {
        let line = r#"{"color":["red"],"at":"1970-01-01T00:00:00Z","advance":true,"deleted":false}"#;
        assert_eq!(Input::from_line(line), Ok(Input { at: Time::ZERO, event: Event::Advance }));
    }

    #[test]
    fn refusals_name_column_field_and_what_was_expected() {
        let table = [
            ("", 1, "EOF while parsing a value"),
            (r#"{"at":"1970-01-01T00:00:00Z","#, 29, "EOF while parsing a value"),
            (r#"{"at":"1970-01-01T00:00:00Z","advance":true} {}"#, 46, "trailing characters"),
            (r#"{"advance":true}"#, 16, "missing field `at`"),
            (
                r#"{"at":5,"advance":true}"#,
                7,
                "field `at`: invalid type: integer `5`, expected a time such as 2022-10-03T11:11:07Z",
            ),
            (
                r#"{"at":"1970-01-01","advance":true}"#,
                18,
                "field `at`: expected a time such as 2022-10-03T11:11:07Z or 2022-10-03T11:11:07.5Z; it departs from that at character 11",
            ),
            (
                r#"{"at":"1970-01-01T00:00:00Z"}"#,
                1,
                "expected one of `status`, `deleted`, `relist`, `advance`, found none",
            ),
            (
                r#"{"at":"1970-01-01T00:00:00Z","advance":true,"relist":[]}"#,
                1,
                "expected one of `status`, `deleted`, `relist`, `advance`, found several",
            ),
            (
                r#"{"at":"1970-01-01T00:00:00Z","name":"a","uid":"u","deleted":true}"#,
                1,
                "field `namespace`: expected a string, found none",
            ),
            (
                r#"{"at":"1970-01-01T00:00:00Z","relist":[{"namespace":"ns","name":"a","uid":7,"status":""}]}"#,
                75,
                "field `relist[0].uid`: invalid type: integer `7`, expected a string",
            ),
            (r#"["1970-01-01T00:00:00Z"]"#, 1, "invalid type: sequence, expected an object"),
            (
                r#"{"at":"1970-01-01T00:00:00Z","relist":[["ns","a","u","Unknown"]]}"#,
                39,
                "field `relist[0]`: invalid type: sequence, expected an object",
            ),
            ("nonsense", 2, "expected value"),
            (
                r#"{"at":"1970-01-01T24:00:00Z","advance":true}"#,
                28,
                "field `at`: expected an hour from 00 to 23",
            ),
        ];
        for (line, column, text) in table {
            let error = Input::from_line(line).unwrap_err();
            assert_eq!((error.column, error.to_string().as_str()), (column, text), "{line}");
        }
    }
}
