"""Calls whose types mypy checks, and those that it must refuse: run by check.sh, not by pytest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from impasto import GradientCheck, Iteration, Outcome, Steps, adam, adam_steps, check_gradient, lbfgs, lbfgs_steps

Single = NDArray[np.float32]
Double = NDArray[np.float64]


def of_double(x: Double) -> tuple[float, Double]:
    return float(np.sum(x**2)), 2 * x


def of_single(x: Single) -> tuple[np.float32, Single]:
    return np.sum(x**2), np.multiply(x, np.float32(2), dtype=np.float32)


def stop(iteration: Iteration[np.float64]) -> bool:
    return iteration.loss > 1


double: Outcome[np.float64] = lbfgs(of_double, np.zeros((2, 3)), callback=stop, max_evaluations=None)
single: Outcome[np.float32] = adam(of_single, np.zeros(3, np.float32), bounds=(0, 255), callback=lambda _: None)
x: Single = single.x
steps: Steps[np.float64] = lbfgs_steps(of_double, np.zeros(4), groups=np.zeros(4, np.uint8), places=[0.5])
losses: list[float] = [iteration.loss for iteration in steps]
if steps.reason == "gradient_small":
    point: Double = steps.outcome.x
for iteration in adam_steps(of_single, x):
    norm: float = iteration.gradient_norm
check: GradientCheck = check_gradient(of_double, [[1.0, 2.0]], seed=3)
place: tuple[int, ...] | None = check.coordinate
values: tuple[float, float] = (check.analytic, check.numeric)

lbfgs(of_single, np.zeros(3))  # type: ignore[arg-type]
lbfgs(of_double, np.zeros(3), history=2.5)  # type: ignore[arg-type]
adam(of_double, np.zeros(3), curvature=0.5)  # type: ignore[call-arg]
adam(lambda x: x, np.zeros(3))  # type: ignore[arg-type, return-value]
check_gradient(of_single, np.zeros(3))  # type: ignore[arg-type]
steps.reason == "tired"  # type: ignore[comparison-overlap]
