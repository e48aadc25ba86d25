#!/usr/bin/env python3
"""One loss+gradient of the paper's objective in PyTorch on the CPU, timed: the yardstick for `impasto bench`.

    pip install torch numpy pillow safetensors
    python benches/pytorch_vgg.py --arch vgg19 --size 512 --threads 2 --runs 5

Random weights and pictures (the time does not depend on them), VGG to conv5_1, content conv4_2, the paper's five style
layers, f32. Prints one JSON object with the fields of `impasto bench --json`: seconds (median), min_seconds, peak_mib.
"""

import argparse
import json
import resource
import statistics
import time

import numpy as np
import torch

import paper_objective as paper


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arch", choices=sorted(paper.CONVS), default="vgg19")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)

    shape = (arguments.size, arguments.size, 3)
    random = np.random.default_rng(0)
    network = paper.random_network(arguments.arch, torch.float32)
    photo, painting, start = (random.uniform(0, 255, shape).astype(np.float32) for _ in range(3))
    objective = paper.Objective(network, photo, painting, 1e-3, 1.0)
    x = torch.tensor(start, requires_grad=True)
    seconds = []
    for _ in range(arguments.runs + 1):  # the first one warms up
        begin = time.perf_counter()
        objective.losses(x)[0].backward()
        seconds.append(time.perf_counter() - begin)
        x.grad = None
    print(json.dumps({
        "program": f"PyTorch {torch.__version__.split('+')[0]}",
        "arch": arguments.arch, "size": arguments.size, "threads": arguments.threads,
        "seconds": statistics.median(seconds[1:]), "min_seconds": min(seconds[1:]),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }))


if __name__ == "__main__":
    main()
