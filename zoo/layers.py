"""Layers that Keras lacks: pixel normalisation, option A's shortcut, fused batch normalisation."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="residual_zoo")
class PixelNormalization(keras.layers.Layer):
    """(pixels - mean) * scale in float32: (B, H, W, 3) of 0-255 -> (B, H, W, 3).

    `mean` is (1, 1, 3), or (H, W, 3) for the per-pixel mean of Sec. 3.4 and 4.2; `scale` is (3,)
    and stays 1 in the paper's nets, which do not divide. Both are weights that no optimizer
    touches, so they travel with the network. Pixels may be of any numeric type; the subtraction
    is in float32 under every precision policy, because bfloat16 cannot hold 0-255 exactly after it.
    """

    MIDDLE_GREY = 127.5

    def __init__(self, mean_shape=(1, 1, 3), **kwargs):
        super().__init__(**{**kwargs, "trainable": False, "autocast": False})
        self.mean_shape = tuple(mean_shape)

    def build(self, input_shape):
        grey = keras.initializers.Constant(self.MIDDLE_GREY)
        self.mean = self.add_weight(
            shape=self.mean_shape, initializer=grey, dtype="float32", trainable=False, name="mean"
        )
        self.scale = self.add_weight(
            shape=(3,), initializer="ones", dtype="float32", trainable=False, name="scale"
        )

    def call(self, pixels):
        pixels = ops.cast(pixels, "float32")
        centred = (pixels - ops.cast(self.mean, "float32")) * ops.cast(self.scale, "float32")
        return ops.cast(centred, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "mean_shape": self.mean_shape}


@keras.saving.register_keras_serializable(package="residual_zoo")
class IdentityShortcut(keras.layers.Layer):
    """Option A (Sec. 3.3): (B, H, W, C) -> (B, ceil(H/stride), ceil(W/stride), filters).

    Every stride-th pixel, and zeros in the new channels; no parameters. `zeros` "end" appends
    them; "split" puts half before x's channels and half behind, the larger half behind.
    """

    def __init__(self, filters, stride, zeros="end", **kwargs):
        super().__init__(**kwargs)
        self.filters, self.stride, self.zeros = filters, stride, zeros

    def build(self, input_shape):
        if input_shape[-1] > self.filters:
            raise ValueError(
                f"option A only adds channels: {input_shape[-1]} do not fit {self.filters}"
            )

    def call(self, x):
        if self.stride > 1:
            # Means of one pixel: what x[:, ::2, ::2] is, but on CPUs TensorFlow takes 2.2 ms in
            # place of 10.3 for 128 of 32x32x16 and their gradient, 5 % of resnet20's step.
            x = ops.average_pool(x, 1, self.stride)
        new = self.filters - x.shape[-1]
        before = new // 2 if self.zeros == "split" else 0
        return ops.pad(x, [(0, 0), (0, 0), (0, 0), (before, new - before)])

    def get_config(self):
        config = {"filters": self.filters, "stride": self.stride, "zeros": self.zeros}
        return {**super().get_config(), **config}


@keras.saving.register_keras_serializable(package="residual_zoo")
class Conv2D(keras.layers.Conv2D):
    """Keras' Conv2D, same weights; by `winograd.convolve` where that is asked for and defined.

    It is asked for by `winograd.from_channels`, and defined for a 3x3 of stride 1 that keeps the
    map's size, in float32. Files of weights have layers by the names of their classes, so this has
    Keras' own.
    """

    def convolution_op(self, inputs, kernel):
        if not self._as_products(inputs):
            return super().convolution_op(inputs, kernel)
        import tensorflow as tf

        from zoo import winograd

        return winograd.convolve(inputs, tf.convert_to_tensor(kernel))

    def _as_products(self, inputs):
        if (
            keras.backend.backend() != "tensorflow"
            or self.kernel_size != (3, 3)
            or self.strides != (1, 1)
            or self.dilation_rate != (1, 1)
            or self.groups != 1
            or self.padding != "same"
            or self.data_format != "channels_last"
            or keras.backend.standardize_dtype(inputs.dtype) != "float32"
        ):
            return False
        from zoo import winograd

        return winograd.asked_of(min(inputs.shape[-1], self.filters))


@keras.saving.register_keras_serializable(package="residual_zoo")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Keras' BatchNormalization, same weights and numbers, in one TensorFlow op a direction.

    Keras 3 spells batch normalisation out as about eight memory-bound ops. This takes
    FusedBatchNormV3 where it is the same function (the last axis of images, on TensorFlow) and
    Keras' own path elsewhere: synchronised statistics, masks, other backends.
    """

    def call(self, inputs, training=None, mask=None):
        if not self._fusible(inputs, mask):
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        learning = bool(training) and self.trainable
        y, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=tf.convert_to_tensor(self.gamma),
            offset=tf.convert_to_tensor(self.beta),
            mean=_nothing() if learning else tf.convert_to_tensor(self.moving_mean),
            variance=_nothing() if learning else tf.convert_to_tensor(self.moving_variance),
            epsilon=self.epsilon,
            is_training=learning,
        )
        if learning:
            # The op returns the unbiased variance; Keras keeps the biased one.
            count = tf.cast(tf.reduce_prod(tf.shape(inputs)[:-1]), variance.dtype)
            self._move(self.moving_mean, mean)
            self._move(self.moving_variance, variance * (count - 1.0) / count)
        return y

    def _fusible(self, inputs, mask):
        return (
            keras.backend.backend() == "tensorflow"
            and len(inputs.shape) == 4
            and self.axis in (-1, 3)
            and mask is None
            and self.center
            and self.scale
            and not self.synchronized
            and not self.renorm
        )

    def _move(self, average, value):
        # Momentum weighs the old value, as in Keras; Torch's weighs the new one.
        average.assign(average * self.momentum + value * (1.0 - self.momentum))


def _nothing():
    import tensorflow as tf

    return tf.constant([], tf.float32)
