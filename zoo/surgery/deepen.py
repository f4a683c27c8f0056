"""The solution by construction (Sec. 1): a deeper net that computes what a shallower one does.

"The added layers are identity mapping, and the other layers are copied from the learned shallower
model": so a deeper net need not have a higher training error. New blocks stand at the end of their
stage, where their input is the output of a ReLU, so that another ReLU changes nothing.
"""

import dataclasses

import numpy as np
from keras import ops

from zoo.recursion import room_for
from zoo.resnet import build_network, features
from zoo.specs import deepens, find


class DeepenError(ValueError):
    """Two networks of which one is not the other with more blocks."""


def deepen(model, network, name, images=None):
    """The deeper network called `name` of the same function: -> (keras.Model, zoo.Network).

    `network` describes `model`. New residual blocks have F = 0, by a last gamma and beta of 0, and
    are exact in training too. New layers of a plain net have identity kernels; their normalisation
    passes its input through at inference. `images` (B, H, W, 3) give it the mean and variance of
    what passes, so that it does so in training too, as far as a batch's own statistics are those.
    DeepenError unless `name` has the stages of `network.name`, none shorter and one longer.
    """
    check(network.name, name)
    network = dataclasses.replace(network, name=name)
    deeper = build_network(network)
    sources = {layer.name: layer for layer in model.layers}
    statistics = passing(model, images)
    for layer in deeper.layers:
        if layer.name in sources:
            layer.set_weights(sources[layer.name].get_weights())
        elif layer.weights:
            stage, unit, place, kind = layer.name.split("_")
            if network.shortcut is None or place == "0":
                identity = identity_conv if kind == "conv" else identity_norm
                identity(layer, statistics[stage])
            elif kind == "bn" and place == last_place(network):
                layer.gamma.assign(ops.zeros_like(layer.gamma))
                layer.beta.assign(ops.zeros_like(layer.beta))
    return deeper, network


def check(shallow_name, deep_name):
    if not deepens(shallow_name, deep_name):
        raise DeepenError(
            f"{deep_name} is not {shallow_name} with more blocks: expected the same kind of block "
            "and stages of which none is shorter and one is longer"
        )


def last_place(network):
    """The last convolution of a block, as layers are named: the 3 of conv2_block1_3_bn."""
    return {"basic": "2", "bottleneck": "3"}[find(network.name).block]


def passing(model, images):
    """Mean and variance of the channels at each stage's end: {"conv2": ((C,), (C,)), ...}.

    Without images 0 and 1, whatever passes.
    """
    ends = {x.name.split("_")[0]: x.name for x in model.layers if x.name.endswith("_out")}
    if images is None:
        return dict.fromkeys(ends, (0.0, 1.0))
    with room_for(len(model.layers)):
        maps = features(model, list(ends.values()))(images)
    maps = {stage: np.float64(ops.convert_to_numpy(maps[end])) for stage, end in ends.items()}
    return {stage: (x.mean((0, 1, 2)), x.var((0, 1, 2))) for stage, x in maps.items()}


def identity_conv(layer, statistics):
    """A kernel (h, w, C, C) that is 1 in its middle, from each channel to itself, and 0 else."""
    kernel = np.zeros(layer.kernel.shape, np.float32)
    height, width, channels, _ = kernel.shape
    kernel[height // 2, width // 2] = np.eye(channels)
    layer.kernel.assign(kernel)


def identity_norm(layer, statistics):
    """gamma = sqrt(variance + eps) and beta = mean undo what the normalisation does."""
    mean, variance = statistics
    ones = np.ones(layer.gamma.shape)
    layer.gamma.assign(ones * np.sqrt(variance + layer.epsilon))
    layer.beta.assign(ones * mean)
    layer.moving_mean.assign(ones * mean)
    layer.moving_variance.assign(ones * variance)
