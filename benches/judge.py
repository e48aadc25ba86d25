#!/usr/bin/env python3
"""Judges paintings by figures that no optimiser here minimises.

    judge.py CONTENT STYLE RESULT [RESULT ...] [--weights weights/vgg16.safetensors]

For each RESULT (any size; all are brought to the first one's):

- style: sliced Wasserstein distance between the VGG-16 responses of result and painting at relu1_2, 2_2, 3_3 and 4_3 (maximum
  pooling: layers and a statistic that the losses do not use; at full and half size), divided by that of photo and painting.
  1 is the photo, 0 the painting.
- content: mean difference of self-similarity (cosines between positions of relu4_3 and relu3_3) between result and photo,
  divided by that of painting and photo. 0 is the photo's structure, 1 no more of it than the painting has.
- grain: energy of the finest octave (Laplacian pyramid, luma) over the painting's at the same size. Far over 1 is noise.
- border: the same energy in the outer 6 pixels over the inside. Far over 1 is a frame.
"""

import argparse
import pathlib
import typing

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.numpy import load_file

WEIGHTS = pathlib.Path(__file__).resolve().parent.parent / "weights/vgg16.safetensors"
LAYERS = [
    "conv1_1", "conv1_2", "pool", "conv2_1", "conv2_2", "pool", "conv3_1", "conv3_2", "conv3_3", "pool",
    "conv4_1", "conv4_2", "conv4_3",
]
# Layers that are looked at, and what is cut off each side of them: the margin of 16 pixels.
MARGIN, CUTS = 16, {"conv1_2": 16, "conv2_2": 8, "conv3_3": 4, "conv4_3": 2}
MEAN = torch.tensor([123.68, 116.779, 103.939])[None, :, None, None]
# Slices of a distance, positions that a quantile is taken over, and quantiles.
PROJECTIONS, POSITIONS, QUANTILES = 128, 20000, torch.linspace(0, 1, 201)
BORDER = 6


class Figures(typing.NamedTuple):
    style: float
    content: float
    grain: float
    border: float


def load(path, size=None):
    """A picture in RGB, brought to (width, height) if `size` is given."""
    picture = Image.open(path).convert("RGB")
    return picture.resize(size, Image.LANCZOS) if size and picture.size != size else picture


def shrunk(path, longest):
    """A picture whose longest side is at most `longest`."""
    picture = load(path)
    scale = longest / max(picture.size)
    if scale >= 1:
        return picture
    return load(path, tuple(max(1, round(side * scale)) for side in picture.size))


class Network:
    """VGG-16 to conv4_3 with maximum pooling."""

    def __init__(self, path=WEIGHTS):
        self.weights = {name: torch.from_numpy(values.astype("float32")) for name, values in load_file(path).items()}

    def responses(self, picture):
        """{layer: 1 x C x H x W} after ReLU. The picture is continued by its outermost pixels, and what sees only those is cut off."""
        x = torch.from_numpy(np.asarray(picture, dtype="float32").copy()).permute(2, 0, 1)[None] - MEAN
        x, found = F.pad(x, (MARGIN,) * 4, "replicate"), {}
        for layer in LAYERS:
            if layer == "pool":
                x = F.max_pool2d(x, 2)
            else:
                x = F.relu(F.conv2d(x, self.weights[layer + ".weight"], self.weights[layer + ".bias"], padding=1))
                found[layer] = x
        return {layer: found[layer][:, :, cut:-cut, cut:-cut] for layer, cut in CUTS.items()}

    def features(self, picture):
        """Responses at half size and at full size."""
        half = picture.resize((picture.size[0] // 2, picture.size[1] // 2), Image.LANCZOS)
        found = {layer + " 1/2": response for layer, response in self.responses(half).items()}
        found.update(self.responses(picture))
        return found


def quantiles(response, projection):
    """Quantiles of a response (1 x C x H x W) along each direction of `projection` (P x C): 201 x P."""
    along = projection @ response
    step = max(1, response.shape[1] // POSITIONS)
    return torch.quantile(along[:, ::step], QUANTILES, dim=1)


def sliced_wasserstein(features, painting, projections):
    """Mean distance of the quantiles along random directions, summed over layers; channels over their deviation in the painting."""
    distance = 0.0
    for layer, projection in projections.items():
        of, to = features[layer][0].flatten(1), painting[layer][0].flatten(1)
        deviation = to.std(1, keepdim=True)
        deviation = deviation.clamp_min(0.2 * deviation.mean().item())
        apart = quantiles(of / deviation, projection) - quantiles(to / deviation, projection)
        distance += apart.abs().mean().item()
    return distance


def self_similarity(features):
    """Cosines between all pairs of 24 x 24 positions of relu3_3 and of relu4_3."""
    found = []
    for layer in ("conv3_3", "conv4_3"):
        x = F.adaptive_avg_pool2d(features[layer], (24, 24))[0].flatten(1)
        x = x - x.mean(1, keepdim=True)
        x = x / (x.norm(dim=0, keepdim=True) + 1e-6)
        found.append(x.t() @ x)
    return found


def apart(one, other):
    """Mean differences of self-similarities, summed over layers."""
    return sum((x - y).abs().mean().item() for x, y in zip(one, other))


def finest_octave(picture):
    """Energy of the finest octave of the luma at each pixel: H x W."""
    luma = torch.from_numpy(np.asarray(picture.convert("L"), dtype="float32").copy())[None, None]
    low = F.interpolate(F.avg_pool2d(luma, 2), size=luma.shape[2:], mode="bilinear")
    return ((luma - low) ** 2)[0, 0]


class Judge:
    """What results of one photo and one painting are compared with, at `size` (width, height)."""

    @torch.no_grad()
    def __init__(self, network, content, style, size):
        self.network, self.size = network, size
        photo = network.features(load(content, size))
        painting = shrunk(style, max(size))
        self.painting = network.features(painting)
        random = torch.Generator().manual_seed(0)
        self.projections = {
            layer: F.normalize(torch.randn(PROJECTIONS, response.shape[1], generator=random), dim=1)
            for layer, response in self.painting.items()
        }
        self.similarity = self_similarity(photo)
        self.style = sliced_wasserstein(photo, self.painting, self.projections)
        self.content = apart(self_similarity(network.features(load(style, size))), self.similarity)
        self.grain = finest_octave(painting).mean().item()

    @torch.no_grad()
    def figures(self, result):
        """The figures of a picture in a file."""
        picture = load(result, self.size)
        features, fine = self.network.features(picture), finest_octave(picture)
        inside = fine[BORDER:-BORDER, BORDER:-BORDER]
        outside = (fine.sum().item() - inside.sum().item()) / (fine.numel() - inside.numel())
        return Figures(
            style=sliced_wasserstein(features, self.painting, self.projections) / self.style,
            content=apart(self_similarity(features), self.similarity) / self.content,
            grain=fine.mean().item() / self.grain,
            border=outside / inside.mean().item(),
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("content")
    parser.add_argument("style")
    parser.add_argument("results", nargs="+", metavar="RESULT")
    parser.add_argument("--weights", default=WEIGHTS)
    arguments = parser.parse_args()
    judge = Judge(Network(arguments.weights), arguments.content, arguments.style, load(arguments.results[0]).size)
    print(f"{'result':40s} style content grain border")
    for result in arguments.results:
        found = judge.figures(result)
        print(f"{result[-40:]:40s} {found.style:5.3f} {found.content:6.3f} {found.grain:6.2f} {found.border:6.2f}")


if __name__ == "__main__":
    main()
