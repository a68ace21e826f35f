//! Rules of quantities, apimachinery 0.36.2, that no vector reaches: by `pkg/api/resource/quantity.go`.

use stuckvm_sim::quantity::{Format, Quantity, QuantityError};

fn read(text: &str) -> Quantity {
    Quantity::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// `ParseQuantity` makes 0.0005Ki, which is 0.512, a decimal one, and a sum has the format of its left side.
#[test]
fn a_binary_quantity_below_one_is_decimal() {
    for (text, format, sum) in
        [("0.0005Ki", Format::DecimalSI, "2048"), ("0.00097656250Mi", Format::BinarySI, "2Ki")]
    {
        let quantity = read(text);
        assert_eq!(quantity.format(), format, "{text}");
        let rest = read("2048") - &quantity;
        assert_eq!((quantity + &rest).canonical(), sum, "{text}");
    }
}

/// `CanonicalizeBytes` writes binary quantities as decimal ones between -1024 and 1024, and where they have a fraction.
#[test]
fn binary_quantities_that_are_written_as_decimal() {
    let table = [
        ("1Ki", "24", "1k"),
        ("1Ki", "2024", "-1k"),
        ("4Ki", "0", "4Ki"),
        ("4Ki", "500m", "4095500m"),
        ("4Ki", "6Ki", "-2Ki"),
    ];
    for (left, right, difference) in table {
        let difference_is = (read(left) - &read(right)).canonical();
        assert_eq!(difference_is, difference, "{left} - {right}");
    }
}

/// Texts that are too fine for 64 bits come to `inf.Dec`, which finds no digits to read.
#[test]
fn digits_are_needed() {
    for text in ["e-10", ".e-10", "+e-10", "-.e-10"] {
        assert_eq!(Quantity::parse(text), Err(QuantityError::Numeric), "{text}");
    }
}

/// `int64Amount.Add` says that it overflows, and `Add` goes on with `inf.Dec`.
#[test]
fn a_sum_that_leaves_64_bits_is_of_any_size() {
    let (most, least) = (Quantity::from_value(i64::MAX), Quantity::from_value(i64::MIN));
    assert_eq!((most + &read("1")).canonical(), "9223372036854775808");
    assert_eq!((least - &read("1")).canonical(), "-9223372036854775809");
}
