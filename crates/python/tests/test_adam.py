"""Adam over numpy arrays."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from functions import Quadratic, dtypes, laid_out, same, shapes
from hypothesis import given, settings
from hypothesis import strategies as st

from impasto import adam, adam_steps
from impasto._impasto import Run


@st.composite
def options(draw):
    return {
        "learning_rate": draw(st.floats(1e-3, 0.3)),
        "beta1": draw(st.sampled_from([0.0, 0.5, 0.9])),
        "beta2": draw(st.sampled_from([0.9, 0.99, 0.999])),
        "epsilon": draw(st.sampled_from([1e-8, 1e-3])),
        "bounds": draw(st.sampled_from([None, (-1.0, 1.5), (0.25, 0.25)])),
        "average_decay": draw(st.sampled_from([0.0, 0.5, 0.95])),
    }


class Twin:
    """The equations of the docstring in numpy, in the type of x0: x, the mean a, and the best point."""

    def __init__(self, f, x0, *, learning_rate, beta1, beta2, epsilon, bounds, average_decay):
        self.f, self.rate, self.beta1, self.beta2, self.epsilon = f, learning_rate, beta1, beta2, epsilon
        self.bounds, self.decay, self.k = bounds, average_decay, 0
        self.x = x0 if bounds is None else np.clip(x0, *bounds)
        self.a, self.m, self.v = self.x, np.zeros_like(x0), np.zeros_like(x0)
        self.loss, self.g = f(self.x)
        self.best = (self.loss, self.x)

    def step(self):
        self.k += 1
        self.m = self.beta1 * self.m + (1 - self.beta1) * self.g
        self.v = self.beta2 * self.v + (1 - self.beta2) * self.g**2
        mean, square = self.m / (1 - self.beta1**self.k), self.v / (1 - self.beta2**self.k)
        self.x = (self.x - self.rate * mean / (np.sqrt(square) + self.epsilon)).astype(self.f.dtype)
        if self.bounds is not None:
            self.x = np.clip(self.x, *self.bounds).astype(self.f.dtype)
        self.loss, self.g = self.f(self.x)
        d = self.decay
        self.a = self.a + (1 - d) / (1 - d ** (self.k + 1)) * (self.x - self.a)
        if self.loss < self.best[0]:
            self.best = (self.loss, self.x)


@given(shapes, dtypes, st.integers(0, 99), options(), st.data())
@settings(deadline=None)
def test_every_step_is_that_of_the_equations(shape, dtype, seed, options, data):
    f = Quadratic(shape, dtype, seed)
    plain = np.full(shape, 3, dtype)
    x0 = data.draw(laid_out(plain))
    close = {"rtol": 0, "atol": 1e-12 if dtype == np.float64 else 2e-5}
    twin, averaged = Twin(f, plain, **options), options["average_decay"] > 0
    steps = adam_steps(f, x0, max_iterations=12, **options)
    for step in steps:
        twin.step()
        assert (step.iteration, step.evaluations, step.averaged) == (twin.k, twin.k + 1, averaged)
        assert step.x.dtype == dtype and np.allclose(step.x, twin.a if averaged else twin.x, **close)
        assert step.loss == pytest.approx(twin.loss, rel=1e-4 if dtype == np.float32 else 1e-10, abs=1e-4)
        assert step.step == options["learning_rate"]
    assert np.array_equal(x0, plain), "x0 is not written to"
    outcome = steps.outcome
    assert np.allclose(outcome.x, twin.a if averaged else twin.best[1], **close) or dtype == np.float32
    if not averaged:
        loss, gradient = f(outcome.x)
        assert outcome.loss == loss <= outcome.initial_loss
        assert outcome.gradient_norm == pytest.approx(np.linalg.norm(gradient.astype(float)), rel=1e-9)
    assert same(outcome, adam(f, plain, max_iterations=12, **options))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_quadratic_is_minimised_beyond_one_block_of_numbers(dtype):
    f = Quadratic((3, 40, 50), dtype, 7)
    outcome = adam(f, np.zeros((3, 40, 50), dtype), learning_rate=0.05)
    assert np.allclose(outcome.x, f.smallest, atol=1e-3) and outcome.evaluations == 501


def test_the_best_point_is_kept_where_the_loss_rises():
    """At such a rate it jumps past the minimum; what is returned is the best of all, with its own gradient."""
    losses = []

    def f(x):
        losses.append(float(x @ x))
        return losses[-1], 2 * x

    outcome = adam(f, np.array([1.0, -0.4]), learning_rate=0.9, max_iterations=4)
    assert outcome.loss == min(losses) != losses[-1]
    assert outcome.gradient_norm == pytest.approx(2 * outcome.loss**0.5)


def test_stepping_is_the_call_and_a_callback_stops_it():
    f, x0, called = Quadratic((5,), np.float64, 3), np.zeros(5), []
    steps = adam_steps(f, x0, max_iterations=20, learning_rate=0.3)
    assert steps.outcome.iterations == 0
    seen = list(steps)
    outcome = adam(f, x0, max_iterations=20, learning_rate=0.3, callback=called.append)
    assert all(same(a, b) for a, b in zip(seen, called, strict=True)) and len(seen) == 20
    assert same(outcome, steps.outcome) and steps.reason == outcome.reason == "iterations"
    outcome = adam(f, x0, callback=lambda step: step.iteration < 2)
    assert (outcome.iterations, outcome.reason) == (2, "cancelled")


def test_what_is_raised_leaves_the_run_as_it_was():
    f, fail = Quadratic((5,), np.float64, 3), iter([False, False, True] + [False] * 20)

    def fragile(x):
        if next(fail):
            raise LookupError("no batch")
        return f(x)

    steps = adam_steps(fragile, np.zeros(5), max_iterations=6)
    first = next(steps)
    with pytest.raises(LookupError, match="no batch"):
        next(steps)
    plain = list(adam_steps(f, np.zeros(5), max_iterations=6))
    assert all(np.array_equal(a.x, b.x) for a, b in zip([first, *steps], plain, strict=True))


def test_where_it_is_not_finite_the_run_ends_with_the_best_point():
    def f(x):
        return (float(x[0]) if x[0] > 0.45 else np.nan), np.ones(1)

    outcome = adam(f, np.ones(1), learning_rate=0.1)
    assert outcome.reason == "not_finite" and 0.45 < outcome.loss < 0.55
    assert outcome.x == pytest.approx(outcome.loss)
    with pytest.raises(ValueError, match="the loss at x0 must be finite, not NaN"):
        adam(f, np.zeros(1))


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"learning_rate": 0}, ValueError, "the option learning_rate must be finite and above 0, not 0"),
        ({"beta1": 1.0}, ValueError, r"the option beta1 must be in \[0, 1\), not 1"),
        ({"bounds": (1, 0)}, ValueError, "the option bounds must be finite, the least first, not 0"),
        ({"bounds": 3}, TypeError, r"the option bounds must be None or \(least, most\), not 3"),
        ({"history": 3}, TypeError, "unexpected keyword argument 'history'"),
    ],
)
def test_options_that_make_no_sense_are_sentences(options, kind, message):
    with pytest.raises(kind, match=message):
        adam(lambda x: (x @ x, 2 * x), np.ones(2), **options)


@pytest.mark.parametrize("function", [adam, adam_steps])
def test_the_defaults_are_the_crates(function):
    parameters = inspect.signature(function).parameters
    defaults = {name: p.default for name, p in parameters.items() if p.kind is p.KEYWORD_ONLY}
    assert defaults.pop("callback", None) is None
    assert defaults == Run.adam_defaults()
