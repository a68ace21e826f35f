//! The time axis of one machine: its statuses, what had to be said, and what was said.

use super::{Case, same_name};
use crate::oracle;
use crate::pins::{DELETED, since};
use crate::report::palette::Palette;
use crate::stream::{Alert, Event, Input, Observed, Vm};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use stuckvm_detector::Time;

/// More instants than these are left out around the one that matters.
const INSTANTS_SHOWN: usize = 40;

/// What happened on the axis, by instant.
pub(super) struct Axis {
    machine: String,
    /// What the marks before words mean.
    legend: &'static str,
    rows: BTreeMap<Time, Row>,
    /// The instant around which instants are shown where there are many.
    focus: Time,
}

/// One instant.
#[derive(Default)]
pub(super) struct Row {
    /// The statuses that it came into, in order.
    pub(super) statuses: Vec<String>,
    pub(super) expected: Vec<String>,
    pub(super) got: Vec<String>,
    /// Whether what came is not what had to come.
    pub(super) differs: bool,
}

/// By instant.
pub(super) type Rows = BTreeMap<Time, Row>;

impl Case<'_> {
    pub(super) fn axis(&self, vm: &Vm) -> Axis {
        let mut rows = self.statuses(vm);
        let legend = match self.evidence.sampled {
            None => self.mark_exactly(vm, &mut rows),
            Some(sampled) => self.mark_sampled(sampled, vm, &mut rows),
        };
        let differs = rows.iter().find(|(_, row)| row.differs);
        let alert = rows.iter().find(|(_, row)| !row.expected.is_empty());
        let focus = differs.or(alert).map_or(self.end(), |(at, _)| *at);
        Axis { machine: format!("{}/{}", vm.namespace, vm.name), legend, rows, focus }
    }

    fn statuses(&self, vm: &Vm) -> Rows {
        let mut rows = Rows::new();
        let mut newest = String::new();
        for (at, status) in self.evidence.inputs.iter().filter_map(|input| status_of(input, vm)) {
            if status != newest {
                rows.entry(at).or_default().statuses.push(said(&status));
                newest = status;
            }
        }
        rows
    }

    /// What had to be said to the nanosecond, and what was said.
    fn mark_exactly(&self, vm: &Vm, rows: &mut Rows) -> &'static str {
        let of_machine = |alert: &&Alert| same_name(&alert.vm, vm);
        let expected = oracle::expected(self.evidence.thresholds, self.evidence.inputs);
        for alert in expected.alerts.iter().map(|due| &due.alert).filter(of_machine) {
            rows.entry(alert.at).or_default().expected.push(mark(alert));
        }
        for alert in self.evidence.outcome.alerts.iter().filter(of_machine) {
            rows.entry(alert.at).or_default().got.push(mark(alert));
        }
        let sorted = |alerts: &Vec<String>| {
            let mut alerts = alerts.clone();
            alerts.sort();
            alerts
        };
        rows.values_mut().for_each(|row| row.differs = sorted(&row.expected) != sorted(&row.got));
        "! fires, . resolves"
    }
}

/// The empty status is one too.
fn said(status: &str) -> String {
    if status.is_empty() { "\"\"".to_owned() } else { status.to_owned() }
}

fn status_of(input: &Input, vm: &Vm) -> Option<(Time, String)> {
    let observed = |seen: &Observed| same_name(&seen.vm, vm).then(|| seen.status.to_string());
    let status = match &input.event {
        Event::Observed(seen) => observed(seen)?,
        Event::Deleted(gone) => same_name(gone, vm).then(|| DELETED.to_owned())?,
        // One that a list lacks is gone.
        Event::Relist(list) => list.iter().find_map(observed).unwrap_or_else(|| DELETED.to_owned()),
        Event::Advance => return None,
    };
    Some((input.at, status))
}

/// An alert in as few letters as a column has.
fn mark(alert: &Alert) -> String {
    format!("{} {}", if alert.is_firing() { "!" } else { "." }, alert.status)
}

impl Axis {
    pub(super) fn write(&self, start: Time, palette: Palette) -> String {
        let rows = self.shown();
        let label = |at: Time| since(start, at);
        let width = |cells: &mut dyn Iterator<Item = usize>, heading: &str| {
            cells.max().unwrap_or(0).max(heading.len())
        };
        let at = width(&mut rows.iter().map(|(at, _)| label(**at).len()), "at");
        let column = |of: fn(&Row) -> &Vec<String>, heading: &str| {
            width(&mut rows.iter().flat_map(|(_, row)| of(row)).map(|cell| cell.chars().count()), heading)
        };
        let widths = [at, column(|row| &row.statuses, "status"), column(|row| &row.expected, "expected")];
        let heading = line(&widths, ["at", "status", "expected", "got"]);
        let mut text = format!("  {}   {}\n", palette.heading(&self.machine), self.legend);
        let _ = writeln!(text, "  {}", palette.heading(&heading));
        let mut before = self.rows.len() - rows.len();
        for (at, row) in rows {
            if before > 0 {
                let _ = writeln!(text, "  {:>1$}  {before} more instants are not shown", "…", widths[0]);
                before = 0;
            }
            text += &row.write(&widths, &label(*at), palette);
        }
        text
    }

    /// All instants, or those around the one that matters.
    fn shown(&self) -> Vec<(&Time, &Row)> {
        let rows: Vec<_> = self.rows.iter().collect();
        let focus = rows.partition_point(|(at, _)| **at < self.focus);
        let latest_start = rows.len().saturating_sub(INSTANTS_SHOWN);
        let from = focus.saturating_sub(INSTANTS_SHOWN * 3 / 4).min(latest_start);
        rows.into_iter().skip(from).take(INSTANTS_SHOWN).collect()
    }
}

impl Row {
    /// As many lines as the fullest cell needs; a difference stands out without colour too.
    fn write(&self, widths: &[usize; 3], at: &str, palette: Palette) -> String {
        let lines = self.statuses.len().max(self.expected.len()).max(self.got.len()).max(1);
        let cell = |cells: &Vec<String>, index: usize| cells.get(index).cloned().unwrap_or_default();
        let mut text = String::new();
        for index in 0..lines {
            let at = if index == 0 { at } else { "" };
            let cells = [&self.statuses, &self.expected, &self.got].map(|cells| cell(cells, index));
            let line = line(widths, [at, &cells[0], &cells[1], &cells[2]]);
            let _ = match (self.differs, self.got.is_empty()) {
                (true, _) => writeln!(text, "{} {}", palette.bad(">"), palette.bad(&line)),
                (false, false) => writeln!(text, "  {}", palette.good(&line)),
                (false, true) => writeln!(text, "  {line}"),
            };
        }
        text
    }
}

fn line(&[at, status, expected]: &[usize; 3], cells: [&str; 4]) -> String {
    let [when, is, wanted, came] = cells;
    format!("{when:>at$}  {is:<status$}  {wanted:<expected$}  {came}").trim_end().to_owned()
}
