"""The peers' networks: of Keras' own layers alone."""

import keras

import zoo
from zoo import blocks


def network(name, image_size):
    """keras.applications' ResNet50, or a network of ours with Keras' BatchNormalization."""
    if name == "resnet50":
        return keras.applications.ResNet50(weights=None)
    blocks.FusedBatchNormalization = keras.layers.BatchNormalization
    return zoo.build(name, image_size=image_size)
