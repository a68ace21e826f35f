//! Text for people, in 80 columns.

use super::{Standing, Summary};
use crate::judge::{Breach, Rule};
use crate::oracle::Episode;
use crate::pins::since;
use crate::stream::Alert;
use crate::verdict::{Outcome, Verdict};
use std::fmt::Write as _;
use stuckvm_detector::Time;
use stuckvm_sim::duration;
use stuckvm_sim::manifest::wrap;

/// More alerts than these are counted, not listed.
const ALERTS_SHOWN: usize = 2;

/// How wide text is.
pub(super) const WIDTH: usize = 80;

/// How wide the column of names is.
const NAME: usize = 36;

/// How far reasons stand from the edge; where one goes on in another line, two more.
const REASON: usize = 6;

/// The line of one scenario, with what explains a bad verdict below it.
pub fn text_line(outcome: &Outcome) -> String {
    let mut text = head(outcome);
    for reason in because(outcome) {
        let mut indent = REASON;
        for line in wrap(&reason, WIDTH - REASON - 2) {
            let _ = write!(text, "\n{:indent$}{line}", "");
            indent = REASON + 2;
        }
    }
    text
}

/// Verdict, name and alerts side by side where they fit, else the alerts in a line below.
fn head(outcome: &Outcome) -> String {
    let name = format!("{:<5} {:<NAME$}", outcome.verdict.as_str(), outcome.scenario);
    let [listed, counted] = alerts(outcome);
    let fits = |alerts: &&String| name.len() + 1 + alerts.len() <= WIDTH;
    match [&listed, &counted].into_iter().find(fits) {
        Some(alerts) => format!("{name} {alerts}"),
        // The name of a case of the contract says it all.
        None if outcome.verdict == Verdict::Pass && Rule::of_case(&outcome.scenario).is_some() => name,
        None => format!("{}\n{:REASON$}{counted}", name.trim_end(), ""),
    }
}

/// The last lines.
pub fn text_summary(summary: &Summary, seed: Option<u64>) -> String {
    let Summary { scenarios, passed, failed, errors, firing, events, digest, .. } = summary;
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let mut text = format!("{scenarios} scenario{}: {passed} passed, ", plural(*scenarios));
    let _ = write!(text, "{failed} failed, {errors} error{}", plural(*errors));
    let not_tested = summary.not_tested;
    text += &if not_tested > 0 { format!(", {not_tested} not tested\n") } else { "\n".to_owned() };
    let _ = write!(text, "{firing} alert{} fired; {events} events; digest {digest:016x}", plural(*firing));
    if !summary.lag.is_zero() {
        let lag = duration::format(summary.lag);
        let _ =
            write!(text, "\ndelivery lagged behind the cluster by up to {lag}; dwell counts from delivery");
    }
    if let Some(seed) = seed {
        let _ = write!(text, "\nseed {seed} for all: the contract was judged, not what the files pin");
    }
    if let Some(threshold) = summary.threshold {
        let threshold = duration::format(threshold);
        let _ =
            write!(text, "\nthreshold {threshold} for all: the contract was judged, not what the files pin");
    }
    if let Some(resolution) = summary.resolution {
        let _ = write!(
            text,
            "\nresolution {}: deadlines may be acted on so much late",
            duration::format(resolution)
        );
    }
    if let Some(not_begun) = summary.not_begun {
        let _ = write!(text, "\ninterrupted: {not_begun} more scenario{} not begun", plural(not_begun));
    }
    for rule in Rule::ALL.map(Rule::as_str) {
        let Some(count) = summary.broken.get(rule) else { continue };
        let times = if *count == 1 { "once".to_owned() } else { format!("{count} times") };
        let _ = write!(text, "\n{rule} was broken {times}");
    }
    text
}

/// What a check says of each rule of the contract: which are kept, which are broken, and which were not tested.
pub fn text_rules(summary: &Summary) -> String {
    let labels = [("kept", Standing::Pass), ("broken", Standing::Fail), ("not tested", Standing::NotTested)];
    let mut lines = Vec::new();
    for (label, standing) in labels {
        let rules = Rule::ALL.into_iter().filter(|rule| summary.standing(*rule) == standing);
        let rules: Vec<&str> = rules.map(Rule::as_str).collect();
        if !rules.is_empty() {
            lines.push(format!("{label:<11} {}", rules.join(" ")));
        }
    }
    lines.join("\n")
}

/// Why a verdict is what it is, in lines.
pub(super) fn because(outcome: &Outcome) -> Vec<String> {
    let start = outcome.start;
    match &outcome.verdict {
        Verdict::Pass => Vec::new(),
        Verdict::NotTested(lack) => vec![lack.clone()],
        Verdict::Error(error) => {
            let label = [error.kind.as_str(), ": "].concat();
            let labels = std::iter::once(&*label).chain(std::iter::repeat(""));
            labels.zip(&error.because).map(|(label, reason)| label.to_owned() + reason).collect()
        }
        Verdict::Unmet(unmet) => {
            let vm =
                unmet.vm.as_ref().map(|vm| format!(" of {}/{}", vm.namespace, vm.name)).unwrap_or_default();
            vec![
                format!("{}{vm} was not met", unmet.part.as_str()),
                format!("expected: {}", unmet.expected),
                format!("got:      {}", unmet.got),
            ]
        }
        Verdict::Broken(breach) => of_breach(start, breach),
    }
}

fn of_breach(start: Time, breach: &Breach) -> Vec<String> {
    let vm = breach.vm.as_ref().map(|vm| format!("{}/{} ", vm.namespace, vm.name)).unwrap_or_default();
    let mut lines = vec![
        format!("{}: {}", breach.rule.as_str(), breach.rule.about()),
        format!("{vm}at {} ({})", since(start, breach.at), breach.at),
    ];
    if breach.expected.is_some() || breach.got.is_some() {
        lines.push(format!("expected: {}", say(start, breach.expected.as_ref())));
        lines.push(format!("got:      {}", say(start, breach.got.as_ref())));
    }
    lines.extend(breach.note.clone());
    lines.extend(breach.episode.as_ref().map(|episode| of_episode(start, episode)));
    lines
}

fn of_episode(start: Time, episode: &Episode) -> String {
    let begun = format!("in error since {}", since(start, episode.since));
    let statuses: Vec<&str> = episode.statuses.iter().map(|(_, status)| *status).collect();
    let end =
        episode.end.map_or_else(|| "not ended".to_owned(), |end| format!("ended at {}", since(start, end)));
    let deadline = episode.deadline().map_or_else(|| "never".to_owned(), |at| since(start, at));
    format!("{begun} as {}; due at {deadline}; {end}", statuses.join(", "))
}

/// When each alert fired, which is what the scenario is about: listed, and where there are several in fewer words.
fn alerts(outcome: &Outcome) -> [String; 2] {
    let firing: Vec<&Alert> = outcome.alerts.iter().filter(|alert| alert.is_firing()).collect();
    let at = |alert: &Alert| since(outcome.start, alert.at);
    let listed = firing.iter().map(|alert| format!("{} at {}", alert.status, at(alert)));
    let listed = listed.take(ALERTS_SHOWN).collect::<Vec<_>>().join(", ");
    match firing.as_slice() {
        [] => ["silent".to_owned(), "silent".to_owned()],
        [_] => [listed.clone(), listed],
        [first, ..] => {
            let counted = format!("{} alerts, the first at {}", firing.len(), at(first));
            [if firing.len() > ALERTS_SHOWN { counted.clone() } else { listed }, counted]
        }
    }
}

fn say(start: Time, alert: Option<&Alert>) -> String {
    match alert {
        None => "nothing".to_owned(),
        Some(alert) => {
            let verb = if alert.is_firing() { "firing" } else { "resolved" };
            let began = alert.since.map(|at| format!(", since {}", since(start, at))).unwrap_or_default();
            format!("{verb} as {} at {}{began}", alert.status, since(start, alert.at))
        }
    }
}
