"""The way back: a network of ours -> a state dict that torchvision's ResNet loads.

Bit for bit what was imported from there. The normalisation is not part of torchvision's nets, so
it goes into the file's metadata: feed them (pixels - pixel_mean) * pixel_scale.
"""

import numpy as np

from zoo import files
from zoo.importers import ImportFailed
from zoo.importers.layouts import TORCHVISION, targets
from zoo.specs import find


def state_dict(model, network):
    """The tensors by torchvision's names: keras.Model, Network -> {name: float32 array}.

    ImportFailed if torchvision has no such network: it would load the weights of a v1 bottleneck
    and compute something else. Counters (num_batches_tracked) are left out, as unknown.
    """
    _same_network(network)
    tensors = {}
    for name, target in targets(TORCHVISION, network).items():
        if not target.required:
            continue
        array = _variable(model.get_layer(target.layer), target.variable)
        if target.axes:
            array = array.transpose(np.argsort(target.axes))
        tensors[name] = np.ascontiguousarray(array)
    return tensors


def save(model, network, path):
    """Writes `state_dict` as .safetensors, whole or not at all."""
    from safetensors.numpy import save_file

    pixels = model.get_layer("pixels")
    metadata = {
        "format": "pt",
        "network": network.name,
        "pixel_mean": _numbers(_variable(pixels, "mean")),
        "pixel_scale": _numbers(_variable(pixels, "scale")),
    }
    tensors = state_dict(model, network)
    with files.replacing(path) as temporary:
        save_file(tensors, temporary, metadata)


def _same_network(network):
    spec = find(network.name)
    expected = {"shortcut": "B", "mean": "channel", "bn_epsilon": 1e-5, "pool_pad": "both"}
    if spec.block == "bottleneck":
        expected["stride"] = "3x3"
    misfits = [
        f"{field} {getattr(network, field)}, there {value}"
        for field, value in expected.items()
        if getattr(network, field) != value
    ]
    if spec.stem != "imagenet":
        misfits = ["torchvision has the nets of Table 1 alone"]
    if misfits:
        raise ImportFailed(
            f"{network.name} is another network than torchvision's: {'; '.join(misfits)}"
        )


def _variable(layer, name):
    return next(np.array(x) for x in layer.weights if x.name == name)


def _numbers(array):
    return ", ".join(f"{x:.9g}" for x in array.ravel())
