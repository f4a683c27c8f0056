"""How large a network is, read off the built graph: parameters and multiply-adds."""

import math

import keras


def parameters(model):
    """Trainable parameters; Keras' `count_params` adds the moving statistics."""
    return sum(math.prod(v.shape) for v in model.trainable_variables)


def multiply_adds(model):
    """Multiply-adds of every convolution and the fc layer for one image, as in Table 1.

    Needs a model built with an `image_size`; ValueError otherwise. Normalisation, ReLU, additions
    and pooling are not counted, as the paper does not.
    """
    return sum(layer_multiply_adds(layer) for layer in model.layers)


def layer_multiply_adds(layer):
    """Multiply-adds of one layer for one image; 0 for all but convolutions and fc layers."""
    if not isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense)):
        return 0
    positions = layer.output.shape[1:-1]
    if None in positions:
        raise ValueError(
            f"multiply-adds depend on the image size: expected a model built with image_size=, "
            f"got {layer.name} with output {tuple(layer.output.shape)}"
        )
    return math.prod(positions) * math.prod(layer.kernel.shape)
