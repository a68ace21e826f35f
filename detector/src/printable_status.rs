//! The words of a VirtualMachine's `status.printableStatus`.
//!
//! KubeVirt, main of August 2026: `staging/src/kubevirt.io/api/core/v1/types.go`,
//! the constants `VirtualMachineStatus…`, whose names the variants carry.

use std::fmt;

/// What `status.printableStatus` says of one virtual machine.
///
/// ```
/// use stuckvm_detector::PrintableStatus;
///
/// let status = PrintableStatus::parse("ErrorPvcNotFound").unwrap();
/// assert!(status.is_error());
/// assert_eq!(status.runbook_str(), "PvcNotFound");
/// assert_eq!(PrintableStatus::parse("PvcNotFound"), Some(status));
/// assert_eq!(PrintableStatus::parse("pvcnotfound"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum PrintableStatus {
    /// The empty string: no controller has looked at the machine yet. Not an
    /// error, and not `Unknown`.
    #[default]
    Empty,
    /// `Stopped`: no instance, and none is wanted.
    Stopped,
    /// `Provisioning`: volumes are being made ready.
    Provisioning,
    /// `Starting`: the instance is being prepared.
    Starting,
    /// `Running`: the guest runs.
    Running,
    /// `Paused`: the guest is paused.
    Paused,
    /// `Stopping`: the instance is going away.
    Stopping,
    /// `Terminating`: the machine is being deleted.
    Terminating,
    /// `CrashLoopBackOff`, an error: starts fail again and again.
    CrashLoopBackOff,
    /// `Migrating`: the guest moves to another node.
    Migrating,
    /// `Unknown`, an error: the state could not be obtained.
    Unknown,
    /// `ErrorUnschedulable`, an error: no node has room.
    Unschedulable,
    /// `ErrImagePull`, an error: an image could not be pulled.
    ErrImagePull,
    /// `ImagePullBackOff`, an error: waiting before the next pull.
    ImagePullBackOff,
    /// `ErrorPvcNotFound`, an error: a claim that is not there.
    PvcNotFound,
    /// `DataVolumeError`, an error: a DataVolume failed or does not progress.
    DataVolumeError,
    /// `WaitingForVolumeBinding`: claims wait to be bound.
    WaitingForVolumeBinding,
    /// `WaitingForReceiver`: waiting for a migration's receiving side.
    WaitingForReceiver,
}

use PrintableStatus as S;

impl PrintableStatus {
    /// Every status, in the order of declaration.
    pub const ALL: [PrintableStatus; 18] = [
        S::Empty,
        S::Stopped,
        S::Provisioning,
        S::Starting,
        S::Running,
        S::Paused,
        S::Stopping,
        S::Terminating,
        S::CrashLoopBackOff,
        S::Migrating,
        S::Unknown,
        S::Unschedulable,
        S::ErrImagePull,
        S::ImagePullBackOff,
        S::PvcNotFound,
        S::DataVolumeError,
        S::WaitingForVolumeBinding,
        S::WaitingForReceiver,
    ];

    /// The seven error statuses, in the order of declaration.
    pub const ERRORS: [PrintableStatus; 7] = [
        S::CrashLoopBackOff,
        S::Unknown,
        S::Unschedulable,
        S::ErrImagePull,
        S::ImagePullBackOff,
        S::PvcNotFound,
        S::DataVolumeError,
    ];

    /// The word as KubeVirt writes it to `status.printableStatus`.
    pub const fn as_str(self) -> &'static str {
        match self {
            S::Empty => "",
            S::Stopped => "Stopped",
            S::Provisioning => "Provisioning",
            S::Starting => "Starting",
            S::Running => "Running",
            S::Paused => "Paused",
            S::Stopping => "Stopping",
            S::Terminating => "Terminating",
            S::CrashLoopBackOff => "CrashLoopBackOff",
            S::Migrating => "Migrating",
            S::Unknown => "Unknown",
            S::Unschedulable => "ErrorUnschedulable",
            S::ErrImagePull => "ErrImagePull",
            S::ImagePullBackOff => "ImagePullBackOff",
            S::PvcNotFound => "ErrorPvcNotFound",
            S::DataVolumeError => "DataVolumeError",
            S::WaitingForVolumeBinding => "WaitingForVolumeBinding",
            S::WaitingForReceiver => "WaitingForReceiver",
        }
    }

    /// The word as the runbook of `KubeVirtVMStuckInErrorState` spells it;
    /// it differs for two statuses.
    pub const fn runbook_str(self) -> &'static str {
        match self {
            S::Unschedulable => "Unschedulable",
            S::PvcNotFound => "PvcNotFound",
            _ => self.as_str(),
        }
    }

    /// Whether this is one of the seven error statuses.
    pub const fn is_error(self) -> bool {
        const ERRORS: u32 = error_bits();
        ERRORS >> (self as u8) & 1 == 1
    }

    /// The status of a word in either spelling, in exactly this case; `None`
    /// for a word that this version does not know.
    pub fn parse(word: &str) -> Option<PrintableStatus> {
        S::ALL.into_iter().find(|status| status.as_str() == word || status.runbook_str() == word)
    }
}

/// One bit a status, set for the seven: the test runs at every observation.
const fn error_bits() -> u32 {
    let (mut bits, mut i) = (0, 0);
    while i < S::ERRORS.len() {
        bits |= 1 << (S::ERRORS[i] as u8);
        i += 1;
    }
    bits
}

impl fmt::Display for PrintableStatus {
    /// The wire's spelling.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(feature = "serde")]
mod word {
    use super::PrintableStatus;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    impl Serialize for PrintableStatus {
        /// The wire's spelling.
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_str(self.as_str())
        }
    }

    impl<'de> Deserialize<'de> for PrintableStatus {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Word;
            impl de::Visitor<'_> for Word {
                type Value = PrintableStatus;

                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("a printable status such as Running or ErrorPvcNotFound")
                }

                fn visit_str<E: de::Error>(self, word: &str) -> Result<PrintableStatus, E> {
                    PrintableStatus::parse(word)
                        .ok_or_else(|| E::invalid_value(de::Unexpected::Str(word), &self))
                }
            }
            deserializer.deserialize_str(Word)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lists_every_status_at_its_own_place() {
        for (i, status) in PrintableStatus::ALL.into_iter().enumerate() {
            assert_eq!(status as usize, i, "{status:?}");
        }
    }

    #[test]
    fn both_spellings_are_read_and_both_are_printed() {
        for status in PrintableStatus::ALL {
            assert_eq!(PrintableStatus::parse(status.as_str()), Some(status));
            assert_eq!(PrintableStatus::parse(status.runbook_str()), Some(status));
        }
        assert_eq!(PrintableStatus::Unschedulable.to_string(), "ErrorUnschedulable");
        assert_eq!(PrintableStatus::Unschedulable.runbook_str(), "Unschedulable");
    }

    #[test]
    fn the_seven_and_no_others_are_errors() {
        let errors = PrintableStatus::ALL.into_iter().filter(|status| status.is_error());
        assert_eq!(
            errors.map(PrintableStatus::runbook_str).collect::<Vec<_>>(),
            [
                "CrashLoopBackOff",
                "Unknown",
                "Unschedulable",
                "ErrImagePull",
                "ImagePullBackOff",
                "PvcNotFound",
                "DataVolumeError",
            ]
        );
    }

    #[test]
    fn other_words_and_other_case_are_not_known() {
        for word in ["running", " Running", "ErrorErrImagePull", "Errors", "ERRIMAGEPULL"] {
            assert_eq!(PrintableStatus::parse(word), None, "{word}");
        }
    }
}
