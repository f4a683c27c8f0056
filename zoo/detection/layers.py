"""The detector's layers without weights: regions as a batch, and what stands around a region."""

import keras
from keras import ops

register = keras.saving.register_keras_serializable(package="residual_zoo")


@register
class AsBatch(keras.layers.Layer):
    """Regions of pictures as one batch: (B, R, h, w, C) -> (B * R, h, w, C)."""

    def call(self, regions):
        return ops.reshape(regions, (-1, *regions.shape[2:]))

    def compute_output_spec(self, regions):
        return keras.KerasTensor((None, *regions.shape[2:]), regions.dtype)


@register
class OfPicture(keras.layers.Layer):
    """Regions of a batch back in their pictures: (B * R, F), (B, R, 4) -> (B, R, F)."""

    def call(self, inputs):
        features, boxes = inputs
        shape = ops.shape(boxes)
        return ops.reshape(features, (shape[0], shape[1], features.shape[-1]))

    def compute_output_spec(self, inputs):
        features, boxes = inputs
        return keras.KerasTensor((*boxes.shape[:2], features.shape[-1]), features.dtype)


@register
class JoinContext(keras.layers.Layer):
    """Each region's feature, the last region's behind it (App. B): (B, R, F) -> (B, R - 1, 2F)."""

    def call(self, features):
        regions = features[:, :-1]
        return ops.concatenate(
            [regions, ops.broadcast_to(features[:, -1:], ops.shape(regions))], axis=-1
        )

    def compute_output_spec(self, features):
        batch, regions, size = features.shape
        fewer = None if regions is None else regions - 1
        return keras.KerasTensor((batch, fewer, 2 * size), features.dtype)
