//! `stuckvm detect`: observations in, alerts out as they become due.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufRead, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use stuckvm_detector::{NamedDetector, NamedSnapshot, RestoreError, Rule, RuleError, Time};
use stuckvm_sim::manifest::wrap;

use crate::feed::{feed, stream_alert};
use crate::input_error::InputError;
use crate::output_file::OutputFile;
use crate::quote::quote;
use crate::stream::{Event, Input, LINE_ADVICE};

/// What the command line asks for.
#[derive(Clone, Debug, Default)]
pub struct DetectOptions {
    /// What messages call the input: a file's path, or `<stdin>`.
    pub source: String,
    /// How long an episode must last to fire; 5 m, or the restored detector's.
    pub threshold: Option<Duration>,
    /// An advance to this instant follows the last line.
    pub until: Option<Time>,
    /// Where what the detector knows is written at the end.
    pub snapshot: Option<PathBuf>,
    /// Whence what a detector knew is read at the beginning.
    pub restore: Option<PathBuf>,
    /// Stop at the first line that cannot be used.
    pub strict: bool,
}

/// How it went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DetectSummary {
    /// Lines read, blank ones left out.
    pub lines: u64,
    /// Lines (and `--until`) that could not be read, or were rejected.
    pub unused: u64,
}

impl DetectSummary {
    /// 0, or 2 if some line could not be used.
    pub fn exit_code(self) -> u8 {
        if self.unused == 0 { 0 } else { 2 }
    }
}

/// Why there is no more output.
#[derive(Debug, thiserror::Error)]
pub enum DetectError {
    /// The input broke off.
    #[error("{source_name}: cannot be read: {error}")]
    Read {
        /// What the input is called.
        source_name: String,
        /// What the system says.
        error: io::Error,
    },
    /// The output broke off.
    #[error("the output cannot be written: {0}")]
    Write(io::Error),
    /// `--threshold` is no threshold.
    #[error("--threshold: {0}")]
    Threshold(RuleError),
    /// `--threshold` is not that of the restored detector.
    #[error(
        "--threshold {asked:?} is not the rule that {path} was made with; \
         leave --threshold out, or start without --restore"
    )]
    OtherThreshold {
        /// The snapshot's file.
        path: PathBuf,
        /// The threshold on the command line.
        asked: Duration,
    },
    /// A snapshot cannot be read.
    #[error("{path}: {error}")]
    SnapshotFile {
        /// Its file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A snapshot cannot be written.
    #[error(transparent)]
    SnapshotUnwritable(#[from] InputError),
    /// A snapshot's file holds something else.
    #[error("{path}: expected a snapshot as --snapshot writes it: {error}")]
    SnapshotText {
        /// Its file.
        path: PathBuf,
        /// What does not fit.
        error: serde_json::Error,
    },
    /// A snapshot cannot be restored.
    #[error("{path}: {error}")]
    Restore {
        /// Its file.
        path: PathBuf,
        /// Why not.
        error: RestoreError,
    },
}

/// Reads inputs line by line, writes alerts to `out` and messages to `err`.
///
/// # Errors
///
/// If a stream breaks, or a snapshot or the threshold is bad. Bad lines are no
/// errors: they are reported to `err` and counted. Neither is it one that nobody
/// reads `out` any more, which ends the reading, unless a snapshot is wanted:
/// it would hold alerts for given that nobody got.
pub fn detect(
    options: &DetectOptions,
    mut input: impl BufRead,
    out: impl Write,
    err: impl Write,
) -> Result<DetectSummary, DetectError> {
    let detector = start(options)?;
    if let Some(path) = &options.snapshot {
        OutputFile::probe(path)?;
    }
    let mut run = Run {
        options,
        detector,
        out,
        err,
        summary: DetectSummary::default(),
        noted: BTreeSet::new(),
        advised: false,
    };
    match run.all(&mut input) {
        Err(DetectError::Write(error))
            if error.kind() == ErrorKind::BrokenPipe && options.snapshot.is_none() => {}
        ended => ended?,
    }
    Ok(run.summary)
}

fn start(options: &DetectOptions) -> Result<NamedDetector, DetectError> {
    let asked = options.threshold.map(Rule::new).transpose().map_err(DetectError::Threshold)?;
    let Some(path) = &options.restore else {
        return Ok(NamedDetector::new(asked.unwrap_or_default()));
    };
    let detector = restore(path)?;
    match (options.threshold, asked) {
        (Some(asked), Some(rule)) if rule != *detector.rule() => {
            Err(DetectError::OtherThreshold { path: path.clone(), asked })
        }
        _ => Ok(detector),
    }
}

fn restore(path: &Path) -> Result<NamedDetector, DetectError> {
    let path = || path.to_owned();
    let text =
        fs::read_to_string(path()).map_err(|error| DetectError::SnapshotFile { path: path(), error })?;
    let snapshot: NamedSnapshot =
        serde_json::from_str(&text).map_err(|error| DetectError::SnapshotText { path: path(), error })?;
    NamedDetector::restore(&snapshot).map_err(|error| DetectError::Restore { path: path(), error })
}

/// A crash leaves the old snapshot or the new one, never half of one.
fn save(detector: &NamedDetector, path: &Path) -> Result<(), DetectError> {
    let text = serde_json::to_string(&detector.snapshot()).expect("a snapshot serializes");
    Ok(OutputFile::create(path)?.write(&(text + "\n"))?)
}

struct Run<'o, O, E> {
    options: &'o DetectOptions,
    detector: NamedDetector,
    out: O,
    err: E,
    summary: DetectSummary,
    /// Unknown words that were reported.
    noted: BTreeSet<String>,
    /// Whether it was said what a line looks like; once is enough.
    advised: bool,
}

impl<O: Write, E: Write> Run<'_, O, E> {
    /// Reads the whole input, or up to the first line that must not be there.
    fn all(&mut self, input: &mut impl BufRead) -> Result<(), DetectError> {
        let (mut number, mut line) = (0, Vec::new());
        loop {
            line.clear();
            let read = input.read_until(b'\n', &mut line);
            let source_name = || self.options.source.clone();
            if read.map_err(|error| DetectError::Read { source_name: source_name(), error })? == 0 {
                return self.finish();
            }
            number += 1;
            let used = self.line(number, &line)?;
            if self.options.strict && !used {
                return Ok(());
            }
        }
    }

    /// Whether the line could be used.
    fn line(&mut self, number: u64, line: &[u8]) -> Result<bool, DetectError> {
        // Some editors of Windows write a mark in front of UTF-8.
        let line = line.strip_prefix(b"\xef\xbb\xbf").filter(|_| number == 1).unwrap_or(line);
        if line.trim_ascii().is_empty() {
            return Ok(true);
        }
        self.summary.lines += 1;
        let read = match std::str::from_utf8(line) {
            Ok(text) => Input::from_line(text).map_err(|error| (error.column, error.to_string())),
            Err(error) => Err((error.valid_up_to() + 1, "expected UTF-8".to_owned())),
        };
        let source = &self.options.source;
        match read {
            Ok(input) => self.input(&format!("{source}:{number}"), &input),
            Err((column, problem)) => {
                let place = format!("{source}:{number}:{column}");
                let mut message = format!("{problem}\n  found: {}", quote(line));
                if !std::mem::replace(&mut self.advised, true) {
                    message += &format!("\n  try: {}", wrap(LINE_ADVICE, 73).join("\n       "));
                }
                self.report(&place, &message)
            }
        }
    }

    /// Whether the input was accepted.
    fn input(&mut self, place: &str, input: &Input) -> Result<bool, DetectError> {
        let output = match feed(&mut self.detector, input) {
            Ok(output) => output,
            Err(error) => return self.report(place, &format!("rejected: {error}")),
        };
        for alert in &output.alerts {
            let line = serde_json::to_string(&stream_alert(alert));
            let line = line.map_err(|error| DetectError::Write(error.into()))?;
            writeln!(self.out, "{line}").map_err(DetectError::Write)?;
        }
        if !output.alerts.is_empty() {
            self.out.flush().map_err(DetectError::Write)?;
        }
        for word in &output.unknown {
            if self.noted.insert(word.clone()) {
                let word = quote(word.as_bytes());
                writeln!(
                    self.err,
                    "{place}: note: no printable status that this release knows, \
                     so no error status: {word}"
                )
                .map_err(DetectError::Write)?;
            }
        }
        Ok(true)
    }

    fn report(&mut self, place: &str, message: &str) -> Result<bool, DetectError> {
        self.summary.unused += 1;
        writeln!(self.err, "{place}: {message}").map_err(DetectError::Write)?;
        Ok(false)
    }

    fn finish(&mut self) -> Result<(), DetectError> {
        if let Some(at) = self.options.until {
            self.input("--until", &Input { at, event: Event::Advance })?;
        }
        if let Some(path) = &self.options.snapshot {
            save(&self.detector, path)?;
        }
        let DetectSummary { lines, unused } = self.summary;
        if unused > 0 {
            writeln!(self.err, "{unused} of the inputs could not be used; lines read: {lines}")
                .map_err(DetectError::Write)?;
        }
        Ok(())
    }
}
