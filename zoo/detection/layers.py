"""The detector's layers without weights: regions of a map, and regions as a batch."""

import keras
from keras import ops

from zoo.detection import roi

register = keras.saving.register_keras_serializable(package="residual_zoo")
POOLINGS = {"align": roi.align, "max": roi.max_pool}


@register
class RoiPool(keras.layers.Layer):
    """Regions of a map, as small maps in one batch: (B, h, w, C), (B, R, 4) -> (B * R, b, b, C).

    Boxes are in pixels of the picture, of which a position of the map covers `stride`. b is `bins`;
    with `even` every second bin is left out, as a convolution 1x1 of stride 2 would.
    """

    def __init__(self, pooling, stride, bins, even=False, **kwargs):
        super().__init__(**{**kwargs, "autocast": False})  # positions stay float32
        self.pooling, self.stride, self.bins, self.even = pooling, stride, bins, even

    @property
    def side(self):
        return (self.bins + 1) // 2 if self.even else self.bins

    def call(self, inputs):
        maps, boxes = inputs
        pooled = POOLINGS[self.pooling](maps, boxes, self.stride, self.bins, even=self.even)
        return ops.reshape(pooled, (-1, self.side, self.side, maps.shape[-1]))

    def compute_output_spec(self, inputs):
        maps, _ = inputs
        return keras.KerasTensor((None, self.side, self.side, maps.shape[-1]), maps.dtype)

    def get_config(self):
        own = {name: getattr(self, name) for name in ("pooling", "stride", "bins", "even")}
        return {**super().get_config(), **own}


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
