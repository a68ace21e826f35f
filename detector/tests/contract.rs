//! The rules of the alert contract, each as small plays.
//!
//! A play is a text. A line is an input, `TIME VM WORD`, `TIME VM gone`,
//! `TIME relist VM=WORD …` or `TIME advance`, or `restart`, which stops the
//! detector and goes on from its snapshot. What an input makes known stands
//! below it behind `=>`, and nothing else may. A time is `300s`, `300s+1` or
//! `300s-1`: seconds from the start of the play, and nanoseconds. `a` is a
//! machine, `a/u2` another one of its name.

use std::time::Duration;

use stuckvm_detector::{
    Alert, NamedDetector, NamedSnapshot, Output, PrintableStatus, Rule, Time, TimeError, VmName, VmRef,
};

fn play(script: &str) {
    play_by(Rule::default(), script);
}

fn play_by(rule: Rule, script: &str) {
    let script: Vec<&str> = script.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let mut detector = NamedDetector::new(rule);
    let mut played = Vec::new();
    for line in script.iter().filter(|line| !line.starts_with("=>")) {
        played.push((*line).to_owned());
        if *line == "restart" {
            detector = restarted(&detector);
        } else {
            played.extend(told(input(&mut detector, line)));
        }
    }
    let (script, played) = (script.join("\n"), played.join("\n"));
    assert!(script == played, "the script:\n{script}\n\nas it was played:\n{played}\n");
}

fn restarted(detector: &NamedDetector) -> NamedDetector {
    let text = serde_json::to_string(&detector.snapshot()).unwrap();
    let snapshot: NamedSnapshot = serde_json::from_str(&text).unwrap();
    NamedDetector::restore(&snapshot).unwrap()
}

fn input<'d>(detector: &'d mut NamedDetector, line: &str) -> Result<&'d Output, TimeError> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = time(words[0]);
    match words[1..] {
        ["advance"] => detector.advance(at),
        ["relist", ref list @ ..] => detector.relist(at, list.iter().map(|entry| listed(entry))),
        [name, "gone"] => detector.delete(at, vm(name)),
        [name, "empty"] => detector.observe(at, vm(name), ""),
        [name, word] => detector.observe(at, vm(name), word),
        _ => panic!("no input: {line}"),
    }
}

fn listed(entry: &str) -> (VmRef<'_>, &str) {
    let (name, word) = entry.split_once('=').unwrap();
    (vm(name), word)
}

fn vm(name: &str) -> VmRef<'_> {
    let (name, uid) = name.split_once('/').unwrap_or((name, "u1"));
    VmRef::new("ns", name, uid)
}

fn time(text: &str) -> Time {
    let (secs, nanos) = text.split_once('s').unwrap();
    let nanos: i64 = if nanos.is_empty() { 0 } else { nanos.parse().unwrap() };
    Time::from_nanos(Time::from_secs(secs.parse().unwrap()).as_nanos().checked_add_signed(nanos).unwrap())
}

fn told(outcome: Result<&Output, TimeError>) -> Vec<String> {
    match outcome {
        Ok(output) => {
            let unknown = output.unknown.iter().map(|word| format!("=> unknown {word}"));
            output.alerts.iter().map(alert_line).chain(unknown).collect()
        }
        Err(TimeError::Older { at, newest }) => {
            vec![format!("=> rejected: {} is before {}", short(at), short(newest))]
        }
        Err(TimeError::Closed { at, closed }) => {
            vec![format!("=> rejected: {} is closed by {}", short(at), short(closed))]
        }
    }
}

fn alert_line(alert: &Alert<std::sync::Arc<VmName>>) -> String {
    let uid = if alert.vm.uid == "u1" { String::new() } else { format!("/{}", alert.vm.uid) };
    let (name, status) = (&alert.vm.name, alert.status.runbook_str());
    format!("=> {} {} {name}{uid} {status} since {}", short(alert.at), alert.kind, short(alert.since))
}

fn short(time: Time) -> String {
    let nanos = (time - time.truncate_to_secs()).as_nanos();
    if nanos == 0 { format!("{}s", time.as_secs()) } else { format!("{}s+{nanos}", time.as_secs()) }
}

#[test]
fn r1_an_open_episode_fires_at_exactly_its_deadline() {
    play(
        "
        7s+3   a CrashLoopBackOff
        900s   advance
               => 307s+3 firing a CrashLoopBackOff since 7s+3
        ",
    );
}

/// The seven: the runbook's spelling, then the wire's.
const ERRORS: [(&str, &str); 7] = [
    ("CrashLoopBackOff", "CrashLoopBackOff"),
    ("Unknown", "Unknown"),
    ("Unschedulable", "ErrorUnschedulable"),
    ("ErrImagePull", "ErrImagePull"),
    ("ImagePullBackOff", "ImagePullBackOff"),
    ("PvcNotFound", "ErrorPvcNotFound"),
    ("DataVolumeError", "DataVolumeError"),
];

/// All others that the contract names; `empty` is the empty string.
const HEALTHY: &str = "empty Stopped Provisioning Starting Running Paused Stopping Terminating Migrating \
    WaitingForVolumeBinding WaitingForReceiver";

#[test]
fn r1_each_of_the_seven_fires_in_both_spellings() {
    for (runbook, wire) in ERRORS {
        for word in [runbook, wire] {
            play(&format!(
                "
                0s     a {word}
                300s   advance
                       => 300s firing a {runbook} since 0s
                ",
            ));
        }
    }
}

#[test]
fn r1_a_deadline_beyond_the_last_instant_never_comes() {
    // The last instant is 18446744073.709551615 s.
    play(
        "
        18446743773s+709551615   a Unknown
        18446743773s+709551616   b Unknown
        18446744073s+709551615   advance
               => 18446744073s+709551615 firing a Unknown since 18446743773s+709551615
        ",
    );
}

#[test]
fn r2_nothing_fires_before_the_deadline() {
    play(
        "
        0s     a Unknown
        300s-1 advance
        300s   advance
               => 300s firing a Unknown since 0s
        ",
    );
}

#[test]
fn r3_an_episode_that_ends_at_its_deadline_never_fires() {
    play(
        "
        0s     a ErrorUnschedulable
        300s   a Running
        900s   advance
        ",
    );
}

#[test]
fn r3_an_episode_that_ends_a_nanosecond_later_fires_and_resolves() {
    play(
        "
        0s     a ErrorUnschedulable
        300s+1 a Running
               => 300s firing a Unschedulable since 0s
               => 300s+1 resolved a Unschedulable since 0s
        ",
    );
}

#[test]
fn r3_a_deadline_waits_until_its_instant_is_over() {
    play(
        "
        0s     a Unknown
        300s   b Running
        300s   c Running
        300s+1 b Running
               => 300s firing a Unknown since 0s
        ",
    );
}

#[test]
fn r4_moves_between_error_statuses_go_on_with_the_dwell() {
    play(
        "
        0s     a ErrImagePull
        100s   a ImagePullBackOff
        200s   a ErrImagePull
        299s   a ImagePullBackOff
        301s   a ErrImagePull
               => 300s firing a ImagePullBackOff since 0s
        302s   a Running
               => 302s resolved a ImagePullBackOff since 0s
        ",
    );
}

#[test]
fn r4_the_alert_carries_the_status_after_the_deadlines_observations() {
    play(
        "
        0s     a ErrImagePull
        300s   a ImagePullBackOff
        300s   a DataVolumeError
        300s   advance
               => 300s firing a DataVolumeError since 0s
        ",
    );
}

#[test]
fn r5_any_other_status_starts_the_dwell_anew_even_for_no_time() {
    for word in HEALTHY.split_whitespace() {
        play(&format!(
            "
            0s     a Unknown
            299s   a {word}
            299s   a Unknown
            599s-1 advance
            599s   advance
                   => 599s firing a Unknown since 299s
            ",
        ));
    }
}

#[test]
fn r6_a_firing_episode_resolves_when_it_ends_and_a_pending_one_is_silent() {
    play(
        "
        0s     a Unknown
        1s     b Unknown
        300s   advance
               => 300s firing a Unknown since 0s
        300s+5 a ErrImagePull
        300s+6 b Stopped
        300s+7 a Stopped
               => 300s+7 resolved a Unknown since 0s
        ",
    );
}

#[test]
fn r7_one_episode_fires_once_and_resolves_once() {
    play(
        "
        0s     a Unknown
        300s   advance
               => 300s firing a Unknown since 0s
        600s   advance
        900s   a Unknown
        1200s  a Running
               => 1200s resolved a Unknown since 0s
        1201s  a Running
        1202s  a Stopped
        1203s  a gone
        9999s  advance
        ",
    );
}

#[test]
fn r8_a_repeated_status_changes_nothing() {
    play(
        "
        0s     a Unknown
        200s   a Unknown
        300s   a Unknown
        301s   a Unknown
               => 300s firing a Unknown since 0s
        302s   a Unknown
        ",
    );
}

#[test]
fn r8_a_relist_repeats_what_it_lists_and_deletes_what_it_lacks() {
    play(
        "
        0s     c Unknown
        0s     b Unknown
        0s     a Unknown
        0s     d Unknown
        200s   relist d=Unknown c=Unknown b=Unknown a=Unknown
        300s   advance
               => 300s firing c Unknown since 0s
               => 300s firing b Unknown since 0s
               => 300s firing a Unknown since 0s
               => 300s firing d Unknown since 0s
        400s   relist d=Running c=Unknown
               => 400s resolved d Unknown since 0s
               => 400s resolved a Unknown since 0s
               => 400s resolved b Unknown since 0s
        500s   relist
               => 500s resolved c Unknown since 0s
        ",
    );
}

#[test]
fn r9_deletion_ends_the_episode() {
    play(
        "
        0s     a Unknown
        0s     b Unknown
        299s   b gone
        301s   a gone
               => 300s firing a Unknown since 0s
               => 301s resolved a Unknown since 0s
        302s   a Unknown
        602s   advance
               => 602s firing a Unknown since 302s
        ",
    );
}

#[test]
fn r9_another_uid_is_a_new_machine_and_the_old_one_is_gone() {
    play(
        "
        0s     a Unknown
        301s   a/u2 Unknown
               => 300s firing a Unknown since 0s
               => 301s resolved a Unknown since 0s
        601s   advance
               => 601s firing a/u2 Unknown since 301s
        602s   relist a/u3=Running
               => 602s resolved a/u2 Unknown since 301s
        ",
    );
}

#[test]
fn r9_deletion_of_a_uid_that_is_not_live_changes_nothing() {
    play(
        "
        0s     a Running
        1s     a/u2 Unknown
        2s     a gone
        3s     z gone
        302s   a gone
               => 301s firing a/u2 Unknown since 1s
        303s   a/u2 gone
               => 303s resolved a/u2 Unknown since 1s
        ",
    );
}

#[test]
fn r9_a_number_that_is_used_again_brings_no_alerts_along() {
    play(
        "
        0s     a Unknown
        1s     a gone
        1s     b Unknown
        2s     b gone
        2s     a Running
        3s     a Unknown
        900s   advance
               => 303s firing a Unknown since 3s
        ",
    );
}

#[test]
fn r10_machines_do_not_touch_each_other() {
    play(
        "
        0s     a Unknown
        1s     b Unknown
        2s     a Running
        2s     b ErrImagePull
        3s     c Running
        900s   advance
               => 301s firing b ErrImagePull since 1s
        ",
    );
}

#[test]
fn r11_a_restart_loses_nothing_and_fires_late_with_the_exact_time() {
    play(
        "
        0s     a ErrImagePull
        0s     b Unknown
        10s    b Running
        10s    b ErrorPvcNotFound
        100s   a ImagePullBackOff
        restart
        305s   c Running
               => 300s firing a ImagePullBackOff since 0s
        restart
        310s   a Running
               => 310s resolved a ImagePullBackOff since 0s
        restart
        310s   advance
               => 310s firing b PvcNotFound since 10s
        restart
        310s   b Running
               => rejected: 310s is closed by 310s
        311s   b/u2 Running
               => 311s resolved b PvcNotFound since 10s
        ",
    );
}

#[test]
fn r12_an_unknown_word_ends_an_episode_and_is_reported() {
    play(
        "
        0s     a ErrImagePull
        299s   a errimagepull
               => unknown errimagepull
        300s   a ErrImagePull
        600s   relist a=NewWord b=NewWord c=NewerWord
               => unknown NewWord
               => unknown NewerWord
        900s   advance
        ",
    );
}

#[test]
fn r12_unknown_words_are_counted_across_restarts() {
    let mut detector = NamedDetector::new(Rule::default());
    for (secs, word) in [(0, "NewWord"), (1, "NewWord"), (2, "Running"), (3, "Newer")] {
        detector.observe(Time::from_secs(secs), vm("a"), word).unwrap();
        detector = restarted(&detector);
    }
    assert_eq!(detector.unknown_words().collect::<Vec<_>>(), [("NewWord", 2), ("Newer", 1)]);
    assert_eq!(detector.counters().unknown_words, 3);
    assert_eq!(detector.counters().observations, 4);
}

#[test]
fn r13_an_input_from_the_past_is_rejected_and_changes_nothing() {
    play(
        "
        10s    a Unknown
        9s     a Running
               => rejected: 9s is before 10s
        9s     relist
               => rejected: 9s is before 10s
        9s     a gone
               => rejected: 9s is before 10s
        9s     advance
               => rejected: 9s is before 10s
        10s    b Unknown
        310s   advance
               => 310s firing a Unknown since 10s
               => 310s firing b Unknown since 10s
        310s   a Running
               => rejected: 310s is closed by 310s
        310s   advance
               => rejected: 310s is closed by 310s
        310s+1 a Running
               => 310s+1 resolved a Unknown since 10s
        ",
    );
}

#[test]
fn r13_the_error_names_both_instants() {
    let mut detector = NamedDetector::new(Rule::default());
    detector.advance(Time::from_secs(2)).unwrap();
    assert_eq!(
        detector.advance(Time::from_secs(1)).unwrap_err().to_string(),
        "an input at 1970-01-01T00:00:01Z is older than the newest, at 1970-01-01T00:00:02Z; \
         expected inputs in the order of their times",
    );
    assert_eq!(
        detector.delete(Time::from_secs(2), vm("a")).unwrap_err().to_string(),
        "an input at 1970-01-01T00:00:02Z comes after an advance to 1970-01-01T00:00:02Z has closed \
         that instant; expected later times, or the advance behind the inputs of its instant",
    );
}

#[test]
fn alerts_of_one_instant_are_resolved_first_then_firing_by_start_and_opening() {
    let rule = Rule::default()
        .with(PrintableStatus::ErrImagePull, Duration::from_secs(600))
        .and_then(|rule| rule.with(PrintableStatus::Unknown, Duration::from_secs(1)))
        .unwrap();
    play_by(
        rule,
        "
        0s     z Unschedulable
        0s     e ErrImagePull
        300s   d Unschedulable
        300s   c Unschedulable
        599s   b Unknown
               => 300s firing z Unschedulable since 0s
        600s   z Running
               => 600s resolved z Unschedulable since 0s
        600s   advance
               => 600s firing e ErrImagePull since 0s
               => 600s firing d Unschedulable since 300s
               => 600s firing c Unschedulable since 300s
               => 600s firing b Unknown since 599s
        ",
    );
}

#[test]
fn the_status_that_opens_the_episode_fixes_its_threshold() {
    let rule = Rule::default().with(PrintableStatus::ErrImagePull, Duration::from_secs(600)).unwrap();
    assert_eq!(NamedDetector::new(rule.clone()).rule(), &rule);
    play_by(
        rule,
        "
        0s     a ErrImagePull
        0s     b ImagePullBackOff
        1s     a ImagePullBackOff
        1s     b ErrImagePull
        900s   advance
               => 300s firing b ErrImagePull since 0s
               => 600s firing a ImagePullBackOff since 0s
        ",
    );
}

#[test]
fn the_order_of_opening_counts_where_a_machine_opened_twice_at_one_instant() {
    play(
        "
        0s     a Unknown
        0s     b Unknown
        0s     a Running
        0s     a Unknown
        300s   advance
               => 300s firing b Unknown since 0s
               => 300s firing a Unknown since 0s
        ",
    );
}
