//! The built-in detector on a stream: its inputs in, its alerts as the stream
//! has them.

use stuckvm_detector::{self as detector, NamedDetector, Output, TimeError, VmName, VmRef};

use crate::stream::{Alert, AlertKind, Event, Input, Observed, Vm};

/// Gives one input to the detector.
///
/// # Errors
///
/// If the input is from the past (R13); nothing has changed then.
pub fn feed<'d>(detector: &'d mut NamedDetector, input: &Input) -> Result<&'d Output, TimeError> {
    match &input.event {
        Event::Observed(Observed { vm, status }) => detector.observe(input.at, vm_ref(vm), status),
        Event::Deleted(vm) => detector.delete(input.at, vm_ref(vm)),
        Event::Relist(list) => {
            let list = list.iter().map(|Observed { vm, status }| (vm_ref(vm), status.as_str()));
            detector.relist(input.at, list)
        }
        Event::Advance => detector.advance(input.at),
    }
}

/// The detector's alert as the stream has it.
pub fn stream_alert<V: AsRef<VmName>>(alert: &detector::Alert<V>) -> Alert {
    let vm = alert.vm.as_ref();
    Alert {
        at: alert.at,
        kind: match alert.kind {
            detector::AlertKind::Firing => AlertKind::Firing,
            detector::AlertKind::Resolved => AlertKind::Resolved,
        },
        vm: Vm::new(&vm.namespace, &vm.name, &vm.uid),
        status: alert.status.runbook_str().to_owned(),
        since: Some(alert.since),
    }
}

fn vm_ref(vm: &Vm) -> VmRef<'_> {
    VmRef::new(&vm.namespace, &vm.name, &vm.uid)
}
