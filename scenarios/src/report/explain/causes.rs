//! The causes of an episode, from what a user did to the status that opened or ended it, out of the trace.

use super::{Case, Deed};
use crate::oracle::Episode;
use crate::pins::since;
use crate::report::palette::Palette;
use crate::report::text::WIDTH;
use crate::stream::Vm;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use stuckvm_detector::Time;
use stuckvm_sim::manifest::wrap;
use stuckvm_sim::trace::TraceLine;

/// Of a longer chain the middle is left out: so many links are shown of its beginning …
const FIRST_SHOWN: usize = 3;
/// … and so many of its end.
const LAST_SHOWN: usize = 9;

/// How far texts stand from the edge: two blanks, the number, the instant.
const INDENT: usize = 26;

/// A whole trace, or none.
pub(super) struct Causes<'a>(&'a [TraceLine]);

impl<'a> Causes<'a> {
    pub(super) fn new(trace: &'a [TraceLine]) -> Self {
        Self(trace)
    }

    /// The write that a machine's status, or its end, came with.
    pub(super) fn status_write(&self, vm: &Vm, at: Time, status: Option<&str>) -> Option<&'a TraceLine> {
        let object = format!("VirtualMachine {}/{}", vm.namespace, vm.name);
        let from = self.0.partition_point(|line| line.at < at);
        let mut of_machine = self.0[from..]
            .iter()
            .take_while(|line| line.at == at)
            .filter(|line| line.object == object && line.verb != "event");
        // As the trace has the empty status.
        let word = status.map(|status| if status.is_empty() { "-" } else { status });
        match word {
            Some(status) => of_machine.find(|line| line.detail.split(' ').next() == Some(status)),
            None => of_machine.find(|line| line.verb == "remove"),
        }
    }

    /// The nearest cause outside of the machine and its instance; where there is none, what a user did first.
    pub(super) fn outside(&self, write: &'a TraceLine) -> Option<&'a TraceLine> {
        let chain = self.chain(write);
        let is_outside = |line: &&&TraceLine| {
            !line.object.starts_with("VirtualMachine ") && !line.object.starts_with("VirtualMachineInstance ")
        };
        let causes = &chain[..chain.len() - 1];
        causes.iter().rev().find(is_outside).or(causes.first()).copied()
    }

    /// What set off what, up to this line: the first cause first, the line itself last.
    fn chain(&self, write: &'a TraceLine) -> Vec<&'a TraceLine> {
        let mut chain = vec![write];
        while let Some(cause) = chain[chain.len() - 1].because.and_then(|number| self.line(number)) {
            chain.push(cause);
        }
        chain.reverse();
        chain
    }

    fn line(&self, number: u64) -> Option<&'a TraceLine> {
        let at = self.0.binary_search_by_key(&number, |line| line.number).ok()?;
        Some(&self.0[at])
    }

    /// Kubernetes events that were recorded together with a write, on the same object.
    fn told_with(&self, write: &'a TraceLine) -> impl Iterator<Item = &'a TraceLine> + use<'a> {
        let from = self.0.partition_point(|line| line.at < write.at);
        let same_instant = self.0[from..].iter().take_while(|line| line.at == write.at);
        same_instant.filter(|line| {
            let same_look = (line.actor, line.because) == (write.actor, write.because);
            line.verb == "event" && same_look && line.object == write.object
        })
    }
}

/// What has been told of a machine: an episode that follows from another one goes on from there.
#[derive(Default)]
pub(super) struct Told {
    lines: BTreeSet<u64>,
    /// How many of the deeds.
    deeds: usize,
}

impl<'a> Case<'a> {
    /// The causes of an episode's beginning and of its end, with what was broken and healed on the way.
    pub(super) fn led_to(&self, episode: &Episode, told: &mut Told, palette: Palette) -> String {
        let opening = self.opening(episode);
        let closing = episode.end.and_then(|end| {
            let status = self.ending_status(episode, end);
            self.causes.status_write(&episode.vm, end, status.as_deref())
        });
        let mut text = String::new();
        for (heading, write) in [("what led there", opening), ("what ended it", closing)] {
            let Some(write) = write else { continue };
            let mut chain = self.causes.chain(write);
            chain.retain(|line| told.lines.insert(line.number));
            let deeds = self.deeds[told.deeds..].iter().take_while(|deed| deed.at <= write.at);
            let deeds: Vec<&Deed> = deeds.collect();
            told.deeds += deeds.len();
            let _ = writeln!(text, "  {}", palette.heading(heading));
            text += &self.write_chain(&chain, &deeds);
        }
        text
    }

    fn opening(&self, episode: &Episode) -> Option<&'a TraceLine> {
        let runbook = episode.statuses[0].1;
        let spellings =
            stuckvm_detector::PrintableStatus::ALL.into_iter().filter(|known| known.runbook_str() == runbook);
        let mut words = spellings.map(|known| known.as_str());
        words.find_map(|word| self.causes.status_write(&episode.vm, episode.since, Some(word)))
    }

    fn write_chain(&self, chain: &[&TraceLine], deeds: &[&Deed]) -> String {
        let mut text = String::new();
        let mut deeds = deeds.iter().peekable();
        let left_out = chain.len().saturating_sub(FIRST_SHOWN + LAST_SHOWN);
        for (index, line) in chain.iter().enumerate() {
            while let Some(deed) = deeds.next_if(|deed| deed.at <= line.at) {
                text += &self.row("", deed.at, &deed.text);
            }
            if left_out > 0 && index == FIRST_SHOWN {
                let _ = writeln!(text, "{:>24}  {left_out} more, each set off by the one before", "…");
            }
            if index < FIRST_SHOWN || index >= FIRST_SHOWN + left_out {
                text += &self.link(line);
            }
        }
        deeds.for_each(|deed| text += &self.row("", deed.at, &deed.text));
        text
    }

    fn link(&self, line: &TraceLine) -> String {
        let TraceLine { number, at, actor, verb, object, detail, .. } = line;
        let mut text = self.row(&number.to_string(), *at, &format!("{actor} {verb} {object} {detail}"));
        for told in self.causes.told_with(line) {
            // Upstream's messages are never wrapped or cut.
            let _ = writeln!(text, "{:INDENT$}  {}", "", told.detail);
        }
        text
    }

    fn row(&self, number: &str, at: Time, what: &str) -> String {
        let start = self.evidence.outcome.start;
        let at = if at < start { "before".to_owned() } else { since(start, at) };
        let mut lines = wrap(what.trim_end(), WIDTH - INDENT - 2).into_iter();
        let mut text = format!("{number:>8}{at:>16}  {}\n", lines.next().unwrap_or_default());
        lines.for_each(|line| text += &format!("{:INDENT$}  {line}\n", ""));
        text
    }
}
