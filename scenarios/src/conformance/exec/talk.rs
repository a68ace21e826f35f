//! Lines to and from a program: one loop that waits for whichever stream moves, and for no longer than it may.

use super::lines::{Lines, TooLong};
use super::process::{End, Pipes, Program};
use super::tail::Tail;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write as _};
use std::process::{ChildStderr, ChildStdin, ChildStdout};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A wait lasts no longer before it is seen whether the program has ended or the user has interrupted.
const TICK: Timespec = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
/// No wait at all.
const NONE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
/// So many bytes are read at once.
const PIECE: usize = 1 << 14;
/// So many pieces of its standard error are read of a program that was killed: more than a pipe holds.
const LAST_PIECES: usize = 64;

/// Both sides of a conversation with a program. Dropping it kills the program.
pub(super) struct Talk {
    program: Program,
    /// `None` once either side has closed it, as with the other two.
    input: Option<ChildStdin>,
    output: Option<ChildStdout>,
    errors: Option<ChildStderr>,
    /// What is to be written yet.
    unsent: VecDeque<u8>,
    /// Nothing more is to be written.
    hung_up: bool,
    lines: Lines,
    tail: Tail,
    /// When the program was first seen to have closed a stream, and what follows if it goes on.
    closed: Option<(Instant, Silence)>,
}

/// Why no line comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Silence {
    /// The time is over.
    Timeout,
    /// The program has ended.
    Ended(End),
    /// It has closed its standard input and goes on.
    ClosedInput,
    /// It has closed its standard output and goes on.
    ClosedOutput,
    /// The line is longer than any may be.
    TooLong,
    /// The user does not want to wait.
    Interrupted,
    /// The system does not let the harness wait.
    System(ErrorKind),
}

/// How long a line is waited for.
#[derive(Clone, Copy)]
pub(super) struct Patience<'a> {
    /// Until then.
    pub(super) deadline: Instant,
    /// A program that closes a stream may take so long to end: one that ends closes all of them a moment before.
    pub(super) grace: Duration,
    /// And until this is true.
    pub(super) stop: Option<&'a AtomicBool>,
}

impl Talk {
    /// Starts the command.
    pub(super) fn start(command: &str) -> io::Result<Self> {
        let (program, Pipes { input, output, errors }) = Program::start(command)?;
        Ok(Self {
            program,
            input: Some(input),
            output: Some(output),
            errors: Some(errors),
            unsent: VecDeque::new(),
            hung_up: false,
            lines: Lines::default(),
            tail: Tail::default(),
            closed: None,
        })
    }

    /// Sends this while the next line is waited for: a program that does not read blocks nobody.
    pub(super) fn send(&mut self, text: &str) {
        self.unsent.extend(text.as_bytes());
    }

    /// Closes the program's standard input behind what is sent.
    pub(super) fn hang_up(&mut self) {
        self.hung_up = true;
    }

    /// The next line of its standard output, without its end.
    pub(super) fn line(&mut self, patience: Patience<'_>) -> Result<Vec<u8>, Silence> {
        loop {
            if let Some(line) = self.lines.next().map_err(|TooLong| Silence::TooLong)? {
                return Ok(line.to_vec());
            }
            // Asked before the streams are looked at, so that what it said last is not lost.
            let end = self.program.end();
            let wait = if end.is_some() { NONE } else { TICK };
            let moved = self.turn(&wait).map_err(|error| Silence::System(error.kind()))?;
            if let Some(silence) = self.silence(moved, end, patience) {
                return Err(silence);
            }
        }
    }

    /// What has come behind the last line.
    pub(super) fn rest(&self) -> &[u8] {
        self.lines.rest()
    }

    /// Kills the program; the last lines of its standard error.
    pub(super) fn kill(self) -> Vec<String> {
        let Self { program, mut errors, mut tail, .. } = self;
        drop(program);
        let mut more = || take(&mut errors, |piece| tail.push(piece));
        // One that has left the group may go on writing.
        (0..LAST_PIECES).take_while(|_| more()).count();
        tail.lines()
    }

    fn silence(&self, moved: bool, end: Option<End>, patience: Patience<'_>) -> Option<Silence> {
        let now = Instant::now();
        let late = now >= patience.deadline;
        if patience.stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
            return Some(Silence::Interrupted);
        }
        if moved && !late {
            return None;
        }
        let closed = self.closed.filter(|(since, _)| late || now.duration_since(*since) >= patience.grace);
        let ended = end.map(Silence::Ended);
        ended.or(closed.map(|(_, silence)| silence)).or(late.then_some(Silence::Timeout))
    }

    /// Waits for any of the streams; whether bytes have come or gone.
    fn turn(&mut self, wait: &Timespec) -> io::Result<bool> {
        let [input, output, errors] = self.ready(wait)?;
        let written = input && self.write();
        let said = output && self.hear();
        let moaned = errors && take(&mut self.errors, |piece| self.tail.push(piece));
        Ok(written || said || moaned)
    }

    /// Which of the streams can be used, or are closed on the other side.
    fn ready(&self, wait: &Timespec) -> io::Result<[bool; 3]> {
        let wanted = if self.unsent.is_empty() { PollFlags::empty() } else { PollFlags::OUT };
        let streams = [
            self.input.as_ref().map(|stream| PollFd::new(stream, wanted)),
            self.output.as_ref().map(|stream| PollFd::new(stream, PollFlags::IN)),
            self.errors.as_ref().map(|stream| PollFd::new(stream, PollFlags::IN)),
        ];
        let mut polled: Vec<PollFd<'_>> = streams.iter().flatten().cloned().collect();
        match poll(&mut polled, Some(wait)) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok([false; 3]),
            Err(error) => return Err(error.into()),
        }
        let mut ready = polled.iter().map(|stream| !stream.revents().is_empty());
        Ok(streams.map(|stream| stream.is_some() && ready.next() == Some(true)))
    }

    /// Writes what can be written; whether anything was.
    fn write(&mut self) -> bool {
        let Some(input) = &mut self.input else { return false };
        let written = match self.unsent.as_slices().0 {
            // Nothing was asked of the stream, so what it tells is that nobody reads it.
            [] => Err(ErrorKind::BrokenPipe.into()),
            unsent => input.write(unsent),
        };
        match written {
            Ok(written) => {
                self.unsent.drain(..written);
                if self.hung_up && self.unsent.is_empty() {
                    self.input = None;
                }
                true
            }
            Err(error) if is_to_be_repeated(&error) => false,
            Err(_) => {
                self.input = None;
                self.unsent.clear();
                self.closed.get_or_insert((Instant::now(), Silence::ClosedInput));
                false
            }
        }
    }

    /// Reads what has been said; whether anything was.
    fn hear(&mut self) -> bool {
        let heard = take(&mut self.output, |piece| self.lines.push(piece));
        if self.output.is_none() {
            self.closed = Some((Instant::now(), Silence::ClosedOutput));
        }
        heard
    }
}

/// Reads a piece of what has come, and forgets a stream that has ended; whether anything had come.
fn take(stream: &mut Option<impl Read>, to: impl FnOnce(&[u8])) -> bool {
    let mut piece = [0; PIECE];
    let Some(open) = stream else { return false };
    match open.read(&mut piece) {
        Ok(0) => *stream = None,
        Ok(read) => {
            to(&piece[..read]);
            return true;
        }
        Err(error) if is_to_be_repeated(&error) => {}
        Err(_) => *stream = None,
    }
    false
}

fn is_to_be_repeated(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
