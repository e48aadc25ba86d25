"""The compiled part of the package: what `impasto` itself does not show is not for use from outside."""

# Of optimisers and the check of gradients: `_optimise.py` and `_check.py` are their faces.

from collections.abc import Callable, Sequence
from typing import Any, Literal

from numpy.typing import ArrayLike, NDArray

_Reason = Literal[
    "gradient_small", "loss_flat", "iterations", "evaluations", "cancelled", "line_search_failed", "not_finite"
]

class Run:
    @staticmethod
    def lbfgs(
        function: Callable[[NDArray[Any]], tuple[Any, Any]],
        x0: ArrayLike,
        groups: ArrayLike | None,
        places: Sequence[float] | None,
        options: dict[str, Any],
    ) -> Run: ...
    @staticmethod
    def adam(
        function: Callable[[NDArray[Any]], tuple[Any, Any]], x0: ArrayLike, options: dict[str, Any]
    ) -> Run: ...
    @staticmethod
    def lbfgs_defaults() -> dict[str, Any]: ...
    @staticmethod
    def adam_defaults() -> dict[str, Any]: ...
    def step(self) -> _Reason | None: ...
    def iteration(self) -> tuple[int, int, NDArray[Any], float, float, float, bool]: ...
    def outcome(self) -> tuple[NDArray[Any], float, float, float, int, int, _Reason, str]: ...

def check_gradient(
    function: Callable[[NDArray[Any]], tuple[Any, Any]],
    x: NDArray[Any],
    seeds: Sequence[int],
    coordinates: Sequence[int],
    scale: float,
    tolerance: float,
) -> tuple[
    list[
        tuple[
            int | None,
            float,
            float,
            float,
            float,
            float,
            float,
            float,
            Literal["pass", "kink", "fail"],
            bool,
            float | None,
        ]
    ],
    int,
]: ...
