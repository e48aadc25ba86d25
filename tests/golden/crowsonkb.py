#!/usr/bin/env python3
"""Makes crowsonkb.json: the losses of style-transfer-pytorch itself, for tests/golden_crowsonkb.rs to compare with.

    git clone https://github.com/crowsonkb/style-transfer-pytorch
    python tests/golden/crowsonkb.py style-transfer-pytorch

make.py beside this file says what is needed, where pictures come from and what a sketch is. The program is imported from the
checkout with our VGG-16 in it, by benches/peer_crowsonkb.py; its losses are put together as its `stylize` does it. Recorded is what
it computes in f32, as it runs, of the weighted terms and their sum; and the sum's gradient with respect to a picture of 0 to 255, with
how far that is from the one in f64. The gradient is that of the losses as they are computed, by PyTorch through the program's
`sqrtm_ns`. Its own way back, which takes the twelve steps' root for the exact one, gives 2 to 6 % less in these cases.
"""

import argparse
import functools
from pathlib import Path

import torch

import make
import peer_crowsonkb as peer
from make import paper

HERE = Path(__file__).resolve().parent
# (name, height, width, (picture, top, left) of the content, the same of the picture that is evaluated): two of the program's sizes.
CASES = (
    ("128x96", 96, 128, (make.CHELSEA, 40, 100), (make.COFFEE, 90, 200)),
    ("181x137", 137, 181, (make.COFFEE, 90, 200), (make.CHELSEA, 60, 120)),
)
CONTENT_WEIGHT, TV_WEIGHT = 0.015, 2.0
# What torchvision takes off pictures of 0 to 1.
MEANS = (0.485, 0.456, 0.406)
STYLE_WEIGHTS = (256, 64, 16, 4, 1)


def as_tensor(picture, dtype):
    """The program's 1 x 3 x H x W of 0 to 1."""
    return torch.tensor(picture).permute(2, 0, 1)[None].to(dtype) / 255


def with_our_means(model):
    """The same for networks that were trained on pictures less the means of ours: the program takes off torchvision's, which are up to half
    a grey level away. As conv1_1 sees replicated pixels beyond the border, the difference is one of its biases."""
    conv = model.model[0]
    grey = 255 * torch.tensor(peer.STD, dtype=conv.weight.dtype)
    shift = 255 * torch.tensor(MEANS, dtype=grey.dtype) - torch.tensor(paper.MEAN, dtype=grey.dtype)
    conv.bias += (conv.weight.sum(dim=(2, 3)) * (shift / grey)).sum(dim=1)
    return model


def losses(program, content, style, dtype):
    """The function of a picture that `stylize` minimises, as its weighted terms."""
    model = with_our_means(program.VGGFeatures(peer.STYLE_LAYERS + peer.CONTENT_LAYERS).to(dtype))
    of_content, of_style = model(as_tensor(content, dtype)), model(as_tensor(style, dtype))
    roots = functools.partial(program.sqrtm.sqrtm_ns, num_iters=12)
    terms = []
    for layer in peer.CONTENT_LAYERS:
        terms.append((CONTENT_WEIGHT, program.LayerApply(program.ContentLossMSE(of_content[layer]), layer)))
    for layer, weight in zip(peer.STYLE_LAYERS, STYLE_WEIGHTS):
        target = program.StyleLossW2.get_target(of_style[layer])
        loss = program.StyleLossW2(target)
        loss.sqrtm = roots
        terms.append((weight / sum(STYLE_WEIGHTS), program.LayerApply(loss, layer)))
    terms.append((TV_WEIGHT, program.LayerApply(program.TVLoss(), "input")))
    return lambda x: [weight * term(features) for features in [model(x)] for weight, term in terms]


def evaluate(program, content, style, image, dtype):
    """The weighted terms, and the gradient of their sum in H x W x C order."""
    of = losses(program, content, style, dtype)
    x = as_tensor(image, dtype).requires_grad_()
    terms = of(x)
    sum(terms).backward()
    return [term.item() for term in terms], make.channels_last(x.grad / 255)


def golden(program, style, case):
    name, height, width, content_at, image_at = case
    content, image = make.crop(content_at, height, width), make.crop(image_at, height, width)
    terms, gradient = evaluate(program, content, style, image, torch.float32)
    in_f64, exact = evaluate(program, content, style, image, torch.float64)
    for ours, other in zip(terms, in_f64):
        print(f"{name}: {ours:.9g}, of which f64 is {abs(other / ours - 1):.1e} away")
    source = lambda at: dict(zip(("file", "top", "left"), at))  # noqa: E731
    return {
        "name": name, "height": height, "width": width, "content": source(content_at), "image": source(image_at),
        "terms": terms, "total": sum(terms), "gradient": make.sketch(gradient),
        "f64_gradient_error": float(((exact - gradient) ** 2).sum() ** 0.5 / (exact**2).sum() ** 0.5),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path)
    program = peer.load(parser.parse_args().checkout.resolve())
    style = paper.read_picture(HERE / "style.png")
    make.write("crowsonkb.json", style, [golden(program, style, case) for case in CASES])


if __name__ == "__main__":
    main()
