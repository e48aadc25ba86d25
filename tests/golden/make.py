#!/usr/bin/env python3
"""Makes cases.json: what PyTorch computes in f64 for the embedded weights, for tests/golden.rs to compare with.

    pip install torch safetensors numpy pillow
    python tests/golden/make.py [--style-from examples/style/cafe_terrace.webp]

For each case: the responses at the taps, the losses, and the gradient with respect to the picture, together with how far
PyTorch's own f32 gradient is from that one: where the input of a ReLU is within rounding of 0, one switch of its sign
changes the gradient of a few pixels, and no f32 implementation can be nearer than such switches allow. The smallest one
also has the losses of L-BFGS, by the twin in lbfgs.py beside this file. Pictures are crops at exact pixels; the painting's crop is
committed as style.png (made once with --style-from), because decoders of lossy WebP need not agree to the bit.

Large arrays are recorded as their norm and a *sketch*: the inner products with 32 vectors of random signs, bit k of
hash(i) being the sign of element i in vector k. For any difference d, the mean square of its sketch estimates |d|^2, so
sketches compare arrays in the 2-norm without either of them being stored. Elements are counted in H x W x C order.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT / "benches")]
import lbfgs  # noqa: E402
import paper_objective as paper  # noqa: E402

TAPS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv4_2", "conv5_1")
STYLE_CROP = (150, 60, 131, 157)  # top, left, height, width in the painting

# name, height, width, pooling, beta, (picture, top, left) of the content, the same of the picture that is evaluated.
# beta is chosen so that both losses weigh in the gradient. 67x53, 229x163 and 383x517 are odd at several poolings.
CHELSEA, COFFEE = "examples/content/chelsea.png", "examples/content/coffee.png"
CASES = (
    ("48x40", 48, 40, "average", 0.25, (CHELSEA, 60, 120), (COFFEE, 60, 120)),
    ("67x53", 67, 53, "average", 0.5, (CHELSEA, 60, 120), (COFFEE, 60, 120)),
    ("48x40 max", 48, 40, "max", 0.25, (CHELSEA, 60, 120), (COFFEE, 60, 120)),
    ("67x53 max", 67, 53, "max", 0.5, (CHELSEA, 60, 120), (COFFEE, 60, 120)),
    ("67x53 scaled average", 67, 53, "scaled-average", 0.5, (CHELSEA, 60, 120), (COFFEE, 60, 120)),
    ("128x192", 128, 192, "average", 8.0, (CHELSEA, 40, 100), (COFFEE, 90, 200)),
    ("229x163", 229, 163, "average", 10.0, (CHELSEA, 40, 100), (COFFEE, 90, 200)),
    ("383x517", 383, 517, "average", 50.0, (COFFEE, 0, 0), (COFFEE, 17, 83)),
)
LBFGS = {"iterations": 10, "history": 5, "first_step": 30.0}  # a history that is full before the end


def hashes(count):
    """hash(i) of 0..count: the finaliser of splitmix64 on (i + 1) times its increment."""
    with np.errstate(over="ignore"):
        z = (np.arange(count, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return z


def sketch(values):
    """{norm, sketch} of an array in H x W x C order."""
    values = np.asarray(values, dtype=np.float64).ravel()
    bits = hashes(values.size)
    products = [float(np.where((bits >> np.uint64(k)) & np.uint64(1), -values, values).sum()) for k in range(32)]
    return {"norm": float(np.linalg.norm(values)), "sketch": products}


def channels_last(response):
    return response[0].permute(1, 2, 0).numpy()


def crop(source, height, width):
    path, top, left = source
    picture = paper.read_picture(ROOT / path)[top : top + height, left : left + width]
    assert picture.shape == (height, width, 3), source
    return picture


def evaluate(weights, content, style, image, beta, pooling, dtype):
    """Responses, losses and gradient in one precision."""
    network = paper.load_network(weights, dtype)
    objective = paper.Objective(network, content, style, 1.0, beta, pooling, dtype)
    with torch.no_grad():
        responses = paper.features(network, paper.preprocess(image, dtype), pooling)
    x = torch.tensor(image, dtype=dtype, requires_grad=True)
    losses = objective.losses(x)
    losses[0].backward()
    return responses, losses, x.grad.double()


def golden(weights, style, case):
    name, height, width, pooling, beta, content_at, image_at = case
    content, image = crop(content_at, height, width), crop(image_at, height, width)
    run = [evaluate(weights, content, style, image, beta, pooling, dtype) for dtype in (torch.float64, torch.float32)]
    responses, (total, content_loss, style_losses), gradient = run[0]
    f32_error = ((run[1][2] - gradient).norm() / gradient.norm()).item()
    source = lambda at: dict(zip(("file", "top", "left"), at))  # noqa: E731
    result = {
        "name": name, "height": height, "width": width, "pooling": pooling, "alpha": 1.0, "beta": beta,
        "content": source(content_at), "image": source(image_at),
        "features": {tap: sketch(channels_last(responses[tap])) for tap in TAPS},
        "losses": {
            "total": total.item(), "content": content_loss.item(),
            "style": {layer: loss.item() for layer, loss in zip(paper.STYLE_LAYERS, style_losses)},
        },
        "gradient": sketch(gradient.numpy()), "f32_gradient_error": f32_error,
    }
    if name == "48x40":
        result["lbfgs"] = {**LBFGS, "losses": lbfgs_losses(weights, style, content, beta, pooling)}
    return result


def lbfgs_losses(weights, style, content, beta, pooling):
    """The loss of the photo itself, and of each iterate from there."""
    network = paper.load_network(weights, torch.float64)
    objective = paper.Objective(network, content, style, 1.0, beta, pooling, torch.float64)

    def loss_and_gradient(x):
        x = torch.tensor(x.reshape(content.shape), requires_grad=True)
        total = objective.losses(x)[0]
        total.backward()
        return total.item(), x.grad.numpy().ravel()

    return lbfgs.minimise(content.astype(np.float64).ravel(), loss_and_gradient, **LBFGS)


def write(name, style, cases):
    """Writes cases whose painting is style.png."""
    document = {
        "torch": torch.__version__.split("+")[0],
        "style": {"file": "tests/golden/style.png", "top": 0, "left": 0, "height": style.shape[0], "width": style.shape[1]},
        "cases": cases,
    }
    (HERE / name).write_text(json.dumps(document, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default=ROOT / "weights/vgg16.safetensors")
    parser.add_argument("--style-from", help="make style.png again from this painting")
    arguments = parser.parse_args()
    if arguments.style_from:
        top, left, height, width = STYLE_CROP
        painting = paper.read_picture(arguments.style_from)[top : top + height, left : left + width]
        paper.write_picture(HERE / "style.png", painting)
    style = paper.read_picture(HERE / "style.png")
    cases = []
    for case in CASES:
        cases.append(golden(arguments.weights, style, case))
        print(case[0], cases[-1]["losses"]["total"], cases[-1]["gradient"]["norm"], flush=True)
    write("cases.json", style, cases)


if __name__ == "__main__":
    main()
