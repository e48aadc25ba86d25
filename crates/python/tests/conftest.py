"""What the tests share: small pictures, and the network."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import impasto

Bytes = NDArray[np.uint8]


def waves(height: int, width: int, seed: int) -> Bytes:
    """A picture of a few waves in each channel: uint8, H x W x 3."""
    random = np.random.default_rng(seed)
    down, across = np.mgrid[0:height, 0:width]
    channels = []
    for _ in range(3):
        fy, fx, phase = random.uniform(0.05, 0.9, 3)
        channels.append(127.5 + 90 * np.sin(fy * down + fx * across + 6 * phase))
    picture = np.stack(channels, axis=-1) + random.normal(0, 8, (height, width, 3))
    return np.clip(picture, 0, 255).round().astype(np.uint8)


@pytest.fixture(scope="session")
def photo() -> Bytes:
    return waves(36, 48, 1)


@pytest.fixture(scope="session")
def painting() -> Bytes:
    return waves(48, 40, 2)


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory, photo: Bytes, painting: Bytes) -> tuple[Path, Path]:
    """The same pictures as PNG files."""
    folder = tmp_path_factory.mktemp("pictures")
    paths = folder / "photo.png", folder / "painting.png"
    for path, picture in zip(paths, (photo, painting)):
        Image.fromarray(picture).save(path)
    return paths


@pytest.fixture(scope="session")
def network() -> impasto.Network:
    return impasto.Network.embedded()


@pytest.fixture(autouse=True, scope="session")
def control_c_is_heard() -> Iterator[None]:
    """A process that a shell has started in the background ignores SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
