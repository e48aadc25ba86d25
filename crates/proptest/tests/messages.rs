//! What failures say, word by word: what failed, where, by how much, with which seed; and that cases are the smallest.

use std::cell::Cell;
use std::panic::catch_unwind;

use impasto_proptest::strategies::numbers;
use impasto_proptest::{
    Bits, Cases, Checks, Operation, Property, assert_accumulates, assert_adjoint, assert_gradient,
    assert_operation, assert_operations, assert_same_bits_on_threads, assert_twin, check_accumulates,
    check_adjoint, check_gradient, check_operation, check_repeats, check_same_bits_on_threads, check_twin,
};
use impasto_tensor::{Shape, Tensor};
use proptest::prelude::*;

/// The message that something panics with.
fn message(panics: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let panic = catch_unwind(panics).expect_err("a panic");
    panic.downcast_ref::<String>().expect("a message").clone()
}

/// sum of i x_i^2 / 2 with a claim that something was done to.
fn squares(x: &[f64], spoil: impl Fn(&mut [f64])) -> (f64, Vec<f64>) {
    let value = x.iter().enumerate().map(|(i, x)| 0.5 * (i + 1) as f64 * x * x).sum();
    let mut gradient: Vec<f64> = x.iter().enumerate().map(|(i, x)| (i + 1) as f64 * x).collect();
    spoil(&mut gradient);
    (value, gradient)
}

fn said(x: &[f64], spoil: impl Fn(&mut [f64])) -> String {
    check_gradient(|x| squares(x, &spoil), x, &Checks::default()).expect_err("a wrong gradient").to_string()
}

#[test]
fn a_wrong_coordinate_is_named_with_what_it_should_be() {
    let text = said(&[1.0, 2.0, -1.0], |gradient| gradient[1] += 0.5);
    let expected = "\
the gradient is wrong at coordinate 1 of 3
  it is         4.5
  it should be  4
  off by        0.5, which is 1.1e-1 of a typical slope; 1.0e-7 is allowed
  seed          1
  note          1 of 3 coordinates are wrong: 1";
    assert_eq!(text, expected);
}

#[test]
fn a_factor_a_sign_and_a_mask_are_recognised() {
    let x = [1.0, 2.0, -1.0, 0.0];
    let last = |text: String| text.lines().last().expect("lines").trim().to_owned();
    let twice = last(said(&x, |gradient| gradient.iter_mut().for_each(|g| *g *= 2.0)));
    assert_eq!(twice, "note          every wrong coordinate is 2 times what it should be");
    let sign = last(said(&x, |gradient| gradient[..2].iter_mut().for_each(|g| *g = -*g)));
    assert_eq!(sign, "note          every wrong coordinate is -1 times what it should be");
    assert_eq!(last(said(&x, |gradient| gradient[2] = 0.0)), "note          every wrong coordinate is 0");
    assert_eq!(
        last(said(&x, |gradient| gradient[3] = 1.0)),
        "note          every wrong coordinate should be 0"
    );
}

#[test]
fn many_wrong_coordinates_are_counted_and_not_all_listed() {
    let x: Vec<f64> = (1..=20).map(f64::from).collect();
    let text = said(&x, |gradient| gradient.iter_mut().enumerate().for_each(|(i, g)| *g += 1.0 + i as f64));
    assert!(text.contains("at coordinate 19 of 20\n"), "{text}");
    assert!(text.contains("20 of 20 coordinates are wrong: 0, 1, 2, 3, 4, 5, 6, 7, ..."), "{text}");
}

/// With more coordinates than are looked at one by one.
#[test]
fn a_wrong_coordinate_of_many_is_found_by_halves() {
    let x = vec![1.0; 3000];
    let text = said(&x, |gradient| gradient[1234] = 0.0);
    assert!(
        text.starts_with("the gradient is wrong at coordinate 1234 of 3000\n  it is         0\n"),
        "{text}"
    );
    assert!(text.contains("it should be  1235") && text.contains("found by halves"), "{text}");
}

#[test]
fn what_is_no_number_is_said() {
    let text = said(&[1.0, 2.0], |gradient| gradient[1] = f64::NAN);
    assert!(
        text.starts_with(
            "there is no finite number at coordinate 1 of 2\n  it is         NaN\n  it should be  a finite number\n"
        ),
        "{text}"
    );
    let checks = Checks::default();
    let text = check_gradient(|x| (f64::INFINITY, x.to_vec()), &[1.0], &checks).unwrap_err().to_string();
    assert!(text.contains("the value at x itself is not finite") && !text.contains("off by"), "{text}");
    assert!(text.contains("it should be  a finite number"), "{text}");
    let short = check_gradient(|_| (1.0, vec![]), &[1.0, 2.0], &checks).unwrap_err();
    assert_eq!((short.property, short.got, short.expected), (Property::Length, 0.0, 2.0));
    assert!(!short.to_string().contains("off by"), "{short}");
}

#[test]
fn an_assertion_panics_with_the_message() {
    let text = message(|| assert_gradient(|x| (x[0] * x[0], vec![0.0]), &[1.5]));
    assert!(text.contains("it is         0\n  it should be  3\n"), "{text}");
}

#[test]
fn every_assertion_panics() {
    let twin = message(|| assert_twin(&[1.0, 2.0], &[1.0, 3.0], 1e-6));
    assert!(twin.starts_with("fast and plain differ at coordinate 1 of 2\n"), "{twin}");
    let adjoint = message(|| assert_adjoint(<[f64]>::to_vec, |y| vec![2.0 * y[0]], &[1.0], &[1.0]));
    assert!(
        adjoint.starts_with("backward is not the adjoint of forward at coordinate 0 of 1\n"),
        "{adjoint}"
    );
    let threads = message(|| assert_same_bits_on_threads(rayon::current_num_threads));
    assert!(threads.ends_with("2 threads give other bits than one"), "{threads}");
    let drawn = message(|| assert_operations(numbers(1..9).prop_map(|x| (Unmasked, x))));
    assert!(drawn.starts_with("Unmasked: the gradient is wrong at coordinate 0 of 1\n"), "{drawn}");
}

/// y_i = x_i^2 as an H x W x C array whose gradient is twice too small in one channel.
#[derive(Debug)]
struct Halved;

impl Operation for Halved {
    fn forward(&self, x: &[f64]) -> Vec<f64> {
        x.iter().map(|x| x * x).collect()
    }
    fn backward(&self, x: &[f64], gradient: &[f64]) -> Vec<f64> {
        x.iter()
            .zip(gradient)
            .enumerate()
            .map(|(i, (x, g))| if i % 3 == 1 { x * g } else { 2.0 * x * g })
            .collect()
    }
    fn shape(&self) -> Vec<usize> {
        vec![2, 2, 3]
    }
}

#[test]
fn an_operation_has_its_name_and_its_shape() {
    let x: Vec<f64> = (1..=12).map(f64::from).collect();
    let failure = check_operation(&Halved, &x, &Checks::default()).unwrap_err();
    assert_eq!(failure.coordinate.map(|at| at % 3), Some(1));
    let text = failure.to_string();
    assert!(
        text.starts_with("Halved: the gradient is wrong at coordinate 7 of 12, [1, 0, 1] of [2, 2, 3]\n"),
        "{text}"
    );
    assert!(text.ends_with("every wrong coordinate is 0.5 times what it should be"), "{text}");
}

/// The mask of a ReLU is missing: wrong where x < 0 alone.
#[derive(Debug)]
struct Unmasked;

impl Operation for Unmasked {
    fn forward(&self, x: &[f64]) -> Vec<f64> {
        x.iter().map(|x| x.max(0.0)).collect()
    }
    fn backward(&self, _: &[f64], gradient: &[f64]) -> Vec<f64> {
        gradient.to_vec()
    }
}

#[test]
fn a_case_shrinks_to_one_readable_number() {
    let text = message(|| assert_operation(&Unmasked, numbers(1..30)));
    assert!(text.starts_with("Unmasked: the gradient is wrong at coordinate 0 of 1\n"), "{text}");
    assert!(text.contains("it should be  0\n"), "{text}");
    assert!(text.contains("\n  smallest case [-0.001]\n"), "{text}");
    assert!(text.contains("\n  again         IMPASTO_PROPTEST_SEED="), "{text}");
}

#[test]
fn the_same_seed_draws_the_same_cases() {
    let drawn = |seed| {
        let all = std::cell::RefCell::new(Vec::new());
        Cases::new(20, seed)
            .run(&numbers(3), |x| {
                all.borrow_mut().push(x.clone());
                Ok(())
            })
            .unwrap();
        all.into_inner()
    };
    assert_eq!(drawn(5), drawn(5));
    assert_ne!(drawn(5), drawn(6));
}

#[test]
fn a_panic_is_a_failure_with_its_smallest_case() {
    let refuted = Cases::new(100, 1)
        .run(&numbers(1..9), |x| {
            assert!(x.iter().all(|x| *x < 0.5), "too large");
            Ok(())
        })
        .unwrap_err();
    assert_eq!((refuted.reason.as_str(), refuted.case.as_str()), ("too large", "[0.5]"));
}

#[test]
fn a_long_case_is_cut() {
    let refuted = Cases::new(1, 1).run(&numbers(2000), |x| {
        assert_gradient(|_| (0.0, vec![1.0]), &x[..1]);
        Ok(())
    });
    let text = refuted.unwrap_err().to_string();
    assert!(text.contains(" bytes)") && text.len() < 4000, "{text}");
}

#[test]
fn an_adjoint_that_is_none_says_where() {
    // Backward forgets that x_0 is in both outputs.
    let forward = |x: &[f64]| vec![x[0] + x[1] + 1.0, x[0]];
    let backward = |y: &[f64]| vec![y[0], y[0]];
    let failure = check_adjoint(forward, backward, &[1.0, 2.0], &[3.0, 4.0], 1e-12).unwrap_err();
    assert_eq!((failure.coordinate, failure.got, failure.expected), (Some(0), 3.0, 7.0));
    let text = failure.to_string();
    assert!(text.starts_with("backward is not the adjoint of forward at coordinate 0 of 2"), "{text}");
    assert!(text.ends_with("<A x, y> is 1.3e1, <x, A' y> is 9e0"), "{text}");
    assert_adjoint(forward, |y| vec![y[0] + y[1], y[0]], &[1.0, 2.0], &[3.0, 4.0]);
}

#[test]
fn twins_that_differ_say_where_and_how_many() {
    check_twin(&[1.0_f32, 2.0], &[1.0_f64, 2.0 + 1e-7], 1e-6).unwrap();
    let failure = check_twin(&[1.0, 2.5, 3.0, 4.0], &[1.0, 2.0, 3.1, 4.0], 1e-6).unwrap_err();
    assert_eq!(
        (failure.coordinate, failure.got, failure.expected, failure.error),
        (Some(1), 2.5, 2.0, 0.125)
    );
    assert!(failure.to_string().ends_with("2 of 4 numbers differ by more than is allowed"), "{failure}");
    check_twin(&[f64::NAN, f64::INFINITY], &[f64::NAN, f64::INFINITY], 0.0).unwrap();
    assert_eq!(check_twin(&[f64::NAN, 1.0], &[0.0, 1.0], 1.0).unwrap_err().coordinate, Some(0));
    assert_eq!(check_twin(&[1.0, 1.0], &[1.0, f64::NAN], 1.0).unwrap_err().coordinate, Some(1));
    assert_eq!(check_twin(&[1.0], &[1.0, 1.0], 1.0).unwrap_err().property, Property::Length);
    // One is off by all that is allowed, one by more.
    let failure = check_twin(&[1.0, 6.0, 4.0], &[0.0, 4.0, 4.0], 0.25).unwrap_err();
    assert!(failure.to_string().ends_with("1 of 3 numbers differ by more than is allowed"), "{failure}");
    let failure = check_twin(&[0.5], &[0.0], 1e-3).unwrap_err().to_string();
    assert!(failure.contains("off by        0.5, where all that is right is 0\n"), "{failure}");
    assert!(check_twin(&[1e-300], &[0.0], 1e-3).is_err(), "nothing is a part of 0");
}

#[test]
fn bits_that_depend_on_threads_say_on_how_many() {
    let failure = check_same_bits_on_threads(|| vec![1.0, rayon::current_num_threads() as f64]).unwrap_err();
    assert_eq!((failure.coordinate, failure.got, failure.expected), (Some(1), 2.0, 1.0));
    assert!(failure.to_string().ends_with("2 threads give other bits than one"), "{failure}");
    check_same_bits_on_threads(|| (vec![f32::NAN], Some([-0.0_f64]))).unwrap();
    assert!(
        check_same_bits_on_threads(|| if rayon::current_num_threads() == 8 { -0.0 } else { 0.0 }).is_err()
    );
}

/// Of all its numbers, one after the other, whatever holds them.
#[test]
fn bits_are_those_of_every_number_in_order() {
    fn numbers(of: &(impl Bits + ?Sized)) -> Vec<f64> {
        of.bits().into_iter().map(|(_, number)| number).collect()
    }
    let bits = |x: f64| (x.to_bits(), x);
    assert_eq!([0.5, -0.0].bits(), [bits(0.5), bits(-0.0)]);
    assert_eq!([0.5_f32].bits(), [(u64::from(0.5_f32.to_bits()), 0.5)]);
    assert_eq!((numbers(&Some(3.0)), numbers(&None::<f64>)), (vec![3.0], vec![]));
    let tensor = Tensor::from_vec(Shape::new(1, 2, 1), vec![4.0, 5.0]).unwrap();
    assert_eq!(numbers(&tensor), [4.0, 5.0]);
    assert_eq!(numbers(&(vec![1.0], [2.0_f32, 3.0])), [1.0, 2.0, 3.0]);
    assert_eq!(numbers(&(Some(1.0), vec![2_u8, 3], 4_usize)), [1.0, 2.0, 3.0, 4.0]);
}

#[test]
fn a_gradient_that_overwrites_is_told_from_one_that_adds() {
    check_accumulates(|sum| sum.iter_mut().for_each(|s| *s += 2.0), 3).unwrap();
    let failure = check_accumulates(|sum| sum.fill(2.0), 3).unwrap_err();
    assert_eq!(failure.property, Property::Accumulates);
    assert!(failure.to_string().ends_with("into a buffer that was not 0"), "{failure}");
    let text = message(|| assert_accumulates(|sum| sum.fill(2.0), 3));
    assert!(text.starts_with("the gradient is not added to what is there at coordinate"), "{text}");
    // Only the first time.
    let calls = Cell::new(0);
    let once = |sum: &mut [f64]| {
        calls.set(calls.get() + 1);
        if calls.get() < 4 {
            sum[0] += 1.0;
        }
    };
    let failure = check_accumulates(once, 1).unwrap_err();
    assert!(failure.to_string().ends_with("twice into the same buffer"), "{failure}");
}

#[test]
fn what_an_earlier_call_leaves_behind_is_seen() {
    let left = Cell::new(0.0);
    let failure = check_repeats(|| left.get() + 1.0, || left.set(5.0)).unwrap_err();
    assert_eq!((failure.got, failure.expected), (6.0, 1.0));
    assert!(
        failure.to_string().starts_with("an earlier call changes the result at coordinate 0 of 1"),
        "{failure}"
    );
}

/// y = x / |x|, which there is not at 0.
struct Sign;

impl Operation for Sign {
    fn forward(&self, x: &[f64]) -> Vec<f64> {
        x.iter().map(|x| x / x.abs()).collect()
    }
    fn backward(&self, x: &[f64], gradient: &[f64]) -> Vec<f64> {
        x.iter().zip(gradient).map(|(x, g)| 0.0 * g / x).collect()
    }
}

#[test]
fn where_there_is_no_value_the_gradient_is_not_blamed() {
    let failure = check_operation(&Sign, &[0.5, 0.0], &Checks::default()).unwrap_err();
    let expected = "\
Sign: there is no finite number
  it is         NaN
  it should be  a finite number
  seed          1
  note          the value at x itself is not finite";
    assert_eq!(failure.to_string(), expected);
    check_operation(&Sign, &[0.5, -0.05], &Checks::default()).unwrap();
}

#[test]
fn shrinking_ends_at_a_case_that_fails() {
    let smaller = Cell::new(0);
    let check = |x: &Vec<f64>| {
        smaller.set(smaller.get() + 1);
        check_twin(x, &vec![9.0; x.len()], 0.0)
    };
    let refuted = Cases::new(1, 1).run(&numbers(900), check).unwrap_err();
    assert_eq!(smaller.get(), 4097, "one that failed, and as many that are smaller as there may be");
    assert!(refuted.reason.starts_with("fast and plain differ at coordinate"), "{refuted}");
}

/// The example of the crate's front page, with the fault that the page gives it.
#[derive(Debug)]
struct Softplus;

impl Operation for Softplus {
    fn forward(&self, x: &[f64]) -> Vec<f64> {
        x.iter().map(|x| x.exp().ln_1p()).collect()
    }
    fn backward(&self, x: &[f64], gradient: &[f64]) -> Vec<f64> {
        x.iter().zip(gradient).map(|(x, g)| 2.0 * g / (1.0 + (-x).exp())).collect()
    }
}

#[test]
fn the_front_page_shows_what_is_said() {
    let text = message(|| assert_operation(&Softplus, numbers(1..20)));
    let page = include_str!("../src/lib.rs");
    for line in text.lines().filter(|line| !line.contains("SEED")) {
        assert!(page.contains(&format!("//! {line}\n")), "{line}");
    }
}
