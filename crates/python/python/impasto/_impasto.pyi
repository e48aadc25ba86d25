"""Types of the compiled part. What each does is said by its docstring: `help(impasto.transfer)`.

`Options` has a key for each option of the command line's table; a test holds it to `options()`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from os import PathLike
from typing import Any, Literal, Protocol, TypeAlias, TypedDict, TypeVar, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from typing_extensions import Unpack

_Float = TypeVar("_Float", np.float32, np.float64)

Path: TypeAlias = str | PathLike[str]
Array: TypeAlias = NDArray[np.uint8] | NDArray[np.float32] | NDArray[np.float64] | NDArray[np.bool_]

class HasArray(Protocol):
    """What numpy makes an array of, such as a picture of PIL."""

    @property
    def __array_interface__(self) -> dict[str, Any]: ...

# H x W x 3, H x W x 4 or H x W; of a mask H x W.
Image: TypeAlias = Path | Array | HasArray
Mask: TypeAlias = Path | Array | HasArray
Masks: TypeAlias = Mask | Sequence[Mask | None]

Number: TypeAlias = float | np.integer[Any] | np.floating[Any]
Text: TypeAlias = str
Numbers: TypeAlias = Number | Sequence[Number] | NDArray[Any] | Text
# "conv1_1,conv2_1", ["conv1_1", "conv2_1"] or {"conv1_1": 2.0}.
Layers: TypeAlias = Text | Sequence[str] | Mapping[str, Number]
Time: TypeAlias = Number | timedelta | Text

class _Table(TypedDict, total=False):
    size: Number | Text | None
    image_size: Number | Text | None
    background: Text | None
    content_weight: Number | Text | None
    style_weight: Number | Text | None
    tv_weight: Number | Text | None
    tv_points: Number | Text | None
    style_scale: Numbers | None
    content_layers: Layers | None
    style_loss: Text | None
    style_layers: Layers | Sequence[Layers] | None
    blend: Numbers | None
    mask_reach: Text | None
    loss_scale: Text | None
    colours: Text | None
    colors: Text | None
    pool: Text | None
    pooling: Text | None
    border: Text | None
    init: Image | None
    seed: Number | Text | None
    effort: Text | None
    iterations: Numbers | None
    scales: Number | Text | None
    scale_factor: Number | Text | None
    smallest_scale: Number | Text | None
    optimizer: Text | None
    optimiser: Text | None
    history: Number | Text | None
    learning_rate: Number | Text | None
    adam_beta2: Number | Text | None
    average_decay: Number | Text | None
    pixel_range: Text | None
    moments: Text | None
    conv: Text | None
    memory_limit: Number | Text | None

class Options(_Table, total=False):
    """The options of an objective."""

    preset: Text | None
    mask: Masks | None
    style_mask: Masks | None
    keep: Mask | None
    content_mask: Mask | None
    regions: tuple[Image, Image] | list[Image] | None
    scene: Path | None
    weights: Path | Network | None
    preprocess: Text | None
    threads: Number | Text | None

class RunOptions(Options, total=False):
    """The options of a transfer."""

    print: Text | None
    dpi: Number | Text | None
    time_limit: Time | None
    checkpoint: Path | None
    checkpoint_every: Time | None
    resume: Path | None

class Measuring(TypedDict, total=False):
    """The options of a measurement."""

    pool: Text | None
    pooling: Text | None
    border: Text | None
    conv: Text | None
    memory_limit: Number | Text | None
    threads: Number | Text | None

def transfer(
    content: Image | None = None,
    *styles: Image,
    on_iteration: Callable[[Progress], object] | None = None,
    progress: bool | None = None,
    **options: Unpack[RunOptions],
) -> Painting: ...
def options() -> list[tuple[str, str]]: ...
@final
class Term:
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> Literal["content", "style", "tv"]: ...
    @property
    def layer(self) -> str | None: ...
    @property
    def region(self) -> str | None: ...
    @property
    def weight(self) -> float: ...
    @property
    def loss(self) -> float: ...

@final
class Progress:
    @property
    def iteration(self) -> int: ...
    @property
    def iterations(self) -> int: ...
    @property
    def scale(self) -> int: ...
    @property
    def scales(self) -> int: ...
    @property
    def size(self) -> tuple[int, int]: ...
    @property
    def evaluations(self) -> int: ...
    @property
    def seconds(self) -> float: ...
    @property
    def gradient_norm(self) -> float: ...
    @property
    def step(self) -> float: ...
    @property
    def loss(self) -> float: ...
    @property
    def losses(self) -> dict[str, float]: ...
    @property
    def terms(self) -> list[Term]: ...
    def image(self) -> NDArray[np.float32]: ...

@final
class Painting:
    @property
    def image(self) -> NDArray[np.float32]: ...
    @property
    def loss(self) -> float: ...
    @property
    def initial_loss(self) -> float: ...
    @property
    def losses(self) -> dict[str, float]: ...
    @property
    def terms(self) -> list[Term]: ...
    @property
    def iterations(self) -> int: ...
    @property
    def evaluations(self) -> int: ...
    @property
    def seconds(self) -> float: ...
    @property
    def reason(self) -> str: ...
    @property
    def stopped(self) -> bool: ...
    @property
    def chroma_shrunk(self) -> float: ...
    def save(
        self,
        path: Path,
        *,
        quality: Number | Text | None = None,
        depth: Number | Text | None = None,
        dither: Text | None = None,
        profile: Text | None = None,
        dpi: Number | Text | None = None,
        no_metadata: bool = False,
    ) -> None: ...
    def _repr_png_(self) -> bytes: ...

@final
class Network:
    @staticmethod
    def embedded() -> Network: ...
    @staticmethod
    def load(path: Path, *, preprocess: str | None = None) -> Network: ...
    @property
    def name(self) -> str: ...
    @property
    def layers(self) -> list[str]: ...
    @property
    def preprocessing(self) -> tuple[float, list[float], list[float]]: ...
    def weights(self, layer: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]: ...
    def features(
        self, image: Image, layers: str | Sequence[str], **options: Unpack[Measuring]
    ) -> dict[str, NDArray[np.float32]]: ...
    def gram(
        self, image: Image, layers: str | Sequence[str], **options: Unpack[Measuring]
    ) -> dict[str, NDArray[np.float32]]: ...

@final
class Objective:
    def __new__(cls, content: Image | None = None, *styles: Image, **options: Unpack[Options]) -> Objective: ...
    @property
    def shape(self) -> tuple[int, int, int]: ...
    @property
    def terms(self) -> list[Term]: ...
    def set_weight(self, term: str | int, weight: float) -> None: ...
    def start(self) -> NDArray[np.float32]: ...
    def __call__(self, x: NDArray[_Float]) -> tuple[float, NDArray[_Float]]: ...

# Of optimisers and the check of gradients: `_optimise.py` and `_check.py` are their faces.

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
