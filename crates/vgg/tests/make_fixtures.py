"""Make crates/vgg/tests/fixtures: one small VGG-19 (4 to 8 filters a layer), written by every producer.

    python crates/vgg/tests/make_fixtures.py

Needs torch, safetensors, h5py, keras (with any backend), onnx, scipy and numpy. Every file holds the same network: the same
numbers in float32, brought into the layout and channel order that the format's VGG files have. `kernels.bin` holds them
raw (out, in, ky, kx; channels R, G, B); `expected.bin` a picture and the features that PyTorch computes from it in float64.
"""

import collections
import os
import pickle
import struct
import sys
import warnings

import h5py
import numpy as np
import onnx
import onnx.helper
import onnx.numpy_helper
import scipy.io
import torch
from safetensors.numpy import save_file

os.environ.setdefault("KERAS_BACKEND", "torch")
import keras  # noqa: E402

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fixtures")
WIDTHS = (4, 4, 6, 8, 8)
COUNTS = (2, 2, 4, 4, 4)
CONVS = [(block, index) for block, count in enumerate(COUNTS, 1) for index in range(1, count + 1)]
# A fully connected layer that a reader has to pass by.
FULLY_CONNECTED = np.zeros((32, 16), "f4")
TORCH_INDEX = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34)


def network():
    """Kernels OIHW and biases, conv1_1 with R, G, B."""
    random = np.random.default_rng(19)
    layers, inputs = collections.OrderedDict(), 3
    for block, index in CONVS:
        outputs = WIDTHS[block - 1]
        scale = (2 / (9 * inputs)) ** 0.5
        kernel = random.normal(0, scale, (outputs, inputs, 3, 3)).astype("f4")
        layers[block, index] = kernel, random.normal(0, 0.1, outputs).astype("f4")
        inputs = outputs
    return layers


RGB = network()
BGR = collections.OrderedDict(RGB)
BGR[1, 1] = np.ascontiguousarray(RGB[1, 1][0][:, ::-1]), RGB[1, 1][1]


def path(name):
    return os.path.join(HERE, name)


def hwio(kernel):
    return np.ascontiguousarray(kernel.transpose(2, 3, 1, 0))


def state_dict(layers, name, **fully_connected):
    """A state dictionary with torchvision's names (features.N) or Gatys' (conv1_1)."""
    state = collections.OrderedDict()
    for (layer, (kernel, bias)), position in zip(layers.items(), TORCH_INDEX):
        prefix = f"features.{position}" if name == "features" else f"conv{layer[0]}_{layer[1]}"
        state[f"{prefix}.weight"] = torch.from_numpy(kernel.copy())
        state[f"{prefix}.bias"] = torch.from_numpy(bias.copy())
    for layer, size in fully_connected.items():
        state[f"classifier.{layer[1:]}.weight"] = torch.zeros(size, 2 * size)
        state[f"classifier.{layer[1:]}.bias"] = torch.zeros(size)
    return state


def make_torch():
    vision = state_dict(RGB, "features", _0=5, _3=5, _6=5)
    torch.save(vision, path("vision.pth"))
    torch.save(vision, path("vision_legacy.pth"), _use_new_zipfile_serialization=False)
    johnson = state_dict(BGR, "features", _1=5, _4=5, _6=5)
    torch.save(johnson, path("johnson_legacy.pth"), _use_new_zipfile_serialization=False)
    gatys = state_dict(BGR, "conv")
    torch.save(gatys, path("gatys.pth"))
    last = {key: value.contiguous(memory_format=torch.channels_last) if value.dim() == 4 else value
            for key, value in vision.items()}
    torch.save({"epoch": 3, "state_dict": last}, path("checkpoint_channels_last.pth"))
    arrays = {key: np.ascontiguousarray(value.numpy()) for key, value in vision.items()}
    save_file(arrays, path("timm.safetensors"), metadata={"format": "pt"})
    save_file({key: np.ascontiguousarray(value.numpy()) for key, value in gatys.items()}, path("ambiguous.safetensors"))
    for name, dtype in ("f16", torch.float16), ("bf16", torch.bfloat16):
        from safetensors.torch import save_file as save_torch
        save_torch({key: value.to(dtype) for key, value in vision.items()}, path(f"timm_{name}.safetensors"))


def keras_model(top):
    """Keras' own VGG19, with other widths: its layers under its names."""
    picture = keras.Input((32, 32, 3) if top else (None, None, 3))
    x = picture
    for block, count in enumerate(COUNTS, 1):
        for index in range(1, count + 1):
            x = keras.layers.Conv2D(WIDTHS[block - 1], 3, activation="relu", padding="same", name=f"block{block}_conv{index}")(x)
        x = keras.layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    if top:
        x = keras.layers.Flatten(name="flatten")(x)
        x = keras.layers.Dense(16, activation="relu", name="fc1")(x)
        x = keras.layers.Dense(10, activation="softmax", name="predictions")(x)
    model = keras.Model(picture, x, name="vgg19")
    for layer, (kernel, bias) in BGR.items():
        model.get_layer(f"block{layer[0]}_conv{layer[1]}").set_weights([hwio(kernel), bias])
    return model


def make_keras():
    keras_model(False).save_weights(path("keras3.weights.h5"))
    keras_model(True).save(path("keras3.keras"))
    keras_model(True).save(path("keras3_full.h5"))
    # Keras 2 wrote these files with h5py and this layout; today's Keras does not any more.
    for name, weight in ("keras1_notop.h5", "{0}_W_1:0"), ("keras2_notop.h5", "{0}/kernel:0"):
        with h5py.File(path(name), "w") as file:
            layers = [f"block{b}_conv{i}" for b, i in BGR]
            file.attrs["layer_names"] = np.array([layer.encode() for layer in layers])
            file.attrs["backend"] = b"tensorflow"
            for layer, (kernel, bias) in zip(layers, BGR.values()):
                group = file.create_group(layer)
                names = [weight.format(layer), weight.format(layer).replace("_W_", "_b_").replace("kernel", "bias")]
                group.attrs["weight_names"] = np.array([name.encode() for name in names])
                group[names[0]], group[names[1]] = hwio(kernel), bias


def make_matlab():
    def cell(*items):
        array = np.empty((1, len(items)), object)
        array[0, :] = items
        return array

    def layers(new):
        found = []
        for (block, index), (kernel, bias) in RGB.items():
            name = f"{block}_{index}"
            weights = hwio(kernel), bias.reshape(1, -1)
            fields = {"weights": cell(*weights)} if new else {"filters": weights[0], "biases": weights[1]}
            pad, stride = np.ones((1, 4)), np.ones((1, 2))
            found.append({**fields, "pad": pad, "type": "conv", "name": f"conv{name}", "stride": stride})
            found.append({"type": "relu", "name": f"relu{name}"})
            if index == COUNTS[block - 1]:
                found.append({"name": f"pool{block}", "stride": np.full((1, 2), 2.0), "pad": np.zeros((1, 4)),
                              "type": "pool", "method": "max", "pool": np.full((1, 2), 2.0)})
        fc = FULLY_CONNECTED[None, None], np.zeros((1, FULLY_CONNECTED.shape[1]), "f4")
        found.append({"weights": cell(*fc), "pad": np.zeros((1, 4)), "type": "conv", "name": "fc6", "stride": np.ones((1, 2))})
        return cell(*found)

    mean = np.array([123.68, 116.779, 103.939]).reshape(1, 1, 3)
    classes = {"name": cell("n01440764"), "description": cell("tench")}
    old = {"layers": layers(False), "classes": classes, "normalization": {"averageImage": mean}}
    new = {"layers": layers(True), "meta": {"normalization": {"averageImage": mean}, "classes": classes}}
    scipy.io.savemat(path("matconvnet_2014.mat"), old)
    scipy.io.savemat(path("matconvnet.mat"), new, do_compression=True)


def make_numpy():
    # The TensorFlow ports' dictionaries: lists, written by Python 2 and by Python 3, and dictionaries of names.
    lists = {f"conv{b}_{i}": [hwio(kernel), bias] for (b, i), (kernel, bias) in BGR.items()}
    lists["fc6"] = [FULLY_CONNECTED, np.zeros(FULLY_CONNECTED.shape[1], "f4")]
    named = {layer: {"weights": weights, "biases": biases} for layer, (weights, biases) in lists.items()}
    np.save(path("lists.npy"), np.array(lists, dtype=object), allow_pickle=True)
    np.save(path("named.npy"), np.array(named, dtype=object), allow_pickle=True)
    with open(path("protocol2.npy"), "wb") as file:
        array = np.array(lists, dtype=object)
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
        pickle.dump(array, file, protocol=2)
    arrays = {}
    for layer, (weights, biases) in lists.items():
        arrays[f"{layer}/weights"], arrays[f"{layer}/biases"] = np.asfortranarray(weights), biases
    np.savez(path("ports.npz"), **arrays)
    np.savez_compressed(path("ports_compressed.npz"), **arrays)


def make_onnx():
    def model(name, tensors, nodes, **options):
        shape = [1, 3, 32, 32]
        graph = onnx.helper.make_graph(
            nodes, "vgg19",
            [onnx.helper.make_tensor_value_info("input", onnx.TensorProto.FLOAT, shape)],
            [onnx.helper.make_tensor_value_info(nodes[-1].output[0], onnx.TensorProto.FLOAT, None)],
            tensors)
        onnx.save(onnx.helper.make_model(graph, **options), path(name))

    def nodes(weight, bias):
        made, last = [], "input"
        for layer in RGB:
            made.append(onnx.helper.make_node("Conv", [last, weight(*layer), bias(*layer)], [f"c{layer}"], pads=[1] * 4))
            made.append(onnx.helper.make_node("Relu", [f"c{layer}"], [f"r{layer}"]))
            last = f"r{layer}"
            if layer[1] == COUNTS[layer[0] - 1]:
                made.append(onnx.helper.make_node("MaxPool", [last], [f"p{layer}"], kernel_shape=[2, 2], strides=[2, 2]))
                last = f"p{layer}"
        return made

    def typed(name, array):
        return onnx.helper.make_tensor(name, onnx.TensorProto.FLOAT, array.shape, array.flatten())

    order = {layer: number for number, layer in enumerate(RGB)}
    zoo = [lambda b, i: f"vgg0_conv{order[b, i]}_weight", lambda b, i: f"vgg0_conv{order[b, i]}_bias"]
    tensors = [typed(name(*layer), array) for layer, arrays in RGB.items() for name, array in zip(zoo, arrays)]
    tensors.append(typed("vgg0_dense0_weight", FULLY_CONNECTED))
    model("zoo.onnx", tensors, nodes(*zoo), producer_name="mxnet")
    tf = [lambda b, i: f"functional_1/block{b}_conv{i}_1/convolution/ReadVariableOp:0",
          lambda b, i: f"functional_1/block{b}_conv{i}_1/Squeeze:0"]
    tensors = [onnx.numpy_helper.from_array(FULLY_CONNECTED, "functional_1/dense_1/Cast/ReadVariableOp:0")]
    tensors += [onnx.numpy_helper.from_array(array, name(*layer))
               for layer, arrays in reversed(BGR.items()) for name, array in zip(tf, arrays)]
    model("tf2onnx.onnx", tensors, nodes(*tf), producer_name="tf2onnx")
    # Names that tell nothing: the graph alone tells the order, the user the preprocessing.
    plain = [lambda b, i: f"w{97 * order[b, i] % 16}", lambda b, i: f"b{89 * order[b, i] % 16}"]
    constants = [onnx.helper.make_node("Constant", [], [name(*layer)], value=onnx.numpy_helper.from_array(array))
                 for layer, arrays in RGB.items() for name, array in zip(plain, arrays)]
    model("ambiguous.onnx", [], constants + nodes(*plain))


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number, payload):
    """A protocol buffer field of bytes."""
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def make_caffe():
    """By the published schema, caffe.proto: NetParameter, V1LayerParameter, LayerParameter, BlobProto."""
    def blob(array, new):
        if new:
            dims = b"".join(varint(side) for side in array.shape)
            shape = field(7, field(1, dims))
        else:
            sides = (1,) * (4 - array.ndim) + array.shape
            shape = b"".join(varint(number << 3) + varint(side) for number, side in enumerate(sides, 1))
        return shape + field(5, array.astype("<f4").tobytes())

    layers = [(f"conv{b}_{i}", arrays) for (b, i), arrays in BGR.items()]
    layers.append(("fc6", (FULLY_CONNECTED.T, np.zeros(FULLY_CONNECTED.shape[1], "f4"))))
    old = field(1, b"VGG_ILSVRC_19_layers")
    new = field(1, b"VGG_ILSVRC_19_layers")
    for name, arrays in layers:
        # type CONVOLUTION = 4
        old += field(2, field(2, b"bottom") + field(4, name.encode()) + varint(5 << 3) + varint(4)
                     + b"".join(field(6, blob(array, False)) for array in arrays))
        new += field(100, field(1, name.encode()) + field(2, b"Convolution")
                     + b"".join(field(7, blob(array, True)) for array in arrays))
    open(path("layers.caffemodel"), "wb").write(old)
    open(path("layer.caffemodel"), "wb").write(new)


def make_expected():
    random = np.random.default_rng(5)
    picture = random.uniform(0, 255, (24, 20, 3)).astype("f4")
    expected = {"picture": picture}
    for name, scale, mean, std in (("torch", 1 / 255, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
                                   ("caffe", 1, (123.68, 116.779, 103.939), (1, 1, 1))):
        x = (picture.astype("f8") * scale - mean) / std
        x = torch.from_numpy(x.transpose(2, 0, 1)[None])
        for (block, index), (kernel, bias) in RGB.items():
            if index == 1 and block > 1:
                x = torch.nn.functional.max_pool2d(x, 2)
            x = torch.nn.functional.conv2d(x, torch.from_numpy(kernel).double(), torch.from_numpy(bias).double(), padding=1)
            x = torch.relu(x)
            if (block, index) in ((1, 1), (3, 4), (5, 1)):
                expected[f"{name}_conv{block}_{index}"] = x[0].permute(1, 2, 0).numpy()
    # Raw little-endian numbers, which any language reads: first the picture, then each layer's features.
    with open(path("expected.bin"), "wb") as file:
        for name in sorted(expected):
            array = expected[name].astype("<f8")
            file.write(struct.pack("<32sIII", name.encode(), *array.shape) + array.tobytes())
    with open(path("kernels.bin"), "wb") as file:
        for kernel, bias in RGB.values():
            file.write(struct.pack("<II", *kernel.shape[:2]) + kernel.astype("<f4").tobytes() + bias.astype("<f4").tobytes())


def make_hostile():
    class System:
        def __reduce__(self):
            return os.system, ("touch /tmp/impasto-was-here",)

    torch.save({"conv1_1.weight": System()}, path("os_system.pth"))
    torch.save({"conv1_1.weight": System()}, path("os_system_legacy.pth"), _use_new_zipfile_serialization=False)
    np.save(path("os_system.npy"), np.array({"conv1_1": System()}, dtype=object), allow_pickle=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    os.makedirs(HERE, exist_ok=True)
    for make in make_torch, make_keras, make_matlab, make_numpy, make_onnx, make_caffe, make_expected, make_hostile:
        make()
    print(sum(os.path.getsize(path(name)) for name in os.listdir(HERE)), "bytes in", HERE, file=sys.stderr)
