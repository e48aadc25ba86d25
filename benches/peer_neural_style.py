#!/usr/bin/env python3
"""neural-style-pt on our VGG-16: https://github.com/ProGamerGov/neural-style-pt, as it is.

    peer_neural_style.py CHECKOUT CONTENT STYLE -o OUT.png [--size 256] [--content-weight 5] [--iterations 1000] [--threads 2]

Everything that is not given is that program's own default: a start from noise, maximum pooling, L-BFGS, style weight 100, total
variation 1e-3. The noise's seed is 0. It reads a file of VGG-16 to conv5_1 without what follows (`-disable_check`), which is made of
weights/vgg16.safetensors: its pictures are BGR, so the first layer's channels change places.
"""

import argparse
import os
import pathlib
import runpy
import sys
import tempfile

import torch

import paper_objective as paper
import torchvision_parts

WEIGHTS = pathlib.Path(__file__).resolve().parent.parent / "weights/vgg16.safetensors"


def caffe_state(network):
    """State of a VGG-16 of convolutions, ReLUs and pools in a row, for pictures in BGR, as far as the network goes."""
    state, place, block = {}, 0, "1"
    for name, kernel, bias in network:
        if name[4] != block:
            place, block = place + 1, name[4]
        state[f"features.{place}.weight"] = kernel if state else kernel.flip(1)
        state[f"features.{place}.bias"] = bias
        place += 2
    return state


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=pathlib.Path)
    parser.add_argument("content", type=pathlib.Path)
    parser.add_argument("style", type=pathlib.Path)
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--content-weight", type=float, default=5.0)
    parser.add_argument("--iterations", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    program = arguments.checkout.resolve() / "neural_style.py"
    content, style, output = (path.resolve() for path in (arguments.content, arguments.style, arguments.output))
    torchvision_parts.install()
    with tempfile.TemporaryDirectory() as folder:
        # The program takes the network from what the path says, so it is given one without a folder.
        os.chdir(folder)
        torch.save(caffe_state(paper.load_network(WEIGHTS, torch.float32)), "vgg16.pth")
        sys.path.insert(0, str(program.parent))
        sys.argv = [
            str(program), "-content_image", str(content), "-style_image", str(style), "-output_image", str(output),
            "-image_size", str(arguments.size), "-content_weight", str(arguments.content_weight),
            "-num_iterations", str(arguments.iterations), "-save_iter", "0", "-print_iter", "100", "-seed", "0",
            "-gpu", "c", "-model_file", "vgg16.pth", "-disable_check",
        ]
        runpy.run_path(str(program), run_name="__main__")


if __name__ == "__main__":
    main()
