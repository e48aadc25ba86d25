"""L-BFGS and Adam over numpy arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, SupportsFloat, TypeVar

import numpy as np
from numpy.typing import NDArray

from ._impasto import Run

Number = TypeVar("Number", np.float32, np.float64)
"""What x, the gradient and the answer are made of."""

Reason = Literal[
    "gradient_small", "loss_flat", "iterations", "evaluations", "cancelled", "line_search_failed", "not_finite"
]
"""Why a run ended.

| word | meaning |
|---|---|
| `gradient_small` | |g| is at most `gradient_tolerance`; with Adam it is exactly 0 |
| `loss_flat` | the last iteration lowered the loss by at most `loss_tolerance` of its size |
| `iterations`, `evaluations` | `max_iterations` or `max_evaluations` are done |
| `cancelled` | the callback asked for it, or a stepped run was left before its end |
| `line_search_failed` | no step along -g lowers the loss: rounding hides any progress, or the gradient is wrong |
| `not_finite` | Adam, or every trial of a line search, came where the loss or its gradient is NaN or infinite |
"""


@dataclass(frozen=True, eq=False)
class Iteration(Generic[Number]):
    """An accepted point of a run."""

    iteration: int
    """The number of this iteration, from 1."""
    evaluations: int
    """Calls of the function so far, that at the start included."""
    x: NDArray[Number]
    """The point, in the shape of x0: a copy, yours to keep."""
    loss: float
    """f(x)."""
    gradient_norm: float
    """|g| at x, the 2-norm over all of its numbers."""
    step: float
    """L-BFGS: the step t along the direction d, 1 being the full one. Adam: the learning rate."""
    averaged: bool
    """Whether x is the mean of the points so far (Adam's `average_decay`); loss and gradient are then the last point's."""


@dataclass(frozen=True, eq=False)
class Outcome(Generic[Number]):
    """How a run ended."""

    x: NDArray[Number]
    """The accepted point with the lowest loss; with Adam's `average_decay` the mean of the points. In the shape of x0."""
    loss: float
    """f(x); where x is a mean, that of the last point."""
    initial_loss: float
    """f(x0)."""
    gradient_norm: float
    """|g| at the point of `loss`."""
    iterations: int
    """Accepted iterations."""
    evaluations: int
    """Calls of the function."""
    reason: Reason
    """Why it ended, as a word: see `Reason`."""
    message: str
    """The same as a few words for people."""

    def __str__(self) -> str:
        return (
            f"{self.message}: loss {self.loss:.6g} (at first {self.initial_loss:.6g}), |g| {self.gradient_norm:.3g}, "
            f"after {self.iterations} iterations and {self.evaluations} evaluations"
        )


Function = Callable[[NDArray[Number]], tuple[SupportsFloat, NDArray[Number]]]
"""`function(x) -> (loss, gradient)`; the gradient has the shape and type of x."""

Callback = Callable[[Iteration[Number]], object]
"""Called after each accepted iteration. It ends the run by returning False; any other answer, or none, goes on."""


class Steps(Iterator[Iteration[Number]]):
    """A run that is stepped: each `next` is one accepted iteration.

    ::

        steps = lbfgs_steps(function, x0)
        for iteration in steps:
            if iteration.loss < 1e-3:
                break
        print(steps.outcome)

    What the function raises comes out of `next`; the run is then as it was, and the next `next` tries the same step again.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._reason: Reason | None = None

    def __iter__(self) -> Steps[Number]:
        return self

    def __next__(self) -> Iteration[Number]:
        self._advance()
        return self._iteration()

    @property
    def reason(self) -> Reason | None:
        """Why the run ended; None while it can go on."""
        return self._reason

    @property
    def outcome(self) -> Outcome[Number]:
        """What the call would return if the run ended here."""
        return Outcome(*self._run.outcome())

    def _iteration(self) -> Iteration[Number]:
        return Iteration(*self._run.iteration())

    def _advance(self) -> None:
        if self._reason is None:
            self._reason = self._run.step()
        if self._reason is not None:
            raise StopIteration

    def _to_the_end(self, callback: Callback[Number] | None) -> Outcome[Number]:
        while (reason := self._run.step()) is None:
            if callback is not None and _is_false(callback(self._iteration())):
                break
        self._reason = reason
        return self.outcome


def _is_false(answer: object) -> bool:
    return isinstance(answer, (bool, np.bool_)) and not answer


def lbfgs_steps(
    function: Function[Number],
    x0: NDArray[Number],
    *,
    history: int = 10,
    scale_pairs: int = 1,
    max_iterations: int = 500,
    max_evaluations: int | None = None,
    gradient_tolerance: float = 0.0,
    loss_tolerance: float = 0.0,
    first_step: float = 1.0,
    sufficient_decrease: float = 1e-4,
    curvature: float = 0.9,
    max_trials: int = 20,
    groups: NDArray[np.uint8] | None = None,
    places: Sequence[float] | None = None,
) -> Steps[Number]:
    """`lbfgs` as an iterator over its accepted points. The function is called once at x0 before this returns.

    ::

        for iteration in lbfgs_steps(function, x0, max_iterations=100):
            print(iteration.iteration, iteration.loss)
    """
    options: dict[str, Any] = {
        "history": history,
        "scale_pairs": scale_pairs,
        "max_iterations": max_iterations,
        "max_evaluations": max_evaluations,
        "gradient_tolerance": gradient_tolerance,
        "loss_tolerance": loss_tolerance,
        "first_step": first_step,
        "sufficient_decrease": sufficient_decrease,
        "curvature": curvature,
        "max_trials": max_trials,
    }
    return Steps(Run.lbfgs(function, x0, groups, places, options))


def lbfgs(
    function: Function[Number],
    x0: NDArray[Number],
    *,
    callback: Callback[Number] | None = None,
    history: int = 10,
    scale_pairs: int = 1,
    max_iterations: int = 500,
    max_evaluations: int | None = None,
    gradient_tolerance: float = 0.0,
    loss_tolerance: float = 0.0,
    first_step: float = 1.0,
    sufficient_decrease: float = 1e-4,
    curvature: float = 0.9,
    max_trials: int = 20,
    groups: NDArray[np.uint8] | None = None,
    places: Sequence[float] | None = None,
) -> Outcome[Number]:
    """Minimises a smooth function f of an array by L-BFGS with a strong Wolfe line search.

    ::

        def function(x):                      # f(x) = sum (x - 1)^2
            return np.sum((x - 1) ** 2), 2 * (x - 1)

        outcome = lbfgs(function, np.zeros((2, 3)), gradient_tolerance=1e-8)
        print(outcome)                        # x is all ones

    **The method.** With the last m pairs s_i = x_{i+1} - x_i, y_i = g_{i+1} - g_i (m is `history`) the direction is
    d = -H g, which the two-loop recursion gives without forming H::

        q := g
        for i from the newest pair to the oldest:   alpha_i = (s_i . q) / (s_i . y_i);   q := q - alpha_i y_i
        r := (s . y) / (y . y) q                    s and y of the newest pair
        for i from the oldest pair to the newest:   beta_i = (y_i . r) / (s_i . y_i);    r := r + (alpha_i - beta_i) s_i
        d := -r

    and the step t along it, 1 being tried first, satisfies the strong Wolfe conditions::

        f(x + t d) <= f(x) + c1 t g . d          c1 = sufficient_decrease
        |g(x + t d) . d| <= c2 |g . d|           c2 = curvature

    so that the loss falls from each accepted point to the next. Where no step does that, the pairs are dropped and a search
    along -g follows; only if that fails too, the run ends.

    **The function** is given x and returns `(loss, gradient)`: a number and an array of the shape and type of x. It must be a
    function: the same x, the same answer. The array x is made anew for each call, and the gradient is copied: it may keep and
    write to both. A loss or gradient that is not finite is never accepted: the search turns back from there.
    What it raises, Ctrl-C included, comes out of this call.

    **Numbers.** x0 is of float32 or float64, of any shape and strides, and is not written to; so are the vectors of the run.
    Losses, dot products and coefficients are float64. Pairs of float32 are kept in bfloat16, those of float64 as they
    are. The bits are the same at any number of threads.

    Args:
        function: from x to (loss, gradient).
        x0: the start.
        callback: called with the `Iteration` after each; it ends the run by returning False.
        history: m, pairs that H is made of, at least 1.
        scale_pairs: the newest pairs that the scale of r is made of, at least 1: it is the largest of their
            (s . y) / (y . y).
        max_iterations: accepted steps at most.
        max_evaluations: calls of the function at most, at least 1; None: no limit.
        gradient_tolerance: stops when |g| (2-norm) is at most this.
        loss_tolerance: stops when an iteration lowers the loss by at most this times |loss|; 0: never.
        first_step: the length |t d| of the very first trial, where there is no pair yet to scale it, above 0. A guess of the
            right size saves a few evaluations.
        sufficient_decrease: c1, above 0 and below c2.
        curvature: c2, above c1 and below 1.
        max_trials: evaluations of one line search, at least 1, before it settles for the best step so far.
        groups: an array of uint8 in the shape of x: variables of the same number, from 0 on, are of one kind, and each kind
            learns a scale of its own.
        places: the place of each group on an axis of scales; neighbours share theirs in between. None: each has its own.

    Returns:
        The `Outcome`: x, loss, gradient_norm, reason and more.

    Raises:
        ValueError: x0, an answer of the function or an option makes no sense; the loss or its gradient at x0 is not finite.
        TypeError: an option is of a wrong type.
    """
    steps = lbfgs_steps(
        function,
        x0,
        history=history,
        scale_pairs=scale_pairs,
        max_iterations=max_iterations,
        max_evaluations=max_evaluations,
        gradient_tolerance=gradient_tolerance,
        loss_tolerance=loss_tolerance,
        first_step=first_step,
        sufficient_decrease=sufficient_decrease,
        curvature=curvature,
        max_trials=max_trials,
        groups=groups,
        places=places,
    )
    return steps._to_the_end(callback)


def adam_steps(
    function: Function[Number],
    x0: NDArray[Number],
    *,
    max_iterations: int = 500,
    learning_rate: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    bounds: tuple[float, float] | None = None,
    average_decay: float = 0.0,
) -> Steps[Number]:
    """`adam` as an iterator over its points. The function is called once at x0 before this returns."""
    options: dict[str, Any] = {
        "max_iterations": max_iterations,
        "learning_rate": learning_rate,
        "beta1": beta1,
        "beta2": beta2,
        "epsilon": epsilon,
        "bounds": bounds,
        "average_decay": average_decay,
    }
    return Steps(Run.adam(function, x0, options))


def adam(
    function: Function[Number],
    x0: NDArray[Number],
    *,
    callback: Callback[Number] | None = None,
    max_iterations: int = 500,
    learning_rate: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    bounds: tuple[float, float] | None = None,
    average_decay: float = 0.0,
) -> Outcome[Number]:
    """Minimises a function f of an array by Adam (Kingma and Ba, 2015): steps of about the learning rate in each number.

    In iteration k = 1, 2, ..., with the gradient g at x::

        m := beta1 m + (1 - beta1) g             mean of the gradient
        v := beta2 v + (1 - beta2) g^2           mean of its square, number by number
        x := x - learning_rate (m / (1 - beta1^k)) / (sqrt(v / (1 - beta2^k)) + epsilon)

    Every iteration is accepted and costs one call of the function, so the loss may rise on the way: the point with the lowest
    loss is the one that is returned. With an `average_decay` d it is the mean of all points instead, each of which weighs d
    times what the one after it does::

        a_0 = x_0        a_k = a_{k-1} + (1 - d) / (1 - d^(k+1)) (x_k - a_{k-1})

    The function, the numbers and what is raised are as with `lbfgs`; but a loss or gradient that is not finite ends the run,
    with the reason `not_finite`: there is no line search that could turn back.

    Args:
        function: from x to (loss, gradient).
        x0: the start, of float32 or float64, of any shape and strides. It is not written to.
        callback: called with the `Iteration` after each; it ends the run by returning False.
        max_iterations: iterations at most; the function is called once more, at the start.
        learning_rate: above 0, in the unit of x.
        beta1: from 0 to below 1.
        beta2: from 0 to below 1.
        epsilon: above 0.
        bounds: the least and the most that every number of x may be: it is brought back there after each step, and at the
            start. None: no bounds.
        average_decay: d, from 0 to below 1; 0 takes no mean.

    Returns:
        The `Outcome`.

    Raises:
        ValueError, TypeError: as with `lbfgs`.
    """
    steps = adam_steps(
        function,
        x0,
        max_iterations=max_iterations,
        learning_rate=learning_rate,
        beta1=beta1,
        beta2=beta2,
        epsilon=epsilon,
        bounds=bounds,
        average_decay=average_decay,
    )
    return steps._to_the_end(callback)
