//! What strategies draw, and what they shrink to.

use std::cell::RefCell;
use std::fmt::Debug;

use impasto_proptest::strategies::{
    SquareMatrix, apart, chains, chains_off_kinks, dimensions, extremes, kernels, masks, numbers, off_zero,
    pictures, positive_semidefinite, shapes, tensors, ties, wide, with_zeros,
};
use impasto_proptest::{Cases, Step, check_twin};
use impasto_tensor::{Shape, Tensor};
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

/// As many draws of a strategy.
fn drawn<S: Strategy>(count: u32, strategy: S) -> Vec<S::Value>
where
    S::Value: Debug + Clone,
{
    let all = RefCell::new(Vec::new());
    let keep = |value: &S::Value| {
        all.borrow_mut().push(value.clone());
        Ok(())
    };
    Cases::new(count, 5).run(&strategy, keep).unwrap();
    all.into_inner()
}

/// Whether a picture has this number at (x, y) in all channels.
fn shows(picture: &Tensor<f32>, value: impl Fn(usize, usize) -> usize) -> bool {
    let width = picture.shape().width;
    let mut pixels = picture.data().chunks_exact(3).enumerate();
    pixels.all(|(at, pixel)| pixel.iter().all(|&number| number == value(at % width, at / width) as f32))
}

#[test]
fn every_kind_of_picture_is_drawn_as_it_is_described() {
    let pictures = drawn(300, pictures(30..=45));
    let count = |is: &dyn Fn(&Tensor<f32>) -> bool| pictures.iter().filter(|picture| is(picture)).count();
    let pixel = |picture: &Tensor<f32>, at: usize| picture.data()[3 * at..3 * at + 3].to_vec();
    let colours =
        count(&|picture| (0..picture.data().len() / 3).all(|at| pixel(picture, at) == pixel(picture, 0)));
    let ramps: Vec<usize> =
        (1..8).map(|step| count(&|picture| shows(picture, |x, y| (x + y) * step % 256))).collect();
    let boards: Vec<usize> =
        (1..4).map(|side| count(&|picture| shows(picture, |x, y| (x / side + y / side) % 2 * 255))).collect();
    let points = count(&|picture| {
        picture.data().iter().sum::<f32>() == 3.0 * 255.0 && picture.data().contains(&255.0)
    });
    // A fifth of them each: 60.
    let seen = format!("{colours} {ramps:?} {boards:?} {points}");
    assert!(ramps.iter().chain(&boards).all(|&one| one > 0), "{seen}");
    let kinds = [colours, ramps.iter().sum(), boards.iter().sum(), points];
    assert!(kinds.iter().all(|kind| (30..90).contains(kind)), "{seen}");
    // The rest has every number.
    let noise =
        |number: f32| count(&|picture| picture.data().iter().filter(|&&one| one == number).count() > 1);
    assert!((0..=255_u8).step_by(5).all(|number| noise(f32::from(number)) >= 30));
}

#[test]
fn a_point_may_be_anywhere() {
    let mut places: Vec<usize> = drawn(400, pictures(2..=2))
        .iter()
        .filter(|picture| picture.data().iter().sum::<f32>() == 3.0 * 255.0)
        .filter_map(|picture| picture.data().iter().position(|&number| number == 255.0))
        .collect();
    places.sort_unstable();
    places.dedup();
    assert_eq!(places, [0, 3, 6, 9]);
}

/// A response is a sum of side * side * inputs products, so its size grows as the square root of that.
#[test]
fn kernels_keep_responses_near_one() {
    for (side, inputs, outputs) in [(1, 1, 2), (3, 1, 3), (3, 4, 1), (5, 2, 2), (1, 4, 5)] {
        let n = side * side * inputs;
        let kernels = drawn(40, kernels(side, inputs, outputs));
        assert!(kernels.iter().all(|kernel| kernel.len() == n * outputs));
        let largest = kernels.iter().flatten().fold(0.0, |largest: f64, number| largest.max(number.abs()));
        let scale = 2_f64.powi(largest.log2().ceil() as i32); // numbers reach down from it
        assert!((1.0..4.0).contains(&(scale * scale * n as f64)), "{side} {inputs}: {scale}");
        let thousandths = |number: &f64| number / scale * 1000.0;
        let is_whole = |number: f64| (number - number.round()).abs() < 1e-9;
        assert!(kernels.iter().flatten().all(|number| is_whole(thousandths(number))));
    }
}

#[test]
fn steps_are_of_eighths_and_of_every_kind() {
    let is_eighth = |number: f64| number != 0.0 && number.abs() <= 1.0 && (8.0 * number).fract() == 0.0;
    let (mut numbers, mut growing, mut kinds) = (Vec::new(), [0; 2], [0; 8]);
    for (chain, x) in drawn(400, chains(5, 9)) {
        for (step, input) in chain.0.iter().zip(chain.responses(&x)) {
            let kind = match step {
                Step::Scale(s, b) => {
                    numbers.extend([s / 2.0, *b]);
                    0
                }
                Step::Dense(w) => {
                    assert!(w.iter().all(|row| row.len() == input.len()));
                    growing[w.len() - input.len()] += 1;
                    numbers.extend(w.iter().flatten());
                    1
                }
                Step::Relu => 2,
                Step::Tanh => 3,
                Step::Square => 4,
                Step::Softmax => 5,
                Step::Average => 6,
                Step::Max => 7,
            };
            kinds[kind] += 1;
        }
    }
    assert!(kinds.iter().all(|&count| count > 60), "{kinds:?}");
    assert!(growing.iter().all(|&count| count > 40), "{growing:?}");
    assert!(numbers.iter().all(|&number| is_eighth(number)));
    for eighths in 1..=8 {
        for sign in [1.0, -1.0] {
            let share = numbers.iter().filter(|&&number| number == sign * f64::from(eighths) / 8.0).count();
            assert!(16 * share > numbers.len() / 2 && 16 * share < 2 * numbers.len(), "{sign} {eighths}");
        }
    }
}

/// X' X of any rank: with as many rows as columns or more it is definite, and the mean of squares is at most 1.
#[test]
fn matrices_are_of_every_rank() {
    let matrices = drawn(300, positive_semidefinite(3..=3));
    let determinant = |m: &[f64]| {
        m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6])
            + m[2] * (m[3] * m[7] - m[4] * m[6])
    };
    let definite = matrices.iter().filter(|matrix| determinant(&matrix.data) > 1e-9).count();
    assert!((150..250).contains(&definite), "{definite}"); // three rows or more, of one to six
    let largest =
        matrices.iter().flat_map(|matrix| &matrix.data).fold(0.0, |most: f64, number| most.max(*number));
    assert!((0.8..=1.0).contains(&largest), "{largest}");
    assert!(matrices.iter().any(|matrix| matrix.data[1] < -0.1));
}

/// The rank of a matrix that is not below 0: each pivot is the largest number of what is left of the diagonal.
fn rank(matrix: &SquareMatrix) -> usize {
    let (n, mut m) = (matrix.side, matrix.data.clone());
    for rank in 0..n {
        let pivot = (0..n).max_by(|&i, &j| m[i * n + i].total_cmp(&m[j * n + j])).unwrap();
        let value = m[pivot * n + pivot];
        if value < 1e-12 {
            return rank;
        }
        let row: Vec<f64> = (0..n).map(|j| m[pivot * n + j]).collect();
        for (i, j) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))) {
            m[i * n + j] -= row[i] * row[j] / value;
        }
    }
    n
}

#[test]
fn large_matrices_too_are_of_every_rank() {
    let mut ranks = [0; 6];
    for matrix in drawn(300, positive_semidefinite(5..=5)) {
        ranks[rank(&matrix)] += 1;
    }
    // One to six rows, each as often.
    assert!(ranks[1..5].iter().all(|&count| count > 25) && ranks[5] > 60, "{ranks:?}");
}

#[test]
fn every_careless_number_is_drawn_with_both_signs() {
    let drawn: Vec<f64> = drawn(20, extremes(200)).concat();
    for magnitude in [0.0, 1.0, f64::EPSILON, f64::MIN_POSITIVE, 1e-310, 5e-324, 1e-150, 1e150] {
        for number in [magnitude, -magnitude] {
            assert!(drawn.iter().any(|x| x.to_bits() == number.to_bits()), "{number:e}");
        }
    }
}

#[test]
fn chains_off_kinks_have_those_steps_too() {
    let (mut relus, mut pairs) = (0, 0);
    for (chain, x) in drawn(400, chains_off_kinks(5, 9)) {
        for (step, input) in chain.0.iter().zip(chain.responses(&x)) {
            relus += usize::from(*step == Step::Relu && !input.is_empty());
            pairs += usize::from(*step == Step::Max && input.len() > 1);
        }
    }
    assert!(relus > 60 && pairs > 40, "{relus} {pairs}");
}

#[test]
fn a_mask_of_nothing_counts_in_its_middle() {
    let masks = drawn(600, masks(1..6));
    let of_one = |at: usize, len: usize| (0..len).map(|i| f32::from(u8::from(i == at))).collect::<Vec<_>>();
    assert!(masks.iter().all(|mask| mask.iter().any(|weight| *weight > 0.0)));
    for len in 1..6 {
        assert!(masks.contains(&of_one(len / 2, len)), "{len}");
    }
    let soft = masks.iter().flatten().filter(|weight| **weight > 0.0 && **weight < 1.0);
    let mut soft: Vec<u8> = soft.map(|weight| (8.0 * weight) as u8).collect();
    soft.sort_unstable();
    soft.dedup();
    assert_eq!(soft, [1, 2, 3, 4, 5, 6, 7]);
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
        for tie in [0.0, 0.5, -0.5, 1.0, -1.0] {
            prop_assert!(ties.iter().filter(|x| **x == tie).count() > 10);
        }
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
            let is_apart = x.chunks_exact(2).all(|pair| (pair[0] - pair[1]).abs() > 1e-3);
            prop_assert!(*step != Step::Max || is_apart);
        }
    }
}
