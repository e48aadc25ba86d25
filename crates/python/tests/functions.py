"""Functions to minimise, and arrays in every layout."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst


class Quadratic:
    """f(x) = 1/2 sum w (x - c)^2, smallest at c, for x of any shape. The weights are from 1 to 5."""

    def __init__(self, shape: tuple[int, ...], dtype: Any, seed: int) -> None:
        chance = np.random.default_rng(seed)
        self.dtype = np.dtype(dtype)
        self.weights = np.asarray(chance.uniform(1, 5, shape)).astype(dtype)
        self.smallest = np.asarray(chance.uniform(-2, 2, shape)).astype(dtype)

    def __call__(self, x: Any) -> tuple[Any, Any]:
        assert x.shape == self.weights.shape and x.dtype == self.dtype and x.flags.c_contiguous
        gradient = self.weights * (x - self.smallest)
        return 0.5 * np.sum(gradient.astype(np.float64) * (x - self.smallest)), gradient


dtypes = st.sampled_from([np.float32, np.float64])
shapes = npst.array_shapes(min_dims=0, max_dims=4, min_side=1, max_side=6)


@st.composite
def laid_out(draw: Any, array: Any) -> Any:
    """The same numbers as another array in memory: transposed, backwards, every other one, at an odd address, or read-only."""
    layout = draw(st.sampled_from(["C", "F", "backwards", "gaps", "odd", "read-only"]))
    copy = np.array(array)
    if layout == "F":
        return np.array(copy, order="F")
    if layout == "backwards":
        return np.flip(np.flip(copy).copy())
    if layout == "gaps":
        wide = np.zeros((*copy.shape, 2), copy.dtype)
        wide[..., 1] = copy
        return wide[..., 1]
    if layout == "odd":
        odd = np.zeros(copy.nbytes + 1, np.uint8)[1:].view(copy.dtype).reshape(copy.shape)
        odd[...] = copy
        return odd
    copy.flags.writeable = layout == "C"
    return copy


def same(a: Any, b: Any) -> bool:
    """Whether two outcomes or iterations are the same to the bit."""
    mine, others = vars(a), vars(b)
    arrays = np.array_equal(mine["x"], others["x"]) and mine["x"].dtype == others["x"].dtype
    return arrays and all(mine[name] == others[name] for name in mine if name != "x")
