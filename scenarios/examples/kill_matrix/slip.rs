//! The slips: each is one small and plausible mistake, with the rule that it breaks.

use stuckvm_scenarios::judge::Rule;

const R1: Rule = Rule::Exact;
const R2: Rule = Rule::NeverEarly;
const R3: Rule = Rule::ObservationsFirst;
const R4: Rule = Rule::OneDwell;
const R5: Rule = Rule::Reset;
const R6: Rule = Rule::Resolve;
const R7: Rule = Rule::Once;
const R8: Rule = Rule::Idempotent;
const R9: Rule = Rule::Deletion;
const R10: Rule = Rule::Independence;
const R11: Rule = Rule::Restart;
const R12: Rule = Rule::UnknownWords;
const R13: Rule = Rule::Forward;

/// What an episode looks like that goes on and should not: it fires where it had ended (R1, at the deadline R3), where another
/// had begun (R2), and does not resolve (R6).
const GOES_ON: &[Rule] = &[R1, R2, R3, R6];

/// What a word looks like that is taken for an error status: it is not reported, and where it should have ended an episode that
/// fired, nothing resolves.
const TAKEN_FOR_AN_ERROR: &[Rule] = &[R12, R6];

/// What an error status looks like that counts as an unknown word: it is reported, and where that happens at a deadline or while the
/// episode fires, an alert goes wrong at that instant too.
const UNKNOWN_ERROR: &[Rule] = &[R1, R6, R12];

/// A slip, and what there is to say of it.
pub(crate) struct Row {
    pub(crate) slip: Slip,
    /// The rule that it breaks: a case of the contract suite named after that rule must catch it.
    pub(crate) breaks: Rule,
    /// What the verdict calls it where no case gives it a name: the first rows of the contract's table that can match.
    pub(crate) looks_like: &'static [Rule],
    /// What is wrong, in a few words.
    pub(crate) about: &'static str,
}

/// Declares the slips and their table at once, so that none is without a row.
macro_rules! slips {
    ($($slip:ident $breaks:ident $looks_like:expr, $about:literal;)*) => {
        /// One small and plausible mistake.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Slip { $($slip),* }

        /// Every slip, by the rule that it breaks.
        pub(crate) const ROWS: &[Row] = &[$(Row {
            slip: Slip::$slip,
            breaks: $breaks,
            looks_like: $looks_like,
            about: $about,
        }),*];
    };
}

slips! {
    // R1
    StrictlyAfter R1 &[R1], "`>` for `>=`: an advance to the deadline leaves it open";
    OneNanosecondLate R1 &[R1], "the deadline is one nanosecond late";
    FloatSeconds R1 &[R1, R2], "instants are floating-point seconds";
    WholeMilliseconds R1 &[R2], "the deadline is cut to whole milliseconds";
    WholeSecondThresholds R1 &[R2], "thresholds are cut to whole seconds";
    ThresholdIgnored R1 &[R1, R2], "the threshold is 300 s, whatever was asked";
    OwnThresholdsIgnored R1 &[R1, R2], "every status has the same threshold";
    OwnThresholdsByWireOnly R1 &[R1, R2], "a threshold under the runbook's spelling is overlooked";
    U32Clock R1 &[R1], "the clock is 32 bits of milliseconds, and wraps";
    U32Deadline R1 &[R2], "the deadline is 32 bits of milliseconds, and wraps";
    WrapsAtTheEnd R1 &[R1, R2], "a deadline beyond the last instant wraps to the first";
    SaturatesAtTheEnd R1 &[R2], "a deadline beyond the last instant is the last instant";
    ZeroIsNoBeginning R1 &[R1], "the instant 0 stands for no episode";
    PollStamps R1 &[R1], "the firing has the instant of the input";
    AdvancesOnly R1 &[R1, R4], "observations make nothing due";
    ObservationsOnly R1 &[R1], "advances make nothing due";
    OwnInputsOnly R1 &[R1], "another machine's input makes nothing due";
    DeletionsTellNothing R1 &[R1], "a deletion makes nothing due";
    RelistsTellNothing R1 &[R1], "a relist makes nothing due";
    OneAlertAnInput R1 &[R1], "one input makes one deadline due";
    NewestFirst R1 &[R1], "what is due comes newest first";
    SeventhForgotten R1 &[R1, R2, R6], "DataVolumeError counts as healthy";
    UnknownIsNoWord R1 UNKNOWN_ERROR, "the status Unknown counts as an unknown word";
    // R2
    OneNanosecondEarly R2 &[R2], "the deadline is one nanosecond early";
    FiresAtOnce R2 &[R2], "there is no dwell";
    DwellsAddUp R2 &[R2], "earlier episodes of the machine count";
    HealthyTimeCounts R2 &[R2], "the dwell counts from when the machine was first seen";
    // R3
    DeadlinesFirst R3 &[R2, R3], "an observation of the deadline's instant comes too late";
    EventsFirst R3 &[R1, R4], "an input counts before deadlines that are older";
    // R4
    MovesReset R4 &[R1], "a move to another error status starts the dwell anew";
    StatusOfTheOpening R4 &[R4], "the alert carries the status that opened the episode";
    StatusWhenTold R4 &[R4], "the alert carries the status of the input that makes it due";
    StatusBeforeTheInstant R4 &[R4], "a move at the deadline's instant comes too late";
    MovesFireAgain R4 &[R7], "a move while firing fires again";
    MovesResolve R4 &[R6], "a move while firing resolves";
    ThresholdOfTheLaterStatus R4 &[R1, R2], "a move brings its own threshold";
    WireSpellingOnly R4 UNKNOWN_ERROR, "the runbook's spelling is an unknown word";
    RunbookSpellingOnly R4 UNKNOWN_ERROR, "the wire's spelling is an unknown word";
    WireInAlerts R4 &[R4], "alerts carry the wire's spelling";
    // R5
    ZeroGapsMerge R5 &[R1, R2], "of one instant only the last observation counts";
    ShortGapsMerge R5 &[R1, R2, R3], "a gap under a second does not end the dwell";
    OnlyRunningEnds R5 GOES_ON, "of the healthy words only Running ends an episode";
    EmptyIsUnknown R5 &[R1, R2, R3, R4, R6], "the empty word is Unknown";
    EmptyGoesOn R5 GOES_ON, "the empty word is skipped";
    TerminatingGoesOn R5 GOES_ON, "Terminating does not end an episode";
    BindingIsAnError R5 &[R1, R2, R3, R4, R6], "WaitingForVolumeBinding is an error status";
    FiresOnceAMachine R5 &[R1], "a machine that has fired never fires again";
    // R6
    NeverResolves R6 &[R6], "nothing resolves";
    ResolvesWithTheCurrentStatus R6 &[R4], "resolved carries the status of the end";
    PendingResolves R6 &[R6], "what has not fired resolves";
    ResolvedStampOfTheFiring R6 &[R6], "resolved has the instant of the firing";
    ResolvedWithTheNextInput R6 &[R6], "resolved is told an input later";
    ResolvedFirst R6 &[R1], "an answer has what resolved before what fired earlier";
    // R7
    FiresEachThreshold R7 &[R7], "it fires again after another threshold";
    RelistsFireAgain R7 &[R7], "a relist while firing fires again";
    RepeatsFireAgain R7 &[R7], "a repeat while firing fires again";
    ResolvesAgain R7 &[R7], "a second healthy status resolves again";
    // R8
    RepeatsReset R8 &[R1], "a repeated status starts the dwell anew";
    SpellingsDiffer R8 &[R1], "the other spelling starts the dwell anew";
    RelistsReset R8 &[R1], "a relist starts every dwell anew";
    RelistsCloseTheirInstant R8 &[R3], "a relist comes too late at the deadline's instant";
    MissingIgnored R8 GOES_ON, "what a relist lacks lives on";
    MissingLoseResolved R8 &[R6], "what a relist lacks goes without resolved";
    EmptyRelistIgnored R8 GOES_ON, "a relist of nothing counts as a hiccup";
    ListedOnceFirst R8 GOES_ON, "of a machine that a list names twice the first entry counts";
    ListedOnceLast R8 &[R1, R2, R6], "of a machine that a list names twice the last entry counts";
    // R9
    UidIgnored R9 GOES_ON, "another uid of the name is the same machine";
    SuccessorsInherit R9 GOES_ON, "another uid of the name inherits the dwell";
    OldUidsLive R9 GOES_ON, "another uid does not delete the one before";
    OldUidsAreStale R9 GOES_ON, "a uid that was replaced is never taken again";
    ReplacedLoseResolved R9 &[R6], "what another uid replaces goes without resolved";
    DeletedByName R9 &[R1, R6], "a deletion strikes whatever has the name";
    DeletionsCloseTheirInstant R9 &[R3], "a deletion comes too late at the deadline's instant";
    DeletionsLoseResolved R9 &[R6], "what is deleted goes without resolved";
    DeletedPendingGoesOn R9 GOES_ON, "a deletion does not end what has not fired";
    SameUidGoesOn R9 &[R2], "a uid that is back goes on with its dwell";
    // R10
    NamespacesIgnored R10 &[R1, R6], "the name alone tells machines apart";
    UidAlone R10 GOES_ON, "the uid alone tells machines apart";
    PrefixRecovers R10 &[R1, R6], "vm10 recovers with vm1";
    OneDeadlineAnInstant R10 &[R1], "a deadline takes the place of another of its instant";
    RecoveryClearsAll R10 &[R1], "a recovery calls off every deadline";
    ThousandMachines R10 &[R1], "there is room for a thousand machines";
    OrderOfBeginnings R10 &[R1], "no deadline is due before one that was set earlier";
    // R11
    SnapshotForgetsPending R11 &[R1], "a restart loses what has not fired";
    SnapshotForgetsFiring R11 &[R6, R7], "a restart loses what has fired";
    SnapshotForgetsThatItFired R11 &[R7], "a restart fires again";
    SnapshotForgetsFiredStatus R11 &[R4], "after a restart resolved carries the current status";
    SnapshotForgetsMoves R11 &[R4], "a restart goes back to the status of the opening";
    SnapshotForgetsTheOpening R11 &[R1, R2], "after a restart the current status gives the threshold";
    SnapshotRestartsTheDwell R11 &[R1], "a restart counts from its own instant";
    SnapshotInSeconds R11 &[R2], "a snapshot has whole seconds";
    SnapshotForgetsTheClock R11 &[R13], "a restart forgets how far the stream had come";
    SnapshotForgetsClosing R11 &[R13], "a restart opens a closed instant again";
    SnapshotForgetsUids R11 GOES_ON, "a restart takes the next uid for the one before";
    OverdueDropped R11 &[R1], "deadlines that passed while it was down are dropped";
    OverdueStampedNow R11 &[R1], "deadlines that passed while it was down are stamped late";
    // R12
    UnknownGoesOn R12 GOES_ON, "an unknown word does not end an episode";
    UnknownNotReported R12 &[R12], "the report is always empty";
    CaseInsensitive R12 TAKEN_FOR_AN_ERROR, "words count in any case";
    Trimmed R12 TAKEN_FOR_AN_ERROR, "blanks around a word do not count";
    HealthyInAnyCase R12 &[R12], "healthy words count in any case";
    HealthyTrimmed R12 &[R12], "blanks around a healthy word do not count";
    HealthyPrefix R12 &[R12], "what begins with a healthy word is healthy";
    ErrPrefix R12 TAKEN_FOR_AN_ERROR, "what begins with Err is an error status";
    BackOffSuffix R12 TAKEN_FOR_AN_ERROR, "what ends with BackOff is an error status";
    NotHealthyIsAnError R12 &[R3, R6, R12], "what is not healthy is an error status";
    EmptyIsReported R12 &[R12], "the empty word is reported";
    ReceiverIsReported R12 &[R12], "a healthy word of a newer release is reported";
    ReportedOnce R12 &[R12], "a word is reported once and never again";
    ReportsInLowerCase R12 &[R12], "words are reported in lower case";
    ReportsPileUp R12 &[R12], "the report of one input is repeated with the next";
    OneReportAnInput R12 &[R12], "of a relist one word is reported";
    // R13
    LateIsTaken R13 &[R6, R12, R13], "an input older than the newest is taken";
    ClosedIsTaken R13 &[R13], "an input at a closed instant is taken";
    SecondAdvanceIsTaken R13 &[R13], "a second advance to an instant is taken";
    AdvancesUnchecked R13 &[R13], "an advance to the past is taken";
    DeletionsUnchecked R13 &[R13], "a deletion in the past is taken";
    RelistsUnchecked R13 &[R13], "a relist of the past is taken";
    ClockOfEachMachine R13 &[R6, R12, R13], "each machine has its own newest instant";
    RejectedIsTakenIn R13 &[R1, R2, R6], "what is rejected is taken in all the same";
    RejectedMovesTimeBack R13 &[R13], "what is rejected moves the newest instant back";
}

impl Slip {
    /// Its name in reports, such as `strictly-after`.
    pub(crate) fn name(self) -> String {
        let mut name = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }
}
