#!/usr/bin/env python3
"""Makes border.json: reflected and replicated pixels beyond the picture's edge in PyTorch, in f64, for tests/golden.rs.

    python tests/golden/border.py

make.py beside this file says what is needed and what a sketch is. The picture is padded by F.pad in front of conv1_1, which then
pads nothing; every other layer has zeros beyond its edge. Photo, painting and picture all have that border.
"""

import argparse
from pathlib import Path

import torch
import torch.nn.functional as F

import make
from make import paper

HERE = Path(__file__).resolve().parent

# height, width, pooling, border, beta, (top, left) of the content, the same of the picture that is evaluated. In 17 x 22 the border
# reaches far inside.
CASES = (
    (17, 22, "max", "reflect", 0.02, (60, 120), (60, 120)),
    (48, 40, "average", "replicate", 0.25, (60, 120), (60, 120)),
    (67, 53, "average", "reflect", 0.5, (60, 120), (60, 120)),
    (67, 53, "max", "replicate", 0.5, (60, 120), (60, 120)),
)


def features(network, picture, pooling, border, dtype):
    """The responses of a picture, H x W x 3 in 0..255, with a border around what the first convolution reads."""
    (name, kernel, bias), *deeper = network
    padded = F.pad(paper.preprocess(picture, dtype), (1, 1, 1, 1), mode=border)
    first = F.relu(F.conv2d(padded, kernel, bias))
    return {name: first, **paper.features(deeper, first, pooling)}


def evaluate(weights, content, style, image, case, dtype):
    """Responses, losses and gradient in one precision."""
    _, _, pooling, border, beta, _, _ = case
    network = paper.load_network(weights, dtype)
    of = lambda picture: features(network, picture, pooling, border, dtype)  # noqa: E731
    with torch.no_grad():
        photo, painted = of(content)[paper.CONTENT_LAYER], of(style)
    x = torch.tensor(image, dtype=dtype, requires_grad=True)
    responses = of(x)
    content_loss = paper.content_loss(responses[paper.CONTENT_LAYER], photo)
    style_losses = [paper.style_loss(responses[layer], paper.gram(painted[layer])) for layer in paper.STYLE_LAYERS]
    total = content_loss + beta * sum(style_losses) / len(style_losses)
    total.backward()
    responses = {layer: response.detach() for layer, response in responses.items()}
    return responses, (total, content_loss, style_losses), x.grad.double()


def golden(weights, style, case):
    height, width, pooling, border, beta, content_at, image_at = case
    content_at, image_at = (make.CHELSEA, *content_at), (make.COFFEE, *image_at)
    content, image = make.crop(content_at, height, width), make.crop(image_at, height, width)
    run = [evaluate(weights, content, style, image, case, dtype) for dtype in (torch.float64, torch.float32)]
    responses, (total, content_loss, style_losses), gradient = run[0]
    source = lambda at: dict(zip(("file", "top", "left"), at))  # noqa: E731
    return {
        "name": f"{height}x{width} {pooling} {border}", "height": height, "width": width, "pooling": pooling,
        "border": border, "alpha": 1.0, "beta": beta, "content": source(content_at), "image": source(image_at),
        "features": {tap: make.sketch(make.channels_last(responses[tap])) for tap in make.TAPS},
        "losses": {
            "total": total.item(), "content": content_loss.item(),
            "style": {layer: loss.item() for layer, loss in zip(paper.STYLE_LAYERS, style_losses)},
        },
        "gradient": make.sketch(gradient.numpy()),
        "f32_gradient_error": ((run[1][2] - gradient).norm() / gradient.norm()).item(),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default=make.ROOT / "weights/vgg16.safetensors")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # the pictures are small
    style = paper.read_picture(HERE / "style.png")
    cases = []
    for case in CASES:
        cases.append(golden(arguments.weights, style, case))
        losses = cases[-1]["losses"]
        print(cases[-1]["name"], losses["total"], f"content {losses['content'] / losses['total']:.0%}",
              cases[-1]["gradient"]["norm"], f"{cases[-1]['f32_gradient_error']:.1e}", flush=True)
    make.write("border.json", style, cases)


if __name__ == "__main__":
    main()
