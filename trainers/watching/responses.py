"""Layer responses (Fig. 7): what 3x3 layers give after normalisation, before ReLU or addition."""

import keras
import numpy as np
import tensorflow as tf

from zoo.recursion import room_for


def measure(model, batches):
    """Responses over all images, positions and channels: -> (layers, blocks), lists in order.

    A layer has `std` (Fig. 7), `mean`, and `std_of_parameters`: a normalisation gives channel c the
    mean beta_c and the deviation |gamma_c|, so over all channels sqrt(mean gamma^2 + var beta),
    which is what `std` is if its statistics are those of the images. A residual block has `rms`
    of F, of the shortcut's output `rms_x`, and `ratio` of the two, |F| / |x|.
    """
    norms = responding(model)
    sums = {layer.name: layer.input for layer in model.layers if layer.name.endswith("_add")}
    tensors = {norm.name: norm.output for norm in norms}
    for name, (x, residual) in sums.items():
        tensors[f"{name}:x"], tensors[f"{name}:F"] = x, residual
    totals = moments(model, tensors, batches)
    layers = []
    for norm in norms:
        mean, square = totals[norm.name]
        layers.append(
            {
                "layer": norm.name.removesuffix("_bn"),
                "std": float(np.sqrt(max(square - mean**2, 0))),
                "mean": float(mean),
                "std_of_parameters": from_parameters(norm),
            }
        )
    blocks = []
    for name in sums:
        x, residual = (float(np.sqrt(totals[f"{name}:{part}"][1])) for part in "xF")
        ratio = residual / max(x, np.finfo(np.float32).tiny)
        block = name.removesuffix("_add")
        blocks.append({"block": block, "rms": residual, "rms_x": x, "ratio": ratio})
    return layers, blocks


def responding(model):
    """The normalisations behind 3x3 convolutions, in the order of the layers."""
    names = [
        layer.name.removesuffix("_conv") + "_bn"
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D) and layer.kernel_size == (3, 3)
    ]
    return [model.get_layer(name) for name in names]


def moments(model, tensors, batches):
    """Mean and mean square of each tensor over all batches: {name: (mean, square)}, float64."""
    with room_for(len(model.layers)):
        inner = keras.Model(model.input, tensors)

    @tf.function(reduce_retracing=True)
    def of_batch(images):
        found = {name: tf.cast(x, tf.float64) for name, x in inner(images, training=False).items()}
        return {
            name: (tf.reduce_sum(x), tf.reduce_sum(x**2), tf.size(x)) for name, x in found.items()
        }

    totals = dict.fromkeys(tensors, 0.0)
    for images in batches:
        for name, sums in of_batch(images).items():
            totals[name] = totals[name] + np.array([x.numpy() for x in sums], np.float64)
    return {name: (total[0] / total[2], total[1] / total[2]) for name, total in totals.items()}


def from_parameters(norm):
    gamma, beta = (keras.ops.convert_to_numpy(v) for v in (norm.gamma, norm.beta))
    return float(np.sqrt(np.mean(np.float64(gamma) ** 2) + np.var(np.float64(beta))))
