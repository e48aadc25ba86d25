//! Durations on the command line.

use std::time::Duration;

/// A duration above 0: `90s`, `10m`, `1h30m`, or a number of seconds.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let seconds = text.trim().parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds
        .or_else(|| humantime::parse_duration(text).ok())
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "write it like 90s, 10m or 1h30m, or as a number of seconds above 0".to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_have_units_or_are_seconds() {
        for (text, seconds) in
            [("90s", 90.0), ("10m", 600.0), ("1h30m", 5400.0), ("1h 30m", 5400.0), ("45", 45.0), ("0.5", 0.5)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in
            ["", "0", "0s", "-1", "-1s", "soon", "10 parsecs", "nan", "inf", "1e300", "99999999999999y"]
        {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_duration_above_0_or_an_error(text in "[0-9a-z. +-]{0,24}") {
            prop_assert!(parse_duration(&text).is_ok_and(|duration| !duration.is_zero()) || parse_duration(&text).is_err());
        }
    }
}
