//! Bytes that are no state, or no longer: an error or a state that can be stepped on, whatever they are.

use crate::steps::{Problem, read_report, written};
use impasto_lbfgs::{Adam, AdamState, Lbfgs, LbfgsState, Optimiser, Real, State, StateError, Step};
use proptest::prelude::*;
use std::io;
use std::sync::LazyLock;

/// The bytes of runs of all lengths of `optimiser` on the small problems; one of them has used up its evaluations.
fn states<T: Real, O: Optimiser>(optimiser: &O) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for problem in Problem::<T>::all().into_iter().filter(|problem| problem.start.len() < 10) {
        let mut state = problem.start(optimiser);
        all.push(written(&mut state));
        while let Ok(Step::Accepted) = optimiser.step(&mut state, |x, g| problem.evaluate(x, g)) {
            all.push(written(&mut state));
        }
    }
    all
}

fn lbfgs() -> Lbfgs {
    Lbfgs {
        history: 3,
        scale_pairs: 2,
        max_evaluations: 9,
        curvature: 0.1,
        first_step: 0.01,
        ..Lbfgs::default()
    }
}

fn adam() -> Adam {
    Adam { learning_rate: 1.0, max_iterations: 6, ..Adam::default() }
}

/// The same with means.
fn averaging() -> Adam {
    Adam { average_decay: 0.9, bounds: Some((-2.0, 2.0)), ..adam() }
}

fn every_truncation_is_an_error<T: Real, S: State<T, Vec<T>>>(states: &[Vec<u8>]) {
    for bytes in states {
        for length in 0..bytes.len() {
            let result = S::read(&mut &bytes[..length], read_report::<T>);
            assert!(matches!(result, Err(StateError::Truncated)), "{length} of {}", bytes.len());
        }
    }
}

#[test]
fn a_state_that_was_cut_short_is_an_error() {
    every_truncation_is_an_error::<f32, LbfgsState<_, _>>(&states::<f32, _>(&lbfgs()));
    every_truncation_is_an_error::<f64, LbfgsState<_, _>>(&states::<f64, _>(&lbfgs()));
    every_truncation_is_an_error::<f32, AdamState<_, _>>(&states::<f32, _>(&adam()));
    every_truncation_is_an_error::<f64, AdamState<_, _>>(&states::<f64, _>(&adam()));
    every_truncation_is_an_error::<f32, AdamState<_, _>>(&states::<f32, _>(&averaging()));
}

#[test]
fn a_state_of_another_kind_is_an_error() {
    let bytes = &states::<f32, _>(&lbfgs())[0];
    let no_report = |_: &mut &[u8]| Ok(());
    assert!(matches!(AdamState::<f32>::read(&mut &**bytes, no_report), Err(StateError::Other("method"))));
    assert!(matches!(
        LbfgsState::<f64>::read(&mut &**bytes, no_report),
        Err(StateError::Other("number type"))
    ));
    let broken = |_: &mut &[u8]| Err(io::Error::other("torn"));
    assert!(matches!(LbfgsState::<f32>::read(&mut &**bytes, broken), Err(StateError::Io(_))));
}

/// Reads `bytes` with some of them changed and, if that is a state, steps on.
fn steps_on<T: Real, O: Optimiser>(optimiser: &O, bytes: &[u8], changes: &[(prop::sample::Index, u8)]) {
    let mut bytes = bytes.to_vec();
    for (index, byte) in changes {
        *index.get_mut(&mut bytes) = *byte;
    }
    let Ok(mut state) = O::State::<T, Vec<T>>::read(&mut &*bytes, read_report) else { return };
    let bowl = |x: &[T], g: &mut [T]| {
        g.copy_from_slice(x);
        let loss = x.iter().map(|x| x.to_f64() * x.to_f64()).sum::<f64>() / 2.0;
        Ok::<_, io::Error>(impasto_lbfgs::Evaluation { loss, report: x.to_vec() })
    };
    for _ in 0..4 {
        optimiser.step(&mut state, bowl).unwrap();
        written(&mut state);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn changed_bytes_are_an_error_or_a_state(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        header in prop::collection::vec((14usize..80, prop_oneof![Just(0u8), Just(1), Just(2), Just(255), any::<u8>()]), 0..3),
    ) {
        let unlimited = Lbfgs { max_evaluations: usize::MAX, ..lbfgs() };
        let steps = Adam { max_iterations: usize::MAX, ..adam() };
        macro_rules! check { ($type:ident, $written:expr, $stepped:expr) => {{
            static STATES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| states::<$type, _>(&$written));
            let mut bytes = which.get(&STATES).clone();
            for &(index, byte) in &header {
                bytes[index] = byte;
            }
            steps_on::<$type, _>($stepped, &bytes, &changes);
        }} }
        check!(f32, lbfgs(), &unlimited);
        check!(f64, lbfgs(), &unlimited);
        check!(f32, adam(), &steps);
        check!(f64, adam(), &steps);
        check!(f32, averaging(), &Adam { max_iterations: usize::MAX, ..averaging() });
    }
}
