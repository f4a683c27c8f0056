"""Changes of colour and shape: TrivialAugment and RandAugment of one image.

Operations and strengths are torchvision's: TrivialAugmentWide (Mueller, Hutter 2021, one operation
of any strength), RandAugment (Cubuk et al. 2020, two of strength 9 of 30). Pixels are whole
numbers in 0-255, as in Pillow, whose results the tests ask for.
"""

import dataclasses
from collections.abc import Callable

import tensorflow as tf

BINS = 31
POLICIES = ("none", "trivial", "rand")
DRAWS = 6  # uniforms that a policy needs: an operation, a strength and a sign, twice


@dataclasses.dataclass(frozen=True)
class Operation:
    """`apply(image, strength)`; `wide` and `narrow` are the largest strengths of the policies.

    `signed` strengths go both ways; those of `translate` are shares of the side.
    """

    apply: Callable
    wide: float = 0.0
    narrow: float = 0.0
    signed: bool = False


def augment(image, uniforms, policy: str):
    """One image changed: (S, S, 3), (DRAWS,) in [0, 1) -> (S, S, 3) float32, whole numbers."""
    image = tf.clip_by_value(tf.round(tf.cast(image, tf.float32)), 0.0, 255.0)
    if policy == "trivial":
        level = tf.floor(uniforms[1] * BINS) / (BINS - 1)
        return one(image, uniforms[0], level, uniforms[2], "wide")
    for first in (0, 3):
        image = one(image, uniforms[first], 9 / (BINS - 1), uniforms[first + 2], "narrow")
    return image


def one(image, choice, level, sign, reach: str):
    """One operation of all, at a share `level` of its largest strength."""
    number = tf.cast(tf.floor(choice * len(OPERATIONS)), tf.int32)

    def branch(operation):
        strength = level * getattr(operation, reach)
        if operation.signed:
            strength = tf.where(sign < 0.5, strength, -strength)
        return lambda: tf.ensure_shape(operation.apply(image, strength), image.shape)

    return tf.switch_case(number, [branch(operation) for operation in OPERATIONS.values()])


def warp(image, matrix):
    """Each output pixel (x, y) from (a x + b y + c, d x + e y + f), black outside.

    Here whole numbers are the pixels' centres; Pillow has them at the halves.
    """
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=image[None],
        transforms=tf.stack([*matrix, 0.0, 0.0])[None],
        output_shape=image.shape[:2],
        fill_value=0.0,
        interpolation="NEAREST",
        fill_mode="CONSTANT",
    )[0]


def rotate(image, degrees):
    """About the centre."""
    angle = degrees * (3.141592653589793 / 180)
    cos, sin = tf.cos(angle), tf.sin(angle)
    y, x = ((side - 1) / 2 for side in image.shape[:2])
    return warp(image, (cos, -sin, x - cos * x + sin * y, sin, cos, y - sin * x - cos * y))


def blend(ground, image, factor):
    """Pillow's: from the ground over the image and beyond it, cut at 0 and 255."""
    mixed = ground + (image - ground) * factor
    return tf.clip_by_value(tf.floor(mixed + 1e-4), 0.0, 255.0)


def grey(image):
    """Pillow's luma: (S, S, 3) -> (S, S, 1), whole numbers."""
    weights = tf.constant((19595.0, 38470.0, 7471.0))  # of 65536
    return tf.floor((tf.reduce_sum(image * weights, axis=2, keepdims=True) + 32768) / 65536)


def contrast(image, change):
    """Towards, or away from, the mean grey."""
    mean = tf.floor(tf.reduce_mean(grey(image)) + 0.5)
    return blend(mean, image, 1 + change)


def sharpness(image, change):
    """Towards, or away from, a smoothed image; the border stays."""
    kernel = tf.constant([[1.0, 1, 1], [1, 5, 1], [1, 1, 1]]) / 13
    kernel = tf.tile(kernel[:, :, None, None], (1, 1, 3, 1))
    inner = tf.nn.depthwise_conv2d(image[None], kernel, (1, 1, 1, 1), "VALID")[0]
    inner = tf.clip_by_value(tf.floor(inner + 0.5), 0.0, 255.0)
    border = tf.pad(tf.ones_like(inner), ((1, 1), (1, 1), (0, 0)))
    smooth = tf.where(border > 0, tf.pad(inner, ((1, 1), (1, 1), (0, 0))), image)
    return blend(smooth, image, 1 + change)


def posterize(image, bits_lost):
    """Only the highest bits of each pixel."""
    step = 2.0 ** tf.round(tf.convert_to_tensor(bits_lost, tf.float32))
    return tf.floor(image / step) * step


def solarize(image, strength):
    """Pixels from a threshold on inverted: the stronger, the lower it is."""
    return tf.where(image >= 255.0 - strength, 255.0 - image, image)


def autocontrast(image, _):
    """Each channel stretched over 0-255."""
    low, high = tf.reduce_min(image, (0, 1)), tf.reduce_max(image, (0, 1))
    scale = 255.0 / tf.maximum(high - low, 1.0)
    stretched = tf.clip_by_value(tf.floor((image - low) * scale + 1e-4), 0.0, 255.0)
    return tf.where(high > low, stretched, image)


def equalize(image, _):
    """Each channel with an even histogram, by Pillow's whole-number rule."""
    channels = [equalized(channel) for channel in tf.unstack(tf.cast(image, tf.int32), axis=2)]
    return tf.cast(tf.stack(channels, axis=2), tf.float32)


def equalized(channel):
    counts = tf.math.bincount(tf.reshape(channel, [-1]), minlength=256, maxlength=256)
    step = (tf.reduce_sum(counts) - counts[tf.reduce_max(channel)]) // 255
    table = (tf.cumsum(counts, exclusive=True) + step // 2) // tf.maximum(step, 1)
    return tf.where(step > 0, tf.gather(tf.minimum(table, 255), channel), channel)


def translation(image, share, axis):
    """By a share of the side; `wide` is 32 px of 224, as in torchvision."""
    shift = tf.round(share * image.shape[1 - axis])
    offsets = (-shift, 0.0) if axis == 0 else (0.0, -shift)
    return warp(image, (1.0, 0.0, offsets[0], 0.0, 1.0, offsets[1]))


OPERATIONS = {
    "identity": Operation(lambda image, _: image),
    "shear_x": Operation(lambda i, s: warp(i, (1.0, s, s / 2, 0.0, 1.0, 0.0)), 0.99, 0.3, True),
    "shear_y": Operation(lambda i, s: warp(i, (1.0, 0.0, 0.0, s, 1.0, s / 2)), 0.99, 0.3, True),
    "translate_x": Operation(lambda i, s: translation(i, s, 0), 32 / 224, 150 / 331, True),
    "translate_y": Operation(lambda i, s: translation(i, s, 1), 32 / 224, 150 / 331, True),
    "rotate": Operation(rotate, 135.0, 30.0, True),
    "brightness": Operation(lambda i, s: blend(0.0, i, 1 + s), 0.99, 0.9, True),
    "color": Operation(lambda i, s: blend(grey(i), i, 1 + s), 0.99, 0.9, True),
    "contrast": Operation(contrast, 0.99, 0.9, True),
    "sharpness": Operation(sharpness, 0.99, 0.9, True),
    "posterize": Operation(posterize, 6.0, 4.0),
    "solarize": Operation(solarize, 255.0, 255.0),
    "autocontrast": Operation(autocontrast),
    "equalize": Operation(equalize),
}
