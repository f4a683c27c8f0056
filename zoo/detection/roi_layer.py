"""RoIAlign as a Keras layer."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="residual_zoo")
class RoiAlign(keras.layers.Layer):
    """`roi.align` of [maps (B, h, w, C), boxes (B, R, 4) px] -> (B, R, n, n, C); no weights.

    n is `bins`, or ceil(bins / 2) of the `even` bins alone. Maps are computed in the layer's
    policy; boxes stay float32 under every one, for a bfloat16 at 1,000 px is 4 px wide.
    """

    def __init__(self, stride, bins, even=False, **kwargs):
        super().__init__(**{**kwargs, "autocast": False})
        self.stride, self.bins, self.even = stride, bins, even

    def call(self, inputs):
        from zoo.detection import roi

        maps, boxes = inputs
        maps = ops.cast(maps, self.compute_dtype)
        return roi.align(maps, boxes, self.stride, self.bins, self.even)

    def compute_output_shape(self, input_shape):
        (batch, *_, channels), (_, count, _) = input_shape
        side = (self.bins + 1) // 2 if self.even else self.bins
        return (batch, count, side, side, channels)

    def get_config(self):
        config = {"stride": self.stride, "bins": self.bins, "even": self.even}
        return {**super().get_config(), **config}
