//! Amounts of resources, Kubernetes 1.36: `validateResourceRequirements` and `ValidateResourceQuantityValue` of
//! `pkg/apis/core/validation/validation.go`, the names of `pkg/apis/core/helper/helpers.go`.

use super::field::Field;
use super::field_error::Errors;
use super::names::qualified_name;
use crate::quantity::Quantity;

/// `IsNegativeErrorMsg`.
pub(super) const NOT_NEGATIVE: &str = "must be greater than or equal to 0";
/// `isNotPositiveErrorMsg`.
pub(super) const POSITIVE: &str = "must be greater than zero";

/// Resources that are counted, besides the extended ones (`integerResources`).
const COUNTED: [&str; 7] = [
    "pods",
    "services",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
];

/// Names besides the counted ones that stand for a resource somewhere, though not in a container.
const STANDARD_ELSEWHERE: [&str; 7] = [
    "storage",
    "requests.cpu",
    "requests.memory",
    "requests.storage",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
];

/// `ValidateContainerResourceRequirements`.
pub(super) fn of_container(at: &Field<'_>, errors: &mut Errors) {
    requirements(at, container_name, errors);
}

/// `validateOverhead`: the overhead is put to the rules of limits and shown as one of them.
pub(super) fn overhead(at: &Field<'_>, errors: &mut Errors) {
    for (name, amount) in at.entries() {
        let mut found = Errors::default();
        container_name(name, &amount, &mut found);
        quantity(name, &amount, &mut found);
        for error in found.into_vec() {
            errors.take(error).shown_as(format!("{}.limits[{name}]", at.path()));
        }
    }
}

/// `ValidateResourceQuantityValue`: not negative, and whole where it is counted.
pub(super) fn quantity(name: &str, at: &Field<'_>, errors: &mut Errors) {
    let Some(amount) = at.quantity() else { return };
    if amount.sign() < 0 {
        errors.invalid(at, &amount.to_string(), NOT_NEGATIVE);
    }
    if is_counted(name) && amount.milli_value() % 1000 != 0 {
        errors.invalid(at, &amount.to_string(), "must be an integer");
    }
}

/// `validateResourceRequirements`; `valid_name` says which names may stand there.
pub(super) fn requirements(
    at: &Field<'_>,
    valid_name: fn(&str, &Field<'_>, &mut Errors),
    errors: &mut Errors,
) {
    let (limits, requests) = (at.child("limits"), at.child("requests"));
    for (name, limit) in limits.entries() {
        valid_name(name, &limit, errors);
        quantity(name, &limit, errors);
        huge_pages(name, &limit, errors);
    }
    for (name, request) in requests.entries() {
        valid_name(name, &request, errors);
        quantity(name, &request, errors);
        within_limit(name, &request, &limits, errors);
        huge_pages(name, &request, errors);
    }
    let named = |wanted: &dyn Fn(&str) -> bool| {
        limits.entries().chain(requests.entries()).any(|(name, _)| wanted(name))
    };
    if named(&is_huge_pages) && !named(&|name| matches!(name, "cpu" | "memory")) {
        errors.forbidden(at, "HugePages require cpu or memory");
    }
}

/// A request is at most the limit, and the limit itself where a node may not promise more than it has.
fn within_limit(name: &str, request: &Field<'_>, limits: &Field<'_>, errors: &mut Errors) {
    let limit = limits.key(name);
    let all_requests = request.path().trim_end_matches(&format!("[{name}]")).to_owned();
    match (request.quantity(), limit.quantity()) {
        (Some(amount), Some(limit)) => {
            let must = if amount != limit && !is_overcommitted(name) {
                "equal to"
            } else if amount > limit {
                "less than or equal to"
            } else {
                return;
            };
            let detail = format!("must be {must} {name} limit of {limit}");
            errors.invalid(request, &amount.to_string(), &detail).shown_as(all_requests);
        }
        (Some(_), None) if !is_overcommitted(name) => {
            errors.required(limits, "Limit must be set for non overcommitable resources");
        }
        _ => {}
    }
}

fn huge_pages(name: &str, at: &Field<'_>, errors: &mut Errors) {
    let (Some(size), Some(amount)) = (name.strip_prefix("hugepages-"), at.quantity()) else { return };
    let divides = |size: &Quantity| size.value() > 0 && amount.value() % size.value() == 0;
    if !Quantity::parse(size).is_ok_and(|size| divides(&size)) {
        errors.invalid(
            at,
            &amount.to_string(),
            &format!("{amount} is not positive integer multiple of {name}"),
        );
    }
}

/// `validateResourceName`.
pub(super) fn resource_name(name: &str, at: &Field<'_>, errors: &mut Errors) {
    let messages = qualified_name(name);
    if messages.is_empty()
        && !name.contains('/')
        && !is_of_container(name)
        && !COUNTED.contains(&name)
        && !STANDARD_ELSEWHERE.contains(&name)
    {
        errors.invalid(at, name, "must be a standard resource type or fully qualified");
    }
    errors.invalid_each(at, name, messages);
}

/// `validateContainerResourceName`.
fn container_name(name: &str, at: &Field<'_>, errors: &mut Errors) {
    resource_name(name, at, errors);
    if !name.contains('/') && !is_of_container(name) {
        errors.invalid(at, name, "must be a standard resource for containers");
    } else if !is_native(name) && !is_extended(name) {
        errors.invalid(at, name, "doesn't follow extended resource name standard");
    }
}

fn is_of_container(name: &str) -> bool {
    matches!(name, "cpu" | "memory" | "ephemeral-storage") || is_huge_pages(name)
}

fn is_huge_pages(name: &str) -> bool {
    name.starts_with("hugepages-")
}

fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

/// `IsExtendedResourceName`: a resource that some plugin of a node offers, and not Kubernetes itself.
pub(crate) fn is_extended(name: &str) -> bool {
    !is_native(name)
        && !name.starts_with("requests.")
        && qualified_name(&format!("requests.{name}")).is_empty()
}

fn is_overcommitted(name: &str) -> bool {
    is_native(name) && !is_huge_pages(name)
}

fn is_counted(name: &str) -> bool {
    COUNTED.contains(&name) || is_extended(name)
}
