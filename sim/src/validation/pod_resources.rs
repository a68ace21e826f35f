//! What a pod asks for as a whole, Kubernetes 1.36: `validatePodResources` of `pkg/apis/core/validation/validation.go`.

use super::field::Field;
use super::field_error::Errors;
use super::resources::{requirements, resource_name};
use crate::admission::pod;
use crate::controllers::scheduler::requests::{container_requests, is_pod_level};
use crate::manifest::StrictValue;
use crate::objects::{Pod, PodSpec};
use serde::Deserialize as _;
use std::sync::Arc;

/// `spec.resources`, for which the whole spec is looked at.
pub(super) fn pod_resources(spec: &Field<'_>, errors: &mut Errors) {
    let own = spec.child("resources");
    if own.is_set() {
        requirements(&own, pod_level_name, errors);
        requests_cover_containers(spec, &own, errors);
        limits_cover_containers(spec, &own, errors);
    }
}

/// `validatePodResourceName`.
fn pod_level_name(name: &str, at: &Field<'_>, errors: &mut Errors) {
    let mut found = Errors::default();
    resource_name(name, at, &mut found);
    if found.is_empty() && !is_pod_level(name) {
        errors.not_supported(at, name, &["cpu", "hugepages-", "memory"]);
    }
    errors.take_all(found);
}

/// The pod asks for no less than its containers do together, once defaults are filled in.
fn requests_cover_containers(spec: &Field<'_>, own: &Field<'_>, errors: &mut Errors) {
    // Of one that does not read the reader says more.
    let Ok(read) = PodSpec::deserialize(StrictValue(spec.value())) else { return };
    let mut defaulted = Pod { spec: Arc::new(read), ..Pod::default() };
    pod::default(&mut defaulted);
    let Some(asked) = defaulted.spec.resources.as_ref().map(|resources| &resources.requests) else { return };
    for (name, wanted) in container_requests(&defaulted.spec, false).iter() {
        if let Some(amount) = asked.get(name).filter(|amount| wanted > amount) {
            let detail = format!("must be greater than or equal to aggregate container requests of {wanted}");
            errors.invalid(&own.child("requests").key(name), &amount.to_string(), &detail);
        }
    }
}

/// No container may use more than the pod.
fn limits_cover_containers(spec: &Field<'_>, own: &Field<'_>, errors: &mut Errors) {
    let most = own.child("limits");
    for (index, container) in spec.child("containers").items().enumerate() {
        for (name, limit) in container.child("resources").child("limits").entries() {
            let (Some(amount), Some(of_pod)) = (limit.quantity(), most.key(name).quantity()) else {
                continue;
            };
            if amount > of_pod {
                let detail = format!("must be less than or equal to pod limits of {of_pod}");
                let shown = format!("{}.containers[{index}][{name}].limits", own.path());
                errors.invalid(&limit, &amount.to_string(), &detail).shown_as(shown);
            }
        }
    }
}
