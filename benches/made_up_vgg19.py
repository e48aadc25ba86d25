#!/usr/bin/env python3
"""A VGG-19 of random numbers, as a safetensors file with torchvision's names: for tests that need the network but not its eye.

    benches/made_up_vgg19.py OUT.safetensors

Kernels are normal with He's deviation sqrt(2 / (9 x inputs)), biases zero, so that responses keep their size from layer to
layer. The same file every time. A layer repeats a block of 65,537 numbers, a prime, so that no two of its filters are equal.
"""
import array, json, math, random, struct, sys

BLOCK = 65537
FILTERS = [64, 128, 256, 512, 512]
COUNTS = [2, 2, 4, 4, 4]


def tensors():
    """Each tensor's name, shape and numbers, in the order of the network."""
    source = random.Random(19)
    inputs, position = 3, 0
    for filters, count in zip(FILTERS, COUNTS):
        for _ in range(count):
            size = filters * inputs * 9
            deviation = math.sqrt(2 / (9 * inputs))
            block = array.array("f", (source.gauss(0, deviation) for _ in range(min(size, BLOCK))))
            kernel = (block * -(-size // len(block)))[:size]
            yield f"features.{position}.weight", [filters, inputs, 3, 3], kernel
            yield f"features.{position}.bias", [filters], array.array("f", bytes(4 * filters))
            # A convolution and its ReLU; after a block, the pooling.
            inputs, position = filters, position + 2
        position += 1


header, body = {}, []
end = 0
for name, shape, numbers in tensors():
    if sys.byteorder == "big":
        numbers.byteswap()
    start, end = end, end + 4 * len(numbers)
    header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, end]}
    body.append(numbers)
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
with open(sys.argv[1], "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text)
    for numbers in body:
        numbers.tofile(file)
