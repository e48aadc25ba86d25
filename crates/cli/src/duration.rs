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

/// A duration as people say it, rounded up: `40 s`, `12 min`, `3 h 5 min`, `4 days`.
pub(crate) fn spoken(duration: Duration) -> String {
    let seconds = duration.as_secs_f64().ceil() as u64;
    let minutes = seconds.div_ceil(60);
    match (seconds, minutes) {
        (0..=99, _) => format!("{seconds} s"),
        (_, 0..=99) => format!("{minutes} min"),
        (_, 100..=5999) => format!("{} h {} min", minutes / 60, minutes % 60),
        _ => format!("{} days", minutes.div_ceil(24 * 60)),
    }
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

    #[test]
    fn durations_are_said_in_the_unit_that_people_count_in() {
        for (seconds, said) in [
            (0.0, "0 s"),
            (0.2, "1 s"),
            (99.0, "99 s"),
            (99.5, "2 min"),
            (600.0, "10 min"),
            (5940.0, "99 min"),
            (6000.0, "1 h 40 min"),
            (360_000.0, "5 days"),
        ] {
            assert_eq!(spoken(Duration::from_secs_f64(seconds)), said, "{seconds}");
        }
        assert!(spoken(Duration::MAX).ends_with(" days"));
    }

    proptest! {
        #[test]
        fn a_duration_is_above_0(text in "[0-9a-z. +-]{0,24}") {
            if let Ok(duration) = parse_duration(&text) {
                prop_assert!(!duration.is_zero());
            }
        }
    }
}
