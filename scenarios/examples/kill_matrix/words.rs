//! How the mutants read words.

use super::slip::Slip;

/// What a word is.
pub(crate) enum Word {
    /// An error status, in the runbook's spelling.
    Error(String),
    Healthy,
    Unknown,
    /// Not looked at.
    Skipped,
}

/// The empty word first.
const HEALTHY: [&str; 11] = [
    "",
    "Stopped",
    "Provisioning",
    "Starting",
    "Running",
    "Paused",
    "Stopping",
    "Terminating",
    "Migrating",
    "WaitingForVolumeBinding",
    "WaitingForReceiver",
];

const SAME_IN_BOTH: [&str; 5] =
    ["CrashLoopBackOff", "Unknown", "ErrImagePull", "ImagePullBackOff", "DataVolumeError"];

/// What a word is to a detector with this slip.
pub(crate) fn read(slip: Option<Slip>, text: &str) -> Word {
    let error = || Word::Error(text.to_owned());
    match (slip, text) {
        (Some(Slip::SeventhForgotten), "DataVolumeError") => Word::Healthy,
        (Some(Slip::UnknownIsNoWord), "Unknown") => Word::Unknown,
        (Some(Slip::WireSpellingOnly), "Unschedulable" | "PvcNotFound") => Word::Unknown,
        (Some(Slip::RunbookSpellingOnly), "ErrorUnschedulable" | "ErrorPvcNotFound") => Word::Unknown,
        (Some(Slip::EmptyIsUnknown), "") => Word::Error("Unknown".to_owned()),
        (Some(Slip::EmptyGoesOn), "") => Word::Skipped,
        (Some(Slip::EmptyIsReported), "") => Word::Unknown,
        (Some(Slip::TerminatingGoesOn), "Terminating") => Word::Skipped,
        (Some(Slip::BindingIsAnError), "WaitingForVolumeBinding") => error(),
        (Some(Slip::ReceiverIsReported), "WaitingForReceiver") => Word::Unknown,
        (Some(Slip::OnlyRunningEnds), text) if HEALTHY.contains(&text) && text != "Running" => Word::Skipped,
        (slip, text) => match plain(text) {
            Word::Unknown => near(slip, text).unwrap_or(Word::Unknown),
            word => word,
        },
    }
}

/// What the contract says.
fn plain(text: &str) -> Word {
    match text {
        "Unschedulable" | "ErrorUnschedulable" => Word::Error("Unschedulable".to_owned()),
        "PvcNotFound" | "ErrorPvcNotFound" => Word::Error("PvcNotFound".to_owned()),
        text if SAME_IN_BOTH.contains(&text) => Word::Error(text.to_owned()),
        text if HEALTHY.contains(&text) => Word::Healthy,
        _ => Word::Unknown,
    }
}

/// What slips make of a word that is not known.
fn near(slip: Option<Slip>, text: &str) -> Option<Word> {
    let wire = ["ErrorUnschedulable", "ErrorPvcNotFound"];
    match slip? {
        Slip::CaseInsensitive => {
            let mut words = SAME_IN_BOTH.into_iter().chain(wire);
            words.find(|word| word.eq_ignore_ascii_case(text)).map(plain)
        }
        Slip::Trimmed if text.trim() != text => Some(plain(text.trim())),
        Slip::HealthyInAnyCase => {
            HEALTHY.iter().any(|word| word.eq_ignore_ascii_case(text)).then_some(Word::Healthy)
        }
        Slip::HealthyTrimmed if HEALTHY.contains(&text.trim()) => Some(Word::Healthy),
        Slip::HealthyPrefix if HEALTHY[1..].iter().any(|word| text.starts_with(word)) => Some(Word::Healthy),
        Slip::ErrPrefix if text.starts_with("Err") => Some(Word::Error(text.to_owned())),
        Slip::BackOffSuffix if text.ends_with("BackOff") => Some(Word::Error(text.to_owned())),
        Slip::NotHealthyIsAnError => Some(Word::Error(text.to_owned())),
        _ => None,
    }
}

/// The wire's spelling.
pub(crate) fn wire(runbook: &str) -> &str {
    match runbook {
        "Unschedulable" => "ErrorUnschedulable",
        "PvcNotFound" => "ErrorPvcNotFound",
        same => same,
    }
}
