//! The garbage collector, kube-controller-manager 1.36.2: `pkg/controller/garbagecollector/garbagecollector.go`.
//!
//! What has owners goes when all of them are gone, told by their uids. Deletion is in the background: the owner goes
//! first, and then, by its removal, what it owned.

use crate::context::Context;
use crate::controller::{Action, Controller};
use crate::kind::{Kind, Object, ObjectId, Resource, Visit};
use crate::objects::OwnerReference;
use crate::store::{ApiError, Change, View};
use crate::work_queue::{Work, WorkQueue};
use arcstr::ArcStr;
use std::sync::Arc;

/// The garbage collector.
pub(crate) struct GarbageCollector;

impl Controller for GarbageCollector {
    fn name(&self) -> &'static str {
        "garbage-collector"
    }

    /// Looks at what a removed object owned, and at what comes, or gets owners, when one of them is not there.
    fn on_change(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        let Some(new) = &change.new else {
            let uid = &change.object().metadata().uid;
            view.dependents(uid).iter().for_each(|id| queue.add(*id));
            return;
        };
        let meta = new.metadata();
        let known = change.old.as_ref().map(|old| &old.metadata().owner_references);
        if known == Some(&meta.owner_references) {
            return;
        }
        if meta.owner_references.iter().any(|owner| is_gone(view, &meta.namespace, owner)) {
            queue.add(change.id);
        }
    }

    /// `attemptToDeleteItem`: with no owner left the object goes; with some left it forgets the others.
    fn reconcile(&mut self, work: Work, cx: &mut Context<'_>) -> Action {
        let Some(object) = Object::seen(cx.newest(), work.id) else { return Action::Done };
        let meta = object.metadata();
        let owners = &meta.owner_references;
        let solid = owners.iter().filter(|owner| !is_gone(cx.newest(), &meta.namespace, owner)).count();
        if meta.is_deleting() || solid == owners.len() {
            return Action::Done;
        }
        let result = match solid {
            0 => object.visit(Delete { id: work.id, cx }),
            _ => object.visit(ForgetOwners { id: work.id, cx }),
        };
        match result {
            Ok(()) | Err(ApiError::Gone { .. }) => Action::Done,
            Err(error) => Action::Fail(error.to_string().into()),
        }
    }
}

/// Owners of kinds that are not modelled cannot be looked up and count as there.
fn is_gone(view: View<'_>, namespace: &ArcStr, owner: &OwnerReference) -> bool {
    let Some(kind) = Kind::parse(&owner.kind) else { return false };
    let namespace = if kind.is_namespaced() { namespace.as_str() } else { "" };
    let found = Object::named(view, kind, namespace, &owner.name);
    found.is_none_or(|found| found.metadata().uid != owner.uid)
}

struct Delete<'a, 'b> {
    id: ObjectId,
    cx: &'a mut Context<'b>,
}

impl Visit for Delete<'_, '_> {
    type Output = Result<(), ApiError>;

    fn visit<T: Resource>(self, _object: &Arc<T>) -> Self::Output {
        self.cx.delete::<T>(self.id)
    }
}

struct ForgetOwners<'a, 'b> {
    id: ObjectId,
    cx: &'a mut Context<'b>,
}

impl Visit for ForgetOwners<'_, '_> {
    type Output = Result<(), ApiError>;

    fn visit<T: Resource>(self, object: &Arc<T>) -> Self::Output {
        let meta = object.metadata();
        let owners = meta.owner_references.iter();
        let solid: Vec<OwnerReference> =
            owners.filter(|owner| !is_gone(self.cx.newest(), &meta.namespace, owner)).cloned().collect();
        self.cx
            .patch(self.id, |object: &mut T| object.metadata_mut().owner_references = solid.into())
            .map(drop)
    }
}
