//! Masks: what each position counts.

use proptest::collection::{SizeRange, vec};
use proptest::prelude::*;

use super::numbers::lengths;

/// Weights in 0..=1 as masks have them: runs that are left out, runs that count whole, soft edges in eighths; the sum is never 0. Shrinks to a
/// mask of ones.
pub fn masks(len: impl Into<SizeRange>) -> impl Strategy<Value = Vec<f32>> {
    let run = (1..20_usize, prop_oneof![Just(8_u8), Just(0), 1..8_u8]);
    (lengths(len), vec(run, 1..8)).prop_map(|(len, runs)| {
        let weights = runs.iter().cycle().flat_map(|&(len, eighths)| vec![f32::from(eighths) / 8.0; len]);
        let mut mask: Vec<f32> = weights.take(len).collect();
        if mask.iter().all(|&weight| weight == 0.0) {
            let middle = mask.len() / 2;
            mask.iter_mut().skip(middle).take(1).for_each(|weight| *weight = 1.0);
        }
        mask
    })
}
