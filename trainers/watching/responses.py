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


def without_blocks(model, batches):
    """What each residual block's F is worth: error with F = 0 -> (error of all, blocks in order).

    F is 0 where gamma and beta of its last normalisation are; `batches` of (images, labels) are
    gone through once a block. A block has `error_without`.
    """
    batches = list(batches)
    forward = tf.function(lambda images: model(images, training=False), reduce_retracing=True)

    def error():
        wrong = [np.argmax(forward(x).numpy(), axis=1) != np.asarray(y) for x, y in batches]
        return float(np.mean(np.concatenate(wrong)))

    blocks, whole = [], error()
    for layer in model.layers:
        if not layer.name.endswith("_add"):
            continue
        block = layer.name.removesuffix("_add")
        last = last_norm(model, block)
        kept = [keras.ops.copy(v) for v in (last.gamma, last.beta)]
        for variable in (last.gamma, last.beta):
            variable.assign(keras.ops.zeros_like(variable))
        blocks.append({"block": block, "error_without": error()})
        for variable, value in zip((last.gamma, last.beta), kept, strict=True):
            variable.assign(value)
    return whole, blocks


def last_norm(model, block):
    """The normalisation that F ends with."""
    places = [x for x in "123" if any(y.name == f"{block}_{x}_bn" for y in model.layers)]
    return model.get_layer(f"{block}_{places[-1]}_bn")
