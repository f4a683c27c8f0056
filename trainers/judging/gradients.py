"""How long the gradient of each layer's kernel is: whether signals reach the first (Sec. 4.1)."""

import keras
import numpy as np
import tensorflow as tf

from trainers.engine.metrics import cross_entropy
from zoo.recursion import room_for


def of_layers(model, batches):
    """[{"layer", "norm"}], input first: the root mean square over batches of (images, labels).

    Of the mean cross entropy, without decay, as in a training step: so each batch is normalised by
    its own statistics, and moves the moving ones of `model`.
    """
    layers = [
        layer
        for layer in model.layers
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense))
    ]
    kernels = [layer.kernel.value for layer in layers]

    @tf.function(reduce_retracing=True)
    def squares(images, labels):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(kernels)
            loss = tf.reduce_mean(cross_entropy(model(images, training=True), labels))
        found = tape.gradient(loss, kernels)
        return [tf.reduce_sum(tf.cast(gradient, tf.float64) ** 2) for gradient in found]

    with room_for(len(model.layers)):
        rows = [[float(x) for x in squares(images, labels)] for images, labels in batches]
    norms = np.sqrt(np.mean(rows, axis=0))
    return [
        {"layer": layer.name.removesuffix("_conv"), "norm": float(norm)}
        for layer, norm in zip(layers, norms, strict=True)
    ]
