"""Pictures of the notebooks: how large they are, how they are read, how they are shown."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib_inline.backend_inline import set_matplotlib_formats
from numpy.typing import NDArray
from PIL import Image

SIZE = int(os.environ.get("IMPASTO_NOTEBOOK_SIZE", 128))
"""The longest side of every picture. All takes about four times as long with twice of it."""

EXAMPLES = Path(__file__).resolve().parent.parent
INCHES = 2.4
"""How wide a picture is shown."""

# Notebooks hold their pictures: as JPEG they are a tenth as large.
set_matplotlib_formats("jpeg", pil_kwargs={"quality": 80})
plt.rcParams.update({"figure.dpi": 100, "font.size": 9, "axes.titlesize": 9})


def read(name: str) -> NDArray[np.uint8]:
    """A picture of `examples`, with SIZE as its longest side: uint8, H x W x 3."""
    picture = Image.open(EXAMPLES / name).convert("RGB")
    picture.thumbnail((SIZE, SIZE), Image.Resampling.LANCZOS)
    return np.asarray(picture)


def show(pictures: Mapping[str, NDArray], columns: int = 4, size: float = INCHES) -> None:
    """Shows pictures with their titles: H x W x 3, from 0 to 255, or H x W, whose largest number is white."""
    titles = list(pictures)
    rows = [titles[start : start + columns] for start in range(0, len(titles), columns)]
    table([[pictures[title] for title in row] for row in rows], [], [], size, rows)


def table(
    pictures: Sequence[Sequence[NDArray]],
    rows: Sequence[str],
    columns: Sequence[str],
    size: float = INCHES,
    titles: Sequence[Sequence[str]] = (),
) -> None:
    """Shows rows of pictures, with what rows and columns are."""
    height, width = pictures[0][0].shape[:2]
    across, down = max(map(len, pictures)), len(pictures)
    figure, axes = plt.subplots(
        down, across, figsize=(across * size, down * (size * height / width + 0.25)), squeeze=False, layout="compressed"
    )
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
    for i, row in enumerate(pictures):
        for j, picture in enumerate(row):
            axis = axes[i, j]
            if picture.ndim == 2:
                axis.imshow(picture, cmap="gray", vmin=0)
            else:
                axis.imshow(np.clip(picture, 0, 255).round().astype(np.uint8), interpolation="lanczos")
            if titles:
                axis.set_title(titles[i][j])
            elif i == 0:
                axis.set_title(columns[j])
            if j == 0 and rows:
                axis.set_ylabel(rows[i])
    plt.show()
