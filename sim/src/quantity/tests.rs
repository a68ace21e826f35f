//! Table tests of what the upstream tables state; the vectors hold the rest.

use super::*;

#[test]
fn ordinary_texts_come_out_as_upstream_prints_them() {
    let table = [
        ("0", "0", 0, 0),
        ("+1", "+1", 1, 1000),
        ("1.5", "1500m", 2, 1500),
        ("1.", "1.", 1, 1000),
        ("0.5n", "1n", 1, 1),
        ("1E", "1E", 1_000_000_000_000_000_000, 0),
        ("1.5Gi", "1536Mi", 1_610_612_736, 1_610_612_736_000),
        ("0.3Gi", "322122547200m", 322_122_548, 322_122_547_200),
        ("8Ei", "9223372036854775807", i64::MAX, -1000),
        ("9223372036854775808", "9223372036854775808", i64::MIN, 0),
    ];
    for (text, string, value, milli) in table {
        let quantity = Quantity::parse(text).expect(text);
        assert_eq!(
            (quantity.to_string().as_str(), quantity.value(), quantity.milli_value()),
            (string, value, milli)
        );
    }
}

#[test]
fn json_is_read_as_the_api_server_reads_it() {
    let table = [
        ("null", Ok("0")),
        ("\" 1.5 \"", Ok("1500m")),
        ("1000", Ok("1k")),
        ("1.5", Ok("1500m")),
        ("0.00000001", Ok("10e-9")),
        ("12345678901234567890", Ok("12345678901234567890")),
        ("\"\\t1\"", Err("quantities must match")),
        ("\"1K\"", Err("unable to parse quantity's suffix")),
        ("true", Err("expected a quantity such as 500m, 2 or 1Gi")),
    ];
    for (text, expected) in table {
        match (serde_json::from_str::<Quantity>(text), expected) {
            (Ok(quantity), Ok(string)) => assert_eq!(quantity.to_string(), string, "{text}"),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{text}: {error}"),
            (got, _) => panic!("{text}: {got:?}"),
        }
    }
    let written = serde_json::to_string(&Quantity::parse("1024Ki").expect("valid")).expect("a text");
    assert_eq!(written, "\"1Mi\"");
}

#[test]
fn endless_exponents_are_refused() {
    for text in ["1e2147483647", "1e2147483648", "1e1001", &"9".repeat(MAX_DIGITS + 1)] {
        assert_eq!(Quantity::parse(text), Err(QuantityError::TooLarge), "{text}");
    }
    assert_eq!(Quantity::parse("1e-2147483647").map(|tiny| tiny.canonical()), Ok("1e-9".to_owned()));
}

#[test]
fn the_most_negative_number_is_added_as_upstream_adds_it() {
    let least = Quantity::from_value(i64::MIN);
    let one = Quantity::from_value(1);
    assert_eq!((least.clone() - &one).canonical(), "-9223372036854775809");
    // Upstream negates in 64 bits first, which leaves this number negative.
    assert_eq!((one - &least).canonical(), "-9223372036854775807");
    assert!(least.clone() - &least == Quantity::zero());
}
