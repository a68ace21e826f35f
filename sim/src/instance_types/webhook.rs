//! What virt-api's webhooks say of a machine's instance type and preference.
//!
//! KubeVirt main of 2026: `pkg/instancetype/webhooks/vm/mutator.go` (`validateMatcher`) and `admitter.go` (`ApplyToVM`). Before 1.6
//! (kubevirt#14219) one that is not there was refused. Left out: what a preference requires of the machine.

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
    let unnamed: Vec<FieldError> = Matcher::all(&vm.spec).filter_map(|matcher| unnamed(&matcher)).collect();
    if !unnamed.is_empty() {
        return Err(unnamed);
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

fn unnamed(matcher: &Matcher<'_>) -> Option<FieldError> {
    let field = matcher.role.field;
    let message = format!("Either Name or InferFromVolume should be provided within the {field} matcher");
    let is_unnamed = matcher.name.is_empty() && !matcher.is_inferred();
    is_unnamed.then(|| objection(format!("spec.{field}"), message))
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
