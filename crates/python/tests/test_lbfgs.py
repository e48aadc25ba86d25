"""L-BFGS over numpy arrays."""

from __future__ import annotations

import _thread
import gc
import inspect
import multiprocessing
import threading
import weakref

import numpy as np
import pytest
from functions import Quadratic, dtypes, laid_out, same, shapes
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import PROBLEMS, rosenbrock

import impasto
from impasto import lbfgs, lbfgs_steps
from impasto._impasto import Run


def banana(x):
    r, jacobian = rosenbrock(x)
    return r @ r, 2 * jacobian.T @ r


START = np.array([-1.2, 1.0] * 3)


@given(shapes, dtypes, st.integers(0, 99), st.data())
@settings(deadline=None)
def test_a_quadratic_of_any_shape_and_layout_is_minimised(shape, dtype, seed, data):
    f = Quadratic(shape, dtype, seed)
    plain = np.full(shape, 3, dtype)
    x0 = data.draw(laid_out(plain))
    outcome = lbfgs(f, x0, max_iterations=60)
    assert outcome.x.shape == shape and outcome.x.dtype == dtype
    assert np.allclose(outcome.x, f.smallest, atol=1e-3 if dtype == np.float32 else 1e-6)
    assert outcome.loss == f(outcome.x)[0] <= outcome.initial_loss == f(plain)[0]
    assert outcome.gradient_norm == pytest.approx(np.linalg.norm(f(outcome.x)[1].astype(float)), rel=1e-9)
    assert np.array_equal(x0, plain), "x0 is not written to"
    assert same(outcome, lbfgs(f, plain, max_iterations=60))


@given(shapes, dtypes, st.integers(0, 99), st.data())
@settings(deadline=None)
def test_gradients_of_any_layout_give_the_same_bits(shape, dtype, seed, data):
    f = Quadratic(shape, dtype, seed)

    def laid(x):
        loss, gradient = f(x)
        return loss, data.draw(laid_out(gradient))

    x0 = np.zeros(shape, dtype)
    assert same(lbfgs(laid, x0, max_iterations=5), lbfgs(f, x0, max_iterations=5))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_function_may_keep_and_write_what_it_gets_and_gives(dtype):
    f, kept = Quadratic((30, 4), dtype, 1), []

    def careless(x):
        loss, gradient = f(x)
        for before, _ in kept:
            before[...] = np.nan
        for _, before in kept:
            before[...] = np.inf
        kept.append((x, gradient))
        x *= 7
        return loss, gradient

    x0 = np.ones((30, 4), dtype)
    outcome = lbfgs(careless, x0, max_iterations=9)
    assert same(outcome, lbfgs(f, x0, max_iterations=9))
    assert len(kept) == outcome.evaluations


def direction(pairs, g):
    """-H g by the two-loop recursion on vectors: Nocedal and Wright, Algorithm 7.4."""
    q, alphas = g.copy(), []
    for s, y in reversed(pairs):
        alphas.append((s @ q) / (s @ y))
        q -= alphas[-1] * y
    if pairs:
        s, y = pairs[-1]
        q *= (s @ y) / (y @ y)
    for (s, y), alpha in zip(pairs, reversed(alphas)):
        q += (alpha - (y @ q) / (s @ y)) * s
    return -q


@given(st.integers(1, 12), st.integers(1, 8), st.integers(0, 99))
@settings(deadline=None, max_examples=30)
def test_every_step_is_the_two_loop_recursions_and_satisfies_strong_wolfe(history, pairs_of_variables, seed):
    c1, c2 = 1e-4, 0.9
    x = np.random.default_rng(seed).uniform(-2, 2, 2 * pairs_of_variables)
    loss, g = banana(x)
    pairs = []
    # Closer to the minimum slopes are what rounding makes of them.
    ends = {"max_iterations": 40, "loss_tolerance": 1e-9, "gradient_tolerance": 1e-8}
    for step in lbfgs_steps(banana, x, history=history, **ends):
        d = direction(pairs, g)
        assert np.allclose(step.x, x + step.step * d, rtol=1e-12, atol=1e-12 * np.abs(x).max())
        new_loss, new_g = banana(step.x)
        assert new_loss == step.loss <= loss + c1 * step.step * (g @ d)
        assert abs(new_g @ d) <= c2 * abs(g @ d) * (1 + 1e-9)
        if pairs and step.step != 1:
            tried = banana(x + d)
            assert tried[0] > loss + c1 * (g @ d) or abs(tried[1] @ d) > c2 * abs(g @ d) * (1 - 1e-9), "1 is tried first"
        pairs = [*pairs, (step.x - x, new_g - g)][-history:]
        x, loss, g = step.x, new_loss, new_g


@given(st.integers(2, 40), st.integers(0, 99))
@settings(deadline=None, max_examples=30)
def test_the_first_step_has_the_length_that_was_asked_for(n, seed):
    f = Quadratic((n,), np.float64, seed)
    x0 = np.full(n, 3.0)
    first = next(lbfgs_steps(f, x0, first_step=0.25, curvature=0.999))
    assert np.linalg.norm(first.x - x0) == pytest.approx(0.25, rel=1e-12)


def test_stepping_is_the_call():
    steps = lbfgs_steps(banana, START, max_iterations=30)
    assert steps.reason is None and steps.outcome.iterations == 0 and steps.outcome.loss == banana(START)[0]
    seen = list(steps)
    called = []
    outcome = lbfgs(banana, START, max_iterations=30, callback=called.append)
    assert [step.iteration for step in seen] == list(range(1, len(seen) + 1))
    assert all(same(a, b) for a, b in zip(seen, called, strict=True))
    assert same(steps.outcome, outcome) and steps.reason == outcome.reason
    with pytest.raises(StopIteration):
        next(steps)
    assert outcome.message in str(outcome)


def test_a_run_that_is_left_can_be_gone_on_with():
    steps = lbfgs_steps(banana, START)
    for step in steps:
        if step.iteration == 4:
            break
    left = steps.outcome
    assert (left.iterations, left.reason) == (4, "cancelled")
    assert next(steps).iteration == 5
    assert left.iterations == 4 and np.array_equal(left.x, step.x)


def test_a_callback_stops_what_it_wants_to():
    outcome = lbfgs(banana, START, callback=lambda step: np.bool_(step.iteration < 3))
    assert (outcome.iterations, outcome.reason) == (3, "cancelled")
    assert outcome.loss == banana(outcome.x)[0]


def test_what_is_raised_comes_out_and_leaves_the_run_as_it_was():
    calls, fail_at = 0, 7

    def fragile(x):
        nonlocal calls
        calls += 1
        if calls == fail_at:
            raise OSError("the network is gone")
        return banana(x)

    with pytest.raises(OSError, match="the network is gone"):
        lbfgs(fragile, START)
    calls = 0
    steps, seen = lbfgs_steps(fragile, START, max_iterations=20), []
    while True:
        try:
            seen.append(next(steps))
        except OSError:
            pass
        except StopIteration:
            break
    plain = list(lbfgs_steps(banana, START, max_iterations=20))
    assert all(np.array_equal(a.x, b.x) and a.loss == b.loss for a, b in zip(seen, plain, strict=True))
    with pytest.raises(ZeroDivisionError):
        lbfgs(banana, START, callback=lambda step: 1 / 0)


@pytest.mark.parametrize("minimise", [lbfgs, impasto.adam])
def test_control_c_ends_a_run(minimise):
    """Its signal comes while the function works or between calls of it."""
    started = threading.Event()

    def endless(x):
        started.set()
        return -float(x.sum()), -np.ones_like(x)

    def interrupt():
        started.wait()
        _thread.interrupt_main()

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        while True:  # should one run end by itself
            minimise(endless, np.zeros(3), max_iterations=10**9)
    thread.join()


def test_the_bits_are_those_of_one_run_in_threads_of_python():
    """The interpreter is free while vectors are swept over."""
    f, outcomes = Quadratic((50, 200), np.float32, 5), [None] * 4
    x0 = np.zeros((50, 200), np.float32)

    def run(i):
        outcomes[i] = lbfgs(f, x0, max_iterations=20)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(same(outcome, lbfgs(f, x0, max_iterations=20)) for outcome in outcomes)


def test_tolerances_and_limits_end_a_run():
    small = lbfgs(banana, START, gradient_tolerance=1e-3)
    assert small.reason == "gradient_small" and 0 < small.gradient_norm <= 1e-3
    assert lbfgs(banana, START, loss_tolerance=0.1).reason == "loss_flat"
    few = lbfgs(banana, START, max_iterations=3)
    assert (few.reason, few.iterations) == ("iterations", 3)
    few = lbfgs(banana, START, max_evaluations=6)
    assert (few.reason, few.evaluations) == ("evaluations", 6)
    wrong = lbfgs(lambda x: (x @ x, -2 * x), START)
    assert wrong.reason == "line_search_failed" and wrong.iterations == 0


def test_a_search_turns_back_from_where_the_loss_is_not_finite():
    def barrier(x):
        with np.errstate(invalid="ignore", divide="ignore"):
            return float(np.sum(x - np.log(x))), 1 - 1 / x

    outcome = lbfgs(barrier, np.full(4, 0.01), first_step=1.0, gradient_tolerance=1e-9)
    assert outcome.reason == "gradient_small" and np.allclose(outcome.x, 1)
    nowhere = lbfgs(lambda x: (0.0 if x[0] == 1 else np.nan, np.ones(1)), np.ones(1))
    assert (nowhere.reason, nowhere.x, nowhere.iterations) == ("not_finite", np.ones(1), 0)


def test_groups_learn_a_scale_each():
    stiffness = np.where(np.arange(200) % 2 == 0, 1e4, 1.0) * (1 + np.arange(200) / 50)

    def f(x):
        return 0.5 * np.sum(stiffness * (x - 1) ** 2), stiffness * (x - 1)

    x0, groups = np.zeros(200), (np.arange(200) % 2).astype(np.uint8)
    plain = lbfgs(f, x0, gradient_tolerance=1e-6)
    grouped = lbfgs(f, x0, gradient_tolerance=1e-6, groups=groups)
    assert 2 * grouped.evaluations < plain.evaluations
    between = lbfgs(f, x0, gradient_tolerance=1e-6, groups=groups, places=[0, 0.5])
    assert between.reason == "gradient_small" and between.evaluations != grouped.evaluations
    with pytest.raises(ValueError, match="groups must have the shape of x0, not"):
        lbfgs(f, x0, groups=groups[1:])
    with pytest.raises(ValueError, match="groups must be an array of uint8, not of int64"):
        lbfgs(f, x0, groups=groups.astype(np.int64))
    with pytest.raises(ValueError, match="places belong to groups"):
        lbfgs(f, x0, places=[0.0])


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda x: x, r"the function must return \(loss, gradient\), not ndarray"),
        (lambda x: (1.0, x, x), r"the function must return \(loss, gradient\), not tuple"),
        (lambda x: (1.0, x.astype(np.float32)), "the gradient must be float64, as x is, not float32"),
        (lambda x: (1.0, x.astype(">f8")), "the gradient must be float64, as x is, not >f8"),
        (lambda x: (1.0, x + 0j), "the gradient must be float64, as x is, not complex128"),
        (lambda x: (1.0, None), "the gradient must be float64, as x is, not object"),
        (lambda x: (1.0, x[1:]), r"the gradient must have the shape of x, \(3,\), not \(2,\)"),
        (lambda x: (1.0, x[None]), r"the gradient must have the shape of x, \(3,\), not \(1, 3\)"),
        (lambda x: (x, x), r"the loss must be one number, not an array of the shape \(3,\)"),
        (lambda x: ("low", x), "the loss must be one number, not str"),
        (lambda x: (1j, x), "the loss must be one number, not complex"),
        (lambda x: (np.nan, x), "the loss at x0 must be finite, not NaN"),
        (lambda x: (-np.inf, x), "the loss at x0 must be finite, not -inf"),
        (lambda x: (1.0, x * np.inf), "the gradient at x0 must be finite, and its length is inf"),
        (None, "the function cannot be called"),
    ],
)
def test_answers_that_make_no_sense_are_sentences(answer, message):
    with pytest.raises(ValueError, match=message):
        lbfgs(answer, np.ones(3))


@pytest.mark.parametrize(
    ("x0", "message"),
    [
        (np.zeros(3, int), "x0 must be float32 or float64, not int64"),
        (np.zeros(3, np.float16), "x0 must be float32 or float64, not float16"),
        (np.array([1, np.nan]), "x0 has numbers that are NaN or infinite"),
    ],
)
def test_starts_that_make_no_sense_are_sentences(x0, message):
    with pytest.raises(ValueError, match=message):
        lbfgs(lambda x: (0.0, x), x0)


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"history": 0}, ValueError, "the option history must be at least 1, not 0"),
        ({"history": -1}, ValueError, "the option history must be a whole number from 0 on, not -1"),
        ({"history": 2.5}, TypeError, "the option history must be a whole number from 0 on, not 2.5"),
        ({"max_iterations": None}, TypeError, "the option max_iterations must be a whole number from 0 on, not None"),
        ({"max_evaluations": 0}, ValueError, "the option max_evaluations must be at least 1, not 0"),
        ({"curvature": 1.5}, ValueError, "the option curvature must be between sufficient_decrease and 1, not 1.5"),
        ({"first_step": 0}, ValueError, "the option first_step must be finite and above 0, not 0"),
        ({"loss_tolerance": "low"}, TypeError, "the option loss_tolerance must be a number, not low"),
        ({"tolerance": 1}, TypeError, "unexpected keyword argument 'tolerance'"),
    ],
)
def test_options_that_make_no_sense_are_sentences(options, kind, message):
    with pytest.raises(kind, match=message):
        lbfgs(banana, START, **options)


@pytest.mark.parametrize("function", [lbfgs, lbfgs_steps])
def test_the_defaults_are_the_crates(function):
    parameters = inspect.signature(function).parameters
    defaults = {name: p.default for name, p in parameters.items() if p.kind is p.KEYWORD_ONLY}
    for of_python in ("callback", "groups", "places"):
        assert defaults.pop(of_python, None) is None
    assert defaults == Run.lbfgs_defaults()


def test_no_variables_are_a_minimum():
    outcome = lbfgs(lambda x: (4.0, x), np.zeros((0, 3)))
    assert (outcome.x.shape, outcome.loss, outcome.reason) == ((0, 3), 4.0, "gradient_small")


# Where rounding decides who is lower, and why.
EXCEPTIONS = {
    "20 Watson, n = 12": (
        "the second derivatives span 14 powers of ten: to the end, both stop at 2.7e-9, where the slope towards the minimum of "
        "4.7e-10 is lost in the rounding of the others, and which of them is a little lower is chance"
    ),
}


@pytest.mark.parametrize("to_the_end", [False, True], ids=["as it is by default", "to the end"])
@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.title)
def test_no_loss_is_above_that_of_scipys_l_bfgs_b(problem, to_the_end):
    optimize = pytest.importorskip("scipy.optimize", reason="there is no scipy to compare with")
    ours, theirs = {}, {}
    if to_the_end:
        if problem.title in EXCEPTIONS:
            pytest.skip(EXCEPTIONS[problem.title])
        ours = {"max_iterations": 10000, "max_evaluations": 20000}
        theirs = {"ftol": 0, "gtol": 0, "maxiter": 10000, "maxfun": 20000}
    found = optimize.minimize(problem, problem.start, jac=True, method="L-BFGS-B", options=theirs).fun
    # Where steps are so small that their squares are 0, as at the end of the helical valley, some builds of SciPy step to NaN: that is no loss.
    found = np.inf if np.isnan(found) else found
    assert lbfgs(problem, problem.start, **ours).loss <= found + 1e-8 * abs(found) + 1e-12


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.title)
def test_a_minimum_of_the_paper_is_reached(problem):
    if problem.title in EXCEPTIONS:
        pytest.skip(EXCEPTIONS[problem.title])
    loss = lbfgs(problem, problem.start, max_iterations=10000, max_evaluations=20000).loss
    assert any(abs(loss - minimum) <= 5e-6 * minimum + 1e-12 for minimum in problem.minima), loss


def test_a_function_that_steps_its_own_run_is_told():
    runs, said = [], []

    def impatient(x):
        if runs:
            try:
                next(runs[0])
            except RuntimeError as error:
                said.append(str(error))
        return banana(x)

    runs.append(lbfgs_steps(impatient, START))
    assert next(runs[0]).iteration == 1
    assert said and all("in the middle of a step" in sentence for sentence in said)


def test_a_run_whose_function_holds_it_is_collected():
    class Study:
        def __init__(self):
            self.steps = lbfgs_steps(self.function, START)

        def function(self, x):
            return banana(x)

    study = Study()
    next(study.steps)
    forgotten = weakref.ref(study)
    del study
    gc.collect()
    assert forgotten() is None


def test_a_stop_iteration_of_the_function_does_not_end_the_loop():
    times = iter([1, 1])

    def short(x):
        next(times)
        return banana(x)

    with pytest.raises(RuntimeError, match="the function raised StopIteration"):
        list(lbfgs_steps(short, START))


def test_a_forked_process_is_told_to_spawn():
    lbfgs(banana, START, max_iterations=1)
    process = multiprocessing.get_context("fork").Process(target=forked)
    process.start()
    process.join(60)
    assert process.exitcode == 0


def forked():
    with pytest.raises(RuntimeError, match="start processes by spawn instead of fork"):
        lbfgs(banana, START)


def test_more_numbers_than_memory_holds_are_a_memory_error():
    x0 = np.zeros(1 << 20)
    with pytest.raises(MemoryError, match="20000006 vectors of 1048576 numbers"):
        lbfgs(banana, x0, history=10_000_000, max_iterations=10_000_000)
