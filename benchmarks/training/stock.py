"""The peers' networks: of Keras' own layers, and option A as one writes it."""

import keras
from keras import ops

import zoo
from zoo import blocks
from zoo.layers import IdentityShortcut


class SlicedShortcut(IdentityShortcut):
    """By a strided slice, as in the paper's many implementations."""

    def call(self, x):
        sliced = x[:, :: self.stride, :: self.stride]
        return ops.pad(sliced, [(0, 0)] * 3 + [(0, self.filters - x.shape[-1])])


def network(name, image_size):
    """keras.applications' ResNet50, or a network of ours of such layers."""
    if name == "resnet50":
        return keras.applications.ResNet50(weights=None)
    blocks.FusedBatchNormalization = keras.layers.BatchNormalization
    blocks.IdentityShortcut, blocks.Conv2D = SlicedShortcut, keras.layers.Conv2D
    return zoo.build(name, image_size=image_size)
