//! Why a sync failed.

use crate::store::ApiError;
use arcstr::ArcStr;

/// A sync that failed and is tried again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SyncError {
    /// The API server refused a write.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// Someone took `bind-completed` off a claim whose volume has gone to another.
    #[error(
        "invalid binding of claim \"{claim}\" to volume \"{volume}\": volume already claimed by \"{other}\""
    )]
    AlreadyClaimed {
        /// Namespace and name.
        claim: String,
        /// The volume's name.
        volume: ArcStr,
        /// Namespace and name of the claim that has it.
        other: String,
    },
    /// A rehearsal came to its first write.
    #[error("a rehearsal does not write")]
    WouldWrite,
    /// A volume plugin cannot do what an operation asks of it.
    #[error("{0}")]
    Plugin(String),
    /// A volume does not say how large it is.
    #[error("PersistentVolume \"{0}\" is without a storage capacity")]
    NoCapacity(ArcStr),
}
