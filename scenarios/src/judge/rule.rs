//! The rules of the contract, by name.

/// A rule of the contract, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// R1: a firing missing, spurious, stamped off, or handed over too late.
    Exact,
    /// R2: a firing before the threshold.
    NeverEarly,
    /// R3: a firing for an episode that ended at its deadline, or before its instant was over.
    ObservationsFirst,
    /// R4: a wrong status.
    OneDwell,
    /// R5: an episode that went on over a status outside the seven.
    Reset,
    /// R6: a resolved missing, spurious or off.
    Resolve,
    /// R7: a second firing or resolved.
    Once,
    /// R8: a repeated status, or a relist, that changed something.
    Idempotent,
    /// R9: a deletion, or another uid, that did not end an episode.
    Deletion,
    /// R10: a machine that changed another's alerts.
    Independence,
    /// R11: something lost by a restart.
    Restart,
    /// R12: a word taken for an error status, or not reported.
    UnknownWords,
    /// R13: an input from the past that was not rejected.
    Forward,
}

/// What a slip breaks that no case gives a name to, most telling first. The contract's table has the six rules of alerts; an
/// input that was taken from the past stands before them, since what follows from it may look like anything.
const TABLE: [Rule; 8] = [
    Rule::Forward,
    Rule::NeverEarly,
    Rule::ObservationsFirst,
    Rule::Once,
    Rule::Resolve,
    Rule::Exact,
    Rule::OneDwell,
    Rule::UnknownWords,
];

impl Rule {
    /// Every rule, in the contract's order.
    pub const ALL: [Self; 13] = [
        Self::Exact,
        Self::NeverEarly,
        Self::ObservationsFirst,
        Self::OneDwell,
        Self::Reset,
        Self::Resolve,
        Self::Once,
        Self::Idempotent,
        Self::Deletion,
        Self::Independence,
        Self::Restart,
        Self::UnknownWords,
        Self::Forward,
    ];

    /// The rules that any case with a machine puts to the test; the others need a case that is named after them.
    pub const OF_ALERTS: [Self; 6] =
        [Self::Exact, Self::NeverEarly, Self::ObservationsFirst, Self::OneDwell, Self::Resolve, Self::Once];

    /// The contract's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "R1",
            Self::NeverEarly => "R2",
            Self::ObservationsFirst => "R3",
            Self::OneDwell => "R4",
            Self::Reset => "R5",
            Self::Resolve => "R6",
            Self::Once => "R7",
            Self::Idempotent => "R8",
            Self::Deletion => "R9",
            Self::Independence => "R10",
            Self::Restart => "R11",
            Self::UnknownWords => "R12",
            Self::Forward => "R13",
        }
    }

    /// What it asks, in a few words.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Exact => "an episode fires at exactly its deadline",
            Self::NeverEarly => "nothing fires before the threshold",
            Self::ObservationsFirst => "at one instant observations count before deadlines",
            Self::OneDwell => "the alert carries the status that holds at the deadline",
            Self::Reset => "a status outside the seven ends the episode, however short the gap",
            Self::Resolve => "a firing episode resolves at the instant at which it ends",
            Self::Once => "an episode fires once and resolves once",
            Self::Idempotent => "a repeated status and a relist change nothing",
            Self::Deletion => "a deletion, or another uid, ends the episode at that instant",
            Self::Independence => "no machine changes another's alerts",
            Self::Restart => "a restored detector goes on as if it had never stopped",
            Self::UnknownWords => "an unknown word is no error status, and is reported",
            Self::Forward => "an input from the past is rejected and changes nothing",
        }
    }

    /// The rule of that name.
    ///
    /// ```
    /// use stuckvm_scenarios::judge::Rule;
    ///
    /// assert_eq!(Rule::parse("R3"), Some(Rule::ObservationsFirst));
    /// ```
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == name)
    }

    /// The rule that a case is named after, as `contract/R3/ends-at-the-deadline/Unknown` is.
    pub fn of_case(name: &str) -> Option<Self> {
        Self::parse(name.strip_prefix("contract/")?.split('/').next()?)
    }

    /// Its place in the table.
    pub(super) fn rank(self) -> usize {
        TABLE.iter().position(|rule| *rule == self).expect("only rules of the table are found by comparing")
    }
}
