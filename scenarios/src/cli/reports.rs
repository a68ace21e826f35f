//! Reports beside the text: files for services, annotations, explanations. Every command that judges takes these flags.

use super::Format;
use super::streams::{keep, print, tell};
use clap::Args;
use std::path::PathBuf;
use stuckvm_scenarios::input_error::InputError;
use stuckvm_scenarios::output_file::OutputFile;
use stuckvm_scenarios::report::explain::{Evidence, explain};
use stuckvm_scenarios::report::{Entry, Palette, Summary, annotation, junit, markdown};
use stuckvm_sim::trace::Keep;

/// Which reports are wanted.
#[derive(Args)]
pub(super) struct Reports {
    /// Writes a report in JUnit XML, as Jenkins and GitLab read it.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Writes a summary in Markdown, for the page of a job.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Prints an annotation for GitHub for each scenario that did not pass.
    #[arg(long)]
    github: bool,
    /// Says why each verdict is bad; of a single scenario why it is what it is.
    #[arg(long)]
    explain: bool,
}

impl Reports {
    /// Makes sure that every file can be written, before anything runs. Until [`Writers::finish`] no file is touched.
    pub(super) fn open(&self, format: Format) -> Result<Writers, InputError> {
        let open = |path: &Option<PathBuf>| path.as_deref().map(OutputFile::create).transpose();
        if let (Some(junit), Some(markdown)) = (&self.junit, &self.markdown)
            && junit == markdown
        {
            let problem = "`--junit` and `--markdown` name the same file".to_owned();
            return Err(InputError::Unwritable { file: junit.display().to_string(), problem });
        }
        Ok(Writers {
            junit: open(&self.junit)?,
            markdown: open(&self.markdown)?,
            github: self.github,
            format,
            entries: Vec::new(),
            summaries: Vec::new(),
        })
    }

    /// How much of the trace they need, if they need any.
    pub(super) fn keep_trace(&self) -> Option<Keep> {
        self.explain.then_some(Keep::Everything)
    }

    /// The explanation of a case, where one is wanted: of one that is alone always, else of one whose verdict is bad.
    pub(super) fn explanation(&self, evidence: &Evidence<'_>, alone: bool) -> Option<String> {
        let wanted = alone || Entry::of(evidence.outcome, None).is_red();
        (self.explain && wanted).then(|| explain(evidence, palette()))
    }
}

/// Colours where standard output is a terminal that wants them; `NO_COLOR` and its like are heeded.
pub(super) fn palette() -> Palette {
    match anstream::AutoStream::choice(&std::io::stdout()) {
        anstream::ColorChoice::Never => Palette::Plain,
        _ => Palette::Ansi,
    }
}

/// Reports under construction.
pub(super) struct Writers {
    junit: Option<OutputFile>,
    markdown: Option<OutputFile>,
    github: bool,
    format: Format,
    entries: Vec<Entry>,
    summaries: Vec<Summary>,
}

impl Writers {
    /// One more scenario has ended, in the order of the names.
    pub(super) fn add(&mut self, entry: Entry) {
        let annotation = self.github.then(|| annotation(&entry)).flatten();
        match (annotation, self.format) {
            (None, _) => {}
            (Some(line), Format::Text) => print(&line),
            // A runner reads both streams; what a program reads stays JSON.
            (Some(line), Format::Json) => tell(line),
        }
        if self.junit.is_some() || self.markdown.is_some() {
            self.entries.push(entry);
        }
    }

    /// All scenarios have ended of one detector.
    pub(super) fn conclude(&mut self, summary: &Summary) {
        self.summaries.push(summary.clone());
    }

    /// All detectors have been judged: the files get their contents, each whole, also where another cannot be written.
    pub(super) fn finish(self) {
        let Self { junit: for_junit, markdown: for_markdown, entries, summaries, .. } = self;
        for_junit.into_iter().for_each(|file| keep(file.write(&junit(&entries, &summaries))));
        for_markdown.into_iter().for_each(|file| keep(file.write(&markdown(&entries, &summaries))));
    }
}
