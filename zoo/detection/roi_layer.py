"""RoIAlign and RoI max pooling as a Keras layer."""

import keras
from keras import ops

POOLINGS = ("align", "max")


@keras.saving.register_keras_serializable(package="residual_zoo")
class RoiAlign(keras.layers.Layer):
    """`roi.align` or `roi.max_pool`: maps (B, h, w, C), boxes (B, R, 4) px -> (B, R, n, n, C).

    n is `bins`, or ceil(bins / 2) of the `even` bins alone. Maps are computed in the layer's
    policy; boxes stay float32 under every one, for a bfloat16 at 1,000 px is 4 px wide. `pooling`
    is "align" or "max". It has no weights.
    """

    def __init__(self, stride, bins, even=False, pooling="align", **kwargs):
        if pooling not in POOLINGS:
            raise ValueError(f"expected pooling to be one of {POOLINGS}, got {pooling!r}")
        super().__init__(**{**kwargs, "autocast": False})
        self.stride, self.bins, self.even, self.pooling = stride, bins, even, pooling

    def call(self, inputs):
        from zoo.detection import roi

        maps, boxes = inputs
        maps = ops.cast(maps, self.compute_dtype)
        pool = roi.align if self.pooling == "align" else roi.max_pool
        return pool(maps, boxes, self.stride, self.bins, self.even)

    def compute_output_shape(self, input_shape):
        (batch, *_, channels), (_, count, _) = input_shape
        side = (self.bins + 1) // 2 if self.even else self.bins
        return (batch, count, side, side, channels)

    def get_config(self):
        config = {"stride": self.stride, "bins": self.bins, "even": self.even}
        config["pooling"] = self.pooling
        return {**super().get_config(), **config}
