"""Keras' weights: .h5 of Keras 1 and 2, .weights.h5 and .keras of Keras 3, read as data.

A .keras file also holds a configuration that Keras would turn into objects; only its weights are
opened here. A network may be a layer of another, however deep: its layers' own names are taken.
"""

import io

import h5py

from zoo import arrays as stored
from zoo.importers import ImportFailed, zips

# Keras 3 numbers the variables of a layer; how many there are and of what rank tells their names.
_NAMES = {
    (4,): ("kernel",),
    (4, 1): ("kernel", "bias"),
    (2, 1): ("kernel", "bias"),
    (2,): ("kernel",),
    (1, 1, 1, 1): ("gamma", "beta", "moving_mean", "moving_variance"),
}


def read_keras(path, entry=None):
    """The arrays of a .keras file: path -> {"layer/variable": array}."""
    with zips.opened(path) as archive:
        weights = io.BytesIO(zips.content(archive, "model.weights.h5"))
    with stored.opened(weights) as file:
        return _numbered(file, path)


def read_h5(path, entry=None):
    """The arrays of a .h5 file: path -> {"layer/variable": array}."""
    with stored.opened(path) as file:
        group = file.get("model_weights", file)  # a whole model, or its weights alone
        return _named(group) if "layer_names" in group.attrs else _numbered(file, path)


def _named(group):
    """Keras 1 and 2: layer/kernel:0 in the group of the layer, or of the network that it is in."""
    arrays = {}
    for place, dataset in stored.walk(group):
        if isinstance(dataset, h5py.Dataset):
            layer, _, variable = place.removesuffix(":0").rpartition("/")
            arrays[f"{layer.rpartition('/')[2]}/{variable}"] = dataset[()]
    return arrays


def _numbered(file, path):
    """Keras 3: each layer's variables are 0, 1, ...; an attribute tells the layer's name."""
    arrays = {}
    for name, datasets in stored.layers(file, path):
        if all(dataset.dtype.kind == "u" for dataset in datasets):
            continue  # the state of a generator: dropout's or augmentation's
        names = _NAMES.get(tuple(dataset.ndim for dataset in datasets))
        if names is None:
            shapes = [dataset.shape for dataset in datasets]
            raise ImportFailed(f"{path}: {name[:60]} with shapes {shapes} is no layer of a ResNet")
        for variable, dataset in zip(names, datasets, strict=True):
            arrays[f"{name}/{variable}"] = dataset[()]
    return arrays
