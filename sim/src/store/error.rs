//! What the API server answers when it refuses.

use crate::kind::Kind;
use crate::objects::ObjectMeta;
use arcstr::ArcStr;

/// A refused request. Texts are those of `apimachinery/pkg/api/errors/errors.go`, Kubernetes 1.36.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// 404: no object of this name.
    #[error("{} \"{name}\" not found", kind.resource())]
    NotFound {
        /// The kind.
        kind: Kind,
        /// The name.
        name: ArcStr,
    },
    /// 404 for an object that was there a moment ago.
    #[error("{}{} not found", kind.resource(), quoted(name))]
    Gone {
        /// The kind.
        kind: Kind,
        /// The name, if somebody may still know it.
        name: Option<ArcStr>,
    },
    /// 409: the name is taken.
    #[error("{} \"{name}\" already exists", kind.resource())]
    AlreadyExists {
        /// The kind.
        kind: Kind,
        /// The name.
        name: ArcStr,
    },
    /// 409: the object was written since it was read.
    #[error(
        "Operation cannot be fulfilled on {} \"{name}\": the object has been modified; please apply your changes to \
         the latest version and try again",
        kind.resource()
    )]
    Conflict {
        /// The kind.
        kind: Kind,
        /// The name.
        name: ArcStr,
    },
    /// 409: virt-api refuses what is asked of a machine or its instance at this moment.
    #[error("Operation cannot be fulfilled on {resource} \"{name}\": {why}")]
    SubresourceConflict {
        /// What virt-api calls the kind.
        resource: &'static str,
        /// The machine's name.
        name: ArcStr,
        /// The refusal's words.
        why: ArcStr,
    },
    /// 403: virt-api refuses what is asked of such a machine at any time.
    #[error("{resource} \"{name}\" is forbidden: {why}")]
    SubresourceForbidden {
        /// What virt-api calls the kind.
        resource: &'static str,
        /// The machine's name.
        name: ArcStr,
        /// The refusal's words.
        why: ArcStr,
    },
    /// 500: the request makes no sense right now.
    #[error("Internal error occurred: {why}")]
    Internal {
        /// The server's words.
        why: ArcStr,
    },
    /// 403: a quota or an admission plugin says no.
    #[error("{} \"{name}\" is forbidden: {why}", kind.resource())]
    Forbidden {
        /// The kind.
        kind: Kind,
        /// The name.
        name: ArcStr,
        /// The plugin's words.
        why: ArcStr,
    },
    /// 400: a webhook does not let it be created as things stand.
    #[error("admission webhook \"{webhook}\" denied the request: {why}")]
    Denied {
        /// The webhook.
        webhook: &'static str,
        /// Its words.
        why: ArcStr,
    },
    /// 422: the object is not valid.
    #[error("{kind} \"{name}\" is invalid: {why}")]
    Invalid {
        /// The kind.
        kind: Kind,
        /// The name.
        name: ArcStr,
        /// Field path first.
        why: ArcStr,
    },
}

impl ApiError {
    /// A refusal to create this object; one without a name is called by what its name is generated from.
    pub(crate) fn forbidden(kind: Kind, meta: &ObjectMeta, why: ArcStr) -> Self {
        let name = if meta.name.is_empty() { &meta.generate_name } else { &meta.name };
        Self::Forbidden { kind, name: name.clone(), why }
    }
}

fn quoted(name: &Option<ArcStr>) -> String {
    name.as_ref().map(|name| format!(" \"{name}\"")).unwrap_or_default()
}
