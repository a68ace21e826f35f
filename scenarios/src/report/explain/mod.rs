//! EXPLAIN: why a verdict is what it is. Expected against got on one time axis, what became of each episode and, for one that
//! did not fire, why; and the causes from what a user did to the alert, out of the trace.

mod axis;
mod causes;
mod deeds;
mod episodes;
mod sampled;

pub use sampled::Sampled;

use super::palette::Palette;
use super::text::{WIDTH, text_line};
use crate::load::Loaded;
use crate::oracle::{self, Episode, Thresholds};
use crate::run::Run;
use crate::stream::{Input, Vm};
use crate::verdict::{Outcome, Verdict};
use causes::{Causes, Told};
use deeds::Deed;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use stuckvm_detector::Time;
use stuckvm_sim::manifest::wrap;
use stuckvm_sim::trace::TraceLine;

/// More machines than these are counted, not explained.
const MACHINES_SHOWN: usize = 3;

/// Of a machine with more episodes than these the rest is counted.
const EPISODES_SHOWN: usize = 5;

/// What an explanation stands on.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The verdict.
    pub outcome: &'a Outcome,
    /// What the case shows, in a sentence or two.
    pub about: &'a str,
    /// How long an episode must last to fire.
    pub thresholds: &'a Thresholds,
    /// What was delivered, in order.
    pub inputs: &'a [Input],
    /// The whole trace; empty where no cluster was played.
    pub trace: &'a [TraceLine],
    /// The scenario, where it comes from a file.
    pub loaded: Option<&'a Loaded>,
    /// Where a rule of Prometheus was judged, by the sampled profile.
    pub sampled: Option<Sampled<'a>>,
}

impl<'a> Evidence<'a> {
    /// What a run gave whose trace was kept whole; `loaded` where there is a file that it was read from.
    pub fn of(run: &'a Run, about: &'a str, loaded: Option<&'a Loaded>) -> Self {
        Self {
            outcome: &run.outcome,
            about,
            thresholds: &run.thresholds,
            inputs: &run.inputs,
            trace: &run.trace,
            loaded,
            sampled: None,
        }
    }
}

/// The explanation, without a line end at its end.
pub fn explain(evidence: &Evidence<'_>, palette: Palette) -> String {
    let Evidence { outcome, about, .. } = *evidence;
    let mut text = format!("{}\n", palette.heading(&outcome.scenario));
    let about = about.split_whitespace().collect::<Vec<_>>().join(" ");
    wrap(&about, WIDTH - 2)
        .iter()
        .filter(|line| !line.is_empty())
        .for_each(|line| text += &format!("  {line}\n"));
    let case = Case::of(evidence);
    let machines = case.machines();
    for vm in machines.iter().take(MACHINES_SHOWN) {
        let _ = write!(text, "\n{}", case.machine(vm, palette));
    }
    if machines.is_empty() {
        text += "\n  no machine was in an error status\n";
    }
    if machines.len() > MACHINES_SHOWN {
        let _ =
            writeln!(text, "\n  {} more machines were in an error status", machines.len() - MACHINES_SHOWN);
    }
    text + "\n" + &palette.verdict(&outcome.verdict, &text_line(outcome))
}

/// What is known of a case, in the form in which an explanation needs it.
struct Case<'a> {
    evidence: Evidence<'a>,
    episodes: Vec<Episode>,
    causes: Causes<'a>,
    deeds: Vec<Deed>,
}

impl<'a> Case<'a> {
    fn of(evidence: &Evidence<'a>) -> Self {
        let Evidence { outcome, thresholds, inputs, trace, loaded, .. } = *evidence;
        Self {
            evidence: *evidence,
            episodes: oracle::episodes(thresholds, inputs),
            causes: Causes::new(trace),
            deeds: loaded.map_or_else(Vec::new, |loaded| deeds::of(loaded, outcome.start)),
        }
    }

    /// The machine that the verdict names, else those that were in an error status, in the order in which they came into one.
    fn machines(&self) -> Vec<Vm> {
        let named = match &self.evidence.outcome.verdict {
            Verdict::Broken(breach) => breach.vm.clone(),
            Verdict::Unmet(unmet) => unmet.vm.clone(),
            _ => None,
        };
        if let Some(vm) = named {
            return vec![vm];
        }
        let mut known = BTreeSet::new();
        let in_error = self.episodes.iter().map(|episode| &episode.vm);
        in_error.filter(|vm| known.insert((&vm.namespace, &vm.name))).cloned().collect()
    }

    fn machine(&self, vm: &Vm, palette: Palette) -> String {
        let mut text = self.axis(vm).write(self.evidence.outcome.start, palette);
        let of_machine = self.episodes.iter().filter(|episode| same_name(&episode.vm, vm)).count();
        if of_machine == 0 {
            text += "\n  never in an error status, so nothing had to fire\n";
        }
        let shown = self.shown(vm);
        let mut told = Told::default();
        for episode in &shown {
            text += "\n";
            for (index, line) in self.fate(vm, episode).iter().enumerate() {
                let indent = if index == 0 { 2 } else { 4 };
                let _ = writeln!(text, "{:indent$}{line}", "");
            }
            text += &self.led_to(episode, &mut told, palette);
        }
        if of_machine > shown.len() {
            let _ = writeln!(text, "\n  in error {} more times", of_machine - shown.len());
        }
        text
    }

    /// The episode that the verdict is about, else the first ones of the machine.
    fn shown(&self, vm: &Vm) -> Vec<&Episode> {
        let about = match &self.evidence.outcome.verdict {
            Verdict::Broken(breach) => breach.episode.as_ref(),
            _ => None,
        };
        let of_machine = self.episodes.iter().filter(|episode| same_name(&episode.vm, vm));
        let meant = |episode: &&Episode| about.is_none_or(|about| about == *episode);
        of_machine.filter(meant).take(EPISODES_SHOWN).collect()
    }

    /// The instant to which the stream goes.
    fn end(&self) -> Time {
        self.evidence.inputs.last().map_or(self.evidence.outcome.start, |input| input.at)
    }
}

/// A machine that was made anew under its name is explained together with the one before.
fn same_name(a: &Vm, b: &Vm) -> bool {
    (&a.namespace, &a.name) == (&b.namespace, &b.name)
}
