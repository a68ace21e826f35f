//! What is under way with a guest, and what happens to it.

use crate::kind::ObjectId;
use crate::work_queue::Work;

/// What is under way with a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guest {
    /// The domain is defined, the guest boots.
    Booting,
    /// The guest was told to shut down.
    ShuttingDown,
    /// The domain was refused; the fault lasts as long as the launcher.
    CannotStart,
    /// The launcher has ended, which nobody has noticed yet.
    LauncherEnded,
    /// The domain has ended by itself or was destroyed, and its launcher has still to forget it.
    Down,
}

/// What happens to a guest, by itself or from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum GuestEvent {
    /// It has booted.
    Booted = 1,
    /// It has shut down, because it was told to.
    ShutDown,
    /// Its launcher's end was noticed.
    Lost,
    /// Its kernel panics.
    Panicked,
    /// It powers itself off.
    PoweredOff,
    /// It is paused.
    Paused,
    /// It goes on after a pause.
    Unpaused,
    /// Its way to another node has come to an end.
    Moved,
}

impl GuestEvent {
    const ALL: [Self; 8] = [
        Self::Booted,
        Self::ShutDown,
        Self::Lost,
        Self::Panicked,
        Self::PoweredOff,
        Self::Paused,
        Self::Unpaused,
        Self::Moved,
    ];

    /// The event as work on an instance.
    pub(crate) const fn of(self, id: ObjectId) -> Work {
        Work { id, what: self as u16, number: 0 }
    }

    /// The event that the work is about.
    pub(super) fn in_work(work: Work) -> Self {
        let found = Self::ALL.into_iter().find(|event| *event as u16 == work.what);
        found.unwrap_or_else(|| unreachable!("{work:?} is the event of a guest"))
    }
}
