//! Machines that name an instance type or a preference: a play applies none, and would answer for another machine.

use stuckvm_sim::Object;

/// What to do about it.
pub(super) const ADVICE: &str =
    "a play applies none; write into the template what `stuckvm render` shows of it";

/// The field of the machine that names one: `spec.instancetype` or `spec.preference`.
pub(super) fn named(object: &Object) -> Option<&'static str> {
    let Object::VirtualMachine(vm) = object else { return None };
    let names = |field: &str| vm.spec.rest.get(field).is_some_and(|matcher| !matcher.is_null());
    let fields = [("instancetype", "spec.instancetype"), ("preference", "spec.preference")];
    fields.into_iter().find_map(|(field, path)| names(field).then_some(path))
}
