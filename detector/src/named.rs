//! The detector for those who have names and words.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::alert::Alert;
use crate::counters::Counters;
use crate::detector::{Detector, VmId};
use crate::error::TimeError;
use crate::registry::{Registry, VmName, VmRef};
use crate::{PrintableStatus, Rule, Time};

/// A [`Detector`] whose machines go by namespace, name and uid, and whose
/// statuses are words as the cluster delivers them.
///
/// It knows which uid of a name is live (R9), compares a relist with what is
/// live (R8), and keeps account of words that this version does not know (R12).
#[derive(Clone, Debug)]
pub struct NamedDetector {
    pub(crate) detector: Detector,
    pub(crate) registry: Registry,
    pub(crate) unknown_words: BTreeMap<String, u64>,
    output: Output,
}

/// What one input made known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Alerts that became due, in the contract's order.
    pub alerts: Vec<Alert<Arc<VmName>>>,
    /// Statuses of this input that this version does not know, in the order of
    /// delivery, each once.
    pub unknown: Vec<String>,
}

/// More distinct unknown words than this are counted, but not remembered: a
/// source that invents words must not fill the memory.
pub(crate) const UNKNOWN_WORDS_MAX: usize = 1024;

impl NamedDetector {
    /// A detector that has seen nothing.
    pub fn new(rule: Rule) -> NamedDetector {
        NamedDetector::from_parts(Detector::new(rule), Registry::default(), BTreeMap::new())
    }

    pub(crate) fn from_parts(
        detector: Detector,
        registry: Registry,
        unknown_words: BTreeMap<String, u64>,
    ) -> NamedDetector {
        NamedDetector { detector, registry, unknown_words, output: Output::default() }
    }

    /// `vm` has the status `word` at `at`, in either spelling.
    ///
    /// # Errors
    ///
    /// If `at` is in the past (R13); nothing has changed then.
    pub fn observe(&mut self, at: Time, vm: VmRef<'_>, word: &str) -> Result<&Output, TimeError> {
        self.enter(at)?;
        self.take(at, vm, word);
        Ok(&self.output)
    }

    /// `vm` is gone at `at`. Nothing but time moves if its uid is not live.
    ///
    /// # Errors
    ///
    /// If `at` is in the past (R13); nothing has changed then.
    pub fn delete(&mut self, at: Time, vm: VmRef<'_>) -> Result<&Output, TimeError> {
        self.enter(at)?;
        if let Some(id) = self.registry.live(vm)
            && self.registry.name(id).uid == vm.uid
        {
            self.remove(at, id);
        }
        Ok(&self.output)
    }

    /// These machines, with these words, are all that there are at `at` (R8).
    ///
    /// # Errors
    ///
    /// If `at` is in the past (R13); nothing has changed then.
    pub fn relist<'a>(
        &mut self,
        at: Time,
        list: impl IntoIterator<Item = (VmRef<'a>, &'a str)>,
    ) -> Result<&Output, TimeError> {
        self.enter(at)?;
        let mut listed = vec![false; self.registry.ids_end()];
        for (vm, word) in list {
            let id = self.take(at, vm, word);
            listed.resize(self.registry.ids_end(), false);
            listed[id.index()] = true;
        }
        for id in self.registry.in_order(|id| !listed[id.index()]) {
            self.remove(at, id);
        }
        Ok(&self.output)
    }

    /// Nothing more comes at or before `to`.
    ///
    /// # Errors
    ///
    /// If `to` is in the past (R13); nothing has changed then.
    pub fn advance(&mut self, to: Time) -> Result<&Output, TimeError> {
        self.detector.advance(to)?;
        self.clear_output();
        self.collect_alerts();
        Ok(&self.output)
    }

    /// The earliest deadline that is open.
    pub fn next_deadline(&self) -> Option<Time> {
        self.detector.next_deadline()
    }

    /// The thresholds.
    pub fn rule(&self) -> &Rule {
        self.detector.rule()
    }

    /// Totals so far.
    pub fn counters(&self) -> Counters {
        self.detector.counters()
    }

    /// The words seen so far that this version does not know, in alphabetical
    /// order, and how often each was (at most 1,024 words are remembered;
    /// [`Counters::unknown_words`] counts all).
    pub fn unknown_words(&self) -> impl Iterator<Item = (&str, u64)> {
        self.unknown_words.iter().map(|(word, count)| (word.as_str(), *count))
    }

    fn enter(&mut self, at: Time) -> Result<(), TimeError> {
        self.detector.enter(at)?;
        self.clear_output();
        self.collect_alerts();
        Ok(())
    }

    fn clear_output(&mut self) {
        self.output.alerts.clear();
        self.output.unknown.clear();
    }

    fn take(&mut self, at: Time, vm: VmRef<'_>, word: &str) -> VmId {
        let id = self.id_of(at, vm);
        match PrintableStatus::parse(word) {
            Some(status) => self.detector.take(at, id, Some(status)),
            None => {
                self.note_unknown(word);
                self.detector.take_unknown(at, id);
            }
        }
        self.collect_alerts();
        id
    }

    /// The id of `vm`. Another uid of that name, if live, is deleted first.
    fn id_of(&mut self, at: Time, vm: VmRef<'_>) -> VmId {
        match self.registry.live(vm) {
            Some(id) if self.registry.name(id).uid == vm.uid => return id,
            Some(old) => self.remove(at, old),
            None => {}
        }
        self.registry.insert(vm)
    }

    fn remove(&mut self, at: Time, id: VmId) {
        self.detector.take(at, id, None);
        self.collect_alerts();
        self.registry.remove(id);
    }

    /// Puts names to the alerts. Before any id is freed, since an id that is
    /// given out again would give the alert another machine's name.
    fn collect_alerts(&mut self) {
        for alert in self.detector.drain_alerts() {
            let name = Arc::clone(self.registry.name(alert.vm));
            self.output.alerts.push(alert.with_vm(name));
        }
    }

    fn note_unknown(&mut self, word: &str) {
        if !self.output.unknown.iter().any(|noted| noted == word) {
            self.output.unknown.push(word.to_owned());
        }
        if let Some(count) = self.unknown_words.get_mut(word) {
            *count += 1;
        } else if self.unknown_words.len() < UNKNOWN_WORDS_MAX {
            self.unknown_words.insert(word.to_owned(), 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_invents_words_does_not_fill_the_memory() {
        let mut detector = NamedDetector::new(Rule::default());
        for number in 0..2 * UNKNOWN_WORDS_MAX {
            detector.observe(Time::ZERO, VmRef::new("ns", "a", "u1"), &format!("word{number}")).unwrap();
        }
        assert_eq!(detector.unknown_words().count(), UNKNOWN_WORDS_MAX);
        assert_eq!(detector.counters().unknown_words, 2 * UNKNOWN_WORDS_MAX as u64);
    }
}
