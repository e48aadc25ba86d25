//! Whether what you wrote is right: `make exercise N=3`, or `cargo test exercise_03` in this folder.

use by_hand::{checks, exercises};
use impasto_proptest::Refuted;

#[track_caller]
fn is_right(answer: Result<(), Refuted>) {
    if let Err(refuted) = answer {
        panic!("not yet\n\n{refuted}\n");
    }
}

#[test]
fn exercise_01() {
    is_right(checks::e01_content_gradient::check(exercises::e01_content_gradient::content_gradient));
}

#[test]
fn exercise_02() {
    is_right(checks::e02_gram_gradient::check(exercises::e02_gram_gradient::gram_gradient));
}

#[test]
fn exercise_03() {
    is_right(checks::e03_mask::check(exercises::e03_mask::mask));
}

#[test]
fn exercise_04() {
    is_right(checks::e04_convolution_adjoint::check(exercises::e04_convolution_adjoint::convolution_adjoint));
}

#[test]
fn exercise_05() {
    is_right(checks::e05_max_pooling::check(exercises::e05_max_pooling::max_pooling_backward));
}

#[test]
fn exercise_06() {
    is_right(checks::e06_total_variation::check(exercises::e06_total_variation::total_variation_gradient));
}

#[test]
fn exercise_07() {
    is_right(checks::e07_two_loop_recursion::check(exercises::e07_two_loop_recursion::two_loop_recursion));
}

#[test]
fn exercise_08() {
    is_right(checks::e08_wolfe::check(exercises::e08_wolfe::wolfe));
}

#[test]
fn exercise_09() {
    is_right(checks::e09_guided_gram::check(exercises::e09_guided_gram::guided_gram));
}

#[test]
fn exercise_10() {
    is_right(checks::e10_winograd::check(exercises::e10_winograd::winograd));
}
