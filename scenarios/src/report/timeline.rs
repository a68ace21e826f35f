//! The timeline of one scenario: what happened, when each status was entered, when the alert fired.

use super::text::{WIDTH, text_line};
use crate::pins::since;
use crate::run::Run;
use crate::stream::{Alert, AlertKind};
use crate::verdict::StatusEntry;
use std::fmt::Write as _;
use stuckvm_detector::Time;
use stuckvm_sim::manifest::wrap;
use stuckvm_sim::trace::TraceLine;

/// One line of the timeline.
enum Moment<'a> {
    /// What users and faults did, and events of the cluster.
    Event(&'a TraceLine),
    /// A virtual machine came into a status.
    Status(&'a StatusEntry),
    /// The detector said something.
    Alert(&'a Alert),
}

/// More moments than these are left out, with a count.
pub const MOMENTS_SHOWN: usize = 400;

/// The timeline of a run whose trace was kept, and its verdict.
pub fn timeline(run: &Run, about: &str) -> String {
    let outcome = &run.outcome;
    let mut text = format!("{}\n", outcome.scenario);
    let about = about.split_whitespace().collect::<Vec<_>>().join(" ");
    wrap(&about, WIDTH - 2).iter().for_each(|line| text += &format!("  {line}\n"));
    text.push('\n');
    let all = moments(run);
    let told = all.len() + run.moments_left_out;
    let moments = most_telling(all);
    for (at, moment) in moments.iter().take(MOMENTS_SHOWN) {
        let when = if *at < outcome.start { "before".to_owned() } else { since(outcome.start, *at) };
        let _ = writeln!(text, "{when:>14}  {}", say(moment));
    }
    let more = told.saturating_sub(moments.len().min(MOMENTS_SHOWN));
    if more > 0 {
        let _ = writeln!(text, "{:>14}  {more} more; --trace FILE has all", "…");
    }
    let _ = write!(text, "\n{}", text_line(outcome));
    text
}

/// Where there is too much to show, events give way to statuses and alerts.
fn most_telling(mut moments: Vec<(Time, Moment<'_>)>) -> Vec<(Time, Moment<'_>)> {
    if moments.len() > MOMENTS_SHOWN {
        moments.retain(|(_, moment)| !matches!(moment, Moment::Event(_)));
    }
    moments
}

/// In order of time; at one instant events, then statuses, then alerts.
fn moments(run: &Run) -> Vec<(Time, Moment<'_>)> {
    let events = run.trace.iter().filter(|line| line.is_moment());
    let mut moments: Vec<(Time, Moment<'_>)> = events.map(|line| (line.at, Moment::Event(line))).collect();
    let statuses = run.outcome.statuses.iter();
    moments.extend(statuses.map(|entry| (entry.at, Moment::Status(entry))));
    moments.extend(run.outcome.alerts.iter().map(|alert| (alert.at, Moment::Alert(alert))));
    moments.sort_by_key(|(at, moment)| (*at, rank(moment)));
    moments
}

const fn rank(moment: &Moment<'_>) -> u8 {
    match moment {
        Moment::Event(_) => 0,
        Moment::Status(_) => 1,
        Moment::Alert(_) => 2,
    }
}

fn say(moment: &Moment<'_>) -> String {
    match moment {
        Moment::Event(TraceLine { actor, verb, object, detail, .. }) => match *verb {
            "event" => format!("{object}: {detail} ({actor})"),
            verb => format!("{actor} {verb} {object}"),
        },
        Moment::Status(StatusEntry { vm, status, .. }) => format!("= {}/{} {status}", vm.namespace, vm.name),
        Moment::Alert(Alert { kind, vm, status, .. }) => {
            let verb = if *kind == AlertKind::Firing { "FIRING" } else { "RESOLVED" };
            format!("! {verb} KubeVirtVMStuckInErrorState {}/{} {status}", vm.namespace, vm.name)
        }
    }
}
