//! Laws of quantities that need no second implementation, on random texts; and which rules those texts reach.

#[expect(dead_code, reason = "several test programs share the generators, and none uses all")]
mod generators;

use generators::quantities::{SUFFIXES, Written, garbled, written};
use generators::reach::Reach;
use num_bigint::BigInt;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::cmp::Ordering;
use stuckvm_sim::quantity::{Format, Quantity};

/// Every rule that the texts must reach, beside each suffix.
const RULES: &[&str] = &[
    "negative",
    "with a plus",
    "leading zeros",
    "a point without digits",
    "zero",
    "exponent",
    "negative exponent",
    "exponent with a plus",
    "the text is kept",
    "held in 64 bits",
    "held as a decimal of any size",
    "rounded up to a billionth",
    "binary, capped",
    "binary below one is decimal",
    "binary below 1024 is written as decimal",
    "binary with a fraction is written as decimal",
    "binary is written as binary",
    "Value is rounded up",
    "Value overflows",
    "MilliValue overflows",
    "no Int64",
    "a sum beyond 64 bits",
    "a sum takes the format of the right",
    "a sum keeps the format of the left",
    "a sum of different scales",
    "error: quantities must match",
    "error: unable to parse numeric part",
    "error: unable to parse quantity's suffix",
    "error: expected a quantity of at most",
];

/// How many texts are drawn for the reach; always the same ones.
const TEXTS: usize = 6000;

#[test]
fn the_texts_reach_every_rule() {
    let mut reach = Reach::default();
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut before = Quantity::zero();
    let (texts, others) = (written(), garbled());
    for _ in 0..TEXTS {
        let written = texts.new_tree(&mut runner).expect("drawn without rejections").current();
        let text = written.text();
        let quantity = Quantity::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        note_text(&written, &mut reach);
        note_value(&written, &quantity, &mut reach);
        note_sum(&before, &quantity, &mut reach);
        before = quantity;
        let garbled = others.new_tree(&mut runner).expect("drawn without rejections").current();
        if let Err(error) = Quantity::parse(&garbled) {
            RULES
                .iter()
                .filter(|rule| {
                    rule.strip_prefix("error: ").is_some_and(|text| error.to_string().starts_with(text))
                })
                .for_each(|rule| reach.note(*rule));
        }
    }
    reach.expect(RULES);
    let suffixes = SUFFIXES.map(|suffix| format!("suffix {suffix}"));
    reach.expect(&suffixes.each_ref().map(String::as_str));
}

fn note_text(written: &Written, reach: &mut Reach) {
    let Written { sign, whole, fraction, suffix } = written;
    reach.note(format!("suffix {suffix}"));
    let exponent = suffix.strip_prefix(['e', 'E']).filter(|rest| !rest.is_empty());
    let rules = [
        ("negative", *sign == "-"),
        ("with a plus", *sign == "+"),
        ("leading zeros", whole.len() > 1 && whole.starts_with('0')),
        ("a point without digits", fraction == "."),
        ("negative exponent", exponent.is_some_and(|rest| rest.starts_with('-'))),
        ("exponent with a plus", exponent.is_some_and(|rest| rest.starts_with('+'))),
        ("exponent", exponent.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))),
    ];
    rules.into_iter().filter(|(_, holds)| *holds).for_each(|(rule, _)| reach.note(rule));
}

fn note_value(written: &Written, quantity: &Quantity, reach: &mut Reach) {
    let (nano, canonical) = (exact(written), quantity.canonical());
    let binary = written.suffix.ends_with('i');
    let (units, rest) = (&nano / BILLION, &nano % BILLION);
    let written_binary = canonical.ends_with('i');
    let small = units < BigInt::from(1024) && units > BigInt::from(-1024);
    let capped = binary && nano > BigInt::from(i64::MAX) * BILLION;
    let fits = |value: &BigInt| i64::try_from(value).is_ok();
    let rules = [
        ("zero", quantity.is_zero()),
        ("the text is kept", quantity.to_string() != canonical),
        ("held in 64 bits", !quantity.is_big_decimal()),
        ("held as a decimal of any size", quantity.is_big_decimal()),
        ("rounded up to a billionth", !is_whole_billionths(written)),
        ("binary, capped", capped),
        ("binary below one is decimal", binary && quantity.format() == Format::DecimalSI),
        (
            "binary below 1024 is written as decimal",
            quantity.format() == Format::BinarySI && small && !quantity.is_zero(),
        ),
        (
            "binary with a fraction is written as decimal",
            binary && !small && !written_binary && rest != BigInt::ZERO,
        ),
        ("binary is written as binary", written_binary),
        ("Value is rounded up", rest > BigInt::ZERO),
        ("Value overflows", !fits(&units)),
        ("MilliValue overflows", fits(&units) && !fits(&(&nano / 1_000_000))),
        ("no Int64", quantity.as_i64().is_none()),
    ];
    rules.into_iter().filter(|(_, holds)| *holds).for_each(|(rule, _)| reach.note(rule));
}

fn note_sum(left: &Quantity, right: &Quantity, reach: &mut Reach) {
    let sum = left.clone() + right;
    let both_small = !left.is_big_decimal() && !right.is_big_decimal();
    let other = left.format() != right.format();
    let rules = [
        ("a sum beyond 64 bits", both_small && sum.is_big_decimal()),
        ("a sum takes the format of the right", left.is_zero() && other && sum.format() == right.format()),
        ("a sum keeps the format of the left", !left.is_zero() && other && sum.format() == left.format()),
        ("a sum of different scales", left.as_i64().is_some() != right.as_i64().is_some()),
    ];
    rules.into_iter().filter(|(_, holds)| *holds).for_each(|(rule, _)| reach.note(rule));
}

const BILLION: u64 = 1_000_000_000;

/// Billionths of what is written, rounded away from zero; the one thing that is computed here.
fn exact(written: &Written) -> BigInt {
    let (numerator, denominator) = ratio(written);
    let magnitude: BigInt = (numerator + &denominator - 1) / denominator;
    if written.sign == "-" { -magnitude } else { magnitude }
}

fn is_whole_billionths(written: &Written) -> bool {
    let (numerator, denominator) = ratio(written);
    numerator % denominator == BigInt::ZERO
}

/// Billionths as a fraction, without the sign.
fn ratio(written: &Written) -> (BigInt, BigInt) {
    let digits = written.fraction.trim_start_matches('.');
    let number: BigInt = format!("0{}{digits}", written.whole).parse().expect("digits");
    let ten = |places: usize| BigInt::from(10).pow(u32::try_from(places).expect("few places"));
    let (mut numerator, mut denominator) = (number * BILLION, ten(digits.len()));
    let place = SUFFIXES.iter().position(|suffix| *suffix == written.suffix);
    match (place, written.suffix.strip_prefix(['e', 'E'])) {
        (Some(at), _) if at >= 10 => numerator <<= 10 * (at - 9),
        (Some(0), _) => {}
        (Some(at), _) if at >= 4 => numerator *= ten(3 * (at - 3)),
        (Some(at), _) => denominator *= ten(12 - 3 * at),
        (None, exponent) => {
            match exponent.expect("a suffix or an exponent").parse::<i32>().expect("a number") {
                exponent @ 0.. => numerator *= ten(exponent.unsigned_abs() as usize),
                exponent => denominator *= ten(exponent.unsigned_abs() as usize),
            }
        }
    }
    (numerator, denominator)
}

/// Where upstream's table of suffixes ends: beyond, the canonical form loses its factor.
fn has_suffix(quantity: &Quantity) -> bool {
    let (most, least) =
        (Quantity::parse("999e18").expect("valid"), Quantity::parse("-999e18").expect("valid"));
    *quantity <= most && *quantity >= least
}

fn quantity() -> impl Strategy<Value = Quantity> {
    written().prop_map(|written| Quantity::parse(&written.text()).expect("a quantity"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_quantity_is_what_is_written_rounded_up_and_capped(written in written()) {
        let quantity = Quantity::parse(&written.text()).expect("a quantity");
        let mut nano = exact(&written);
        if written.suffix.ends_with('i') {
            let most = BigInt::from(i64::MAX) * BILLION;
            nano = nano.clamp(-&most, most);
        }
        let billionths = Quantity::parse(&format!("{nano}n")).expect("a quantity");
        prop_assert_eq!(&quantity, &billionths);
        let units = &nano / BILLION;
        if let Ok(units) = i64::try_from(&units) && units < i64::MAX && written.sign != "-" {
            let up = i64::from(&nano % BILLION != BigInt::ZERO);
            prop_assert_eq!(quantity.value(), units + up);
        }
        let near = quantity.approx();
        let float: f64 = nano.to_string().parse::<f64>().expect("a float") / 1e9;
        prop_assert!((near - float).abs() <= float.abs() * 1e-14, "{} for {}", near, float);
    }

    #[test]
    fn the_canonical_form_is_the_same_quantity_and_stays_as_it_is(quantity in quantity()) {
        if has_suffix(&quantity) {
            let canonical = quantity.canonical();
            let again = Quantity::parse(&canonical).expect("a quantity");
            prop_assert_eq!(&again, &quantity);
            prop_assert_eq!(again.canonical(), canonical);
            let json = serde_json::to_string(&quantity).expect("a text");
            prop_assert_eq!(&serde_json::from_str::<Quantity>(&json).expect("a quantity"), &quantity);
            prop_assert_eq!(&Quantity::from_json(&json).expect("a quantity"), &quantity);
        }
    }

    #[test]
    fn the_order_is_total(a in quantity(), b in quantity(), c in quantity()) {
        prop_assert_eq!(a.cmp(&a), Ordering::Equal);
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        let mut sorted = [&a, &b, &c];
        sorted.sort();
        prop_assert!(sorted[0] <= sorted[1] && sorted[1] <= sorted[2] && sorted[0] <= sorted[2]);
        prop_assert_eq!(a == b, (a.clone() - &b).is_zero());
        prop_assert_eq!(a < b, (a.clone() - &b).sign() < 0);
    }

    #[test]
    fn sums_are_those_of_arithmetic(a in quantity(), b in quantity(), c in quantity()) {
        let sum = a.clone() + &b;
        prop_assert_eq!(&sum, &(b.clone() + &a));
        prop_assert_eq!(&(sum.clone() - &b), &a);
        prop_assert_eq!(&(sum + &c), &(a.clone() + &(b + &c)));
        prop_assert_eq!(&(a.clone() + &Quantity::zero()), &a);
        prop_assert!((a.clone() - &a).is_zero());
        prop_assert_eq!(-(-a.clone()), a);
    }

    #[test]
    fn whatever_is_written_is_read_or_refused(text in garbled()) {
        if let Ok(quantity) = Quantity::parse(&text) {
            let _ = (quantity.value(), quantity.milli_value(), quantity.as_i64(), quantity.approx(), quantity.canonical());
        }
    }
}
