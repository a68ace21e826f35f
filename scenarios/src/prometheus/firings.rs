//! What a rule's alerts say of each virtual machine.

use super::alerts::{Change, Entered};
use super::exporter::time;
use super::samples::Labels;
use crate::format::VmName;
use std::collections::BTreeMap;
use stuckvm_detector::Time;

/// A stretch in which at least one alert of a machine fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Firing {
    /// The evaluation at which it begins.
    pub at: Time,
    /// The evaluation at which it ends; none while it goes on.
    pub until: Option<Time>,
}

/// The firings of every machine, in the order of time. A rule may have several alerts of one machine, one a status: as long as any
/// of them fires, the machine does. An alert without `name` or `namespace` is about a machine that nobody knows, `?`.
pub fn firings(changes: &[Change]) -> BTreeMap<VmName, Vec<Firing>> {
    let mut found: BTreeMap<VmName, Vec<Firing>> = BTreeMap::new();
    let mut active: BTreeMap<VmName, usize> = BTreeMap::new();
    for tick in changes.chunk_by(|one, next| one.at == next.at) {
        let at = time(tick[0].at);
        let mut before: BTreeMap<VmName, usize> = BTreeMap::new();
        for change in tick.iter().filter(|change| matches!(change.to, Entered::Firing | Entered::Resolved)) {
            let vm = machine(&change.labels);
            let count = active.entry(vm.clone()).or_default();
            before.entry(vm).or_insert(*count);
            if change.to == Entered::Firing { *count += 1 } else { *count -= 1 }
        }
        for (vm, before) in before {
            let now = active[&vm];
            let of_vm = found.entry(vm).or_default();
            match (before, now) {
                (0, 1..) => of_vm.push(Firing { at, until: None }),
                (1.., 0) => of_vm.last_mut().expect("it fired before").until = Some(at),
                _ => {}
            }
        }
    }
    found
}

/// The machine that an alert with these labels is about.
pub(crate) fn machine(labels: &Labels) -> VmName {
    let label = |name: &str| labels.get(name).cloned().unwrap_or_else(|| "?".to_owned());
    VmName { namespace: label("namespace"), name: label("name") }
}

#[cfg(test)]
mod tests {
    use super::{Firing, firings};
    use crate::prometheus::alerts::{Change, Entered};
    use crate::prometheus::samples::Labels;
    use stuckvm_detector::Time;

    fn change(seconds: i64, status: &str, to: Entered) -> Change {
        let labels = [("namespace", "ns"), ("name", "vm1"), ("status", status)];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Change { at: seconds * 1000, labels: Labels::from(labels), to }
    }

    #[test]
    fn a_machine_fires_while_any_of_its_alerts_does() {
        let changes = [
            change(0, "a", Entered::Pending),
            change(60, "a", Entered::Firing),
            change(90, "a", Entered::Resolved),
            change(90, "b", Entered::Firing),
            change(120, "b", Entered::Resolved),
            change(150, "a", Entered::Firing),
        ];
        let found = firings(&changes);
        let at = Time::from_secs;
        let first = Firing { at: at(60), until: Some(at(120)) };
        assert_eq!(found.into_values().next(), Some(vec![first, Firing { at: at(150), until: None }]));
    }

    #[test]
    fn an_alert_of_no_machine_is_about_an_unknown_one() {
        let mut change = change(0, "a", Entered::Firing);
        change.labels.remove("namespace");
        let names: Vec<String> = firings(&[change]).keys().map(ToString::to_string).collect();
        assert_eq!(names, ["?/vm1"]);
    }
}
