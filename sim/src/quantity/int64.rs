//! Scaling of 64-bit numbers, apimachinery 0.36.2: `pkg/api/resource/math.go`.

/// Multiplies `base` by 10^`scale`. On overflow the first part is what upstream returns beside `false`: the wrapped
/// product for the scales that have a branch of their own, 0 otherwise.
pub(super) fn positive_scale(base: i64, scale: i32) -> (i64, bool) {
    debug_assert!(scale >= 0, "scaling up by {scale}");
    if base == 0 {
        return (0, true);
    }
    match scale {
        1 | 2 | 3 | 6 | 9 => multiply_scale(base, 10_i64.pow(scale.unsigned_abs())),
        _ => match checked_scale(base, scale) {
            Some(product) => (product, true),
            None => (0, false),
        },
    }
}

/// Multiplies by 10^`scale`, or `None` where that overflows.
pub(super) fn checked_scale(base: i64, scale: i32) -> Option<i64> {
    debug_assert!(scale >= 0, "scaling up by {scale}");
    if base == 0 {
        return Some(0);
    }
    base.checked_mul(10_i64.checked_pow(scale.unsigned_abs())?)
}

fn multiply_scale(base: i64, factor: i64) -> (i64, bool) {
    // Upstream gives up on the most negative number before it multiplies.
    if base == i64::MIN {
        return (0, false);
    }
    (base.wrapping_mul(factor), base.checked_mul(factor).is_some())
}

/// Divides `base` by 10^`scale`, away from zero; and whether that was exact.
pub(super) fn negative_scale(base: i64, scale: i32) -> (i64, bool) {
    debug_assert!(scale >= 0, "scaling down by {scale}");
    // Beyond 18 places nothing but the rounding is left of an i64.
    let divisor = 10_i128.pow(scale.unsigned_abs().min(20));
    let (quotient, remainder) = (i128::from(base) / divisor, i128::from(base) % divisor);
    let rounded = quotient + remainder.signum();
    (i64::try_from(rounded).expect("a quotient of an i64 fits"), remainder == 0)
}

/// Takes factors out of `value`: the rest and how many there were.
pub(super) fn remove_factors(value: i64, factor: i64) -> (i64, i32) {
    debug_assert!(factor > 1, "factor {factor}");
    // Upstream negates, which leaves the most negative number negative and whole.
    let (mut rest, mut times) = (value.wrapping_abs(), 0);
    while rest >= factor && rest % factor == 0 {
        rest /= factor;
        times += 1;
    }
    (if value < 0 { rest.wrapping_neg() } else { rest }, times)
}

/// Go's `math.Pow10`, bit for bit: a product or quotient of two table entries.
pub(super) fn pow10(exponent: i32) -> f64 {
    const STEPS: [f64; 10] = [1e0, 1e32, 1e64, 1e96, 1e128, 1e160, 1e192, 1e224, 1e256, 1e288];
    const SMALL_STEPS: [f64; 11] =
        [1e0, 1e-32, 1e-64, 1e-96, 1e-128, 1e-160, 1e-192, 1e-224, 1e-256, 1e-288, 1e-320];
    const UNITS: [f64; 32] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
        1e18, 1e19, 1e20, 1e21, 1e22, 1e23, 1e24, 1e25, 1e26, 1e27, 1e28, 1e29, 1e30, 1e31,
    ];
    let at = exponent.unsigned_abs() as usize;
    match exponent {
        0..=308 => STEPS[at / 32] * UNITS[at % 32],
        -323..=-1 => SMALL_STEPS[at / 32] / UNITS[at % 32],
        309.. => f64::INFINITY,
        _ => 0.0,
    }
}
