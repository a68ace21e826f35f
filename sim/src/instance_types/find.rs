//! Which instance type and which preference count for a machine: the revision that it keeps, or what stands there now.
//!
//! KubeVirt main of 2026: `pkg/instancetype/find/spec.go` and `revision.go`, `pkg/instancetype/preference/find`. A cache that
//! lacks an object is no answer: the server is asked.

use super::{Chosen, Matcher};
use crate::kind::{Kind, Object};
use crate::objects::{ControllerRevision, RevisionData, VirtualMachineSpec, VirtualMachineStatus};
use crate::store::{ApiError, View};
use serde_json::Value;
use std::sync::Arc;

/// The label that says of which object a revision is.
pub(crate) const OBJECT_NAME: &str = "instancetype.kubevirt.io/object-name";

/// Where to look things up.
#[derive(Clone, Copy)]
pub(crate) struct Finder<'a> {
    /// What the informers have been told.
    pub(crate) cache: View<'a>,
    /// What the server answers.
    pub(crate) server: View<'a>,
    /// The machine's namespace.
    pub(crate) namespace: &'a str,
}

impl<'a> Finder<'a> {
    /// What counts for a machine, one after the other: the first that cannot be found is the answer.
    pub(crate) fn chosen(
        &self,
        spec: &VirtualMachineSpec,
        status: Option<&VirtualMachineStatus>,
    ) -> Result<Chosen, String> {
        let mut chosen = Chosen::default();
        for matcher in Matcher::all(spec) {
            self.find(&matcher, status, &mut chosen)?;
        }
        Ok(chosen)
    }

    /// What counts for one of the two fields.
    pub(crate) fn find(
        &self,
        matcher: &Matcher<'_>,
        status: Option<&VirtualMachineStatus>,
        chosen: &mut Chosen,
    ) -> Result<(), String> {
        let kept = match kept_revision(matcher, status) {
            Some(name) => Some(self.revision(name)?),
            None => None,
        };
        // A revision that the status keeps counts for the object that it was made of.
        let is_of = |revision: &&ControllerRevision| {
            !matcher.revision.is_empty() || revision.metadata.labels.has(OBJECT_NAME, matcher.name)
        };
        match kept.filter(|revision| is_of(revision)) {
            None => chosen.take(&self.live(matcher)?),
            Some(revision) => match &revision.data {
                RevisionData::Instancetype(_, spec) => chosen.instance_type = Some(Arc::clone(spec)),
                RevisionData::Preference(_, spec) => chosen.preference = Some(Arc::clone(spec)),
                RevisionData::Machine(_) | RevisionData::Other(_) => {
                    return Err(format!("unexpected type in ControllerRevision: {}", revision.metadata.name));
                }
            },
        }
        Ok(())
    }

    /// The object that a machine names, as it stands now.
    pub(crate) fn live(&self, matcher: &Matcher<'_>) -> Result<Object, String> {
        let kind = matcher.kind().map_err(|error| error.to_string())?;
        let namespace = if kind.is_namespaced() { self.namespace } else { "" };
        let found = Object::named(self.cache, kind, namespace, matcher.name)
            .or_else(|| Object::named(self.server, kind, namespace, matcher.name));
        found.ok_or_else(|| ApiError::NotFound { kind, name: matcher.name.into() }.to_string())
    }

    fn revision(&self, name: &str) -> Result<&'a ControllerRevision, String> {
        let found = self.cache.named::<ControllerRevision>(self.namespace, name);
        let found = found.or_else(|| self.server.named::<ControllerRevision>(self.namespace, name));
        let missing = || ApiError::NotFound { kind: Kind::ControllerRevision, name: name.into() };
        found.map(|(_, revision)| &**revision).ok_or_else(|| missing().to_string())
    }
}

/// The revision that a machine keeps: the one that its spec names, or else its status.
fn kept_revision<'a>(matcher: &Matcher<'a>, status: Option<&'a VirtualMachineStatus>) -> Option<&'a str> {
    if !matcher.revision.is_empty() {
        return Some(matcher.revision);
    }
    revision_in_status(status?.rest.get(matcher.role.status_field)?)
}

/// `HasControllerRevisionRef`.
pub(crate) fn revision_in_status(reference: &Value) -> Option<&str> {
    reference["controllerRevisionRef"]["name"].as_str().filter(|name| !name.is_empty())
}
