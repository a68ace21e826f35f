//! Probes, Kubernetes 1.36: `validateProbe` and its kin of `pkg/apis/core/validation/validation.go`.

use super::field::Field;
use super::field_error::Errors;
use super::resources::NOT_NEGATIVE;

const HANDLERS: [&str; 4] = ["exec", "httpGet", "tcpSocket", "grpc"];

const NUMBERS: [&str; 5] =
    ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"];

/// A liveness or startup probe, which one success is enough for.
pub(super) fn liveness(at: &Field<'_>, errors: &mut Errors) {
    probe(at, errors);
    let successes = at.child("successThreshold");
    if let Some(number) = successes.number().filter(|number| !matches!(number, 0 | 1)) {
        errors.invalid_number(&successes, number, "must be 1");
    }
}

/// A readiness probe.
pub(super) fn readiness(at: &Field<'_>, errors: &mut Errors) {
    probe(at, errors);
}

fn probe(at: &Field<'_>, errors: &mut Errors) {
    if !at.is_set() {
        return;
    }
    let mut handlers = HANDLERS.iter().map(|name| at.child(name)).filter(Field::is_set);
    if handlers.next().is_none() {
        errors.required(at, "must specify a handler type");
    }
    for second in handlers {
        errors.forbidden(&second, "may not specify more than 1 handler type");
    }
    for name in NUMBERS {
        let field = at.child(name);
        if let Some(number) = field.number().filter(|number| *number < 0) {
            errors.invalid_number(&field, number, NOT_NEGATIVE);
        }
    }
}
