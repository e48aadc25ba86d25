"""The paper's objective in PyTorch: the yardstick that the golden numbers and the benches share.

Same network, same preprocessing, same losses as impasto, on top of PyTorch's own convolutions and autograd, so that
it is an independent statement of them. Needs torch, safetensors, numpy and pillow.
"""

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file

# Convolutions in each block; the channels of each block. The poolings stand between the blocks.
CONVS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
CHANNELS = (64, 128, 256, 512, 512)

CONTENT_LAYER = "conv4_2"
STYLE_LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")

# Caffe's preprocessing in RGB order: values 0..255 minus the training pictures' mean.
MEAN = (123.68, 116.779, 103.939)


def layer_names(arch, deepest="conv5_1"):
    """The names of the convolutions, first to `deepest`."""
    names = [f"conv{block}_{i}" for block, count in enumerate(CONVS[arch], 1) for i in range(1, count + 1)]
    return names[: names.index(deepest) + 1]


def load_network(path, dtype):
    """[(name, kernel OIHW, bias)] to conv5_1 of the embedded VGG-16, whose conv1_1 takes RGB."""
    tensors = load_file(path)
    return [
        (name, tensors[f"{name}.weight"].to(dtype), tensors[f"{name}.bias"].to(dtype))
        for name in layer_names("vgg16")
    ]


def random_network(arch, dtype):
    """The same with random weights of Kaiming's scale: the time of an evaluation does not depend on them."""
    network, channels = [], 3
    for name in layer_names(arch):
        out = CHANNELS[int(name[4]) - 1]
        kernel = torch.randn(out, channels, 3, 3, dtype=dtype) * (2 / (9 * channels)) ** 0.5
        network.append((name, kernel, torch.zeros(out, dtype=dtype)))
        channels = out
    return network


def preprocess(picture, dtype):
    """H x W x 3 values in 0..255 (array or tensor) to the network's 1 x 3 x H x W."""
    picture = torch.tensor(picture) if isinstance(picture, np.ndarray) else picture
    return (picture.to(dtype) - torch.tensor(MEAN, dtype=dtype)).permute(2, 0, 1).unsqueeze(0)


POOLINGS = {
    "average": F.avg_pool2d,
    "max": F.max_pool2d,
    "scaled-average": lambda x, side: 2 * F.avg_pool2d(x, side),
}


def features(network, x, pooling="average"):
    """The responses F of every convolution, after its ReLU. Odd sizes are pooled by PyTorch's floor rule."""
    pool = POOLINGS[pooling]
    responses, block = {}, "1"
    for name, kernel, bias in network:
        if name[4] != block:
            x, block = pool(x, 2), name[4]
        x = F.relu(F.conv2d(x, kernel, bias, padding=1))
        responses[name] = x
    return responses


def gram(f):
    """G/M: the Gram matrix of a response, divided by its number of positions."""
    f = f.reshape(f.shape[1], -1)
    return f @ f.t() / f.shape[1]


def content_loss(f, p):
    """L_content = 1/2 sum (F - P)^2."""
    return 0.5 * ((f - p) ** 2).sum()


def style_loss(f, target):
    """E_l = 1/(4 N^2) sum (G/M - A/M_a)^2, with `target` = A/M_a."""
    return ((gram(f) - target) ** 2).sum() / (4 * f.shape[1] ** 2)


class Objective:
    """alpha L_content + beta sum_l E_l / 5 for one photo and one painting, both H x W x 3 in 0..255."""

    def __init__(self, network, content, style, alpha, beta, pooling="average", dtype=torch.float32):
        self.network, self.alpha, self.beta, self.pooling, self.dtype = network, alpha, beta, pooling, dtype
        with torch.no_grad():
            self.p = features(network, preprocess(content, dtype), pooling)[CONTENT_LAYER]
            painted = features(network, preprocess(style, dtype), pooling)
            self.grams = {layer: gram(painted[layer]) for layer in STYLE_LAYERS}

    def losses(self, picture):
        """(total, L_content, [E_l]) of a picture, H x W x 3 in 0..255."""
        f = features(self.network, preprocess(picture, self.dtype), self.pooling)
        content = content_loss(f[CONTENT_LAYER], self.p)
        style = [style_loss(f[layer], self.grams[layer]) for layer in STYLE_LAYERS]
        return self.alpha * content + self.beta * sum(style) / len(style), content, style


def read_picture(path):
    """A picture file as H x W x 3 bytes."""
    return np.asarray(Image.open(path).convert("RGB"))


def write_picture(path, picture):
    """Values in 0..255, clamped and rounded, as a file."""
    Image.fromarray(np.clip(np.rint(np.asarray(picture)), 0, 255).astype(np.uint8)).save(path)
