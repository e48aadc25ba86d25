"""Gradients against differences."""

from __future__ import annotations

import numpy as np
import pytest
from functions import laid_out
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from problems import PROBLEMS

from impasto import check_gradient


def cubes(x):
    return np.sum(x**3), 3 * x**2


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.title)
def test_the_gradients_of_the_problems_are_right(problem):
    """At the start, where terms may vanish, and beside it."""
    chance = np.random.default_rng(problem.number)
    beside = problem.start * chance.uniform(0.9, 1.1, problem.start.shape) + chance.uniform(-0.05, 0.05, problem.start.shape)
    for x in (problem.start, beside):
        found = check_gradient(problem, x)
        assert found, found
        assert not found.kinks


@given(
    npst.arrays(np.float64, npst.array_shapes(min_dims=0, max_dims=3, max_side=5), elements=st.floats(0.5, 2)),
    st.integers(0, 2**64 - 1),
    st.data(),
)
@settings(deadline=None, max_examples=40)
def test_one_wrong_number_is_found_with_both_values(x, seed, data):
    wrong = tuple(data.draw(st.integers(0, side - 1)) for side in x.shape)

    def f(x):
        loss, gradient = cubes(x)
        gradient = np.array(gradient)
        gradient[wrong] += 0.125
        return loss, gradient

    laid = data.draw(laid_out(x))
    assert check_gradient(cubes, laid, seed=seed)
    found = check_gradient(f, laid, seed=seed)
    assert not found and not found.ok
    assert found.coordinate == wrong
    right = 3 * x[wrong] ** 2
    assert found.numeric == pytest.approx(right, rel=1e-8) and found.analytic == pytest.approx(right + 0.125)
    assert found.relative_error == pytest.approx(0.125 / found.worst.scale, rel=1e-6)
    assert str(found).startswith(f"The gradient is wrong {'at ' + str(list(wrong)) if wrong else 'at x'}: the function says")


def test_a_wrong_number_among_many_is_looked_for():
    def f(x):
        loss, gradient = cubes(x)
        gradient[57, 41] += 0.5
        return loss, gradient

    x = np.random.default_rng(0).normal(size=(100, 100))
    found = check_gradient(f, x, coordinates=2)
    assert found.coordinate == (57, 41) and found.worst is found.probes[-1]
    assert found.analytic - found.numeric == pytest.approx(0.5)
    assert "at [57, 41]" in str(found)


def test_a_gradient_that_is_wrong_everywhere_fails_everywhere():
    found = check_gradient(lambda x: (np.sum(x**3), 2 * x**2), np.linspace(1, 2, 50), directions=2, coordinates=5)
    assert len(found.probes) == len(found.failures) == 7
    assert found.coordinate is not None
    assert "7 of 7 probes failed" in str(found)


def test_kinks_are_reported_with_both_slopes():
    x = np.array([1.0, -2.0, 0.0])
    found = check_gradient(lambda x: (np.abs(x).sum(), np.sign(x)), x, directions=0)
    assert found.ok and [probe.coordinate for probe in found.kinks] == [(2,)]
    assert (found.kinks[0].left, found.kinks[0].right) == (pytest.approx(-1), pytest.approx(1))
    assert str(found).endswith("on kinks: 1, such as at [2], where the slope is -1 to the left and 1 to the right.")
    # A ReLU, whose derivative at 0 is called 0, is between its slopes, and so cannot be compared.
    found = check_gradient(lambda x: (np.maximum(x, 0).sum(), (x > 0).astype(float)), np.zeros(2), directions=0)
    assert not found and not found.failures and len(found.kinks) == 2
    assert str(found).startswith("Nothing could be compared: all of 2 probes sit on a kink")
    # What is not between them is wrong on a kink too.
    found = check_gradient(lambda x: (np.abs(x).sum(), np.full_like(x, 3)), np.zeros(2), directions=0)
    assert not found and len(found.failures) == 2


def test_the_next_kink_is_told():
    """At 1e-4 from a kink, steps above that meet it, and those below do not."""
    found = check_gradient(lambda x: (np.maximum(x, 1).sum(), (x > 1).astype(float)), np.full(3, 1.0001))
    assert found.ok and not found.kinks
    assert all(probe.nearest_kink is None or probe.nearest_kink > 1e-4 for probe in found.probes)
    assert any(probe.nearest_kink is not None for probe in found.probes)


def test_the_same_seed_asks_the_same_questions():
    def asked(seed):
        points = []

        def f(x):
            points.append(x)
            return cubes(x)

        return check_gradient(f, np.linspace(1, 2, 300), seed=seed), np.array(points)

    (a, asked_a), (b, asked_b), (c, asked_c) = asked(3), asked(3), asked(4)
    assert a == b and np.array_equal(asked_a, asked_b) and not np.array_equal(asked_a, asked_c)
    assert len(asked_a) == a.evaluations == 1 + 29 * 13
    coordinates = [probe.coordinate[0] for probe in a.probes if probe.coordinate]
    assert len(set(coordinates)) == 10 and coordinates == sorted(coordinates)
    assert coordinates != [probe.coordinate[0] for probe in c.probes if probe.coordinate]


def test_numbers_of_any_size_have_steps_of_their_size():
    for scale in (1e-6, 1e6):
        found = check_gradient(lambda x: (np.sum((x / scale) ** 3), 3 * (x / scale) ** 2 / scale), np.array([1.0, -2]) * scale)
        assert found, found
    assert check_gradient(lambda x: (np.sin(x).sum(), np.cos(x)), np.full(3, 1e5), scale=1.0)
    assert not check_gradient(lambda x: (np.sin(x).sum(), np.cos(x)), np.full(3, 1e5), scale=1e14)


@pytest.mark.parametrize("x", [[1, 2], np.array([1, 2], np.float32), 3.0, [[1.5]]])
def test_what_numpy_makes_an_array_of_is_taken_as_float64(x):
    found = check_gradient(cubes, x)
    assert found and found.tolerance == 1e-6
    assert f"at most in {len(found.probes)} probes" in str(found)


def test_what_the_function_raises_comes_out_at_once():
    calls = 0

    def f(x):
        nonlocal calls
        calls += 1
        if calls == 5:
            raise KeyboardInterrupt
        return cubes(x)

    with pytest.raises(KeyboardInterrupt):
        check_gradient(f, np.ones(4))
    assert calls == 5


def test_a_loss_that_is_not_finite_beside_x_is_no_pass():
    found = check_gradient(lambda x: (1.0 if (x == 1).all() else np.nan, np.zeros_like(x)), np.ones(2))
    assert not found and len(found.failures) == len(found.probes)
    assert "differences say nan" in str(found)


@pytest.mark.parametrize(
    ("f", "x", "options", "message"),
    [
        (cubes, [], {}, "x has no numbers"),
        (cubes, [1, np.inf], {}, "x has numbers that are NaN or infinite"),
        (cubes, ["a"], {}, "x must be an array of numbers, not of <U1"),
        (cubes, [1], {"tolerance": 0}, "tolerance must be finite and above 0, not 0"),
        (cubes, [1], {"scale": -1}, "scale must be finite and above 0, not -1"),
        (cubes, [1], {"directions": 0, "coordinates": 0}, "there must be 1 to 1000000 directions or coordinates, not 0 and 0"),
        (lambda x: (np.inf, x), [1], {}, "the loss at x must be finite, not inf"),
        (lambda x: (1, x * np.nan), [1], {}, "the gradient at x has numbers that are NaN or infinite"),
        (lambda x: (1, x.astype(np.float32)), [1], {}, "the gradient must be float64, as x is, not float32"),
    ],
)
def test_what_makes_no_sense_is_a_sentence(f, x, options, message):
    with pytest.raises(ValueError, match=message):
        check_gradient(f, x, **options)


def test_probes_of_one_kind_alone_and_not_too_many():
    x = np.arange(1.0, 5.0)
    assert check_gradient(cubes, x, coordinates=0)
    assert check_gradient(cubes, x, directions=0)
    for many in ({"directions": 2**70}, {"coordinates": 2**70}, {"directions": 0, "coordinates": 0}):
        with pytest.raises(ValueError, match="directions or coordinates"):
            check_gradient(cubes, x, **many)
