//! Sums in fixed blocks against plain loops.

use crate::common::{numbers, wave};
use impasto_proptest::assert_same_bits_on_threads;
use impasto_tensor::reduce::{RunningSum, dot, squared_distance};
use proptest::prelude::*;

proptest! {
    #[test]
    fn dot_and_distance_match_their_definitions(
        (a, b) in (1..500usize).prop_flat_map(|n| (numbers(n), numbers(n)))
    ) {
        let pairs = || a.iter().zip(&b);
        let product: f64 = pairs().map(|(a, b)| a * b).sum();
        let distance: f64 = pairs().map(|(a, b)| (a - b).powi(2)).sum();
        prop_assert!((dot(&a, &b) - product).abs() < 1e-12);
        prop_assert!((squared_distance(&a, &b) - distance).abs() < 1e-12);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_sum_in_pieces_has_the_bits_of_the_whole(
        cuts in prop::collection::btree_set(1_usize..112_000, 0..6),
        len in 1_usize..112_000,
        threads in 1_usize..4,
    ) {
        let (a, b) = (wave::<f32>(len), wave::<f32>(len).into_iter().rev().collect::<Vec<_>>());
        let mut ends: Vec<usize> = cuts.into_iter().filter(|&cut| cut < len).collect();
        ends.push(len);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        let (mut sum, mut each) = (RunningSum::default(), RunningSum::default());
        let mut start = 0;
        for end in ends {
            pool.install(|| {
                sum.add(&a[start..end], &b[start..end], |a, b| a * b);
                each.add_each(end - start, |at| f64::from(a[start + at]) * f64::from(b[start + at]));
            });
            start = end;
        }
        prop_assert_eq!(sum.total().to_bits(), dot(&a, &b).to_bits());
        prop_assert_eq!(each.total().to_bits(), dot(&a, &b).to_bits());
    }
}

/// 2^24 + 1 is not an f32: a sum that accumulated in f32 would lose every 1 after the first large term.
#[test]
fn sums_accumulate_in_f64() {
    let mut a = vec![1.0f32; 100_001];
    a[0] = 16_777_216.0;
    assert_eq!(dot(&a, &vec![1.0; a.len()]), 16_877_216.0);
}

#[test]
fn sums_have_the_same_bits_on_any_threads() {
    let (a, b) = (wave::<f32>(300_007), wave::<f32>(300_007).into_iter().rev().collect::<Vec<_>>());
    assert_same_bits_on_threads(|| (dot(&a, &b).to_bits(), squared_distance(&a, &b).to_bits()));
}
