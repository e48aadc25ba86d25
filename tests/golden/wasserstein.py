#!/usr/bin/env python3
"""Makes wasserstein.json: distances of Gaussians and their gradients as PyTorch computes them in f64, for tests/golden.rs.

    pip install torch safetensors numpy pillow
    python tests/golden/wasserstein.py

The twin of crates/autodiff/src/losses/wasserstein.rs by another way: roots by eigenvalues (`torch.linalg.eigh`), to which the
Newton-Schulz steps are applied one number at a time, and gradients by autograd. Cases, pictures and sketches are those of make.py beside
this file; `roots` is the loss of each layer with exact roots instead of steps, which says how far these go.
"""

import argparse
from pathlib import Path

import torch

import make
import paper_objective as paper

HERE = Path(__file__).resolve().parent

EPSILON = 1e-4 * 58**2
STEPS = 12

# name, height, width, pooling, beta, (picture, top, left) of the content, the same of the picture that is evaluated.
CASES = (
    ("wasserstein 48x40", 48, 40, "average", 1e4, (make.CHELSEA, 60, 120), (make.COFFEE, 60, 120)),
    ("wasserstein 67x53 max", 67, 53, "max", 2e4, (make.CHELSEA, 60, 120), (make.COFFEE, 60, 120)),
    ("wasserstein 229x163", 229, 163, "average", 1e5, (make.CHELSEA, 40, 100), (make.COFFEE, 90, 200)),
)


def stepped(mu):
    """The root of numbers in 0..1, as far as the steps get."""
    y, z = mu, torch.ones_like(mu)
    for _ in range(STEPS):
        s = z * y
        y, z = y * (3 - s) / 2, z * (3 - s) / 2
    return y


def root(a):
    """R(A)."""
    values, vectors = torch.linalg.eigh(a)
    norm = values.square().sum().sqrt()
    return (vectors * (stepped(values / norm) * norm.sqrt())) @ vectors.t()


def moments(f):
    """mu and Sigma of a response, without eps."""
    f = f.reshape(f.shape[1], -1)
    mean = f.mean(1)
    return mean, f @ f.t() / f.shape[1] - torch.outer(mean, mean)


def ridged(sigma):
    return sigma + EPSILON * torch.eye(len(sigma), dtype=sigma.dtype)


class Layer:
    """W_l to a painting's response."""

    def __init__(self, f):
        self.mean, sigma = moments(f)
        self.sigma = ridged(sigma)
        self.root = root(self.sigma)
        values, vectors = torch.linalg.eigh(self.sigma)
        self.exact_root = (vectors * values.clamp(min=0).sqrt()) @ vectors.t()

    def loss(self, f, exact=False):
        mean, sigma = moments(f)
        sigma, s = ridged(sigma), self.exact_root if exact else self.root
        # A sum over eigenvalues, which has a gradient even where some are equal.
        values = torch.linalg.eigvalsh(s @ sigma @ s)
        norm = values.square().sum().sqrt()
        of_roots = values.clamp(min=0).sqrt().sum() if exact else norm.sqrt() * stepped(values / norm).sum()
        spread = sigma.diagonal().sum() + self.sigma.diagonal().sum() - 2 * of_roots
        return ((mean - self.mean).square().sum() + spread) / len(mean)


def evaluate(weights, content, style, image, beta, pooling, dtype):
    """Losses, exact losses and gradient in one precision of the network; roots are always f64."""
    network = paper.load_network(weights, dtype)
    features = lambda picture: paper.features(network, paper.preprocess(picture, dtype), pooling)  # noqa: E731
    with torch.no_grad():
        p, painted = features(content)[paper.CONTENT_LAYER], features(style)
        layers = {layer: Layer(painted[layer].double()) for layer in paper.STYLE_LAYERS}
    x = torch.tensor(image, dtype=dtype, requires_grad=True)
    f = features(x)
    content_loss = paper.content_loss(f[paper.CONTENT_LAYER], p)
    each = [layer.loss(f[name].double()) for name, layer in layers.items()]
    total = content_loss + beta * sum(each) / len(each)
    total.backward()
    with torch.no_grad():
        exact = [layer.loss(f[name].double(), exact=True).item() for name, layer in layers.items()]
    return (total.item(), content_loss.item(), [loss.item() for loss in each]), exact, x.grad.double()


def golden(weights, style, case):
    name, height, width, pooling, beta, content_at, image_at = case
    content, image = make.crop(content_at, height, width), make.crop(image_at, height, width)
    run = [evaluate(weights, content, style, image, beta, pooling, dtype) for dtype in (torch.float64, torch.float32)]
    (total, content_loss, each), exact, gradient = run[0]
    source = lambda at: dict(zip(("file", "top", "left"), at))  # noqa: E731
    return {
        "name": name, "height": height, "width": width, "pooling": pooling, "alpha": 1.0, "beta": beta,
        "content": source(content_at), "image": source(image_at), "features": {},
        "losses": {"total": total, "content": content_loss, "style": dict(zip(paper.STYLE_LAYERS, each))},
        "roots": dict(zip(paper.STYLE_LAYERS, exact)),
        "gradient": make.sketch(gradient.numpy()),
        "f32_gradient_error": ((run[1][2] - gradient).norm() / gradient.norm()).item(),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default=make.ROOT / "weights/vgg16.safetensors")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    style = paper.read_picture(HERE / "style.png")
    cases = []
    for case in CASES:
        cases.append(golden(arguments.weights, style, case))
        print(case[0], cases[-1]["losses"], cases[-1]["roots"], cases[-1]["f32_gradient_error"], flush=True)
    make.write("wasserstein.json", style, cases)


if __name__ == "__main__":
    main()
