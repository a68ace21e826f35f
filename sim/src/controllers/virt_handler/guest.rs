//! From a handed-over launcher to a guest that runs, and from there to its end.

use super::guest_event::{Guest, GuestEvent};
use super::shutdown::{has_acpi, hears_power_button, heeds_power_button};
use super::{VirtHandler, migratable, pause};
use crate::context::{Context, EventType};
use crate::controller::Action;
use crate::controllers::virtual_machine_instance::{is_compute_down, remove_condition, set_phase_transition};
use crate::environment::LauncherFault;
use crate::kind::ObjectId;
use crate::objects::{Condition, Pod, Truth, VirtualMachineInstance};
use crate::work_queue::Work;
use arcstr::ArcStr;
use std::time::Duration;

/// At most so long after a launcher's end virt-handler takes its instance for failed: the socket is dead for 30 s, which
/// is looked at every 10 s; it is at once where the domain's end is seen. An estimate within upstream's bounds.
const UNNOTICED: Duration = Duration::from_secs(40);

impl VirtHandler {
    /// One look at an instance whose node is alive.
    pub(super) fn look_at_guest(
        &mut self,
        id: ObjectId,
        vmi: &VirtualMachineInstance,
        pod: &Pod,
        cx: &mut Context<'_>,
    ) -> Action {
        let state = self.guests.get(&id).copied();
        if pod.is_finished() || is_compute_down(pod) {
            if state != Some(Guest::LauncherEnded) {
                self.guests.insert(id, Guest::LauncherEnded);
                let unnoticed = u64::try_from(UNNOTICED.as_nanos()).expect("40 s in nanoseconds");
                let delay = Duration::from_nanos(cx.draw(0..=unnoticed));
                cx.complete_after(delay, GuestEvent::Lost.of(id));
            }
            return Action::Done;
        }
        if vmi.metadata.is_deleting() {
            self.shut_down(id, vmi, cx);
            return Action::Done;
        }
        match state {
            None if vmi.status.phase == "Scheduled" => self.start(id, vmi, pod, cx),
            Some(Guest::CannotStart) => cannot_start(id, vmi, cx),
            _ => Action::Done,
        }
    }

    /// virt-handler has seen that the instance is final: the launcher is to forget the domain (`processVmDelete`).
    pub(super) fn delete_domain(&mut self, id: ObjectId, vmi: &VirtualMachineInstance, cx: &mut Context<'_>) {
        let down = self.guests.swap_remove(&id) == Some(Guest::Down);
        if down && vmi.is_final() && !cx.environment.machines.is_lost(&vmi.status.node_name) {
            cx.event(vmi, EventType::Normal, "Deleted", "Signaled Deletion");
        }
    }

    /// Defines and starts the domain.
    fn start(
        &mut self,
        id: ObjectId,
        vmi: &VirtualMachineInstance,
        pod: &Pod,
        cx: &mut Context<'_>,
    ) -> Action {
        match cx.environment.launchers.fault_of(pod) {
            // It is about to end, and its end will be seen.
            Some(LauncherFault::CrashAtStart) => Action::Done,
            Some(LauncherFault::DomainCannotStart) => {
                self.guests.insert(id, Guest::CannotStart);
                cannot_start(id, vmi, cx)
            }
            None => {
                cx.environment.launchers.guest_started(pod, has_acpi(&vmi.spec));
                cx.event(vmi, EventType::Normal, "Created", "VirtualMachineInstance defined.");
                self.guests.insert(id, Guest::Booting);
                cx.complete_after(cx.config.latency.guest_boot, GuestEvent::Booted.of(id));
                Action::Done
            }
        }
    }

    /// Something has happened to a guest.
    pub(super) fn guest_event(&mut self, work: Work, cx: &mut Context<'_>) {
        let event = GuestEvent::in_work(work);
        // A guest that is told to shut down stays told so while it is paused.
        let keeps_on = matches!(event, GuestEvent::Paused | GuestEvent::Unpaused);
        let state = if keeps_on { None } else { self.guests.swap_remove(&work.id) };
        let newest = cx.newest();
        let Some(vmi) = newest.get::<VirtualMachineInstance>(work.id).cloned() else { return };
        let Some((_, pod)) = super::launcher(&vmi, newest) else { return };
        if !super::is_handled(&vmi) || cx.environment.machines.is_lost(&vmi.status.node_name) {
            return;
        }
        let running = vmi.status.phase == "Running";
        let runs = running && !pause::is_paused(&vmi);
        match event {
            GuestEvent::Booted if state == Some(Guest::Booting) && !running => {
                booted(work.id, &vmi, &pod, cx)
            }
            GuestEvent::Booted => {}
            GuestEvent::ShutDown if heeds_power_button(&vmi, cx) => ended(work.id, &vmi, true, cx),
            GuestEvent::ShutDown => {
                cx.event(&*vmi, EventType::Normal, "Deleted", "VirtualMachineInstance stopping");
                ended(work.id, &vmi, !hears_power_button(&vmi), cx);
            }
            GuestEvent::Lost => ended(work.id, &vmi, false, cx),
            GuestEvent::Panicked if runs => ended(work.id, &vmi, false, cx),
            GuestEvent::PoweredOff if runs => ended(work.id, &vmi, true, cx),
            GuestEvent::Paused if running => pause::switch(work.id, &pod, true, cx),
            GuestEvent::Unpaused if running => pause::switch(work.id, &pod, false, cx),
            GuestEvent::Panicked | GuestEvent::PoweredOff | GuestEvent::Paused | GuestEvent::Unpaused => {}
            GuestEvent::Moved => unreachable!("a transfer's end is the transfer's: {work:?}"),
        }
        let is_final = cx.newest().get::<VirtualMachineInstance>(work.id).is_some_and(|vmi| vmi.is_final());
        if is_final {
            cx.environment.launchers.guest_ended(&pod);
            if event != GuestEvent::Lost {
                self.guests.insert(work.id, Guest::Down);
            }
        }
    }
}

/// The guest runs, or stands still where it is to start so, unless its launcher has ended meanwhile.
fn booted(id: ObjectId, vmi: &VirtualMachineInstance, pod: &Pod, cx: &mut Context<'_>) {
    if pod.is_finished() || is_compute_down(pod) {
        cx.requeue_after(Duration::ZERO, id);
        return;
    }
    let (paused, now) = (pause::starts_paused(vmi), cx.now);
    cx.environment.launchers.guest_paused(pod, paused);
    let migratable = migratable::condition(vmi, cx.view());
    migratable::warn(vmi, &migratable, cx);
    set_phase(id, arcstr::literal!("Running"), cx, |vmi| {
        remove_condition(&mut vmi.status.conditions, &migratable.kind);
        vmi.status.conditions.push(migratable);
        if paused {
            pause::show(vmi, now);
        }
    });
    cx.event(vmi, EventType::Normal, "Started", "VirtualMachineInstance started.");
}

/// The domain is gone.
fn ended(id: ObjectId, vmi: &VirtualMachineInstance, orderly: bool, cx: &mut Context<'_>) {
    if orderly {
        set_phase(id, arcstr::literal!("Succeeded"), cx, |_| {});
        cx.event(vmi, EventType::Normal, "Stopped", "The VirtualMachineInstance was shut down.");
    } else {
        set_phase(id, arcstr::literal!("Failed"), cx, |_| {});
        cx.event(vmi, EventType::Warning, "Stopped", "The VirtualMachineInstance crashed.");
    }
}

/// Writes a phase, and what goes with it; a sync that has worked takes Synchronized away.
fn set_phase(
    id: ObjectId,
    phase: ArcStr,
    cx: &mut Context<'_>,
    besides: impl FnOnce(&mut VirtualMachineInstance),
) {
    let now = cx.now;
    let written = cx.patch::<VirtualMachineInstance>(id, |vmi| {
        vmi.status.phase = phase;
        set_phase_transition(vmi, now);
        remove_condition(&mut vmi.status.conditions, "Synchronized");
        besides(vmi);
    });
    assert!(written.is_ok(), "an instance that was just read exists: {written:?}");
}

/// libvirt refuses the domain: that is shown, and tried again with back-off.
fn cannot_start(id: ObjectId, vmi: &VirtualMachineInstance, cx: &mut Context<'_>) -> Action {
    let message = arcstr::literal!(
        "server error. command SyncVMI failed: \"LibvirtError(Code=1, Domain=10, Message='internal error: process \
         exited while connecting to monitor')\""
    );
    let reason = arcstr::literal!("Synchronizing with the Domain failed.");
    let kind = arcstr::literal!("Synchronized");
    let condition = Condition::new(kind, Truth::False, reason, cx.now.truncate_to_secs());
    let condition = condition.with_message(message.clone());
    let written = cx.patch::<VirtualMachineInstance>(id, |vmi| {
        let shown = vmi
            .status
            .conditions
            .iter()
            .any(|found| found.kind == "Synchronized" && found.is_false_because(&condition.reason));
        if !shown {
            remove_condition(&mut vmi.status.conditions, "Synchronized");
            vmi.status.conditions.push(condition);
        }
    });
    cx.event(vmi, EventType::Warning, "SyncFailed", &message);
    match written {
        Ok(_) => Action::Fail(message),
        Err(error) => Action::Fail(error.to_string().into()),
    }
}
