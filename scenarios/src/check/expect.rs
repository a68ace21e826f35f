//! What `expect` must keep.

use super::Fault;
use crate::format::{Expect, ExpectedEvent, ExpectedObject, Scenario, Span};
use crate::pins::DELETED;
use stuckvm_detector::PrintableStatus;
use stuckvm_sim::Kind;

/// The parts of `expect`, in order.
const PARTS: &str = "status, alerts, counts, objects, events, verdict";

pub(super) fn check(scenario: &Scenario) -> Result<(), Fault> {
    let Expect { status, alerts, counts, objects, events, verdict } = &scenario.expect;
    let pins = [status.is_some(), alerts.is_some(), counts.is_some(), objects.is_some(), events.is_some()];
    if !pins.contains(&true) && verdict.is_none() {
        let advice = "pin what must come: `alerts: []` demands silence";
        return Err(Fault("expect".into(), format!("one of {PARTS}"), "nothing".into(), advice));
    }
    for (index, pin) in status.iter().flatten().enumerate() {
        let known = PrintableStatus::ALL.iter().any(|status| status.as_str() == pin.is);
        let field = format!("expect.status[{index}]");
        if !known && pin.is != DELETED {
            return Err(Fault(
                format!("{field}.is"),
                "a printable status".into(),
                pin.is.clone(),
                "write it as `kubectl get vm` shows it",
            ));
        }
        in_order(&field, Some(pin.at), pin.by)?;
    }
    let alerts = alerts.iter().flatten().enumerate();
    let alerts = alerts.map(|(index, pin)| (format!("expect.alerts[{index}].as"), &pin.status));
    let counts = counts.iter().flat_map(|counts| counts.by_status.keys());
    let counts = counts.map(|status| (format!("expect.counts.as.{status}"), status));
    for (field, status) in alerts.chain(counts) {
        if PrintableStatus::parse(status).is_none_or(|status| !status.is_error()) {
            let known = PrintableStatus::ERRORS.map(PrintableStatus::runbook_str).join(", ");
            let advice = "use the runbook's spelling";
            return Err(Fault(field, format!("one of {known}"), status.clone(), advice));
        }
    }
    for (index, pin) in objects.iter().flatten().enumerate() {
        object(&format!("expect.objects[{index}]"), pin, scenario.until)?;
    }
    for (index, pin) in events.iter().flatten().enumerate() {
        event(&format!("expect.events[{index}]"), pin)?;
    }
    Ok(())
}

fn object(field: &str, pin: &ExpectedObject, until: Span) -> Result<(), Fault> {
    kind(field, &pin.kind)?;
    let last = match (pin.at, pin.from, pin.by) {
        (Some(at), None, None) => at,
        (None, Some(from), by) if from > Span::default() => by.unwrap_or(from),
        _ => {
            let advice = "`at` looks at one instant, `from` at the change, `by` allows it to be drawn";
            let expected = "either `at`, or `from` (later than 0s) and perhaps `by`".into();
            return Err(Fault(field.into(), expected, "another choice of the three".into(), advice));
        }
    };
    in_order(field, pin.from, pin.by)?;
    if last > until {
        let until = stuckvm_sim::duration::format(until.0);
        let found = stuckvm_sim::duration::format(last.0);
        let advice = "nobody looks after the end of the run";
        return Err(Fault(field.into(), format!("an instant up to `until`, {until}"), found, advice));
    }
    let parts = !pin.has.is_empty() || !pin.lacks.is_empty();
    if pin.gone && parts {
        let advice = "an object that is gone has nothing";
        return Err(Fault(field.into(), "either `gone`, or `has` and `lacks`".into(), "both".into(), advice));
    }
    Ok(())
}

fn event(field: &str, pin: &ExpectedEvent) -> Result<(), Fault> {
    kind(field, &pin.kind)?;
    if !["Normal", "Warning"].contains(&pin.severity.as_str()) {
        let expected = "Normal or Warning".into();
        return Err(Fault(
            format!("{field}.type"),
            expected,
            pin.severity.clone(),
            "Kubernetes has no other",
        ));
    }
    in_order(field, Some(pin.at), pin.by)
}

fn kind(field: &str, name: &str) -> Result<(), Fault> {
    if Kind::parse(name).is_some() {
        return Ok(());
    }
    let known = Kind::ALL.map(Kind::as_str).join(", ");
    Err(Fault(
        format!("{field}.kind"),
        format!("one of {known}"),
        name.into(),
        "name a kind that is modelled",
    ))
}

fn in_order(field: &str, first: Option<Span>, by: Option<Span>) -> Result<(), Fault> {
    let (Some(first), Some(by)) = (first, by) else { return Ok(()) };
    if first <= by {
        return Ok(());
    }
    let [first, by] = [first, by].map(|span| stuckvm_sim::duration::format(span.0));
    Err(Fault(format!("{field}.by"), format!("{first} or later"), by, "`by` is the end of the window"))
}
