"""A classifier in its fully-convolutional form, for images of any size (Sec. 3.4)."""

import dataclasses

import keras
from keras import layers

from zoo.recursion import room_for
from zoo.resnet import build_network
from zoo.specs import find


class ConvolutionalError(ValueError):
    """A network that is tied to its image size."""


def convolutional(model, network, image_size):
    """The same weights as logits of any size: (B, H, W, 3) with H, W >= image_size -> (B, C).

    As in [41] and OverFeat: the pooling slides over the last map with the window that is the whole
    map at `image_size`, the fc layer scores each position, and the scores are averaged. At
    `image_size` there is one position, and the form is the ordinary one. ConvolutionalError for a
    network that subtracts a mean of its own from each pixel.
    """
    if network.mean == "pixel":
        raise ConvolutionalError(
            f"{network.name} subtracts a mean image of {network.image_size} pixels a side, so it "
            "takes no other size: train it with --mean=channel"
        )
    free = build_network(dataclasses.replace(network, image_size=None))
    free.set_weights(model.get_weights())
    spec = find(network.name)
    total_stride = {"imagenet": 4, "cifar": 1}[spec.stem] * 2 ** (len(spec.depths) - 1)
    window = -(-image_size // total_stride)
    last_map = free.get_layer("avg_pool").input
    with room_for(len(free.layers)):
        pooled = layers.AveragePooling2D(window, strides=1, name="sliding_pool")(last_map)
        scores = pooled
        for layer in free.layers[free.layers.index(free.get_layer("avg_pool")) + 1 :]:
            scores = layer(scores)  # the fc layer, and what stands before it
        logits = layers.GlobalAveragePooling2D(dtype="float32", name="mean_score")(scores)
        return keras.Model(free.input, logits, name=f"{network.name}_convolutional")
