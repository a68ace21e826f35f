//! What CDI's controllers fail with.

use crate::store::ApiError;
use arcstr::ArcStr;

/// Why a reconcile failed; the work queue tries again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CdiError {
    /// The API server refused a request.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// A request to the API server failed, told in other words.
    #[error("{context}: {error}")]
    ApiIn {
        /// What was tried.
        context: &'static str,
        /// The refusal.
        error: ApiError,
    },
    /// The claim wants the profile of a class, and there is neither the class nor a default.
    #[error("PVC spec is missing accessMode and no storageClass to choose profile")]
    StorageClassNotFound,
    /// The claim cannot be rendered from the DataVolume; upstream's words.
    #[error("{0}")]
    ClaimNotValid(ArcStr),
    /// Something of the claim's name stands in the way; upstream's words.
    #[error("{0}")]
    Resource(ArcStr),
    /// `strconv.ParseBool` of an annotation.
    #[error("strconv.ParseBool: parsing \"{0}\": invalid syntax")]
    NotABool(ArcStr),
    /// The pod of the importer's name is somebody else's.
    #[error("Pod is not owned by PVC")]
    PodNotOwned,
    /// An import that waits for something outside; upstream's words.
    #[error("{0}")]
    Import(ArcStr),
}

impl CdiError {
    /// Whether a quota refused it.
    pub(crate) fn is_quota_exceeded(&self) -> bool {
        matches!(self, Self::Api(ApiError::Forbidden { why, .. }) if why.contains("exceeded quota:"))
    }

    /// The words for the work queue.
    pub(crate) fn text(&self) -> ArcStr {
        arcstr::format!("{self}")
    }
}
