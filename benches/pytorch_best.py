#!/usr/bin/env python3
"""One loss+gradient of the paper's objective in the fastest forms of PyTorch that a user could choose, timed.

    pytorch_best.py SIZE VARIANT THREADS RUNS

VARIANT: f32, f32-cl, f32-compile, f32-cl-compile, bf16, bf16-cl or bf16-cl-compile. cl = channels last, compile = torch.compile
(needs a C++ compiler), bf16 = autocast. VGG-19, random weights and pictures. Two runs warm up.
"""

import argparse
import resource
import statistics
import time

import torch
import torch.nn.functional as F

import paper_objective as paper

VARIANTS = ["f32", "f32-cl", "f32-compile", "f32-cl-compile", "bf16", "bf16-cl", "bf16-cl-compile"]


class Objective:
    """The paper's objective with the convolutions of a variant as modules."""

    def __init__(self, size, variant):
        layout = {"memory_format": torch.channels_last} if "cl" in variant else {}
        self.cast = torch.autocast("cpu", dtype=torch.bfloat16, enabled="bf16" in variant)
        self.convolutions = []
        for name, kernel, bias in paper.random_network("vgg19", torch.float32):
            conv = torch.nn.Conv2d(kernel.shape[1], kernel.shape[0], 3, padding=1).to(**layout)
            conv.weight.data.copy_(kernel)
            conv.bias.data.copy_(bias)
            self.convolutions.append((name, conv.requires_grad_(False)))
        photo, painting, start = (torch.randn(1, 3, size, size) * scale for scale in (50, 50, 30))
        with torch.no_grad(), self.cast:
            self.content = self.features(photo.contiguous(**layout))[paper.CONTENT_LAYER].float()
            painted = self.features(painting.contiguous(**layout))
            self.grams = {layer: paper.gram(painted[layer].float()) for layer in paper.STYLE_LAYERS}
        self.start = start.contiguous(**layout).requires_grad_()

    def features(self, x):
        """The responses of every convolution, after its ReLU."""
        responses, block = {}, "1"
        for name, conv in self.convolutions:
            if name[4] != block:
                x, block = F.avg_pool2d(x, 2), name[4]
            x = F.relu(conv(x))
            responses[name] = x
        return responses

    def loss(self, x):
        """L_content + 1e3 L_style, summed in f32."""
        with self.cast:
            responses = self.features(x)
        loss = paper.content_loss(responses[paper.CONTENT_LAYER].float(), self.content)
        for layer in paper.STYLE_LAYERS:
            loss = loss + 1e3 * paper.style_loss(responses[layer].float(), self.grams[layer]) / len(paper.STYLE_LAYERS)
        return loss


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", type=int)
    parser.add_argument("variant", choices=VARIANTS)
    parser.add_argument("threads", type=int)
    parser.add_argument("runs", type=int)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(arguments.threads)
    objective = Objective(arguments.size, arguments.variant)
    loss = torch.compile(objective.loss) if "compile" in arguments.variant else objective.loss
    seconds = []
    for _ in range(arguments.runs + 2):
        begin = time.perf_counter()
        loss(objective.start).backward()
        seconds.append(time.perf_counter() - begin)
        objective.start.grad = None
    seconds = seconds[2:]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{arguments.variant} {arguments.size}: median {statistics.median(seconds):.3f} min {min(seconds):.3f} peak {peak} MiB")


if __name__ == "__main__":
    main()
