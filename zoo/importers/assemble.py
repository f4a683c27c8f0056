"""The network of a file: built, filled, described, saved."""

import dataclasses
import pathlib

import numpy as np

from zoo import files, records
from zoo.importers import ImportFailed, caffemodel, fit, labels, preparation, reading
from zoo.importers.layouts import HUGGING_FACE
from zoo.specs import find

# What the same names and shapes do not tell: each source's own epsilon, strides and paddings.
TRAITS = {
    "keras_applications": {"bn_epsilon": 1.001e-5},
    "torch": {"bn_epsilon": 1e-5, "stride": "3x3", "zeros": "split"},
    "caffe": {"bn_epsilon": 1e-5, "pool_pad": "end"},
    "onnx": {},  # the graph tells
}


@dataclasses.dataclass(frozen=True)
class Request:
    """What a command line asks for; `evaluation` None takes the layout's usual one."""

    source: str
    path: str
    model: str
    evaluation: str | None = None
    labels: str | None = None
    mean_file: str | None = None
    headless: bool = False
    entry: str | None = None
    bgr: bool | None = None
    pool_pad: str | None = None
    mean: tuple = ()
    std: tuple = ()
    image_size: int | None = None


def load(request):
    """The network of a file and its manifest: Request -> (keras.Model, Manifest)."""
    return assemble(request, understood(request))


def understood(request):
    """What a file holds, every tensor accounted for, before anything is built: Request -> Match."""
    arrays = reading.read(request.path, request.source, request.entry)
    found = fit.match(arrays, request.source, request.model)
    fit.check(arrays, found, request.path, headless=request.headless)
    for name in ("entry", "others", "traits", "normalisation"):
        setattr(found.arrays, name, getattr(arrays, name, None))
    return found


def assemble(request, found):
    """The network that was understood and its manifest: -> (keras.Model, Manifest)."""
    from zoo import archive
    from zoo.resnet import build_network

    evaluation, rules = preparation.choose(request, found, pathlib.Path(request.path))
    mean = np.reshape(rules.mean, (1, 1, 3))
    network = dataclasses.replace(found.network, **traits(request, found))
    if request.mean_file:
        size = rules.input.image_size
        mean = _centre(caffemodel.read_mean(pathlib.Path(request.mean_file)), size)
        network = dataclasses.replace(network, mean="pixel", image_size=size)
    weights = fit.convert(found.arrays, found.layout, network, request.bgr)
    weights["pixels"] = {"mean": mean, "scale": np.array(rules.scale)}
    model = build_network(network)
    fill(model, weights)
    manifest = archive.Manifest(
        network=network,
        input=rules.input,
        class_names=labels.class_names(rules.classes, network.num_classes, request.labels),
        data={"imported": _origin(request, found, evaluation)},
    )
    return model, manifest


def traits(request, found):
    """The source's traits, less those that this network cannot show."""
    shown = dict(TRAITS[request.source]) | (found.arrays.traits or {})
    if request.pool_pad:
        shown["pool_pad"] = request.pool_pad
    elif shown.get("pool_pad", "both") is None:
        raise ImportFailed(
            f"{request.path} computes how its max pool is padded: give --pool_pad=end, as Caffe's "
            "and TensorFlow's nets have it, or --pool_pad=both"
        )
    if found.layout is HUGGING_FACE and _halves_early(pathlib.Path(request.path)):
        shown["stride"] = "1x1"
    if find(request.model).block == "basic":
        shown.pop("stride", None)  # its 3x3 halves the map in any case
    if found.network.shortcut != "A":
        shown.pop("zeros", None)
    return shown


def _halves_early(path):
    """Whether the config.json beside Hugging Face's weights puts the stride on the first 1x1."""
    config = path.with_name("config.json")
    if not config.is_file():
        return False
    try:
        config = records.of_type(records.read(config), dict, "the whole")
    except ValueError as error:
        raise ImportFailed(f"{path.with_name('config.json')}: {error}") from None
    return bool(config.get("downsample_in_bottleneck"))


def save(model, manifest, output_dir):
    """`archive.save`, except over a network that was trained and not imported."""
    from zoo import archive

    if (pathlib.Path(output_dir) / archive.MANIFEST).exists():
        there = archive.load_manifest(output_dir)
        if "imported" not in there.data:
            raise ImportFailed(f"{output_dir} holds a trained network: give another --output_dir")
    return archive.save(model, manifest, output_dir)


def fill(model, weights):
    """Puts each array into its variable; every variable of the model must get one."""
    for layer in model.layers:
        given = weights.pop(layer.name, {})
        names = [variable.name for variable in layer.weights]
        if set(names) != set(given):
            raise ImportFailed(f"{layer.name}: expected {names}, got {sorted(given)}")
        layer.set_weights([given[name] for name in names])
    if weights:
        raise ImportFailed(f"no layer for {', '.join(weights)}")


def _centre(image, size):
    """The central square of a mean image: (H, W, 3) -> (size, size, 3)."""
    if min(image.shape[:2]) < size:
        raise ImportFailed(f"the mean image is {image.shape[:2]}, the network's input {size}")
    top, left = ((side - size) // 2 for side in image.shape[:2])
    return image[top : top + size, left : left + size]


def _origin(request, found, evaluation):
    entry = {"entry": found.arrays.entry} if found.arrays.entry else {}
    return entry | {
        "source": request.source,
        "layout": found.layout.name,
        "file": pathlib.Path(request.path).name,
        "sha256": files.sha256(request.path),
        "evaluation": evaluation,
        "head": "zeros" if request.headless else "the file's",
    }
