"""The parts of torchvision that the peers use, on PIL and PyTorch alone, so that it need not be installed.

`install` puts a module under its name. What is here gives what torchvision 0.29 gives: `Resize` and `to_tensor` of a PIL
picture, `to_pil_image`, which cuts off and does not round, and `vgg19`, which is any network that the caller has.
"""

import sys
import types

import numpy as np
import torch
from PIL import Image


def to_tensor(picture):
    """C x H x W in 0 to 1 of an RGB picture of 8 bits."""
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255


def to_pil_image(tensor):
    """An RGB picture of C x H x W in 0 to 1."""
    return Image.fromarray(tensor.mul(255).byte().permute(1, 2, 0).numpy())


def resize(size):
    """Bilinear, to (height, width)."""
    return lambda picture: picture.resize((size[1], size[0]), Image.Resampling.BILINEAR)


def normalize(mean, std):
    """(x - mean) / std in each channel."""
    def of(tensor):
        shape = (-1, 1, 1)
        return (tensor - tensor.new_tensor(mean).view(shape)) / tensor.new_tensor(std).view(shape)
    return of


def compose(steps):
    """One step after the other."""
    def of(value):
        for step in steps:
            value = step(value)
        return value
    return of


def module(name, **members):
    made = types.ModuleType(name)
    made.__dict__.update(members)
    sys.modules[name] = made
    return made


def install(vgg19=None):
    """Puts `torchvision` and its parts under their names; `vgg19` is the network that its function of that name returns."""
    functional = module("torchvision.transforms.functional", to_tensor=to_tensor, to_pil_image=to_pil_image)
    transforms = module(
        "torchvision.transforms", functional=functional, Compose=compose, Lambda=lambda step: step, Normalize=normalize,
        Resize=resize, ToTensor=lambda: to_tensor, ToPILImage=lambda: to_pil_image,
    )
    models = module(
        "torchvision.models", vgg19=lambda weights: vgg19, VGG19_Weights=types.SimpleNamespace(IMAGENET1K_V1=None),
    )
    module("torchvision", transforms=transforms, models=models)
