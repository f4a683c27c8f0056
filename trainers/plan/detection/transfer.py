"""Weights at step 0, of who looks for boxes: those of a classifier, an import, or another such."""

import numpy as np

from trainers.plan.transfer import TransferError
from zoo import archive
from zoo.detection import network as detection
from zoo.surgery import head


def source_network(init_from):
    """The Network of a run or an import, of either kind."""
    described = archive.load_manifest(init_from).network
    return getattr(described, "network", described)


def begin(model, init_from):
    """Fills the layers that the source has too, by name; -> how many of the new ones came along.

    A mean for each pixel becomes a channel's: pictures of a detector have any size. TransferError
    where a layer of the network does not fit.
    """
    manifest = archive.load_manifest(init_from)
    source, _ = archive.load(init_from, kind=manifest.kind)
    arrays = {layer.name: layer.get_weights() for layer in source.layers if layer.weights}
    came = 0
    for layer in model.layers:
        weights = arrays.get(layer.name)
        if layer.name == "pixels" and weights:
            weights = [np.mean(weights[0], axis=(0, 1), keepdims=True), weights[1]]
        fits = weights and [w.shape for w in weights] == [tuple(w.shape) for w in layer.weights]
        if layer.weights and not fits and layer.name not in detection.HEADS:
            raise TransferError(
                f"{init_from} does not fit {model.name} at layer {layer.name}: take a --model and "
                "--shortcut that are its own, or leave them out"
            )
        if fits:
            layer.set_weights(weights)
            came += layer.name in detection.HEADS
    return came


def freeze(model, recipe):
    """Makes constant what the recipe says: stages, normalisations (App. A)."""
    head.freeze(model, recipe.freeze or "none", bool(recipe.freeze_bn))


def describe(run, model, came):
    """For a person: from where, and what of it is trained."""
    added = sum(layer.name in detection.HEADS for layer in model.layers)
    manifest = archive.load_manifest(run.init_from)
    network = getattr(manifest.network, "network", manifest.network)
    stages = [f"all through {run.recipe.freeze}"] if run.recipe.freeze not in (None, "none") else []
    frozen = stages + ["batch normalisation"] * bool(run.recipe.freeze_bn)
    return (
        f"starting from {network.name} in {run.init_from} (step {manifest.step:,}), "
        f"{came} of {added} layers on top of it too, "
        f"frozen {' and '.join(frozen) or 'nothing'}"
    )
