//! The solutions are right; and each exercise, as it comes, fails because its function returns nothing but zeros, at a place that is named, with what
//! should be there.

use by_hand::{checks, exercises, solutions};
use impasto_proptest::Refuted;

/// That the exercise `name` fails with a function that is not written yet, for no other reason: its property is broken at a place, where there is 0
/// and should be something else.
#[track_caller]
fn is_unfinished(name: &str, answer: Result<(), Refuted>) {
    let text = answer.expect_err(name).reason;
    let (first, rest) = text.split_once('\n').expect("several lines");
    assert!(first.starts_with(&format!("{name}: ")) && first.contains(" at coordinate "), "{text}");
    assert!(
        rest.starts_with("  it is         0\n  it should be  ") && !rest.contains("it should be  0\n"),
        "{text}"
    );
}

#[test]
fn content_gradient() {
    checks::e01_content_gradient::check(solutions::e01_content_gradient::content_gradient).unwrap();
    is_unfinished(
        "content_gradient",
        checks::e01_content_gradient::check(exercises::e01_content_gradient::content_gradient),
    );
}

#[test]
fn gram_gradient() {
    checks::e02_gram_gradient::check(solutions::e02_gram_gradient::gram_gradient).unwrap();
    is_unfinished(
        "gram_gradient",
        checks::e02_gram_gradient::check(exercises::e02_gram_gradient::gram_gradient),
    );
}

#[test]
fn mask() {
    checks::e03_mask::check(solutions::e03_mask::mask).unwrap();
    is_unfinished("mask", checks::e03_mask::check(exercises::e03_mask::mask));
}

#[test]
fn convolution_adjoint() {
    checks::e04_convolution_adjoint::check(solutions::e04_convolution_adjoint::convolution_adjoint).unwrap();
    is_unfinished(
        "convolution_adjoint",
        checks::e04_convolution_adjoint::check(exercises::e04_convolution_adjoint::convolution_adjoint),
    );
}

#[test]
fn max_pooling() {
    checks::e05_max_pooling::check(solutions::e05_max_pooling::max_pooling_backward).unwrap();
    is_unfinished(
        "max_pooling_backward",
        checks::e05_max_pooling::check(exercises::e05_max_pooling::max_pooling_backward),
    );
}

#[test]
fn total_variation() {
    checks::e06_total_variation::check(solutions::e06_total_variation::total_variation_gradient).unwrap();
    is_unfinished(
        "total_variation_gradient",
        checks::e06_total_variation::check(exercises::e06_total_variation::total_variation_gradient),
    );
}

#[test]
fn two_loop_recursion() {
    checks::e07_two_loop_recursion::check(solutions::e07_two_loop_recursion::two_loop_recursion).unwrap();
    is_unfinished(
        "two_loop_recursion",
        checks::e07_two_loop_recursion::check(exercises::e07_two_loop_recursion::two_loop_recursion),
    );
}

#[test]
fn wolfe() {
    checks::e08_wolfe::check(solutions::e08_wolfe::wolfe).unwrap();
    is_unfinished("wolfe", checks::e08_wolfe::check(exercises::e08_wolfe::wolfe));
}

#[test]
fn guided_gram() {
    checks::e09_guided_gram::check(solutions::e09_guided_gram::guided_gram).unwrap();
    is_unfinished("guided_gram", checks::e09_guided_gram::check(exercises::e09_guided_gram::guided_gram));
}

#[test]
fn winograd() {
    checks::e10_winograd::check(solutions::e10_winograd::winograd).unwrap();
    is_unfinished("winograd", checks::e10_winograd::check(exercises::e10_winograd::winograd));
}
