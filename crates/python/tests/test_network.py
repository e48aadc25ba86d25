"""`Network`: responses and Gram matrices against numpy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import Bytes, waves
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import impasto

Numbers = NDArray[np.float64]


def conv(z: Numbers, kernel: NDArray[np.float32], bias: NDArray[np.float32]) -> Numbers:
    """A 3 x 3 convolution with zeros beyond the edge, in float64."""
    height, width, _ = z.shape
    padded = np.pad(z, ((1, 1), (1, 1), (0, 0)))
    out = np.zeros((height, width, kernel.shape[-1])) + bias
    for row in range(3):
        for column in range(3):
            out += padded[row : row + height, column : column + width] @ kernel[row, column].astype(np.float64)
    return out


def pooled(f: Numbers, how: str) -> Numbers:
    """Windows of 2 x 2; what is left over at odd sides is dropped."""
    height, width = f.shape[0] // 2, f.shape[1] // 2
    windows = f[: 2 * height, : 2 * width].reshape(height, 2, width, 2, -1)
    return windows.max((1, 3)) if how == "max" else windows.mean((1, 3))


def responses(network: impasto.Network, picture: Bytes, deepest: str, how: str) -> dict[str, Numbers]:
    """F of every layer up to one, by the equations."""
    scale, mean, std = network.preprocessing
    z = (scale * picture.astype(np.float64) - mean) / std
    found: dict[str, Numbers] = {}
    for layer in network.layers:
        if layer.endswith("_1") and layer != "conv1_1":
            z = pooled(z, how)
        z = np.maximum(conv(z, *network.weights(layer)), 0)
        found[layer] = z
        if layer == deepest:
            break
    return found


@pytest.mark.parametrize("how", ["max", "average"])
def test_features_are_the_convolutions_of_numpy(network: impasto.Network, photo: Bytes, how: str) -> None:
    wanted = responses(network, photo, "conv4_1", how)
    layers = ["conv1_1", "conv1_2", "relu2_1", "conv3_3", "conv4_1"]
    found = network.features(photo, layers, pool=how)
    assert list(found) == layers
    for layer, f in found.items():
        twin = wanted[layer.replace("relu", "conv")]
        assert f.dtype == np.float32 and f.shape == twin.shape
        assert np.abs(f - twin).max() <= 1e-4 * twin.max(), layer


@settings(max_examples=12, deadline=None)
@given(height=st.integers(8, 40), width=st.integers(8, 40), seed=st.integers(0, 9), layer=st.sampled_from(["conv1_1", "conv2_2", "conv3_1", "conv4_2"]))
def test_a_gram_matrix_is_f_transposed_f_over_m(
    network: impasto.Network, height: int, width: int, seed: int, layer: str
) -> None:
    picture = waves(height, width, seed)
    f = network.features(picture, layer)[layer].astype(np.float64)
    matrix = f.reshape(-1, f.shape[-1])
    wanted = matrix.T @ matrix / len(matrix)
    found = network.gram(picture, layer)[layer]
    assert found.dtype == np.float32 and found.shape == wanted.shape
    assert np.abs(found - wanted).max() <= 1e-5 * wanted.max()
    assert np.array_equal(found, found.T)


def test_pictures_may_be_files_and_layers_a_text(network: impasto.Network, photo: Bytes, files: tuple[Path, Path]) -> None:
    found = network.gram(files[0], "conv1_1, conv2_1")
    assert list(found) == ["conv1_1", "conv2_1"]
    assert np.array_equal(found["conv2_1"], network.gram(photo, ["conv2_1"], threads=1)["conv2_1"])


def test_a_network_says_what_it_is(network: impasto.Network) -> None:
    assert network.name == "vgg16"
    assert network.layers[0] == "conv1_1" and network.layers[-1] == "conv5_3" and len(network.layers) == 13
    kernel, bias = network.weights("conv3_2")
    assert kernel.shape == (3, 3, 256, 256) and bias.shape == (256,)
    assert "VGG-16" in repr(network)


def test_a_network_can_be_given_as_weights(network: impasto.Network, photo: Bytes, painting: Bytes) -> None:
    options = {"preset": "paper", "size": 32, "iterations": 2}
    wanted = impasto.transfer(photo, painting, **options).image  # type: ignore[arg-type]
    assert np.array_equal(impasto.transfer(photo, painting, weights=network, **options).image, wanted)  # type: ignore[arg-type]


def test_what_is_wrong_is_said(network: impasto.Network, photo: Bytes) -> None:
    with pytest.raises(ValueError, match="has no layer conv4_9"):
        network.features(photo, "conv4_9")
    with pytest.raises(ValueError, match="too small for conv5_1"):
        network.gram(photo[:12], ["conv5_1"])
    with pytest.raises(TypeError, match="did you mean border"):
        network.gram(photo, "conv1_1", boarder="zero")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="numbers of 16 bits come by / 257"):
        network.features(photo.astype(np.uint16), "conv1_1")  # type: ignore[arg-type]
    with pytest.warns(UserWarning, match="has numbers up to 65535, and a picture's are from 0 to 255"):
        network.features(np.full((8, 8, 3), 65535.0), "conv1_1")
    with pytest.raises(MemoryError, match="not enough memory for its numbers"):
        network.features(np.broadcast_to(np.uint8(1), (1_000_000, 1_000_000, 3)), ["conv1_1", "conv1_2"])
    with pytest.raises(MemoryError, match="needs [0-9]+ bytes, more than the limit of 1048576"):
        network.features(np.broadcast_to(np.uint8(1), (512, 512, 3)), ["conv1_1", "conv1_2"], memory_limit="1M")
    with pytest.raises(TypeError, match="`layers` is of type int: give a name"):
        network.features(photo, 5)  # type: ignore[arg-type]
    with pytest.raises(FileNotFoundError, match="nowhere.pth"):
        impasto.Network.load("nowhere.pth")
    with pytest.raises(ValueError, match="not a weight file"):
        impasto.Network.load(__file__)
    with pytest.raises(ValueError, match="`preprocess` must be one of torch"):
        impasto.Network.load("nowhere.pth", preprocess="torsch")
