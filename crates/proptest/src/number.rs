//! Numbers as one reads them.

/// Eight digits that count, without zeros at the end: 0.25, -3, 1.2345678e-7.
pub(crate) fn readable(number: f64) -> String {
    if number == 0.0 || !number.is_finite() {
        return format!("{number}");
    }
    let magnitude = number.abs().log10().floor() as i32;
    if !(-4..8).contains(&magnitude) {
        return format!("{number:.7e}");
    }
    let digits = format!("{number:.*}", (7 - magnitude).max(0) as usize);
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.').to_owned() } else { digits }
}

/// `coordinate 7 of 12`, and where that is in an array of this shape, row-major, if it is one: `coordinate 7 of 12, [1, 0, 1] of [3, 2, 2]`.
pub(crate) fn place(coordinate: usize, len: usize, shape: &[usize]) -> String {
    let flat = format!("coordinate {coordinate} of {len}");
    if shape.len() < 2 || shape.iter().product::<usize>() != len {
        return flat;
    }
    let mut rest = coordinate;
    let mut index: Vec<usize> = shape
        .iter()
        .rev()
        .map(|&side| {
            let here = rest % side;
            rest /= side;
            here
        })
        .collect();
    index.reverse();
    format!("{flat}, {index:?} of {shape:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let expected = [(0.25, "0.25"), (-3.0, "-3"), (0.0, "0"), (0.1 + 0.2, "0.3"), (1e-9, "1.0000000e-9")];
        for (number, text) in expected {
            assert_eq!(readable(number), text);
        }
        assert_eq!(readable(12_345_678.0), "12345678");
        assert_eq!(readable(f64::NAN), "NaN");
    }

    #[test]
    fn a_place_is_counted_from_zero_with_the_last_side_fastest() {
        assert_eq!(place(7, 12, &[]), "coordinate 7 of 12");
        assert_eq!(place(7, 12, &[3, 2, 2]), "coordinate 7 of 12, [1, 1, 1] of [3, 2, 2]");
        assert_eq!(place(7, 12, &[3, 4]), "coordinate 7 of 12, [1, 3] of [3, 4]");
        assert_eq!(place(7, 12, &[12]), "coordinate 7 of 12");
        assert_eq!(place(7, 12, &[3, 2]), "coordinate 7 of 12");
    }
}
