//! Async detectors on tokio's timers, with the clock in the harness's hand.
//!
//! A runtime of one thread is made for each case, with its clock paused. Before an input is handed over the clock is set to its
//! instant and the detector runs until it has nothing left to do; then it gets the input and runs again. No real time
//! passes, and the detector is the one that runs elsewhere: it has its inputs from a channel and sleeps by [`tokio::time`].

use super::call::{Question, call};
use super::candidate::{Answer, Candidate, Capabilities, Session, Start};
use crate::judge::Profile;
use crate::stream::{Alert, Input};
use crate::verdict::{ErrorKind, RunError};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;
use stuckvm_detector::Time;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What tokio's timers can do: they tick in whole milliseconds.
pub const TICK: Duration = Duration::from_millis(1);

/// What a detector says, other than by a return value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// An alert has become due.
    Alert(Alert),
    /// A word of the input that it does not know (R12).
    Unknown(String),
    /// It does not take the input (R13), and why.
    Rejected(String),
}

/// An async detector, made anew for each case.
///
/// `run` gets the channel of the inputs and the one for what the detector says, and gives the future that is the detector. It may
/// spawn tasks on the runtime. It is judged by [`Profile::Resolution`] with [`TICK`].
///
/// An input has the instant at which it was delivered, and [`tokio::time::Instant::now`] is that instant, to the nanosecond.
/// [`Event::Advance`](crate::stream::Event::Advance) says that the clock has come so far and nothing more is delivered at that instant; the clock has been set
/// before, so that only R13 needs it.
pub struct PausedClock<F> {
    name: String,
    capabilities: Capabilities,
    run: F,
}

impl<F, D> PausedClock<F>
where
    F: Fn(&Start<'_>, UnboundedReceiver<Input>, UnboundedSender<Said>) -> D + Sync,
    D: Future<Output = ()> + 'static,
{
    /// A detector of that name. One that is stopped could not say what it knows: `thresholds` is the capability there is.
    pub fn new(name: &str, thresholds: bool, run: F) -> Self {
        Self { name: name.to_owned(), capabilities: Capabilities { snapshot: false, thresholds }, run }
    }
}

impl<F, D> Candidate for PausedClock<F>
where
    F: Fn(&Start<'_>, UnboundedReceiver<Input>, UnboundedSender<Said>) -> D + Sync,
    D: Future<Output = ()> + 'static,
{
    fn name(&self) -> String {
        self.name.clone()
    }

    fn profile(&self) -> Profile {
        Profile::Resolution(TICK)
    }

    fn start(&self, start: &Start<'_>) -> Result<Box<dyn Session + '_>, RunError> {
        let (inputs, receiver) = unbounded_channel();
        let (sender, said) = unbounded_channel();
        let idle = Idle::default();
        let runtime =
            idle.runtime().map_err(|error| died(&format!("tokio's runtime does not start: {error}")))?;
        let detector: Pin<Box<dyn Future<Output = ()>>> = {
            let _entered = runtime.enter();
            call(Question::Start, || Box::pin((self.run)(start, receiver, sender)))?
        };
        Ok(Box::new(Run {
            capabilities: self.capabilities,
            runtime,
            idle,
            detector: Some(detector),
            inputs,
            said,
            now: None,
        }))
    }
}

/// One case.
struct Run {
    capabilities: Capabilities,
    runtime: Runtime,
    idle: Idle,
    /// None once it has ended.
    detector: Option<Pin<Box<dyn Future<Output = ()>>>>,
    inputs: UnboundedSender<Input>,
    said: UnboundedReceiver<Said>,
    /// The instant at which the clock stands, from the first input on.
    now: Option<Time>,
}

impl Session for Run {
    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn input(&mut self, seq: u64, input: &Input) -> Result<Answer, RunError> {
        let sent = call(Question::Input(seq, input), || {
            self.set_clock(input.at);
            // A detector that has ended has closed the channel.
            let sent = self.inputs.send(input.clone());
            self.settle();
            sent
        })?;
        if sent.is_err() || self.detector.is_none() {
            return Err(died("its future ended, and more was to come"));
        }
        Ok(self.answer())
    }

    fn snapshot(&mut self) -> Result<String, RunError> {
        Err(died("it gives no snapshot"))
    }
}

impl Run {
    /// Time passes. It never goes back: an input from the past meets a clock that stands.
    fn set_clock(&mut self, at: Time) {
        let passes = at.saturating_since(self.now.unwrap_or(at));
        self.now = self.now.max(Some(at));
        if !passes.is_zero() {
            self.runtime.block_on(tokio::time::advance(passes));
            self.settle();
        }
    }

    /// Lets everything run until the runtime would sleep. The first time it wakes those whose timers are due, and they have run
    /// by the second.
    fn settle(&mut self) {
        let Self { runtime, idle, detector, .. } = self;
        for _ in 0..2 {
            runtime.block_on(idle.with(detector));
        }
    }

    fn answer(&mut self) -> Answer {
        let mut answer = Answer { unknown: Some(Vec::new()), ..Answer::default() };
        while let Ok(said) = self.said.try_recv() {
            match said {
                Said::Alert(alert) => answer.alerts.push(alert),
                Said::Unknown(word) => answer.unknown.get_or_insert_default().push(word),
                Said::Rejected(why) => answer.rejected = Some(why),
            }
        }
        answer
    }
}

fn died(why: &str) -> RunError {
    RunError { kind: ErrorKind::Died, because: vec![why.to_owned()] }
}

/// Tells when a runtime has nothing left to do.
///
/// tokio calls a hook before its thread parks. The hook wakes the future that waits, so that the thread goes on at once: a paused
/// clock that is let sleep would jump to the next timer.
#[derive(Clone, Default)]
struct Idle(Arc<Mutex<Option<Waker>>>);

impl Idle {
    fn runtime(&self) -> std::io::Result<Runtime> {
        let idle = self.clone();
        let wake = move || {
            if let Some(waker) = idle.waker().take() {
                waker.wake();
            }
        };
        Builder::new_current_thread().enable_time().start_paused(true).on_thread_park(wake).build()
    }

    fn waker(&self) -> std::sync::MutexGuard<'_, Option<Waker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the detector and its tasks until nothing is left to do.
    async fn with(&self, detector: &mut Option<Pin<Box<dyn Future<Output = ()>>>>) {
        let mut waits = false;
        poll_fn(|context| {
            if let Some(running) = detector
                && running.as_mut().poll(context).is_ready()
            {
                *detector = None;
            }
            // Woken by the hook, and not by the detector.
            if waits && self.waker().is_none() {
                return Poll::Ready(());
            }
            waits = true;
            *self.waker() = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
