"""Is a gradient right?"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, SupportsFloat

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _impasto


@dataclass(frozen=True)
class Probe:
    """One direction in which a gradient was compared with differences."""

    coordinate: tuple[int, ...] | None
    """The index of the coordinate that moved; None: all moved, by +h or -h each."""
    analytic: float
    """<gradient, d>, which the function says."""
    numeric: float
    """The central difference (f(x + h d) - f(x - h d)) / (2 h)."""
    left: float
    """(f(x) - f(x - h d)) / h."""
    right: float
    """(f(x + h d) - f(x)) / h."""
    step: float
    """h: the step that neighbouring steps agree with best, chosen without looking at `analytic`."""
    scale: float
    """What the difference is divided by: the largest of |analytic|, |numeric| and the slope that is typical of directions of
    this length."""
    relative_error: float
    """|numeric - analytic| / scale."""
    verdict: Literal["pass", "kink", "fail"]
    """`kink`: there is one, and `analytic` lies between `left` and `right`, but is not `numeric`."""
    kink: bool
    """Whether the slopes to the left and to the right differ at every usable step."""
    nearest_kink: float | None
    """The smallest step above h that met another kink, which did no harm: how far it is. None: none was met."""

    @property
    def place(self) -> str:
        """`along a random direction`, `at [3, 0]`, or, where x is a single number, `at x`."""
        if self.coordinate is None:
            return "along a random direction"
        return f"at {list(self.coordinate)}" if self.coordinate else "at x"


@dataclass(frozen=True)
class GradientCheck:
    """What `check_gradient` found. Printed, it is a sentence."""

    ok: bool
    """No probe failed, and at least one passed."""
    tolerance: float
    """The relative error that was allowed."""
    probes: tuple[Probe, ...]
    """Random directions, then coordinates."""
    evaluations: int
    """Calls of the function."""

    @property
    def worst(self) -> Probe:
        """The probe that tells most: of the failed ones, else of those that passed, the one of the largest relative error; one of a
        coordinate before one of a random direction, where both failed."""
        rank = {"fail": 2, "pass": 1, "kink": 0}

        def order(probe: Probe) -> tuple[int, bool, float]:
            failed_at_a_coordinate = probe.verdict == "fail" and probe.coordinate is not None
            error = probe.relative_error
            return rank[probe.verdict], failed_at_a_coordinate, error if error == error else np.inf

        return max(self.probes, key=order)

    @property
    def relative_error(self) -> float:
        """That of the worst probe: kinks do not count."""
        return self.worst.relative_error

    @property
    def coordinate(self) -> tuple[int, ...] | None:
        """Where the worst probe looked; None: along a random direction."""
        return self.worst.coordinate

    @property
    def analytic(self) -> float:
        """The slope there that the function says."""
        return self.worst.analytic

    @property
    def numeric(self) -> float:
        """The slope there that differences say."""
        return self.worst.numeric

    @property
    def failures(self) -> tuple[Probe, ...]:
        """The probes that failed."""
        return tuple(probe for probe in self.probes if probe.verdict == "fail")

    @property
    def kinks(self) -> tuple[Probe, ...]:
        """The probes that sit on a kink, and did not fail."""
        return tuple(probe for probe in self.probes if probe.kink and probe.verdict != "fail")

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        worst, kinks, probes = self.worst, self.kinks, len(self.probes)
        if worst.verdict == "kink":
            return f"Nothing could be compared: all of {probes} probes sit on a kink, such as {_slopes(worst)}."
        error = f"relative error {worst.relative_error:.1e}"
        if worst.verdict == "fail":
            text = (
                f"The gradient is wrong {worst.place}: the function says {worst.analytic:.9g}, differences say "
                f"{worst.numeric:.9g} ({error}; {len(self.failures)} of {probes} probes failed)"
            )
        else:
            text = f"The gradient is right: {error} at most in {probes} probes ({worst.place})"
        if kinks:
            kink = next((probe for probe in kinks if probe.coordinate is not None), kinks[0])
            text += f"; on kinks: {len(kinks)}, such as {_slopes(kink)}"
        return text + "."


def _slopes(probe: Probe) -> str:
    return f"{probe.place}, where the slope is {probe.left:.6g} to the left and {probe.right:.6g} to the right"


_MOST = 1_000_000
"""Probes of a kind at most."""


def check_gradient(
    function: Callable[[NDArray[np.float64]], tuple[SupportsFloat, NDArray[np.float64]]],
    x: ArrayLike,
    *,
    directions: int = 3,
    coordinates: int = 10,
    tolerance: float = 1e-6,
    scale: float | None = None,
    seed: int = 0,
) -> GradientCheck:
    """Compares the gradient of a function at x with differences, in float64.

    ::

        print(check_gradient(lambda x: (np.sum(x**3), 3 * x**2), np.array([1.0, -2.0])))
        # The gradient is right: relative error 1.7e-11 at most in 5 probes (along a random direction).

    For a direction d and a step h::

        analytic   <gradient(x), d>
        right      R(h) = (f(x + h d) - f(x)) / h
        left       L(h) = (f(x) - f(x - h d)) / h
        numeric    C(h) = (R(h) + L(h)) / 2  =  analytic + O(h^2) + O(eps |f| / h)

    The error of truncation falls with h, that of rounding grows. So 14 steps are tried, from `scale` / 10 down to about 1e-9
    `scale`, and the one counts where neighbours agree best; the analytic value has no say in that. On a kink, such as
    that of |x| at 0, R and L stay apart however small h becomes: there is no derivative there to compare with. Such a probe is
    reported with both slopes (`kinks`), and fails only if the analytic value is not between them.

    Where a random direction fails and no coordinate that was tried does, x is halved until a wrong coordinate is found.

    Args:
        function: from x, in float64, to (loss, gradient), as with `lbfgs`. Each probe calls it 29 times.
        x: the point: an array of any shape.
        directions: random directions, in which every number moves by +h or -h.
        coordinates: coordinates, spread over x by chance; all of them where x has no more.
        tolerance: the relative error that is allowed.
        scale: about how large the numbers of x are; None: as large as its largest, or 1 where all are 0.
        seed: chooses directions and coordinates: the same seed, the same ones.

    Returns:
        The `GradientCheck`, which is true if the gradient is right.

    Raises:
        ValueError: an argument or an answer of the function makes no sense; the loss or its gradient at x is not finite.
    """
    point = np.asarray(x)
    if point.dtype.kind not in "fiu":
        raise ValueError(f"x must be an array of numbers, not of {point.dtype}")
    point = point.astype(np.float64)
    if not np.isfinite(point).all():
        raise ValueError("x has numbers that are NaN or infinite")
    if point.size == 0:
        raise ValueError("x has no numbers: there is nothing to compare")
    if not (0 <= directions <= _MOST and 0 <= coordinates <= _MOST and directions + coordinates > 0):
        raise ValueError(f"there must be 1 to {_MOST} directions or coordinates, not {directions} and {coordinates}")
    if not (np.isfinite(tolerance) and tolerance > 0):
        raise ValueError(f"tolerance must be finite and above 0, not {tolerance}")
    if scale is None:
        scale = float(np.abs(point).max()) or 1.0
    if not (np.isfinite(scale) and scale > 0):
        raise ValueError(f"scale must be finite and above 0, not {scale}")
    seeds = [(seed + i) % 2**64 for i in range(directions)]
    chosen = _coordinates(point.size, coordinates, seed)
    rows, evaluations = _impasto.check_gradient(function, point, seeds, chosen, scale, tolerance)
    probes = tuple(_probe(point.shape, row) for row in rows)
    verdicts = {probe.verdict for probe in probes}
    return GradientCheck("fail" not in verdicts and "pass" in verdicts, tolerance, probes, evaluations)


def _coordinates(size: int, count: int, seed: int) -> list[int]:
    """One of each of `count` equal parts, by chance."""
    if count >= size:
        return list(range(size))
    if count == 0:
        return []
    chance = random.Random(seed)
    bounds = [size * part // count for part in range(count + 1)]
    return [low + int(chance.random() * (high - low)) for low, high in zip(bounds, bounds[1:])]


def _probe(shape: tuple[int, ...], row: tuple[Any, ...]) -> Probe:
    index, *rest = row
    return Probe(None if index is None else tuple(int(i) for i in np.unravel_index(index, shape)), *rest)
