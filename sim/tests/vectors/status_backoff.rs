//! `status/backoff`: how long a start waits after failures, and the seconds left of that.

use serde_json::Value;
use stuckvm_detector::Time;
use stuckvm_sim::{Random, start_back_off, start_back_off_left};

/// As many draws as the real code made.
const DRAWS: u32 = 60_000;

/// Plays one case of either kind.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    if case["failCount"].is_null() { seconds_left(case) } else { delays(case) }
}

fn seconds_left(case: &Value) -> Result<(), String> {
    let time =
        |key: &str| case[key].as_str().map(|text| text.parse::<Time>().map_err(|error| error.to_string()));
    let now = time("now").ok_or("no now")??;
    let left = start_back_off_left(time("retryAfter").transpose()?, now);
    let expected = &case["expect"]["secondsLeft"];
    if Some(left) == expected.as_u64() { Ok(()) } else { Err(format!("{left} s left, expected {expected}")) }
}

fn delays(case: &Value) -> Result<(), String> {
    let count = case["failCount"].as_i64().and_then(|count| i32::try_from(count).ok()).ok_or("no count")?;
    let longest = case["maxDelaySeconds"].as_u64().ok_or("no longest delay")?;
    let mut random = Random::new(1);
    let draws: Vec<u64> = (0..DRAWS).map(|_| start_back_off(count, longest, &mut random)).collect();
    let (min, max) = (draws.iter().min().copied(), draws.iter().max().copied());
    let at_max = draws.iter().filter(|delay| **delay == longest).count();
    let share = f64::from(u32::try_from(at_max).expect("fewer than all")) / f64::from(DRAWS);
    let expected = &case["expect"];
    let right_share =
        expected["shareAtMax"].as_f64().is_some_and(|expected| (share - expected).abs() <= 0.01);
    if min == expected["min"].as_u64() && max == expected["max"].as_u64() && right_share {
        return Ok(());
    }
    Err(format!("{min:?} to {max:?}, {share} at the longest, expected {expected}"))
}
