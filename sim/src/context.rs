//! What a controller may do: read its view, write to the store, set timers, draw.

use crate::claim_events::{ClaimEvent, ClaimEvents};
use crate::config::Config;
use crate::environment::Environment;
use crate::event_queue::{EventQueue, Phase};
use crate::held_event::{HeldEvent, Said};
use crate::journal::Entry;
use crate::kind::{Kind, Object, ObjectId, Resource};
use crate::objects::{Pod, VirtualMachine};
use crate::random::{COMPONENTS, Random};
use crate::seat::Process;
use crate::store::{ApiError, Horizon, Store, View};
use crate::trace::Trace;
use crate::work_queue::Work;
use arcstr::ArcStr;
use std::fmt::Write as _;
use std::time::Duration;
use stuckvm_detector::{PrintableStatus, Time};

/// What is to happen at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The oldest pending watch delivery reaches every controller.
    Deliver,
    /// A controller's timer: the work goes into its queue.
    Requeue { process: Process, work: Work },
    /// Work that was put off by its own outcome is due.
    Delayed { process: Process, work: Work },
    /// Something in the world has ended.
    Complete { process: Process, work: Work },
    /// The API server has answered the requests of a look at something.
    Answered { process: Process, work: Work },
}

/// A write of a virtual machine's printable status, or the machine's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusWrite {
    /// When.
    pub at: Time,
    /// Which; the index is dense and never used again.
    pub id: ObjectId,
    /// Its namespace.
    pub namespace: ArcStr,
    /// Its name.
    pub name: ArcStr,
    /// Its uid.
    pub uid: ArcStr,
    /// The status; `None` when the machine is gone.
    pub status: Option<PrintableStatus>,
}

/// Severity of a Kubernetes event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventType {
    /// Information.
    Normal,
    /// Something is wrong.
    Warning,
}

impl EventType {
    /// `Normal` or `Warning`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

/// The doors of one call of a controller.
pub(crate) struct Context<'a> {
    /// Virtual time; it does not pass during a call.
    pub(crate) now: Time,
    /// Settings.
    pub(crate) config: &'a Config,
    /// The world outside of the API: registries, sources, guests, machines.
    pub(crate) environment: &'a mut Environment,
    pub(crate) random: &'a mut Random,
    pub(super) actor: &'static str,
    pub(super) process: Process,
    pub(super) store: &'a mut Store,
    pub(super) horizon: Option<&'a Horizon>,
    pub(super) rehearses: bool,
    pub(super) held_events: Option<Vec<HeldEvent>>,
    pub(super) events: &'a mut EventQueue<Event>,
    pub(super) trace: &'a mut Trace,
    pub(super) status_writes: &'a mut Vec<StatusWrite>,
    pub(super) claim_events: &'a mut ClaimEvents,
    pub(super) journal: Option<&'a mut Vec<Entry>>,
}

impl Context<'_> {
    /// What this controller knows. It does not show what this call has written.
    pub(crate) fn view(&self) -> View<'_> {
        match self.horizon {
            Some(horizon) => View::new(self.store, horizon),
            None => View::newest(self.store),
        }
    }

    /// The API server's own view: for what a real component asks the server itself (a live GET), not for caches.
    pub(crate) fn newest(&self) -> View<'_> {
        View::newest(self.store)
    }

    /// Lets a look be played of which nothing remains: no event, no timer, no write. What writes asks
    /// [`Context::rehearses`] first.
    pub(crate) fn rehearse<R>(&mut self, look: impl FnOnce(&mut Self) -> R) -> R {
        self.rehearses = true;
        let (result, _unsaid) = self.hold_events(look);
        self.rehearses = false;
        result
    }

    /// Whether this is a rehearsal.
    pub(crate) fn rehearses(&self) -> bool {
        self.rehearses
    }

    /// Creates an object, unless an admission plugin, a quota or a webhook refuses it.
    pub(crate) fn create<T: Resource>(&mut self, mut object: T) -> Result<ObjectId, ApiError> {
        let meta = object.metadata();
        let refusal = object.objection(View::newest(self.store)).or_else(|| {
            let why = self.environment.admission.refusal(T::KIND, &meta.namespace)?;
            Some(ApiError::forbidden(T::KIND, meta, why))
        });
        if let Some(refusal) = refusal {
            return self.traced("create", |_, _| Err(refusal));
        }
        object.admit(View::newest(self.store), self.now, self.config);
        self.traced("create", |store, now| store.create(object, now))
    }

    /// Creates an object as it stands, past quotas, webhooks and defaults.
    pub(crate) fn create_as_is<T: Resource>(&mut self, object: T) -> Result<ObjectId, ApiError> {
        self.traced("create", |store, now| store.create(object, now))
    }

    /// Replaces an object; it must still have the revision at which `object` was read.
    pub(crate) fn update<T: Resource>(&mut self, id: ObjectId, object: T) -> Result<(), ApiError> {
        if self.environment.api.is_contended(self.actor, T::KIND) {
            self.let_other_client_write::<T>(id);
        }
        self.traced("update", |store, _| store.update(id, object))
    }

    /// Another client writes the object first: an annotation, which nobody but it reads.
    fn let_other_client_write<T: Resource>(&mut self, id: ObjectId) {
        let actor = std::mem::replace(&mut self.actor, "other-client");
        let revision = arcstr::format!("{}", self.store.revision());
        let written = self.patch::<T>(id, |object| {
            object.metadata_mut().annotations.insert("other-client/last-write", revision);
        });
        debug_assert!(written != Ok(false), "the revision is another one each time");
        self.actor = actor;
    }

    /// Changes the newest version, as the server does with a patch; returns whether that changed anything.
    pub(crate) fn patch<T: Resource>(
        &mut self,
        id: ObjectId,
        change: impl FnOnce(&mut T),
    ) -> Result<bool, ApiError> {
        self.traced("update", |store, _| store.patch(id, change))
    }

    /// Deletes an object. A pod that is on a node and not finished keeps its own grace.
    pub(crate) fn delete<T: Resource>(&mut self, id: ObjectId) -> Result<(), ApiError> {
        let newest = self.newest().get::<T>(id).cloned().ok_or_else(|| self.store.gone::<T>(id))?;
        let grace = match T::wrap(newest) {
            Object::Pod(pod) => pod_grace_seconds(&pod),
            _ => 0,
        };
        self.traced_delete::<T>(id, grace)
    }

    /// Deletes a pod without grace, as the kubelet does when it has stopped and pod garbage collection does by force.
    pub(crate) fn remove_pod(&mut self, id: ObjectId) -> Result<(), ApiError> {
        self.traced_delete::<Pod>(id, 0)
    }

    /// The events of a claim, oldest first, as the cache of events shows them: without those of this call.
    pub(crate) fn claim_events(&self, claim_uid: &str) -> &[ClaimEvent] {
        self.claim_events.of(claim_uid)
    }

    /// Records a Kubernetes event on an object.
    pub(crate) fn event(&mut self, on: &impl Resource, kind: EventType, reason: &str, message: &str) {
        self.event_on(on, "", kind, (reason, message));
    }

    /// Records a Kubernetes event on a part of an object, such as `spec.containers{compute}`.
    pub(crate) fn event_on(
        &mut self,
        on: &impl Resource,
        field: &str,
        severity: EventType,
        (reason, message): (&str, &str),
    ) {
        self.say(Said { kind: type_name(on), meta: on.metadata(), field, severity, reason, message });
    }

    /// Records an event that was held.
    pub(crate) fn event_held(&mut self, held: &HeldEvent) {
        self.say(held.as_said());
    }

    /// Plays a look whose events are held: for one during which somebody else's write is on its way, which comes first.
    pub(crate) fn hold_events<R>(&mut self, look: impl FnOnce(&mut Self) -> R) -> (R, Vec<HeldEvent>) {
        self.held_events = Some(Vec::new());
        let result = look(self);
        (result, self.held_events.take().unwrap_or_default())
    }

    fn say(&mut self, said: Said<'_>) {
        if let Some(held) = &mut self.held_events {
            held.push(said.hold());
            return;
        }
        let Said { kind, meta, field, severity, reason, message } = said;
        self.trace.record(self.now, self.actor, "event", |line| {
            name(line, kind, &meta.namespace, &meta.name);
            let _ = write!(line, "\t{} {reason}: {message}", severity.as_str());
        });
        if kind == Kind::PersistentVolumeClaim.as_str() {
            self.claim_events.record(&meta.uid, ClaimEvent::new(severity, reason, message, self.now));
        }
        if let Some(journal) = &mut self.journal {
            journal.push(Entry::Event {
                at: self.now,
                actor: self.actor,
                kind,
                namespace: meta.namespace.to_string(),
                name: meta.name.to_string(),
                field: field.to_owned(),
                severity,
                reason: reason.to_owned(),
                message: message.to_owned(),
            });
        }
    }

    /// Puts work into this controller's queue after a time (at least in a later turn).
    pub(crate) fn requeue_after(&mut self, delay: Duration, work: impl Into<Work>) {
        let event = Event::Requeue { process: self.process, work: self.timer_for(work) };
        self.events.push_after(self.now, delay, Phase::Controller, event);
    }

    /// Puts work into this controller's queue at an instant.
    pub(crate) fn requeue_at(&mut self, at: Time, work: impl Into<Work>) {
        if self.rehearses {
            return;
        }
        let event = Event::Requeue { process: self.process, work: self.timer_for(work) };
        self.events.push_at(at.max(self.now), Phase::Controller, event);
    }

    /// Calls this controller's `complete` after a time, before the controllers of that instant.
    pub(crate) fn complete_after(&mut self, delay: Duration, work: impl Into<Work>) {
        let event = Event::Complete { process: self.process, work: self.timer_for(work) };
        self.events.push_after(self.now, delay, Phase::Environment, event);
    }

    /// Calls this controller's `complete` at an instant.
    pub(crate) fn complete_at(&mut self, at: Time, work: impl Into<Work>) {
        let event = Event::Complete { process: self.process, work: self.timer_for(work) };
        self.events.push_at(at.max(self.now), Phase::Environment, event);
    }

    /// Work whose timer this call sets.
    fn timer_for(&mut self, work: impl Into<Work>) -> Work {
        assert!(!self.rehearses, "{} sets a timer in a rehearsal", self.actor);
        let work = work.into();
        if let Some(causes) = self.trace.causes() {
            causes.set_timer(self.actor, work);
        }
        work
    }

    /// A uniform draw of this controller's own stream, ends included.
    pub(crate) fn draw(&mut self, range: std::ops::RangeInclusive<u64>) -> u64 {
        assert!(COMPONENTS.contains(&self.actor), "{} draws, so it stands in the list", self.actor);
        self.random.uniform(self.actor, range)
    }

    /// A delete that changes nothing is a request all the same, which the journal tells.
    fn traced_delete<T: Resource>(&mut self, id: ObjectId, grace: u32) -> Result<(), ApiError> {
        let before = self.store.revision();
        self.traced("delete", |store, now| store.delete::<T>(id, now, grace))?;
        let unchanged =
            (self.store.revision() == before).then(|| self.newest().get::<T>(id).cloned()).flatten();
        if let (Some(object), Some(journal)) = (unchanged, &mut self.journal) {
            let object = T::wrap(object);
            journal.push(Entry::Unchanged { at: self.now, actor: self.actor, verb: "delete", id, object });
        }
        Ok(())
    }

    fn traced<R>(
        &mut self,
        verb: &'static str,
        write: impl FnOnce(&mut Store, Time) -> Result<R, ApiError>,
    ) -> Result<R, ApiError> {
        assert!(!self.rehearses, "{} writes in a rehearsal", self.actor);
        let before = self.store.revision();
        let result = write(self.store, self.now);
        for revision in before + 1..=self.store.revision() {
            self.record(verb, revision);
        }
        if let (Err(error), Some(journal)) = (&result, &mut self.journal) {
            journal.push(Entry::Refused { at: self.now, actor: self.actor, verb, error: error.to_string() });
        }
        result
    }

    fn record(&mut self, verb: &'static str, revision: u64) {
        let change = self.store.change(revision);
        let verb = if change.new.is_none() { "remove" } else { verb };
        let object = change.object();
        let meta = object.metadata();
        self.trace.record_write(self.now, self.actor, (verb, revision), |line| {
            name(line, object.kind().as_str(), &meta.namespace, &meta.name);
            line.push('\t');
            if let Some(new) = &change.new {
                new.summarize(line);
            }
        });
        if change.new.is_none() && change.id.kind == Kind::PersistentVolumeClaim {
            self.claim_events.forget(&meta.uid);
        }
        if let Some(write) = status_write(change, self.now) {
            self.status_writes.push(write);
        }
        if let Some(journal) = &mut self.journal {
            let (old, new) = (change.old.clone(), change.new.clone());
            journal.push(Entry::Write { at: self.now, actor: self.actor, verb, id: change.id, old, new });
        }
    }
}

/// A write is observed when the word changes, when the machine is new, and when it is gone.
fn status_write(change: &crate::store::Change, at: Time) -> Option<StatusWrite> {
    let old = change.old_as::<VirtualMachine>().map(|vm| vm.status.printable_status);
    let new = change.new_as::<VirtualMachine>().map(|vm| vm.status.printable_status);
    if old == new {
        return None;
    }
    let meta = change.object().metadata();
    let (namespace, name, uid) = (meta.namespace.clone(), meta.name.clone(), meta.uid.clone());
    Some(StatusWrite { at, id: change.id, namespace, name, uid, status: new })
}

/// Unscheduled and finished pods go at once (`pkg/registry/core/pod/strategy.go`, Kubernetes 1.36).
fn pod_grace_seconds(pod: &Pod) -> u32 {
    if pod.node().is_none() || pod.is_finished() {
        return 0;
    }
    let seconds = pod.spec.termination_grace_period_seconds.unwrap_or(30);
    // A negative one counts as a second; none at all deletes at once.
    u32::try_from(seconds).unwrap_or(1)
}

fn type_name<T: Resource>(_: &T) -> &'static str {
    T::KIND.as_str()
}

fn name(line: &mut String, kind: &str, namespace: &str, name: &str) {
    let separator = if namespace.is_empty() { "" } else { "/" };
    let _ = write!(line, "{kind} {namespace}{separator}{name}");
}
