#!/usr/bin/env python3
"""style-transfer-pytorch on our VGG-16: https://github.com/crowsonkb/style-transfer-pytorch.

    peer_crowsonkb.py CHECKOUT CONTENT STYLE -o OUT.png [--size 256] [--content-weight 0.015] [--iterations 1000,500] [--threads 2]

The program is imported from the checkout and used as its own command line uses it. What differs is the network: in place of
torchvision's VGG-19 it gets the VGG-16 of weights/vgg16.safetensors, brought to the scale of torchvision's responses (pictures of
0 to 1 over a standard deviation of their own, and 58 times smaller), and the places of its layers.
"""

import argparse
import importlib
import pathlib
import sys
import types

import torch
from PIL import Image
from torch import nn

import paper_objective as paper
import torchvision_parts

WEIGHTS = pathlib.Path(__file__).resolve().parent.parent / "weights/vgg16.safetensors"
# ReLUs of conv1_1, conv2_1, conv3_1, conv4_1 and conv5_1; that of conv4_2; pools.
STYLE_LAYERS, CONTENT_LAYERS, POOLS = [1, 6, 11, 18, 25], [20], [4, 9, 16, 23]
# What torchvision divides pictures of 0 to 1 by, and our responses over torchvision's.
STD, SCALE = (0.229, 0.224, 0.225), 58.0


def in_torchvisions_scale(network):
    """VGG-16 as a row of convolutions, ReLUs and pools whose responses have torchvision's scale."""
    row = []
    for name, kernel, bias in network:
        if not row:
            kernel = kernel * 255 * torch.tensor(STD)[:, None, None] / SCALE
        elif name.endswith("_1"):
            row.append(nn.MaxPool2d(2))
        conv = nn.Conv2d(kernel.shape[1], kernel.shape[0], 3, padding=1)
        conv.weight, conv.bias = nn.Parameter(kernel), nn.Parameter(bias / SCALE)
        row += [conv, nn.ReLU()]
    return nn.Sequential(*row)


def least_side(layers):
    """The shortest side of a picture that all of `layers` have responses to."""
    return 2 ** sum(pool <= max(layers) for pool in POOLS)


def load(checkout):
    """The program's module, with our network in it."""
    network = in_torchvisions_scale(paper.load_network(WEIGHTS, torch.float32))
    torchvision_parts.install(types.SimpleNamespace(features=network))
    # Its package is entered past __init__.py, which wants a web server.
    package = types.ModuleType("style_transfer")
    package.__path__ = [str(checkout / "style_transfer")]
    sys.modules["style_transfer"] = package
    program = importlib.import_module("style_transfer.style_transfer")

    class Features(program.VGGFeatures):
        def __init__(self, layers, pooling="max"):
            super().__init__(STYLE_LAYERS + CONTENT_LAYERS, pooling)

    Features._get_min_size = staticmethod(least_side)
    program.VGGFeatures = Features
    return program


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=pathlib.Path)
    parser.add_argument("content", type=pathlib.Path)
    parser.add_argument("style", type=pathlib.Path)
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--content-weight", type=float, default=0.015)
    parser.add_argument("--iterations", default="1000,500", help="at the smallest size, and at each of the others")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)

    initial, later = map(int, arguments.iterations.split(","))
    transfer = load(arguments.checkout.resolve()).StyleTransfer()
    transfer.style_layers, transfer.content_layers = STYLE_LAYERS, CONTENT_LAYERS
    content, style = (Image.open(path).convert("RGB") for path in (arguments.content, arguments.style))
    transfer.stylize(
        content, [style], content_weight=arguments.content_weight, end_scale=arguments.size,
        iterations=later, initial_iterations=initial,
        callback=lambda at: print(f"{at.w} x {at.h}: {at.i} of {at.i_max}, loss {at.loss:g}") if at.i % 100 == 0 else None,
    )
    transfer.get_image().save(arguments.output)


if __name__ == "__main__":
    main()
