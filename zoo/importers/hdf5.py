"""Keras' weights: .h5 of Keras 1 and 2, .weights.h5 and .keras of Keras 3, read as data.

A .keras file also holds a configuration that Keras would turn into objects; only its weights are
opened here.
"""

import io
import zipfile

import h5py

from zoo.importers import ImportFailed

# Keras 3 numbers the variables of a layer; how many there are and of what rank tells their names.
_NAMES = {
    (4,): ("kernel",),
    (4, 1): ("kernel", "bias"),
    (2, 1): ("kernel", "bias"),
    (1, 1, 1, 1): ("gamma", "beta", "moving_mean", "moving_variance"),
}


def read_keras(path):
    """The arrays of a .keras file: path -> {"layer/variable": array}."""
    with zipfile.ZipFile(path) as archive:
        weights = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(weights, "r") as file:
        return _numbered(file, path)


def read_h5(path):
    """The arrays of a .h5 file: path -> {"layer/variable": array}."""
    with h5py.File(path, "r") as file:
        group = file.get("model_weights", file)  # a whole model, or its weights alone
        return _named(group) if "layer_names" in group.attrs else _numbered(file, path)


def _named(group):
    """Keras 1 and 2: attributes list the layers, and the weights of each layer."""
    arrays = {}
    for layer in map(_text, group.attrs["layer_names"]):
        for weight in map(_text, group[layer].attrs["weight_names"]):
            variable = weight.rpartition("/")[2].removesuffix(":0")
            arrays[f"{layer}/{variable}"] = group[layer][weight][()]
    return arrays


def _numbered(file, path):
    """Keras 3: each layer's variables are 0, 1, ...; an attribute tells the layer's name."""
    arrays = {}

    def collect(place, group):
        if not isinstance(group, h5py.Group) or not len(group) or place.startswith("optimizer"):
            return
        if not all(isinstance(item, h5py.Dataset) for item in group.values()):
            return
        values = [group[str(i)][()] for i in range(len(group))]
        names = _NAMES.get(tuple(value.ndim for value in values))
        if "name" not in group.attrs or names is None:
            shapes = [value.shape for value in values]
            raise ImportFailed(f"{path}: {place} with shapes {shapes} is no layer of a ResNet")
        layer = _text(group.attrs["name"])
        arrays.update({f"{layer}/{name}": value for name, value in zip(names, values, strict=True)})

    file.visititems(collect)
    return arrays


def _text(value):
    return value.decode() if isinstance(value, bytes) else str(value)
