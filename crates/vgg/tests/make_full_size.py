"""Make full-size VGG-19 files of every format in a folder (about 7 GB), for the ignored test full_size.rs.

    python crates/vgg/tests/make_full_size.py FOLDER
    IMPASTO_FULL_SIZE=FOLDER cargo test --release -p impasto-vgg --test full_size -- --ignored --nocapture

Needs torchvision besides what make_fixtures.py needs. The network is torchvision's VGG-19 with random weights; Keras' files
are those of Keras' own VGG19 with the same weights.
"""

import collections
import os
import sys

import make_fixtures as small
import numpy as np
import torch
import torchvision
from safetensors.torch import save_file


def main(folder):
    os.makedirs(folder, exist_ok=True)
    small.HERE, small.WIDTHS = folder, (64, 128, 256, 512, 512)
    torch.manual_seed(19)
    model = torchvision.models.vgg19(weights=None)
    state = model.state_dict()
    torch.save(state, small.path("vision.pth"))
    torch.save(state, small.path("vision_legacy.pth"), _use_new_zipfile_serialization=False)
    save_file(state, small.path("timm.safetensors"), metadata={"format": "pt"})
    convs = collections.OrderedDict()
    for layer, index in zip(small.CONVS, small.TORCH_INDEX):
        convs[layer] = tuple(state[f"features.{index}.{part}"].numpy() for part in ("weight", "bias"))
    small.RGB = convs
    small.BGR = collections.OrderedDict(convs)
    small.BGR[1, 1] = np.ascontiguousarray(convs[1, 1][0][:, ::-1]), convs[1, 1][1]
    small.FULLY_CONNECTED = state["classifier.0.weight"].numpy().T
    del model, state
    small.make_matlab()
    small.make_numpy()
    small.make_onnx()
    small.make_caffe()
    for top in True, False:
        model = small.keras.applications.VGG19(weights=None, include_top=top)
        for (block, index), (kernel, bias) in small.BGR.items():
            model.get_layer(f"block{block}_conv{index}").set_weights([small.hwio(kernel), bias])
        name = "keras_full" if top else "keras_notop"
        model.save(small.path(f"{name}.h5"))
        model.save(small.path(f"{name}.keras"))
        model.save_weights(small.path(f"{name}.weights.h5"))


if __name__ == "__main__":
    main(sys.argv[1])
