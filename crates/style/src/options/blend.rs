//! The weights of paintings in the blend of their styles.

use std::num::ParseFloatError;

/// What stands for weights that are all the same.
const EVEN: &str = "even";

/// `3,1`, or `even`, which is no weights.
pub(super) fn parse_blend(text: &str) -> Result<Vec<f64>, ParseFloatError> {
    if text == EVEN {
        return Ok(Vec::new());
    }
    text.split(',').map(|weight| weight.trim().parse()).collect()
}

/// The text that [`parse_blend`] reads as these weights.
pub(super) fn blend_text(weights: &[f64]) -> String {
    if weights.is_empty() {
        return EVEN.to_owned();
    }
    weights.iter().map(f64::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_read_back_as_they_were_written() {
        for weights in [Vec::new(), vec![3.0], vec![0.1, 0.0, 1e300]] {
            assert_eq!(parse_blend(&blend_text(&weights)), Ok(weights));
        }
        assert!(parse_blend("").is_err() && parse_blend("3,,1").is_err() && parse_blend("odd").is_err());
    }
}
