//! Whether what you wrote is right: `make exercise N=3`, or `cargo test exercise_03` in this folder.

use by_hand::{checks, exercises};
use impasto_proptest::Refuted;

/// What is wrong, and in which file it is written.
#[track_caller]
fn is_right(module: &str, answer: Result<(), Refuted>) {
    if let Err(refuted) = answer {
        panic!(
            "not yet: the function to write is in examples/exercises/src/exercises/{module}.rs\n\n{refuted}\n"
        );
    }
}

/// The test of an exercise: the function in its module, held to its check.
macro_rules! exercise {
    ($test:ident, $module:ident, $function:ident) => {
        #[test]
        fn $test() {
            is_right(stringify!($module), checks::$module::check(exercises::$module::$function));
        }
    };
}

exercise!(exercise_01, e01_content_gradient, content_gradient);
exercise!(exercise_02, e02_gram_gradient, gram_gradient);
exercise!(exercise_03, e03_mask, mask);
exercise!(exercise_04, e04_convolution_adjoint, convolution_adjoint);
exercise!(exercise_05, e05_max_pooling, max_pooling_backward);
exercise!(exercise_06, e06_total_variation, total_variation_gradient);
exercise!(exercise_07, e07_two_loop_recursion, two_loop_recursion);
exercise!(exercise_08, e08_wolfe, wolfe);
exercise!(exercise_09, e09_guided_gram, guided_gram);
exercise!(exercise_10, e10_winograd, winograd);
