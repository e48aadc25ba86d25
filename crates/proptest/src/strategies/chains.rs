//! Chains of operations with a point for them.

use proptest::collection::vec;
use proptest::prelude::*;

use super::numbers;
use crate::chain::{Chain, Step};
use crate::operation::Operation;
use crate::random::SplitMix64;

/// The nearest kink that [`chains_off_kinks`] allows.
const NEAR: f64 = 1e-3;

/// 1 to `steps` of [`Step`]'s operations over 1 to `len` numbers. Shrinks to fewer steps over fewer numbers, and to zeros.
pub fn chains(steps: usize, len: usize) -> impl Strategy<Value = (Chain, Vec<f64>)> {
    (numbers(1..=len), vec((0..8_usize, 0..1_000_000_u64), 1..=steps))
        .prop_map(|(x, kinds)| (chain(x.len(), &kinds), x))
}

/// The same where no ReLU's input is nearer to 0 than 0.001, and no two numbers of a pair to each other: there is a derivative at the point.
pub fn chains_off_kinks(steps: usize, len: usize) -> impl Strategy<Value = (Chain, Vec<f64>)> {
    chains(steps, len).prop_filter("near a kink", |(chain, x)| {
        chain.0.iter().zip(chain.responses(x)).all(|(step, x)| match step {
            Step::Relu => x.iter().all(|x| x.abs() > NEAR),
            Step::Max => x.chunks_exact(2).all(|pair| (pair[0] - pair[1]).abs() > NEAR),
            _ => true,
        })
    })
}

/// A chain for `len` numbers. What a step needs beside its kind follows from a number.
fn chain(len: usize, kinds: &[(usize, u64)]) -> Chain {
    let (mut len, mut chain) = (len, Chain::default());
    for &(kind, seed) in kinds {
        let step = step(kind, seed, len);
        len = step.forward(&vec![0.0; len]).len();
        chain.0.push(step);
    }
    chain
}

fn step(kind: usize, seed: u64, len: usize) -> Step {
    let mut random = SplitMix64(seed);
    // Eighths, none of them 0.
    let mut eighth = || {
        let magnitude = (1 + random.below(8)) as f64 / 8.0;
        if random.bits() >> 63 == 0 { magnitude } else { -magnitude }
    };
    match kind {
        0 => Step::Scale(2.0 * eighth(), eighth()),
        1 => Step::Square,
        2 => Step::Relu,
        3 => Step::Tanh,
        4 => Step::Softmax,
        5 => Step::Average,
        6 => Step::Max,
        _ => {
            let rows = len + (seed % 2) as usize;
            Step::Dense((0..rows).map(|_| (0..len).map(|_| eighth()).collect()).collect())
        }
    }
}
