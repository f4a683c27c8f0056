"""What other libraries call the weights of each place, and the order of their axes."""

import collections
import dataclasses
from collections.abc import Callable

from zoo.places import dense, places
from zoo.specs import find

# A kernel is (out, in, height, width) in Torch and Caffe, (height, width, in, out) in Keras.
OIHW_TO_HWIO, OI_TO_IO = (2, 3, 1, 0), (1, 0)

HIDDEN = "hidden layer"  # of a head of two: called so by `renaming`, for nobody has a name for it

# What a place is called: its convolution, its statistics, its scale and shift.
Names = collections.namedtuple("Names", ["conv", "norm", "scale"])


@dataclasses.dataclass(frozen=True)
class Target:
    """Where one tensor of a file belongs: a layer of ours, its variable, its shape there."""

    layer: str
    variable: str
    shape: tuple[int, ...]
    axes: tuple[int, ...] | None = None  # transposes the file's array into ours
    required: bool = True


@dataclasses.dataclass(frozen=True)
class Layout:
    """The names one library gives; `names` maps a Place and a network's name to Names.

    `suffixes` are those of kernel, bias, gamma, beta, mean and variance. `idle` ends the names of
    tensors that no inference reads. `bgr` says that the first kernel expects BGR.
    """

    name: str
    names: Callable
    head: str
    suffixes: tuple[str, str, str, str, str, str]
    transposed: bool = True
    idle: str | None = None
    bgr: bool = False


def targets(layout, network):
    """Every tensor that a file of this network has in this layout: {name in the file: Target}."""
    kernel, bias, gamma, beta, mean, variance = layout.suffixes
    found = {}
    for place in places(network):
        names = layout.names(place, network.name)
        side, width = place.kernel, place.filters
        conv, norm = f"{place.name}_conv", f"{place.name}_bn"
        axes = OIHW_TO_HWIO if layout.transposed else None
        found[names.conv + kernel] = Target(conv, "kernel", (side, side, place.inputs, width), axes)
        # The paper's convolutions have no bias; some published files carry one, see fit.py.
        found[names.conv + bias] = Target(conv, "bias", (width,), required=False)
        found[names.scale + gamma] = Target(norm, "gamma", (width,))
        found[names.scale + beta] = Target(norm, "beta", (width,))
        found[names.norm + mean] = Target(norm, "moving_mean", (width,))
        found[names.norm + variance] = Target(norm, "moving_variance", (width,))
    axes = OI_TO_IO if layout.transposed else None
    for layer, *shape in dense(network):
        name = layout.head if layer == "logits" else HIDDEN
        found[name + kernel] = Target(layer, "kernel", tuple(shape), axes)
        found[name + bias] = Target(layer, "bias", (shape[1],))
    return found


def torchvision(place, _, shortcut="downsample"):
    """layer1.0.conv1, layer1.0.bn1, ...: torchvision, timm, and most that learned from them."""
    if place.stage == 1:
        return Names("conv1", "bn1", "bn1")
    block = f"layer{place.stage - 1}.{place.unit - 1}"
    if place.position == 0:
        return Names(f"{block}.{shortcut}.0", *[f"{block}.{shortcut}.1"] * 2)
    return Names(f"{block}.conv{place.position}", *[f"{block}.bn{place.position}"] * 2)


def common_cifar(place, network):
    """The same with `shortcut`, as in the PyTorch CIFAR repositories."""
    return torchvision(place, network, "shortcut")


def sequential(place, network):
    """0, 1, 4.0.conv1, ...: `nn.Sequential(*list(resnet.children())[:-1])`."""
    if place.stage == 1:
        return Names("0", "1", "1")
    return Names(
        *(f"{x[5:].replace(x[5], str(int(x[5]) + 3), 1)}" for x in torchvision(place, network))
    )


def in_order(place, network):
    """block1.conv1, block1.norm1, ...: what `onnx_graph` calls them, conv0 the projection."""
    if place.stage == 1:
        return Names("stem.conv", "stem.norm", "stem.norm")
    number = sum(find(network).depths[: place.stage - 2]) + place.unit
    norm = f"block{number}.norm{place.position}"
    return Names(f"block{number}.conv{place.position}", norm, norm)


def hugging_face(place, _):
    """resnet.encoder.stages.0.layers.0.layer.0.convolution, ...: transformers."""
    if place.stage == 1:
        part = "resnet.embedder.embedder"
    else:
        block = f"resnet.encoder.stages.{place.stage - 2}.layers.{place.unit - 1}"
        part = f"{block}.layer.{place.position - 1}" if place.position else f"{block}.shortcut"
    return Names(f"{part}.convolution", *[f"{part}.normalization"] * 2)


def keras_applications(place, _):
    """conv2_block1_1_conv, conv2_block1_1_bn, ...: the names that we use too."""
    return Names(f"{place.name}_conv", *[f"{place.name}_bn"] * 2)


def caffe(place, network):
    """res2a_branch2a, bn2a_branch2a, scale2a_branch2a, ...: the authors' prototxt files.

    Units are a, b, c, ... but a, b1, b2, ... in conv3_x and conv4_x of the two deeper nets.
    """
    if place.stage == 1:
        return Names("conv1", "bn_conv1", "scale_conv1")
    numbered = place.stage in (3, 4) and find(network).layers > 50 and place.unit > 1
    unit = f"b{place.unit - 1}" if numbered else chr(ord("a") + place.unit - 1)
    branch = "branch2" + "abc"[place.position - 1] if place.position else "branch1"
    return Names(*(f"{kind}{place.stage}{unit}_{branch}" for kind in ("res", "bn", "scale")))


TORCH = (".weight", ".bias", ".weight", ".bias", ".running_mean", ".running_var")
KERAS = ("/kernel", "/bias", "/gamma", "/beta", "/moving_mean", "/moving_variance")
BLOBS = ("/0", "/1", "/0", "/1", "/0", "/1")
COUNTER = ".num_batches_tracked"

TORCHVISION = Layout("torchvision", torchvision, "fc", TORCH, idle=COUNTER)
SEQUENTIAL = Layout("torchvision in a Sequential", sequential, "fc", TORCH, idle=COUNTER)
COMMON_CIFAR = Layout("common CIFAR", common_cifar, "linear", TORCH, idle=COUNTER)
HUGGING_FACE = Layout("Hugging Face", hugging_face, "classifier.1", TORCH, idle=COUNTER)
KERAS_APPLICATIONS = Layout(
    "keras.applications", keras_applications, "predictions", KERAS, transposed=False, bgr=True
)
ONNX = Layout("ONNX", in_order, "head", TORCH)
CAFFE = Layout("Caffe", caffe, "fc1000", BLOBS, bgr=True)

# By --source; the first that fits a file is taken.
SOURCES = {
    "keras_applications": (KERAS_APPLICATIONS,),
    "torch": (TORCHVISION, COMMON_CIFAR, HUGGING_FACE, SEQUENTIAL),
    "onnx": (ONNX,),
    "caffe": (CAFFE,),
}
