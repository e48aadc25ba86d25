"""`Objective`: losses and gradients against numpy, finite differences and one another."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Bytes, waves
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

import impasto

SMALL: dict[str, Any] = {
    "preset": "paper",
    "size": 24,
    "content_layers": "conv2_2",
    "style_layers": "conv1_1,conv2_1",
    "content_weight": 1e-3,
    "style_weight": 2.0,
    "tv_weight": 1e-4,
}


@pytest.fixture(scope="module")
def objective() -> impasto.Objective:
    return impasto.Objective(waves(24, 20, 1), waves(20, 24, 2), **SMALL)


def test_terms_are_listed_with_weights_and_losses(objective: impasto.Objective) -> None:
    assert objective.shape == (24, 20, 3)
    loss, _ = objective(objective.start())
    names = [term.name for term in objective.terms]
    assert names == ["content conv2_2", "style conv1_1", "style conv2_1", "tv"]
    assert [term.weight for term in objective.terms] == [1e-3, 1.0, 1.0, 1e-4]
    assert np.isclose(loss, sum(term.weight * term.loss for term in objective.terms), rtol=1e-12)


def test_losses_are_the_equations_in_numpy(network: impasto.Network, objective: impasto.Objective) -> None:
    photo, painting = waves(24, 20, 1), waves(20, 24, 2)
    x = objective.start().astype(np.float64)
    objective(x)
    losses = {term.name: term.loss for term in objective.terms}
    f = network.features(x, "conv2_2", pool="average")["conv2_2"].astype(np.float64)
    p = network.features(photo, "conv2_2", pool="average")["conv2_2"]
    assert np.isclose(losses["content conv2_2"], ((f - p) ** 2).sum() / 2, rtol=1e-4)
    for layer in ["conv1_1", "conv2_1"]:
        g = network.gram(x, layer, pool="average")[layer].astype(np.float64)
        # The style is the painting's at the size of the result: as large as it is here.
        a = network.gram(painting, layer, pool="average")[layer]
        assert np.isclose(losses[f"style {layer}"], ((g - a) ** 2).sum() / (4 * len(g) ** 2), rtol=1e-4)
    tv = ((x[1:] - x[:-1]) ** 2).sum() / 2 + ((x[:, 1:] - x[:, :-1]) ** 2).sum() / 2
    assert np.isclose(losses["tv"], tv, rtol=1e-12)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_gradient_in_f64_is_that_of_finite_differences(seed: int) -> None:
    random = np.random.default_rng(seed)
    objective = impasto.Objective(waves(12, 10, 1), waves(10, 12, 2), **{**SMALL, "size": 12})
    x = random.uniform(0, 255, (12, 10, 3))
    loss, gradient = objective(x)
    assert isinstance(loss, float) and gradient.dtype == np.float64 and gradient.shape == x.shape
    direction = random.normal(size=x.shape)
    slope = (gradient * direction).sum()
    # A step over a kink of a ReLU is wrong by itself: the best of several counts.
    errors = []
    for step in [1e-3, 1e-4, 1e-5, 1e-6, 1e-7]:
        difference = (objective(x + step * direction)[0] - objective(x - step * direction)[0]) / (2 * step)
        errors.append(abs(difference - slope) / np.linalg.norm(gradient))
    assert min(errors) < 1e-6


@settings(max_examples=15, deadline=None)
@given(flat=st.booleans(), order=st.sampled_from("CF"), reverse=st.booleans(), seed=st.integers(0, 99))
def test_x_may_have_any_strides_and_be_flat(flat: bool, order: Any, reverse: bool, seed: int) -> None:
    objective = OBJECTIVE
    x = np.random.default_rng(seed).uniform(-5, 260, objective.shape).astype(np.float32)
    wanted, gradient = objective(x)
    if flat:
        loss, found = objective(np.repeat(x.ravel(), 2)[::2])
        assert found.shape == (x.size,)
    else:
        strided = np.array(x, order=order)
        loss, found = objective(strided[::-1].copy()[::-1] if reverse else strided)
        assert found.shape == x.shape
    assert loss == wanted and found.dtype == np.float32
    assert np.array_equal(found.reshape(x.shape), gradient)


OBJECTIVE = impasto.Objective(waves(24, 20, 1), waves(20, 24, 2), **SMALL)


def test_both_precisions_agree(objective: impasto.Objective) -> None:
    x = objective.start()
    single, g = objective(x)
    double, h = objective(x.astype(np.float64))
    assert np.isclose(single, double, rtol=1e-5)
    assert np.linalg.norm(g - h) < 1e-4 * np.linalg.norm(h)


def test_weights_can_be_changed(objective: impasto.Objective) -> None:
    objective = impasto.Objective(waves(24, 20, 1), waves(20, 24, 2), **SMALL)
    x = objective.start()
    before, _ = objective(x.astype(np.float64))
    term = objective.terms[1]
    objective.set_weight("style conv1_1", 5)
    objective.set_weight(-1, 0)
    both: list[Any] = [x, x.astype(np.float64)]
    for numbers in both:
        loss, _ = objective(numbers)
        wanted = before + (5 - term.weight) * term.loss - objective.terms[3].loss * 1e-4
        assert np.isclose(loss, wanted, rtol=1e-5)
        assert [term.weight for term in objective.terms] == [1e-3, 5, 1, 0]
    with pytest.raises(KeyError, match="did you mean style conv1_1"):
        objective.set_weight("style conv1_2", 1)
    with pytest.raises(IndexError, match="there are 4 terms"):
        objective.set_weight(4, 1)
    with pytest.raises(ValueError, match="finite"):
        objective.set_weight(0, float("nan"))


def test_scipy_drives_it(objective: impasto.Objective) -> None:
    start = objective.start()
    before, _ = objective(start)
    found = minimize(objective, start.ravel().astype(np.float64), jac=True, method="L-BFGS-B", options={"maxiter": 5})
    assert found.nit == 5 and found.fun < 0.8 * before

    def single(x: Any) -> Any:
        loss, gradient = objective(x.astype(np.float32))
        return loss, gradient.astype(np.float64)

    found = minimize(single, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 5})
    assert found.fun < 0.8 * before


def test_the_start_is_what_a_transfer_starts_from(photo: Bytes, painting: Bytes) -> None:
    options = {**SMALL, "size": 48}
    content = impasto.Objective(photo, painting, init="content", **options)
    assert np.array_equal(content.start(), photo.astype(np.float32))
    noise = impasto.Objective(photo, painting, init="noise", seed=3, **options).start()
    assert np.array_equal(noise, impasto.Objective(photo, painting, init="noise", seed=3, **options).start())
    assert not np.array_equal(noise, impasto.Objective(photo, painting, init="noise", seed=4, **options).start())
    assert np.array_equal(impasto.Objective(photo, painting, init=photo[:, ::-1], **options).start(), photo[:, ::-1])


def test_it_is_the_objective_of_a_transfer(photo: Bytes, painting: Bytes) -> None:
    mask = np.zeros(photo.shape[:2], np.float32)
    mask[:, 10:30] = 1
    masked: dict[str, Any] = {"mask": [mask, None], "content_mask": mask, "blend": [1, 2]}
    for styles, more in [((painting,), {}), ((painting, photo), masked)]:
        options = {**SMALL, "size": 32, **more}
        painted = impasto.transfer(photo, *styles, iterations=3, **options)
        objective = impasto.Objective(photo, *styles, **options)
        assert objective(painted.image)[0] == painted.loss
        assert {term.name: term.loss for term in objective.terms} == painted.losses


def test_files_and_scenes_do_too(files: tuple[Path, Path], photo: Bytes, painting: Bytes) -> None:
    x = impasto.Objective(*files, **SMALL).start()
    assert impasto.Objective(*files, **SMALL)(x)[0] == impasto.Objective(photo, painting, **SMALL)(x)[0]


def test_ctrl_c_ends_an_evaluation_and_another_one_is_as_before() -> None:
    objective = impasto.Objective(waves(128, 128, 1), waves(128, 128, 2), **{**SMALL, "size": 128})
    objective.set_weight("tv", 0.5)
    x = objective.start()
    wanted = objective(x)
    timer = threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        for _ in range(10_000):
            objective(x)
    timer.join()
    loss, gradient = objective(x)
    assert loss == wanted[0] and np.array_equal(gradient, wanted[1])


def test_what_is_wrong_is_said(objective: impasto.Objective) -> None:
    x = objective.start()
    with pytest.raises(ValueError, match=r"it must be \(24, 20, 3\) or \(1440,\)"):
        objective(x[1:])
    with pytest.raises(TypeError, match="not numbers of int64"):
        objective(x.astype(np.int64))  # type: ignore[type-var]
    with pytest.raises(TypeError, match="not list"):
        objective([1.0])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"time_limit is an argument of transfer\(\), not of Objective\(\)"):
        impasto.Objective(waves(24, 20, 1), waves(20, 24, 2), time_limit=3)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="there is no painting"):
        impasto.Objective(waves(24, 20, 1))


def test_an_x_that_is_not_a_number_has_no_loss(objective: impasto.Objective) -> None:
    """ReLUs and maxima would hide it."""
    for dtype in (np.float32, np.float64):
        x = objective.start().astype(dtype)
        x[3, 4, 1] = np.nan
        loss, gradient = objective(x)
        assert np.isnan(loss)
        assert np.isnan(gradient).any()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_objective_says_that_it_was_made_before_a_fork(objective: impasto.Objective) -> None:
    x = objective.start()
    objective(x)
    child = os.fork()
    if child == 0:
        try:
            objective(x)
        except RuntimeError as error:
            os._exit(0 if "spawn" in str(error) else 2)
        os._exit(3)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_an_array_that_memory_cannot_hold_is_an_error() -> None:
    huge = np.broadcast_to(np.uint8(7), (10**6, 10**6, 3))
    with pytest.raises(MemoryError, match="not enough memory"):
        impasto.Objective(huge, huge)


def test_an_objective_that_is_at_work_says_so_in_another_thread(objective: impasto.Objective) -> None:
    x = objective.start().astype(np.float64)
    started = threading.Event()

    def work() -> None:
        started.set()
        objective(x)

    thread = threading.Thread(target=work)
    thread.start()
    started.wait()
    said = []
    while thread.is_alive():
        try:
            objective.set_weight("tv", SMALL["tv_weight"])
        except RuntimeError as error:
            said.append(str(error))
    thread.join()
    assert said and set(said) == {"this Objective is at work in another thread: make one for each thread"}
    assert objective.terms[-1].weight == SMALL["tv_weight"]
