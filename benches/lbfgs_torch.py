#!/usr/bin/env python3
"""torch.optim.LBFGS (no line search, history 100, lr 1) on the paper's objective, from the photo itself.

    python benches/lbfgs_torch.py CONTENT STYLE --evaluations 200 --alpha 1e-3 --beta 1

Both pictures are taken at their own size. With --noise it starts close to the photo instead: how far the result moves then is
what a difference between two optimisers has to be compared with. f32, the embedded VGG-16, average pooling. Prints one JSON object: the loss at
the start, the lowest and the last one, and the loss of every evaluation.
"""

import argparse
import json

import numpy as np
import torch

import paper_objective as paper


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("content")
    parser.add_argument("style")
    parser.add_argument("--evaluations", type=int, default=200)
    parser.add_argument("--alpha", type=float, required=True)
    parser.add_argument("--beta", type=float, required=True)
    parser.add_argument("--noise", type=float, default=0.0, help="standard deviation of noise added to the start, of 255")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--weights", default="weights/vgg16.safetensors")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    network = paper.load_network(arguments.weights, torch.float32)
    content, style = paper.read_picture(arguments.content), paper.read_picture(arguments.style)
    objective = paper.Objective(network, content, style, arguments.alpha, arguments.beta)
    noise = np.random.default_rng(arguments.seed).normal(0, arguments.noise, content.shape)
    x = torch.tensor((content + noise).astype(np.float32), requires_grad=True)
    evaluations = arguments.evaluations
    optimizer = torch.optim.LBFGS(
        [x], lr=1, history_size=100, max_iter=evaluations, max_eval=evaluations,
        tolerance_grad=-1, tolerance_change=-1,
    )
    losses = []

    def closure():
        optimizer.zero_grad()
        total = objective.losses(x)[0]
        total.backward()
        losses.append(total.item())
        return total

    optimizer.step(closure)
    print(json.dumps({
        "start": losses[0], "lowest": min(losses), "last": losses[-1], "evaluations": len(losses), "losses": losses,
    }))


if __name__ == "__main__":
    main()
