#!/usr/bin/env python3
"""Makes control.json: several paintings, masks, kept parts and light alone in PyTorch, in f64, for tests/golden_control.rs.

    python tests/golden/control.py

make.py beside this file says what is needed and what a sketch is. Everything is written from the definitions of
docs/math.md, sections 15 to 20, and gradients are autograd's.

Pictures are crops at exact pixels, paintings with the photo's longest side, so that nothing is resized. Masks are
formulas in whole numbers: [a, b, q, c, d] stands for clamp(floor(256 (a x + b y + q (x^2 + y^2) + c) / d), 0, 256) / 256 at
column x and row y; with d = 1 the mask is hard.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import make
from make import paper

HERE = Path(__file__).resolve().parent
STYLE, COFFEE, CHELSEA = "tests/golden/style.png", make.COFFEE, make.CHELSEA
LAYERS = paper.STYLE_LAYERS
EVEN = {layer: 0.2 for layer in LAYERS}
GRAIN = {"conv1_1": 0.5, "conv2_1": 0.3, "conv3_1": 0.1}
FORM = {"conv2_1": 0.1, "conv3_1": 0.2, "conv4_1": 0.4, "conv5_1": 0.5}
WHITE = [0, 0, 0, 1, 1]
BLIND = 1 / 512  # what a mask's mean at a layer must have to count

# height, width, pooling, beta, (top, left) of the picture that is evaluated; 67 x 53 and 71 x 96 are odd at several poolings.
SIZES = ((48, 64, "average", 0.5, (60, 120)), (67, 53, "max", 0.5, (60, 120)), (71, 96, "average", 1.0, (90, 200)))


# Masks.


def mask_of(formula, height, width):
    a, b, q, c, d = formula
    y, x = np.mgrid[:height, :width].astype(np.int64)
    values = 256 * (a * x + b * y + q * (x * x + y * y) + c) // d
    return torch.tensor(np.clip(values, 0, 256) / 256.0, dtype=torch.float64)


def left(width, share=0.5):
    """1 in the columns of a share of the width."""
    return [-1, 0, 0, int(width * share), 1]


def ramp(height, width):
    """Rises from the upper left to the lower right corner, flat at both."""
    return [2, 1, 0, -width // 2, width + height // 2]


def disc(height, width, soft=1):
    """1 within a third of the shorter side of the centre; `soft`: squared pixels from its edge to full value."""
    x, y, r = width // 2, height // 2, min(height, width) // 3
    return [2 * x, 2 * y, -1, r * r - x * x - y * y, soft]


def brought(mask, layers, reach, dtype=torch.float64):
    """{layer: t} of a mask, H x W: what the layers' receptive fields see of it."""
    found, t, block = {}, mask[None, None].to(dtype), "1"
    mean = lambda t, size, stride, pad: F.avg_pool2d(t, size, stride, pad, count_include_pad=False)  # noqa: E731
    least = lambda t, size, stride, pad: -F.max_pool2d(-t, size, stride, pad)  # noqa: E731
    of = {"average": mean, "inside": least}[reach]
    for layer in paper.layer_names("vgg16"):
        if layer[4] != block:
            t, block = of(t, 2, 2, 0), layer[4]
        t = of(t, 3, 1, 1)
        if layer in layers:
            found[layer] = torch.where(t < BLIND, 0.0, t)[0, 0].double()
    return found


def partition(case, alpha):
    """Each region's mask on the photo: overlaps shared, the rest filled, times the photo's alpha."""
    size = case["height"], case["width"]
    masks = [mask_of(r["mask"], *size) if isinstance(r["mask"], list) else None for r in case["regions"]]
    given = sum((m for m in masks if m is not None), torch.zeros(size, dtype=torch.float64))
    whole = {"everywhere": torch.ones_like(given), "rest": 1 - given.clamp(max=1)}
    masks = [whole[r["mask"]] if m is None else m for r, m in zip(case["regions"], masks)]
    crowd = sum(masks).clamp(min=1)
    return [m / crowd * alpha for m in masks]


def seen(picture, alpha):
    """The picture whose colours are the mean of all others where its alpha is 0: what is hidden there is not known."""
    mean = (picture * alpha[..., None]).sum((0, 1)) / alpha.sum()
    return torch.where(alpha[..., None] > 0, picture, mean)


# Losses.


def luma(picture):
    return picture @ torch.tensor([0.299, 0.587, 0.114], dtype=torch.float64)


def matched(light, weights, photo, photo_weights):
    """A painting's light with the photo's mean and spread."""
    mean = lambda v, w: (v * w).sum() / w.sum()  # noqa: E731
    spread = lambda v, w: mean((v - mean(v, w)) ** 2, w).sqrt()  # noqa: E731
    ratio = spread(photo, photo_weights) / spread(light, weights)
    return ratio * (light - mean(light, weights)) + mean(photo, photo_weights)


def guided_gram(f, t):
    """G_r = 1/S sum_p t_p F_p F_p^T of a response 1 x N x H x W."""
    f, t = f[0].reshape(f.shape[1], -1), t.reshape(-1).to(f.dtype)
    return (f * t) @ f.t() / t.sum()


class Objective:
    """L(variables) of a case: pixels H x W x 3, or H x W of light."""

    def __init__(self, weights, case, dtype):
        self.case, self.dtype = case, dtype
        self.network = paper.load_network(weights, dtype)
        size = case["height"], case["width"]
        alpha = mask_of(case["photo_alpha"] or WHITE, *size)
        self.keep = mask_of(case["keep"], *size) if case["keep"] else None
        self.photo = seen(read(case["photo"], *size), alpha)
        if case["light"]:
            self.photo = luma(self.photo)
        self.regions = partition(case, alpha)
        self.guides = [brought(m, LAYERS, case["reach"]) for m in self.regions]
        content_mask = mask_of(case["content_mask"] or WHITE, *size) * alpha
        self.content_weights = brought(content_mask, ["conv4_2"], "average")["conv4_2"].to(dtype)
        with torch.no_grad():
            self.p = self.responses(self.photo)["conv4_2"]
            self.targets = self.measure()

    def responses(self, picture):
        rgb = picture[..., None].expand(*picture.shape, 3) if self.case["light"] else picture
        return paper.features(self.network, paper.preprocess(rgb, self.dtype), self.case["pooling"])

    def measure(self):
        """[(region, layer, W_l, A_l)] of what every region has at every layer."""
        measured = []
        for painting in self.case["paintings"]:
            size = painting["height"], painting["width"]
            part, alpha = (mask_of(painting[key] or WHITE, *size) for key in ("part", "alpha"))
            picture, part = seen(read(painting, *size), alpha), part * alpha
            if self.case["light"]:
                picture = matched(luma(picture), part, self.photo, self.regions[painting["region"]])
            f, guides = self.responses(picture), brought(part, LAYERS, self.case["reach"])
            measured.append({layer: guided_gram(f[layer], t) for layer, t in guides.items() if t.sum() > 0})
        targets = []
        for region, guides in enumerate(self.guides):
            own = [(p, grams) for p, grams in zip(self.case["paintings"], measured) if p["region"] == region]
            together = sum(p["blend"] for p, _ in own)
            for layer in LAYERS:
                parts = [(p["blend"] / together * p["layers"].get(layer, 0.0), grams.get(layer)) for p, grams in own]
                parts = [(weight, gram) for weight, gram in parts if weight > 0 and gram is not None]
                if parts and guides[layer].sum() > 0:
                    weight = sum(weight for weight, _ in parts)
                    targets.append((region, layer, weight, sum(w / weight * gram for w, gram in parts)))
        return targets

    def losses(self, variables):
        """(total, L_content, [E_lr] of the targets) where the variables are painted."""
        x = variables
        if self.keep is not None:
            m = self.keep if self.case["light"] else self.keep[..., None]
            x = m * self.photo + (1 - m) * variables
        f = self.responses(x)
        content = 0.5 * (self.content_weights * (f["conv4_2"] - self.p) ** 2).sum()
        each, style = [], 0
        for region, layer, weight, target in self.targets:
            t = self.guides[region][layer]
            loss = ((guided_gram(f[layer], t) - target) ** 2).sum() / (4 * target.shape[0] ** 2)
            each.append(loss)
            style = style + weight * (t.sum() / t.numel()).item() * loss
        return self.case["alpha"] * content + self.case["beta"] * style, content, each


def read(source, height, width):
    return torch.tensor(make.crop((source["file"], source["top"], source["left"]), height, width)).double()


# Cases.


def at(file, top, left):
    return {"file": file, "top": top, "left": left}


def painting(which, size, region=0, blend=1.0, layers=EVEN, part=None, alpha=None):
    """One of two paintings, in the aspects that the longest side leaves; part and alpha are functions of height and width."""
    longest = max(size)
    height, width = ((longest, longest * 5 // 6), (longest * 4 // 5, longest))[which]
    source = (at(STYLE, 10, 20), at(COFFEE, 120, 300))[which]
    masks = {key: mask(height, width) if mask else None for key, mask in (("part", part), ("alpha", alpha))}
    return {**source, "height": height, "width": width, **masks, "region": region, "blend": blend, "layers": layers}


def variants(size):
    """{name: what a case has beside the plain one} at a size; those after "combined" are of two kinds."""
    height, width = size
    one, two = [painting(0, size)], [painting(0, size), painting(1, size, region=1)]
    region = lambda mask: {"name": "here", "mask": mask}  # noqa: E731
    rest = {"name": "rest", "mask": "rest"}
    halves = lambda h, w: left(w)  # noqa: E731
    parted = [painting(0, size, part=halves), painting(1, size, region=1, part=ramp)]
    hidden = [painting(0, size, part=halves, alpha=ramp), painting(1, size, region=1, alpha=disc)]
    blended = [painting(0, size, blend=3.0, layers=GRAIN), painting(1, size, blend=1.0, layers=FORM)]
    soft = [{"name": "left", "mask": ramp(height, width)}, {"name": "middle", "mask": disc(height, width, 40)}]
    three = [*two, painting(0, size, region=2, part=ramp)]
    both = {"regions": [region(left(width)), rest], "paintings": two}
    return {
        "plain": {"paintings": one},
        "blended": {"paintings": [painting(0, size, blend=3.0), painting(1, size, blend=1.0)]},
        "blended, layers": {"paintings": blended},
        "hard mask": {"regions": [region(disc(height, width))], "paintings": one},
        "soft mask": {"regions": [region(ramp(height, width))], "paintings": one},
        "two and the rest": {"regions": [*soft, rest], "paintings": three},
        "halves": both,
        "parts of paintings": {"paintings": parted, "regions": both["regions"]},
        "inside": {**both, "reach": "inside"},
        "soft, inside": {"regions": [region(ramp(height, width))], "paintings": one, "reach": "inside"},
        "content mask": {"paintings": one, "content_mask": disc(height, width, 100)},
        "alpha": {"paintings": one, "photo_alpha": disc(height, width, 60)},
        "keep": {"paintings": one, "keep": disc(height, width, 80)},
        "light": {"paintings": one, "light": True},
        "blended in a region": {"regions": [region(ramp(height, width))], "paintings": blended},
        "halves, alpha": {**both, "paintings": hidden, "photo_alpha": disc(height, width, 60)},
        "halves, content mask": {**both, "content_mask": ramp(height, width)},
        "light, keep": {"paintings": one, "light": True, "keep": ramp(height, width)},
        "light, parts": {"paintings": parted, "regions": both["regions"], "light": True},
    }


def cases():
    everywhere = [{"name": "everywhere", "mask": "everywhere"}]
    for height, width, pooling, beta, corner in SIZES:
        for name, own in variants((height, width)).items():
            yield {
                "name": f"{width}x{height} {name}", "height": height, "width": width, "pooling": pooling,
                "alpha": 1.0, "beta": beta, "reach": "average", "light": False, "photo_alpha": None, "keep": None,
                "content_mask": None, "photo": at(CHELSEA, 60, 120), "image": at(COFFEE, *corner),
                "regions": everywhere, **own,
            }


def evaluate(weights, case, dtype):
    objective = Objective(weights, case, dtype)
    image = read(case["image"], case["height"], case["width"])
    x = (luma(image) if case["light"] else image).requires_grad_()
    losses = objective.losses(x)
    losses[0].backward()
    return objective, losses, x.grad


def golden(weights, case):
    objective, (total, content, each), gradient = evaluate(weights, case, torch.float64)
    f32_gradient = evaluate(weights, case, torch.float32)[2]
    style = [
        {
            "layer": layer, "region": region, "weight": weight,
            "share": objective.guides[region][layer].mean().item(), "loss": loss.item(),
        }
        for (region, layer, weight, _), loss in zip(objective.targets, each)
    ]
    return {
        **case,
        "losses": {"total": total.item(), "content": content.item(), "style": style},
        "gradient": make.sketch(gradient.numpy()),
        "f32_gradient_error": ((f32_gradient - gradient).norm() / gradient.norm()).item(),
    }


def rounded(value):
    """A document whose numbers have ten digits: far more than anything is compared to."""
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [rounded(entry) for entry in value]
    return float(f"{value:.10g}") if isinstance(value, float) else value


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default=make.ROOT / "weights/vgg16.safetensors", help="VGG-16, 16-bit floats")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # the pictures are small
    done = []
    for case in cases():
        done.append(golden(arguments.weights, case))
        losses = done[-1]["losses"]
        share = done[-1]["alpha"] * losses["content"] / losses["total"]
        print(case["name"], losses["total"], f"content {share:.0%}", done[-1]["gradient"]["norm"],
              f"{done[-1]['f32_gradient_error']:.1e}", len(losses["style"]), flush=True)
    lines = ",\n".join(json.dumps(rounded(case)) for case in done)
    version = json.dumps(torch.__version__.split("+")[0])
    (HERE / "control.json").write_text(f'{{"torch": {version}, "cases": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
