//! What the API server refuses to create: quotas and admission webhooks.

use crate::kind::Kind;
use arcstr::ArcStr;
use std::collections::BTreeMap;

/// Refusals by kind and namespace.
#[derive(Debug, Default)]
pub struct Admission(BTreeMap<(Kind, ArcStr), ArcStr>);

impl Admission {
    /// Refuses every creation of a kind in a namespace, with these words.
    pub fn refuse(&mut self, kind: Kind, namespace: impl Into<ArcStr>, why: impl Into<ArcStr>) {
        self.0.insert((kind, namespace.into()), why.into());
    }

    /// Allows it again.
    pub fn allow(&mut self, kind: Kind, namespace: impl Into<ArcStr>) {
        self.0.remove(&(kind, namespace.into()));
    }

    /// Why a creation is refused, if it is.
    pub fn refusal(&self, kind: Kind, namespace: &ArcStr) -> Option<ArcStr> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&(kind, namespace.clone())).cloned()
    }
}
