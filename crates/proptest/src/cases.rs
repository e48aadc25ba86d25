//! Random cases with a seed that can be given again.

use std::cell::Cell;
use std::fmt::Debug;
use std::hash::{BuildHasher, RandomState};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::failure::Failure;
use crate::random::SplitMix64;

/// The variable of the environment that sets the seed of all cases.
pub const SEED_VARIABLE: &str = "IMPASTO_PROPTEST_SEED";
/// How often a case is made smaller at most.
const SHRUNK: u32 = 4096;
/// The longest text of a case that a message prints.
const PRINTED: usize = 2000;

/// How many cases are drawn, and from which seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cases {
    /// How many.
    pub count: u32,
    /// The seed.
    pub seed: u64,
}

/// As many as proptest's `PROPTEST_CASES` says (256 without it), from the seed that [`SEED_VARIABLE`] gives; without it another one each
/// time. What that variable has and is no seed is a panic: other cases would pass for those that are looked for.
impl Default for Cases {
    fn default() -> Self {
        let given = std::env::var(SEED_VARIABLE).ok().filter(|text| !text.trim().is_empty());
        let seed = given.map(|text| seed(&text).unwrap_or_else(|problem| panic!("{problem}")));
        let seed = seed.unwrap_or_else(|| RandomState::new().hash_one("seed"));
        Self { count: Config::default().cases, seed }
    }
}

/// The seed that [`SEED_VARIABLE`] gives, or what is wrong with it.
fn seed(text: &str) -> Result<u64, String> {
    let wrong = |_| format!("{SEED_VARIABLE} must be a whole number from 0 to {}, not {text:?}", u64::MAX);
    text.trim().parse().map_err(wrong)
}

/// A property does not hold: the smallest case that was found, and how to find it again.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{reason}\n  smallest case {case}\n  again         {SEED_VARIABLE}={seed}")]
pub struct Refuted {
    /// What failed for the smallest case: a [`Failure`], or a panic's message.
    pub reason: String,
    /// The smallest case, as Rust prints it; cut if it is long.
    pub case: String,
    /// The seed of all cases.
    pub seed: u64,
}

impl Cases {
    /// So many cases from this seed.
    pub fn new(count: u32, seed: u64) -> Self {
        Self { count, seed }
    }

    /// Draws cases until one fails, then makes it as small as it still fails. A panic of `check` is a failure as well.
    ///
    /// # Errors
    /// [`Refuted`] if a case fails, or if the strategy rejects too many.
    pub fn run<S: Strategy>(
        &self,
        strategy: &S,
        check: impl Fn(&S::Value) -> Result<(), Failure>,
    ) -> Result<(), Refuted>
    where
        S::Value: Debug,
    {
        let config = Config {
            cases: self.count,
            failure_persistence: None,
            // Ours counts: proptest would print a line of its own.
            max_shrink_iters: u32::MAX - 1,
            ..Config::default()
        };
        let mut runner = TestRunner::new_with_rng(config, random(self.seed));
        let (has_failed, left) = (Cell::new(false), Cell::new(SHRUNK));
        let test = |value: S::Value| {
            // Of what is smaller than that everything holds: it stays at the smallest that has failed.
            if has_failed.get() && left.replace(left.get().saturating_sub(1)) == 0 {
                return Ok(());
            }
            // A panic leaves it at true.
            let before = has_failed.replace(true);
            check(&value).map_err(|failure| TestCaseError::fail(failure.to_string()))?;
            has_failed.set(before);
            Ok(())
        };
        runner.run(strategy, test).map_err(|error| {
            let (reason, case) = match error {
                TestError::Fail(reason, value) => (reason.to_string(), format!("{value:?}")),
                TestError::Abort(reason) => (format!("no case can be drawn: {reason}"), "none".to_owned()),
            };
            Refuted { reason, case: cut(case), seed: self.seed }
        })
    }
}

/// Proptest's generator from a number.
fn random(seed: u64) -> TestRng {
    let mut bits = SplitMix64(seed);
    let bytes: Vec<u8> = (0..4).flat_map(|_| bits.bits().to_le_bytes()).collect();
    TestRng::from_seed(RngAlgorithm::ChaCha, &bytes)
}

fn cut(text: String) -> String {
    match text.char_indices().nth(PRINTED) {
        Some((end, _)) => format!("{} ... ({} bytes)", &text[..end], text.len()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::seed;

    #[test]
    fn a_seed_is_a_whole_number() {
        assert_eq!((seed("0"), seed(" 7\n"), seed("18446744073709551615")), (Ok(0), Ok(7), Ok(u64::MAX)));
        for text in ["abc", "-1", "0x10", "1e3", "18446744073709551616"] {
            let problem = seed(text).unwrap_err();
            assert!(
                problem.contains("must be a whole number from 0 to") && problem.contains(text),
                "{problem}"
            );
        }
    }
}
