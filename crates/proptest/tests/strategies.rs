//! What strategies draw, and what they shrink to.

use std::fmt::Debug;

use impasto_proptest::strategies::{
    apart, chains, chains_off_kinks, dimensions, extremes, kernels, masks, numbers, off_zero, pictures,
    positive_semidefinite, shapes, tensors, ties, wide, with_zeros,
};
use impasto_proptest::{Cases, Step, check_twin};
use impasto_tensor::Shape;
use proptest::prelude::*;

/// The smallest case for which `fails` is true, as Rust prints it.
fn smallest<S: Strategy>(strategy: S, fails: impl Fn(&S::Value) -> bool) -> String
where
    S::Value: Debug,
{
    let check = |value: &S::Value| check_twin(&[f64::from(u8::from(fails(value)))], &[0.0], 0.0);
    Cases::new(2000, 11).run(&strategy, check).expect_err("a case").case
}

#[test]
fn rows_shrink_to_one_short_number() {
    assert_eq!(smallest(numbers(1..30), |x| x.iter().any(|x| *x > 0.1234)), "[0.124]");
    assert_eq!(smallest(numbers(0..30), |x| x.len() >= 3), "[0.0, 0.0, 0.0]");
    assert_eq!(smallest(off_zero(1..30), |x| x.iter().any(|x| *x < 0.0)), "[-0.05]");
    assert_eq!(smallest(ties(1..30), |x| x.contains(&-0.5)), "[-0.5]");
    assert_eq!(smallest(wide(1..30), |x| x.iter().any(|x| x.abs() > 1e5)), "[110000.0]");
    assert_eq!(smallest(extremes(1..30), |x| x.iter().any(|x| x.is_subnormal())), "[1e-310]");
    assert_eq!(smallest(apart(1..30), |x| x.len() >= 4), "[-0.75, -0.25, 0.25, 0.75]");
}

#[test]
fn shapes_tensors_and_kernels_shrink_to_small_ones() {
    assert_eq!(
        smallest(shapes(1..=9, 1..=4), |shape| shape.height >= 3),
        format!("{:?}", Shape::new(3, 1, 1))
    );
    assert_eq!(smallest(dimensions(4, 6), |sides| sides.len() >= 2), "[1, 1]");
    let tensor = smallest(tensors(shapes(1..=9, 1..=4), numbers), |x| x.data().iter().any(|x| *x < -0.5));
    assert!(tensor.contains("[-0.501]"), "{tensor}");
    let kernel = smallest(kernels(3, 1, 1), |kernel| kernel[4] > 0.0);
    assert_eq!(kernel, "[0.0, 0.0, 0.0, 0.0, 0.0005, 0.0, 0.0, 0.0, 0.0]");
}

#[test]
fn masks_pictures_and_matrices_shrink_to_plain_ones() {
    assert_eq!(smallest(masks(1..30), |mask| mask.len() >= 2), "[1.0, 1.0]");
    assert_eq!(smallest(masks(1..30), |mask| mask.contains(&0.0)), "[0.0, 1.0]");
    let picture = smallest(pictures(2..=9), |picture| picture.data().len() >= 12);
    assert!(picture.contains("0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0"), "{picture}");
    let matrix = smallest(positive_semidefinite(1..=5), |matrix| matrix.data[0] > 0.0);
    assert_eq!(matrix, "SquareMatrix { side: 1, data: [1e-6] }");
}

#[test]
fn chains_shrink_to_the_step_at_fault() {
    let text = smallest(chains(6, 9), |(chain, _)| chain.0.contains(&Step::Tanh));
    assert_eq!(text, "(Chain([Tanh]), [0.0])");
}

proptest! {
    #[test]
    fn numbers_are_what_they_are_said_to_be(
        (x, off, apart, wide) in (numbers(0..40), off_zero(0..40), apart(1..40), wide(0..40)),
        (zeros, ties, extremes) in (with_zeros(200), ties(200), extremes(200)),
    ) {
        prop_assert!(x.iter().all(|x| x.abs() <= 1.0));
        prop_assert!(off.iter().all(|x| (0.05..=1.0).contains(&x.abs())));
        let n = apart.len() as f64;
        let mut sorted = apart.clone();
        sorted.sort_by(f64::total_cmp);
        prop_assert!(apart.iter().all(|x| x.abs() <= 1.0 && x.abs() >= 0.999 / n));
        prop_assert!(sorted.windows(2).all(|pair| pair[1] - pair[0] > 1.999 / n));
        prop_assert!(wide.iter().all(|x| *x == 0.0 || (1e-8..1e7).contains(&x.abs())));
        prop_assert!(zeros.iter().filter(|x| **x == 0.0).count() > 30);
        prop_assert!(ties.iter().filter(|x| **x == 0.5).count() > 10);
        prop_assert!(extremes.iter().any(|x| x.is_subnormal()) && extremes.iter().any(|x| x.abs() > 1e100));
    }

    #[test]
    fn masks_count_somewhere(mask in masks(1..200)) {
        prop_assert!(mask.iter().all(|weight| (0.0..=1.0).contains(weight)));
        prop_assert!(mask.iter().sum::<f32>() > 0.0);
    }

    #[test]
    fn pictures_are_whole_numbers_of_three_channels(picture in pictures(1..=12)) {
        prop_assert_eq!(picture.shape().channels, 3);
        prop_assert!(picture.data().iter().all(|x| (0.0..=255.0).contains(x) && x.fract() == 0.0));
    }

    #[test]
    fn matrices_are_symmetric_and_not_below_zero(matrix in positive_semidefinite(1..=7), v in numbers(7)) {
        let n = matrix.side;
        let at = |i: usize, j: usize| matrix.data[i * n + j];
        let mut form = 0.0;
        for (i, j) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))) {
            prop_assert_eq!(at(i, j), at(j, i));
            form += v[i] * at(i, j) * v[j];
        }
        prop_assert!(form >= -1e-12, "{form}");
    }

    #[test]
    fn no_kink_is_near_a_chain_that_is_off_kinks((chain, x) in chains_off_kinks(5, 9)) {
        for (step, x) in chain.0.iter().zip(chain.responses(&x)) {
            prop_assert!(*step != Step::Relu || x.iter().all(|x| x.abs() > 1e-3));
        }
    }
}
