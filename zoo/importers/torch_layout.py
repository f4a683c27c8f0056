"""The way back: a network of ours -> a state dict of torchvision's, or of the CIFAR repositories'.

Bit for bit what was imported from there. The normalisation is not part of torchvision's nets, so
it goes into the file's metadata: feed them (pixels - pixel_mean) * pixel_scale.
"""

import numpy as np

from zoo import files
from zoo.importers import ImportFailed
from zoo.importers.layouts import COMMON_CIFAR, TORCHVISION, targets
from zoo.specs import find


def state_dict(model, network):
    """The tensors by torchvision's names: keras.Model, Network -> {name: float32 array}.

    ImportFailed if torchvision has no such network: it would load the weights of a v1 bottleneck
    and compute something else. Counters (num_batches_tracked) are left out, as unknown.
    """
    _same_network(network)
    tensors, orders = {}, _orders(network)
    for name, target in targets(layout(network), network).items():
        if not target.required:
            continue
        array = _variable(model.get_layer(target.layer), target.variable)
        if orders:
            array = _reordered(array, target, orders)
        if target.axes:
            array = array.transpose(np.argsort(target.axes))
        tensors[name] = np.ascontiguousarray(array)
    return tensors


def layout(network):
    """Whose names it gets: `linear` and `shortcut` in the CIFAR repositories."""
    return COMMON_CIFAR if find(network.name).stem == "cifar" else TORCHVISION


def _orders(network):
    """Which channel of a stage's maps stands at each place there: {stage: (C,) int}, {} as here.

    The CIFAR repositories' option A puts half of the zeros before x's channels, ours behind them.
    With the channels in another order the same function has their zeros.
    """
    if network.shortcut != "A" or network.zeros == "split":
        return {}
    orders = {2: np.arange(network.spec.filters[0])}
    for stage, filters in enumerate(network.spec.filters[1:], start=3):
        x = orders[stage - 1]
        new, before = np.arange(len(x), filters), (filters - len(x)) // 2
        orders[stage] = np.concatenate([new[:before], x, new[before:]])
    return orders


def _reordered(array, target, orders):
    """A layer's array for maps whose channels are in another order."""
    if target.layer == "logits":
        return array[orders[max(orders)]] if target.variable == "kernel" else array
    if target.layer.startswith("conv1_"):
        return array
    stage, block, position, _ = target.layer.split("_")
    stage, is_first = int(stage.removeprefix("conv")), block == "block1"
    if position == "2":
        return array[..., orders[stage]]
    before = orders[max(2, stage - 1) if is_first else stage]
    return array[:, :, before] if target.variable == "kernel" else array


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
    expected = {
        "shortcut": "B",
        "mean": "channel",
        "bn_epsilon": 1e-5,
        "pool_pad": "both",
        "width": 1,
    }
    if spec.stem == "cifar":
        del expected["pool_pad"]
    if spec.plain:
        raise ImportFailed(f"{network.name} has no shortcuts: PyTorch's libraries have none such")
    if network.stem_filters is not None:
        raise ImportFailed(f"{network.name} has a stem of {network.stem_filters} filters: none has")
    if network.hidden is not None:
        raise ImportFailed(f"{network.name} has a hidden layer of {network.hidden} units: none has")
    if spec.block == "bottleneck":
        expected["stride"] = "3x3"
    misfits = [
        f"{field} {getattr(network, field)}, there {value}"
        for field, value in expected.items()
        if getattr(network, field) != value
    ]
    if spec.stem == "cifar" and network.shortcut == "A":
        misfits = [text for text in misfits if not text.startswith("shortcut")]
    if misfits:
        raise ImportFailed(
            f"{network.name} is another network than torchvision's: {'; '.join(misfits)}"
        )


def _variable(layer, name):
    return next(np.array(x) for x in layer.weights if x.name == name)


def _numbers(array):
    return ", ".join(f"{x:.9g}" for x in array.ravel())
