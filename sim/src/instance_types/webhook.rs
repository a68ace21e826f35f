//! What virt-api's webhooks say of a machine's instance type and preference.
//!
//! KubeVirt main of 2026: `pkg/instancetype/webhooks/vm/mutator.go` (`validateMatchers`) and `admitter.go` (`ApplyToVM`). Before 1.6
//! (kubevirt#14219) one that is not there was refused. Left out: what a preference requires of the machine, and another name
//! with the revision of the one before.

use super::find::Finder;
use super::{Chosen, Conflict, Matcher};
use crate::objects::{StrMap, VirtualMachine, VirtualMachineInstanceSpec};
use crate::release::KubeVirtRelease;
use crate::store::View;
use crate::validation::{ErrorType, FieldError};
use std::sync::Arc;

const BASE: &str = "spec.template.spec";

/// The machine as the other rules of the webhook are put to it, with everything filled in, or what is wrong before that.
/// `None`: it names nothing.
pub(crate) fn expand(
    vm: &VirtualMachine,
    server: View<'_>,
    release: KubeVirtRelease,
) -> Result<Option<VirtualMachine>, Vec<FieldError>> {
    let misnamed = Matcher::all(&vm.spec).map(|matcher| misnamed(&matcher)).find(|causes| !causes.is_empty());
    if let Some(causes) = misnamed {
        return Err(causes);
    }
    let chosen = chosen(vm, server, release).map_err(|error| vec![error])?;
    let Some(template) = vm.spec.template.as_ref().filter(|_| !chosen.is_empty()) else { return Ok(None) };
    let spread = chosen.instance_type.as_ref().and_then(|found| found.spread(chosen.preference.as_deref()));
    if let Some(conflict) = spread {
        return Err(vec![cause(&conflict)]);
    }
    let mut spec = VirtualMachineInstanceSpec::clone(&template.spec);
    let mut annotations: StrMap = template.metadata.annotations.clone();
    let applied = chosen.apply_to_template(BASE, &mut spec, &mut annotations);
    applied.map_err(|conflicts| conflicts.iter().map(cause).collect::<Vec<_>>())?;
    let mut expanded = vm.clone();
    let of_machine = Arc::make_mut(&mut expanded.spec);
    Arc::make_mut(of_machine.template.as_mut().expect("it was just found")).spec = Arc::new(spec);
    Ok(Some(expanded))
}

/// What is wrong with the way in which one of the two fields names something (`validateInstancetypeMatcher`,
/// `validatePreferenceMatcher`).
fn misnamed(matcher: &Matcher<'_>) -> Vec<FieldError> {
    let (at, inferred) = (format!("spec.{}", matcher.role.field), matcher.is_inferred());
    let mut causes = Vec::new();
    if matcher.name.is_empty() && !inferred {
        let message =
            format!("Either Name or InferFromVolume should be provided within the {}", matcher.role.matcher);
        causes.push(objection(at.clone(), message));
    }
    let said = [("name", "Name", matcher.name), ("kind", "Kind", matcher.written_kind)];
    for (field, shown, _) in said.into_iter().filter(|(_, _, word)| inferred && !word.is_empty()) {
        let message = format!("{shown} already set, should be cleared before setting inferFromVolume");
        causes.push(objection(format!("{at}.{field}"), message));
    }
    if let Some(policy) = matcher.failure_policy().filter(|policy| !["Ignore", "Reject"].contains(policy)) {
        let message = format!("Invalid value '{policy}' for InferFromVolumeFailurePolicy");
        causes.push(objection(format!("{at}.inferFromVolumeFailurePolicy"), message));
    }
    causes
}

/// What the machine names; what is not there counts as not named, where that is let pass.
fn chosen(vm: &VirtualMachine, server: View<'_>, release: KubeVirtRelease) -> Result<Chosen, FieldError> {
    let finder = Finder { cache: server, server, namespace: &vm.metadata.namespace };
    let mut chosen = Chosen::default();
    for matcher in Matcher::all(&vm.spec) {
        let found = finder.find(&matcher, Some(&vm.status), &mut chosen);
        if let Err(error) = found.or_else(|error| match release.profile().lets_types_be_missing {
            true => Ok(()),
            false => Err(error),
        }) {
            let field = matcher.role.field;
            return Err(objection(format!("spec.{field}"), format!("Failure to find {field}: {error}")));
        }
    }
    Ok(chosen)
}

fn cause(conflict: &Conflict) -> FieldError {
    let message = conflict.message.clone();
    let field = &conflict.field;
    let message =
        message.unwrap_or_else(|| format!("VM field(s) {field} conflicts with selected instance type"));
    objection(field.clone(), message)
}

fn objection(field: String, detail: String) -> FieldError {
    FieldError { path: field.clone(), field, kind: ErrorType::Webhook, value: None, detail }
}
