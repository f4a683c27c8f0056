"""The authors' files: written in the real wire format by protobuf, computed with Caffe's rules."""

import dataclasses

import importers_oracles as oracles
import numpy as np
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from zoo.importers import ImportFailed, assemble, caffemodel
from zoo.importers.layouts import CAFFE, targets
from zoo.specs import Network

# Units of conv2_x ... conv5_x as the authors' prototxt files name them.
UNITS = {
    50: ("abc", "abcd", "abcdef", "abc"),
    101: ("abc", ("a", "b1", "b2", "b3"), ("a", *(f"b{i}" for i in range(1, 23))), "abc"),
    152: (
        "abc",
        ("a", *(f"b{i}" for i in range(1, 8))),
        ("a", *(f"b{i}" for i in range(1, 36))),
        "abc",
    ),
}
FACTOR = 0.75  # BatchNorm's third blob: what its sums are to be divided by


def messages():
    """NetParameter and BlobProto, the part of caffe.proto that such a file uses."""
    file = descriptor_pb2.FileDescriptorProto(
        name="caffe_part.proto", package="part", syntax="proto2"
    )

    def message(name, *fields):
        made = file.message_type.add(name=name)
        for number, field, kind, label, packed in fields:
            added = made.field.add(name=field, number=number, label=label)
            if isinstance(kind, str):
                added.type, added.type_name = added.TYPE_MESSAGE, f".part.{kind}"
            else:
                added.type = kind
            added.options.packed = packed

    f = descriptor_pb2.FieldDescriptorProto
    one, many = f.LABEL_OPTIONAL, f.LABEL_REPEATED
    message("BlobShape", (1, "dim", f.TYPE_INT64, many, True))
    sizes = enumerate(("num", "channels", "height", "width"), start=1)
    old = [(number, size, f.TYPE_INT32, one, False) for number, size in sizes]
    data = (5, "data", f.TYPE_FLOAT, many, True)
    message("BlobProto", *old, data, (7, "shape", "BlobShape", one, False))
    names = (1, "name", f.TYPE_STRING, one, False), (2, "type", f.TYPE_STRING, one, False)
    wires = (3, "bottom", f.TYPE_STRING, many, False), (4, "top", f.TYPE_STRING, many, False)
    message("LayerParameter", *names, *wires, (7, "blobs", "BlobProto", many, False))
    layers = (
        (100, "layer", "LayerParameter", many, False),
        (2, "layers", "LayerParameter", many, False),
    )
    message("NetParameter", (1, "name", f.TYPE_STRING, one, False), *layers)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    get = pool.FindMessageTypeByName
    return [
        message_factory.GetMessageClass(get(f"part.{x}")) for x in ("NetParameter", "BlobProto")
    ]


NetParameter, BlobProto = messages()


def put(blob, array, *, old=False):
    """Fills a BlobProto; the data goes in as packed bytes, which protobuf itself parses."""
    array = np.ascontiguousarray(array, "<f4")
    if old:
        sizes = (1,) * (4 - array.ndim) + array.shape
        blob.num, blob.channels, blob.height, blob.width = sizes
    else:
        blob.shape.dim.extend(array.shape)
    size, length = array.nbytes, b""
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    blob.MergeFromString(bytes([5 << 3 | 2]) + length + bytes([size]) + array.tobytes())


class Net:
    """Layers with blobs in order, drawn as they are asked for, and the forward pass of Caffe."""

    def __init__(self, depth, *, conv1_bias=False, classes=12, epsilon=1e-5):
        self.depth, self.conv1_bias, self.epsilon = depth, conv1_bias, epsilon
        self.classes, self.layers = classes, {}
        self.rng = np.random.default_rng(depth)

    def conv(self, x, name, out, kernel, stride, pad, bias=False):
        from torch.nn import functional

        inputs = x.shape[1]
        if name not in self.layers:
            shape = (out, inputs, kernel, kernel)
            blobs = [oracles.draw(self.rng, "kernel", shape, inputs * kernel**2)]
            self.layers[name] = blobs + ([oracles.draw(self.rng, "mean", out)] if bias else [])
        return functional.conv2d(x, *map(tensor, self.layers[name]), stride=stride, padding=pad)

    def norm(self, x, name):
        """BatchNorm with use_global_stats, then Scale with bias_term."""
        n = x.shape[1]
        if f"bn{name}" not in self.layers:
            statistics = [oracles.draw(self.rng, kind, n) for kind in ("mean", "variance")]
            self.layers[f"bn{name}"] = [FACTOR * s for s in statistics] + [np.array([FACTOR], "f4")]
            self.layers[f"scale{name}"] = [oracles.draw(self.rng, k, n) for k in ("gamma", "beta")]
        mean, variance, factor = (tensor(b) for b in self.layers[f"bn{name}"])
        gamma, beta = (tensor(b) for b in self.layers[f"scale{name}"])

        def wide(v):
            return v.view(1, -1, 1, 1)

        x = (x - wide(mean / factor)) / wide((variance / factor + self.epsilon) ** 0.5)
        return x * wide(gamma) + wide(beta)

    def forward(self, images, mean=(103.06262, 115.902885, 123.15163)):
        """RGB pixels -> logits, as with the deploy prototxt: BGR, mean off, ceil-mode pooling.

        The mean is blue first; by default the average of the authors' ResNet_mean.binaryproto.
        """
        import torch
        from torch.nn import functional

        bgr = images[..., ::-1] - np.array(mean, "float32")
        x = tensor(bgr.transpose(0, 3, 1, 2))
        with torch.no_grad():
            x = torch.relu(self.norm(self.conv(x, "conv1", 64, 7, 2, 3, self.conv1_bias), "_conv1"))
            x = functional.max_pool2d(x, 3, 2, ceil_mode=True)
            for stage, units in enumerate(UNITS[self.depth], start=2):
                for unit in units:
                    x = self.block(x, f"{stage}{unit}", 64 << (stage - 2), unit == "a", stage)
            x = x.mean((2, 3))  # pool5 covers the whole map
            if "fc1000" not in self.layers:
                shapes = (self.classes, x.shape[1]), (self.classes,)
                self.layers["fc1000"] = [oracles.draw(self.rng, "head", s) for s in shapes]
            return functional.linear(x, *map(tensor, self.layers["fc1000"])).numpy()

    def block(self, x, name, width, first, stage):
        import torch

        stride = 2 if first and stage > 2 else 1  # of branch1 and branch2a, the authors' v1
        shortcut = x
        if first:
            shortcut = self.conv(x, f"res{name}_branch1", 4 * width, 1, stride, 0)
            shortcut = self.norm(shortcut, f"{name}_branch1")
        for part, out, kernel in (("a", width, 1), ("b", width, 3), ("c", 4 * width, 1)):
            step = stride if part == "a" else 1
            x = self.conv(x, f"res{name}_branch2{part}", out, kernel, step, kernel // 2)
            x = self.norm(x, f"{name}_branch2{part}")
            x = x if part == "c" else torch.relu(x)
        return torch.relu(shortcut + x)

    def write(self, path, *, old=False):
        message = NetParameter(name=f"ResNet-{self.depth}")
        message.layer.add(name="data", type="Input", top=["data"])
        for name, blobs in self.layers.items():
            layer = message.layer.add(name=name, type="Convolution", bottom=["x"], top=["y"])
            for blob in blobs:
                put(layer.blobs.add(), blob, old=old)
        path.write_bytes(message.SerializeToString())
        return path


def tensor(array):
    return pytest.importorskip("torch").tensor(np.ascontiguousarray(array))


def imported(path, model, **more):
    return assemble.load(assemble.Request("caffe", str(path), model, **more))


@pytest.mark.parametrize(
    "depth",
    [
        50,
        pytest.param(101, marks=pytest.mark.slow),
        pytest.param(152, marks=pytest.mark.exhaustive),
    ],
)
def test_logits_are_those_of_caffe(depth, tmp_path):
    pytest.importorskip("torch")
    net, name = Net(depth, conv1_bias=depth == 50), f"resnet{depth}"
    # conv1's map is 32 and 31 wide: the pooling window hangs over the end of the one alone.
    images = {size: oracles.pixels(size) for size in (64, 62)}
    wanted = {size: net.forward(batch) for size, batch in images.items()}
    model, manifest = imported(net.write(tmp_path / "w.caffemodel", old=depth == 101), name)
    for size, batch in images.items():
        got = oracles.ours(model, batch)
        assert oracles.difference(got, wanted[size]) < oracles.TOLERANCE, size
    traits = (
        [] if depth != 50 else [{"pool_pad": "both"}, {"stride": "3x3"}, {"bn_epsilon": 1.01e-5}]
    )
    for wrong in traits:
        other = oracles.mutant(model, dataclasses.replace(manifest.network, **wrong))
        got = oracles.ours(other, images[64])
        assert oracles.difference(got, wanted[64]) > oracles.MISTAKE, wrong


@pytest.mark.slow
def test_logits_with_the_mean_image_are_those_of_caffe(tmp_path):
    pytest.importorskip("torch")
    net, message = Net(50, conv1_bias=True), BlobProto()
    mean = np.random.default_rng(0).uniform(90, 130, (3, 224, 224)).astype("f4")
    put(message, mean[None], old=True)
    (tmp_path / "mean.binaryproto").write_bytes(message.SerializeToString())
    images = oracles.pixels(224)
    wanted = net.forward(images, mean.transpose(1, 2, 0))
    path = net.write(tmp_path / "w.caffemodel")
    model, manifest = imported(path, "resnet50", mean_file=str(tmp_path / "mean.binaryproto"))
    assert (manifest.network.mean, manifest.network.image_size) == ("pixel", 224)
    assert oracles.difference(oracles.ours(model, images), wanted) < oracles.TOLERANCE
    upside_down = net.forward(images, mean.transpose(1, 2, 0)[::-1])
    assert oracles.difference(upside_down, wanted) > oracles.MISTAKE


def test_names_are_the_authors():
    # From the deploy prototxt files of github.com/KaimingHe/deep-residual-networks.
    for depth, some in {
        50: ("res4f_branch2c", "bn3d_branch2a", "scale5a_branch1", "bn_conv1", "fc1000"),
        101: ("res4b22_branch2c", "bn3b3_branch2a", "scale2c_branch2b", "res5c_branch2c"),
        152: ("res4b35_branch2a", "bn3b7_branch2c", "scale5b_branch2b", "res2a_branch1"),
    }.items():
        named = {
            name.split("/")[0] for name in targets(CAFFE, Network(f"resnet{depth}", 9, None, "B"))
        }
        assert named >= set(some)
        assert len(named) == {50: 160, 101: 313, 152: 466}[depth]  # layers with blobs there


def test_pool_pad_end_is_caffes_ceil_mode():
    functional = pytest.importorskip("torch").nn.functional
    import keras

    from zoo.blocks import imagenet_stem

    for size in (56, 58, 60, 62, 63):
        image = keras.Input((size, size, 3))
        stem = keras.Model(image, imagenet_stem(image, pool_pad="end"))
        before = keras.Model(image, stem.get_layer("conv1_relu").output)
        images = oracles.pixels(size)
        x = tensor(np.array(before(images)).transpose(0, 3, 1, 2))
        wanted = functional.max_pool2d(x, 3, 2, ceil_mode=True).numpy().transpose(0, 2, 3, 1)
        np.testing.assert_array_equal(np.array(stem(images)), wanted)


# -- files


def test_blobs_of_every_kind(tmp_path):
    message = NetParameter(name="net")
    layer = message.layer.add(name="fc")
    put(layer.blobs.add(), np.arange(6).reshape(2, 3), old=True)
    put(layer.blobs.add(), np.arange(300).reshape(3, 100))
    unpacked = layer.blobs.add()
    unpacked.shape.dim.append(2)
    unpacked.MergeFromString(
        b"".join(bytes([5 << 3 | 5]) + np.float32(x).tobytes() for x in (7, 8))
    )
    for name, factor in (("bn_a", 4.0), ("bn_b", 0.0)):  # Caffe takes 0 to mean: no sums yet
        for array in ([8.0, 4.0], [2.0, 6.0], [factor]):
            put(_next_blob(message, name), array)
    path = tmp_path / "w.caffemodel"
    path.write_bytes(message.SerializeToString())
    arrays = caffemodel.read_caffemodel(path)
    np.testing.assert_array_equal(arrays["fc/0"], np.arange(6).reshape(2, 3))
    np.testing.assert_array_equal(arrays["fc/1"], np.arange(300).reshape(3, 100))
    np.testing.assert_array_equal(arrays["fc/2"], [7, 8])
    np.testing.assert_array_equal(arrays["bn_a/0"], [2, 1])
    np.testing.assert_array_equal(arrays["bn_a/1"], [0.5, 1.5])
    np.testing.assert_array_equal(arrays["bn_b/0"], [0, 0])
    assert arrays.keys() == {"fc/0", "fc/1", "fc/2", "bn_a/0", "bn_a/1", "bn_b/0", "bn_b/1"}


def _next_blob(message, name):
    """The next blob of the layer of this name."""
    found = [layer for layer in message.layer if layer.name == name]
    return (found[0] if found else message.layer.add(name=name)).blobs.add()


def test_a_damaged_file_is_one_sentence(tmp_path):
    message = NetParameter(name="net")
    put(message.layer.add(name="conv1").blobs.add(), np.ones((4, 4)))
    whole, path = message.SerializeToString(), tmp_path / "w.caffemodel"
    for size in range(6, len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(ImportFailed, match="w.caffemodel"):
            imported(path, "resnet50")
    message = NetParameter()
    message.layers.add(name="conv1")
    path.write_bytes(message.SerializeToString())
    with pytest.raises(ImportFailed, match="Caffe's old format"):
        imported(path, "resnet50")


def test_the_mean_image_becomes_the_first_layer(tmp_path):
    message, image = BlobProto(), np.arange(3 * 256 * 256, dtype="f4").reshape(1, 3, 256, 256)
    put(message, image, old=True)
    path = tmp_path / "mean.binaryproto"
    path.write_bytes(message.SerializeToString())
    mean = caffemodel.read_mean(path)
    assert mean.shape == (256, 256, 3)
    np.testing.assert_array_equal(mean[2, 5], image[0, ::-1, 2, 5])  # BGR there, RGB here
    centre = assemble._centre(mean, 224)
    np.testing.assert_array_equal(centre[0, 0], mean[16, 16])
    with pytest.raises(ImportFailed, match="the mean image is"):
        assemble._centre(mean[:100], 224)
