//! A detector that runs as a program, asked by protocol 1.

use super::Exec;
use super::messages::{Begin, Done, PROTOCOL, Refusal, Said, Told};
use super::talk::{Patience, Silence, Talk};
use crate::conformance::candidate::{Answer, Capabilities, Session, Start};
use crate::quote::quote;
use crate::stream::{Event, Input};
use crate::verdict::{ErrorKind, RunError};
use std::time::{Duration, Instant};
use stuckvm_sim::duration;

/// So many bytes a detector may say, whatever it is told: alerts and words are kept until it is judged.
const SAID_MAX: usize = 16 << 20;
/// And so many more for each input and each observation: one can be behind a firing and a resolved, of the longest names.
const SAID_MAX_EACH: usize = 2 << 10;
/// How long a program that closes a stream may take to end before it is said to go on.
const GRACE: Duration = Duration::from_millis(500);

/// A conversation with one program.
pub(super) struct Conversation<'a> {
    exec: &'a Exec,
    /// `None` after the first error: the program is dead then.
    talk: Option<Talk>,
    capabilities: Capabilities,
    /// What it was told last: in words, and as the line that was sent.
    told: (String, String),
    /// When the answer to that must be complete.
    deadline: Instant,
    /// The line that it said last.
    said: Vec<u8>,
    /// So many bytes it may say yet.
    bytes_left: usize,
    /// The last input that it has answered.
    answered: u64,
}

impl<'a> Conversation<'a> {
    /// Starts the program and hears what it can do.
    pub(super) fn begin(exec: &'a Exec, start: &Start<'_>) -> Result<Self, RunError> {
        let talk = Talk::start(&exec.command).map_err(|error| RunError {
            kind: ErrorKind::Died,
            because: vec![format!("`sh` could not be started: {error}")],
        })?;
        let mut conversation = Self {
            exec,
            talk: Some(talk),
            capabilities: Capabilities::default(),
            told: (String::new(), String::new()),
            deadline: Instant::now(),
            said: Vec::new(),
            bytes_left: SAID_MAX,
            answered: 0,
        };
        let restore = start.restore.map(|text| serde_json::from_str(text).expect("a snapshot is JSON"));
        let begin = Begin::new(start.case, start.thresholds, restore);
        conversation.tell("the start".to_owned(), &Told::Start(begin));
        conversation.capabilities = conversation.hello()?;
        Ok(conversation)
    }

    fn hello(&mut self) -> Result<Capabilities, RunError> {
        let hello = match self.hear()? {
            Said::Hello(hello) => hello,
            other => return Err(self.not_due(&other, "`hello`")),
        };
        if hello.protocol != PROTOCOL {
            let theirs = hello.protocol;
            return Err(self.object(format!("it speaks protocol {theirs}; expected protocol {PROTOCOL}")));
        }
        let can = |word: &str| hello.capabilities.iter().any(|capability| capability == word);
        Ok(Capabilities { snapshot: can("snapshot"), thresholds: can("thresholds") })
    }

    fn tell(&mut self, what: String, told: &Told<'_>) {
        self.told = (what, told.line());
        self.deadline = Instant::now() + self.exec.timeout;
        if let Some(talk) = &mut self.talk {
            talk.send(&self.told.1);
        }
    }

    fn hear(&mut self) -> Result<Said, RunError> {
        let said = self.hear_line(GRACE).map_err(|silence| self.unanswered(silence))?;
        self.bytes_left = self.bytes_left.saturating_sub(said.len());
        self.said = said;
        if self.bytes_left == 0 {
            let what = &self.told.0;
            return Err(self.object(format!("it floods: its answer to {what} is too long to be kept")));
        }
        Said::read(&self.said).map_err(|problem| {
            let what = &self.told.0;
            self.object(format!("it answered {what} with a line that is no message: {problem}"))
        })
    }

    fn hear_line(&mut self, grace: Duration) -> Result<Vec<u8>, Silence> {
        let stop = self.exec.stop.as_deref();
        let patience = Patience { deadline: self.deadline, grace, stop };
        self.talk.as_mut().expect("nobody asks a program that was killed").line(patience)
    }

    fn check_seq(&mut self, found: u64, due: u64) -> Result<(), RunError> {
        if found == due {
            self.answered = due;
            return Ok(());
        }
        Err(if found <= self.answered {
            self.object(format!("it answered input {found} a second time"))
        } else {
            self.object(format!("it answered input {due} with the number {found}"))
        })
    }

    /// The error of a line that came after everything was answered.
    fn too_much(&mut self) -> RunError {
        match Said::read(&self.said) {
            Ok(Said::Done(Done { seq, .. }) | Said::Error(Refusal { seq, .. })) if seq <= self.answered => {
                self.object(format!("it answered input {seq} a second time"))
            }
            _ => self.object("it said more after it was told to stop".to_owned()),
        }
    }

    /// The error of a message that is none of those that are due.
    fn not_due(&mut self, said: &Said, due: &str) -> RunError {
        let (what, name) = (&self.told.0, said.name());
        self.object(format!("it answered {what} with `{name}`; expected {due}"))
    }

    /// The error of a line that came.
    fn object(&mut self, problem: String) -> RunError {
        let line = format!("its line: {}", quote(&self.said));
        self.end(ErrorKind::Protocol, vec![problem, line])
    }

    /// The error of a line that did not come.
    fn unanswered(&mut self, silence: Silence) -> RunError {
        let what = &self.told.0;
        let (kind, problem) = match silence {
            Silence::Timeout => {
                let timeout = duration::format(self.exec.timeout);
                (ErrorKind::Timeout, format!("it did not answer {what} within {timeout}"))
            }
            Silence::Ended(end) => (ErrorKind::Died, format!("it ended before it answered {what}: {end}")),
            Silence::ClosedInput => {
                (ErrorKind::Protocol, format!("it closed its standard input before it answered {what}"))
            }
            Silence::ClosedOutput => {
                (ErrorKind::Protocol, format!("it closed its standard output before it answered {what}"))
            }
            Silence::TooLong => {
                (ErrorKind::Protocol, format!("it answered {what} with a line of more than 1 MiB"))
            }
            Silence::Interrupted => {
                (ErrorKind::Interrupted, format!("the user interrupted before it answered {what}"))
            }
            Silence::System(error) => (ErrorKind::Died, format!("it cannot be listened to: {error}")),
        };
        let rest = self.talk.as_ref().map_or_else(String::new, |talk| quote(talk.rest()));
        let begun = (!rest.is_empty()).then(|| format!("its line begins: {rest}"));
        self.end(kind, [problem].into_iter().chain(begun).collect())
    }

    /// Kills the program, and adds to the reasons what it was told and what its standard error ended with.
    fn end(&mut self, kind: ErrorKind, mut because: Vec<String>) -> RunError {
        because.push(format!("it was told: {}", quote(self.told.1.as_bytes())));
        let errors = self.talk.take().map_or_else(Vec::new, Talk::kill);
        because.extend(errors.into_iter().map(|line| format!("its standard error: {line}")));
        RunError { kind, because }
    }
}

impl Session for Conversation<'_> {
    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn input(&mut self, seq: u64, input: &Input) -> Result<Answer, RunError> {
        self.tell(format!("input {seq}"), &Told::Input { seq, input });
        self.bytes_left += SAID_MAX_EACH * (1 + observations(input));
        let mut alerts = Vec::new();
        loop {
            match self.hear()? {
                Said::Alert(alert) => alerts.push(alert),
                Said::Done(done) => {
                    self.check_seq(done.seq, seq)?;
                    return Ok(Answer { alerts, unknown: done.unknown, rejected: None });
                }
                Said::Error(refusal) => {
                    self.check_seq(refusal.seq, seq)?;
                    return Ok(Answer { alerts, unknown: None, rejected: Some(refusal.error) });
                }
                other => return Err(self.not_due(&other, "`alert`, `done` or `error`")),
            }
        }
    }

    fn snapshot(&mut self) -> Result<String, RunError> {
        self.tell("the request for a snapshot".to_owned(), &Told::Snapshot);
        match self.hear()? {
            Said::Snapshot(data) => Ok(data.get().to_owned()),
            other => Err(self.not_due(&other, "`snapshot`")),
        }
    }

    fn finish(&mut self) -> Result<(), RunError> {
        self.tell("the stop".to_owned(), &Told::Stop);
        self.talk.iter_mut().for_each(Talk::hang_up);
        match self.hear_line(Duration::ZERO) {
            Ok(line) => {
                self.said = line;
                Err(self.too_much())
            }
            // However it ends: it has answered everything.
            Err(Silence::Ended(_) | Silence::ClosedInput | Silence::ClosedOutput) => Ok(()),
            Err(silence) => Err(self.unanswered(silence)),
        }
    }
}

/// How many statuses an input tells.
fn observations(input: &Input) -> usize {
    match &input.event {
        Event::Observed(_) => 1,
        Event::Relist(list) => list.len(),
        Event::Deleted(_) | Event::Advance => 0,
    }
}
