//! Text for people, in 80 columns.

use super::Summary;
use crate::oracle::Episode;
use crate::pins::since;
use crate::stream::Alert;
use crate::verdict::{Outcome, Verdict};
use std::fmt::Write as _;
use stuckvm_detector::Time;

/// More alerts than these are counted, not listed.
const ALERTS_SHOWN: usize = 2;

/// The line of one scenario, with what explains a bad verdict below it.
pub fn text_line(outcome: &Outcome) -> String {
    let mut text = format!("{:<5} {:<44} {}", outcome.verdict.as_str(), outcome.scenario, alerts(outcome));
    text.truncate(text.trim_end().len());
    for reason in because(outcome) {
        let _ = write!(text, "\n      {reason}");
    }
    text
}

/// The last lines.
pub fn text_summary(summary: &Summary, seed: Option<u64>) -> String {
    let Summary { scenarios, passed, failed, errors, firing, events, digest, .. } = summary;
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let mut text = format!("{scenarios} scenario{}: {passed} passed, ", plural(*scenarios));
    let _ = writeln!(text, "{failed} failed, {errors} error{}", plural(*errors));
    let _ = write!(text, "{firing} alert{} fired; {events} events; digest {digest:016x}", plural(*firing));
    if let Some(seed) = seed {
        let _ = write!(text, "\nseed {seed} for all: the contract was judged, not what the files pin");
    }
    for (rule, count) in &summary.broken {
        let _ = write!(text, "\n{rule} was broken {count} times");
    }
    text
}

/// Why a verdict is what it is, in lines.
pub(super) fn because(outcome: &Outcome) -> Vec<String> {
    let start = outcome.start;
    match &outcome.verdict {
        Verdict::Pass => Vec::new(),
        Verdict::Error(error) => {
            error.because.iter().map(|reason| format!("{}: {reason}", error.kind.as_str())).collect()
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
        Verdict::Broken(breach) => {
            let vm = &breach.vm;
            let mut lines = vec![
                format!("{}: {}", breach.rule.as_str(), breach.rule.about()),
                format!("{}/{} at {} ({})", vm.namespace, vm.name, since(start, breach.at), breach.at),
                format!("expected: {}", say(start, breach.expected.as_ref())),
                format!("got:      {}", say(start, breach.got.as_ref())),
            ];
            lines.extend(breach.episode.as_ref().map(|episode| of_episode(start, episode)));
            lines
        }
    }
}

fn of_episode(start: Time, episode: &Episode) -> String {
    let begun = format!("in error since {}", since(start, episode.since));
    let statuses: Vec<&str> = episode.statuses.iter().map(|(_, status)| *status).collect();
    let end =
        episode.end.map_or_else(|| "not ended".to_owned(), |end| format!("ended at {}", since(start, end)));
    let deadline = episode.deadline().map_or_else(|| "never".to_owned(), |at| since(start, at));
    format!("{begun} as {}; due at {deadline}; {end}", statuses.join(", "))
}

/// When each alert fired: what the scenario is about.
fn alerts(outcome: &Outcome) -> String {
    let firing: Vec<&Alert> = outcome.alerts.iter().filter(|alert| alert.is_firing()).collect();
    if firing.len() > ALERTS_SHOWN {
        let first = since(outcome.start, firing[0].at);
        return format!("{} alerts, the first at {first}", firing.len());
    }
    if firing.is_empty() {
        return "silent".to_owned();
    }
    let say = |alert: &&Alert| format!("{} at {}", alert.status, since(outcome.start, alert.at));
    firing.iter().map(say).collect::<Vec<_>>().join(", ")
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
