//! An operation of another library, as the checker sees it, and what became of it.

use std::cell::RefCell;
use std::collections::BTreeSet;

use impasto_proptest::{Cases, Checks, Operation, check_operation};
use proptest::prelude::*;

/// Cases drawn for each operation, from a seed that is always the same: the table is too.
const CASES: Cases = Cases { count: 64, seed: 1 };

/// y of x, an array of these sides; or, with weights w, the gradient of `<w, y>`. An error where the library refuses.
pub type Run = Box<dyn Fn(&[f64], &[usize], Option<&[f64]>) -> Result<Vec<f64>, String>>;

/// An operation, and at which points it is checked.
pub struct Checked {
    /// Whose.
    pub library: &'static str,
    /// Its name and its options.
    pub name: &'static str,
    /// The sides of x.
    pub shapes: BoxedStrategy<Vec<usize>>,
    /// So many numbers.
    pub points: fn(usize) -> BoxedStrategy<Vec<f64>>,
    /// How it is computed.
    pub run: Run,
}

/// One case of it.
struct Case<'a> {
    checked: &'a Checked,
    shape: &'a [usize],
}

impl Operation for Case<'_> {
    fn forward(&self, x: &[f64]) -> Vec<f64> {
        (self.checked.run)(x, self.shape, None).expect("an operation that does not refuse")
    }
    fn backward(&self, x: &[f64], gradient: &[f64]) -> Vec<f64> {
        (self.checked.run)(x, self.shape, Some(gradient)).expect("an operation that does not refuse")
    }
    fn name(&self) -> String {
        format!("{} {}", self.checked.library, self.checked.name)
    }
    fn shape(&self) -> Vec<usize> {
        self.shape.to_vec()
    }
}

/// What became of an operation.
pub struct Outcome {
    /// `held`, `refused` or `failed`.
    pub word: &'static str,
    /// What the library said when it refused, and the smallest case of what failed.
    pub details: String,
}

impl Checked {
    /// Draws cases. One that the library refuses, forward or backward, is not counted as wrong.
    pub fn check(&self) -> Outcome {
        let points = self.points;
        let cases = self.shapes.clone().prop_flat_map(move |shape| {
            let len = shape.iter().product();
            (Just(shape), points(len))
        });
        let (refusals, held) = (RefCell::new(BTreeSet::new()), RefCell::new(0));
        let answer = CASES.run(&cases, |(shape, x)| {
            let backward = |y: Vec<f64>| (self.run)(x, shape, Some(&vec![1.0; y.len()]));
            if let Err(refusal) = (self.run)(x, shape, None).and_then(backward) {
                refusals.borrow_mut().insert(refusal);
                return Ok(());
            }
            *held.borrow_mut() += 1;
            check_operation(&Case { checked: self, shape }, x, &Checks::default()).map(|_| ())
        });
        let refused = refusals.into_inner().into_iter().next().unwrap_or_default();
        match answer {
            Err(refuted) => Outcome { word: "failed", details: refuted.to_string() },
            Ok(()) if held.into_inner() == 0 => Outcome { word: "refused", details: refused },
            Ok(()) => Outcome { word: "held", details: refused },
        }
    }
}

/// Sides drawn from these ranges, one after the other.
pub fn sides(ranges: &[std::ops::RangeInclusive<usize>]) -> BoxedStrategy<Vec<usize>> {
    ranges.to_vec().boxed()
}

/// Height and width that are both even, of so many batches and channels.
pub fn even(batches: usize, channels: usize) -> BoxedStrategy<Vec<usize>> {
    (1..4_usize, 1..4_usize).prop_map(move |(h, w)| vec![batches, channels, 2 * h, 2 * w]).boxed()
}
