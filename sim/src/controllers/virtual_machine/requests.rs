//! Requests to start and to stop that have been carried out.
//!
//! KubeVirt main of August 2026: `isTrimFirstChangeRequestNeeded` in `pkg/virt-controller/watch/vm/vm.go`.

use crate::objects::{StateChangeRequest, VirtualMachineInstance, VirtualMachineStatus};

/// Drops the first request if it is done. The others have not been acted on yet.
pub(super) fn drop_done_request(status: &mut VirtualMachineStatus, vmi: Option<&VirtualMachineInstance>) {
    if status.state_change_requests.first().is_some_and(|request| is_done(request, vmi)) {
        status.state_change_requests.remove(0);
    }
}

fn is_done(request: &StateChangeRequest, vmi: Option<&VirtualMachineInstance>) -> bool {
    match (request.action.as_str(), vmi) {
        (StateChangeRequest::STOP, None) => true,
        // A stop of another instance was done before; a stop of none in particular can never be done.
        (StateChangeRequest::STOP, Some(vmi)) => request.uid.as_ref() != Some(&vmi.metadata.uid),
        // An instance that is going does not answer a start: under RerunOnFailure the request asks for the next one.
        (StateChangeRequest::START, Some(vmi)) => !vmi.metadata.is_deleting() && !vmi.is_final(),
        _ => false,
    }
}
