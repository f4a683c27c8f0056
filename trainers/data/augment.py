"""The random half of the way of an image.

Each function is a pure function of pixels and of random numbers that the caller draws, so a batch
depends on its seed and step alone and a test can choose every crop.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from trainers.data import randaugment, regions
from zoo import preprocess

KINDS = ("none", "pad_crop", "scale_jitter", "random_resized_crop")
MORE_DRAWS = regions.CROP_DRAWS + randaugment.DRAWS + regions.ERASE_DRAWS

# Principal components of ImageNet's RGB pixels, 0-255: AlexNet's, as Krizhevsky's cuda-convnet and
# then fb.resnet.torch (imagenet.lua; its eigenvalues are these / 255) publish them.
# Rows are R, G, B; columns are components. Some libraries apply the rows to BGR by mistake.
PCA_EIGENVALUES = (55.46, 4.794, 1.148)
PCA_EIGENVECTORS = (
    (-0.5675, 0.7192, 0.4009),
    (-0.5808, -0.0045, -0.8140),
    (-0.5836, -0.6948, 0.4203),
)
PCA_SIGMA = 0.1  # Krizhevsky et al. 2012, Sec. 4.1


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """What training does to an image; `fill` is the colour of what is padded or erased.

    `mixup` and `cutmix` are of the batch: `trainers.data.mix`.
    """

    kind: str = "none"
    pad_px: int = 4
    scale_range: tuple[int, int] = (256, 480)
    color: bool = False
    fill: tuple[float, float, float] = (0.0, 0.0, 0.0)
    mirror: bool = True
    policy: str = "none"
    erase: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0

    @property
    def draws_more(self) -> bool:
        """Whether it takes the row's `more` (MORE_DRAWS,) uniforms too."""
        return self.kind == "random_resized_crop" or self.policy != "none" or self.erase > 0

    @property
    def mixes(self) -> bool:
        return self.mixup > 0 or self.cutmix > 0

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"augmentation: expected one of {KINDS}, got {self.kind!r}")


def apply(images, rows, contract, augmentation):
    """Augmentation, then the network's size: (n, H, W, 3) -> (n, S, S, 3)."""
    size = contract.image_size
    if not augmentation.mirror:
        rows = {**rows, "uniforms": never_mirrored(rows["uniforms"])}
    if augmentation.kind == "scale_jitter":
        images = each(
            lambda image, uniforms: scale_jitter_crop_mirror(
                image, uniforms, size, augmentation.scale_range
            ),
            (images, rows["uniforms"]),
        )
    elif augmentation.kind == "random_resized_crop":
        images = each(
            lambda image, uniforms, more: crop_mirror(image, uniforms, more, size),
            (images, rows["uniforms"], rows["more"]),
        )
    elif images.shape[1:3] != (size, size) or contract.resize_px != size:
        images = each(lambda image: preprocess.resize_crop(image, contract), (images,))
    if augmentation.kind == "pad_crop":
        images = pad_crop_mirror(
            images, rows["uniforms"][:, :3], augmentation.pad_px, augmentation.fill
        )
    if augmentation.policy != "none" or augmentation.erase:
        images = each(
            lambda image, more: change(image, more[regions.CROP_DRAWS :], augmentation),
            (images, rows["more"]),
        )
    return pca_color(images, rows["normals"]) if augmentation.color else images


def crop_mirror(image, uniforms, more, size: int):
    """Inception's crop, mirrored half the time: (H, W, 3), (4,), (MORE_DRAWS,) -> (S, S, 3)."""
    crop = regions.random_resized_crop(image, uniforms[:2], more[: regions.CROP_DRAWS], size)
    return tf.cond(uniforms[2] < 0.5, lambda: crop[:, ::-1], lambda: crop)


def change(image, uniforms, augmentation):
    """The policy, then the rectangle: (S, S, 3) -> (S, S, 3) float32."""
    image = tf.cast(image, tf.float32)
    if augmentation.policy != "none":
        chosen = uniforms[: randaugment.DRAWS]
        image = randaugment.augment(image, chosen, augmentation.policy)
    if augmentation.erase:
        chosen = uniforms[randaugment.DRAWS :]
        image = regions.erase(image, chosen, augmentation.erase, augmentation.fill)
    return image


def never_mirrored(uniforms):
    """The same choices without the mirror: (n, 4) -> (n, 4). A mirrored 2 is no digit."""
    return tf.where([False, False, True, False], 1.0, uniforms)


def each(function, arrays):
    """`function` on every example: arrays (n, ...) -> (n, ...) float32; no loop around one."""
    if arrays[0].shape[0] == 1:
        return function(*(array[0] for array in arrays))[None]
    return tf.map_fn(lambda row: function(*row), arrays, fn_output_signature=tf.float32)


def pad_crop_mirror(images, uniforms, pad_px: int, fill=(0, 0, 0)):
    """Pad, crop at random to the old size, mirror half (Sec. 4.2): (B, H, W, 3) -> the same.

    `uniforms` (B, 3) in [0, 1) choose top, left and mirror. The dtype stays. The paper pads with
    zeros after subtracting the mean; here the network subtracts it, so `fill` is the mean colour
    where that is to be repeated.
    """
    images = tf.convert_to_tensor(images)
    batch, height, width, channels = tf.unstack(tf.shape(images))
    uniforms = tf.cast(uniforms, tf.float32)
    top, left = tf.unstack(integers(uniforms[:, :2], 2 * pad_px + 1) - pad_px, axis=1)
    rows = top[:, None] + tf.range(height)
    columns = left[:, None] + tf.range(width)
    columns = tf.where(uniforms[:, 2:] < 0.5, columns[:, ::-1], columns)
    inside = within(rows, height)[:, :, None] & within(columns, width)[:, None, :]
    pixel = rows[:, :, None] * width + columns[:, None, :]
    pixel += tf.reshape(tf.range(batch) * (height * width), (-1, 1, 1))
    # One gather over all pixels and one fill pixel at the end: no padded copy, no loop over images.
    pixel = tf.where(inside, pixel, batch * height * width)
    whole = tf.round(fill) if images.dtype.is_integer else fill
    colour = tf.broadcast_to(tf.cast(whole, images.dtype), (1, channels))
    pixels = tf.concat([tf.reshape(images, (-1, channels)), colour], axis=0)
    return tf.ensure_shape(tf.gather(pixels, pixel), images.shape)


def within(index, size):
    """True where an index lies in the image: any shape -> the same, bool."""
    return (index >= 0) & (index < size)


def scale_jitter_crop_mirror(image, uniforms, size: int, scale_range=(256, 480)):
    """Shorter side random, random crop, mirror half (Sec. 3.4): (H, W, 3) -> (S, S, 3) float32.

    `uniforms` (4,) in [0, 1) choose top, left, mirror and the shorter side (whole pixels, both
    ends included). Bilinear without antialias, as OpenCV's. The whole image is resized, not only
    the window of the crop: from 400 x 500, on one core, that is 0.65 ms, while crop_and_resize
    takes 2.8 ms and ScaleAndTranslate 1.0 ms for the window.
    """
    low, high = scale_range
    if not size <= low <= high:
        raise ValueError(f"expected crop size <= scale_range in order, got {size}, {scale_range}")
    uniforms = tf.cast(uniforms, tf.float32)
    shorter = low + integers(uniforms[3], high - low + 1)
    scaled = preprocess.scaled_size(tf.shape(image)[:2], shorter)
    top, left = tf.unstack(integers(uniforms[:2], scaled - size + 1))
    whole = tf.image.resize(image, scaled, method="bilinear", antialias=False)
    crop = tf.ensure_shape(whole[top : top + size, left : left + size], (size, size, 3))
    return tf.cond(uniforms[2] < 0.5, lambda: crop[:, ::-1], lambda: crop)


def pca_color(image, normals):
    """AlexNet's colour augmentation: (..., H, W, 3), (..., 3) standard normals -> float32.

    Adds one colour to an image's every pixel: the components of ImageNet's colours, each times its
    eigenvalue and a normal of deviation 0.1. Leaves 0-255, as adding it after the mean would.
    """
    # Product by product, with the constants multiplied beforehand: a matrix product, and constants
    # that TensorFlow may regroup, round differently in batches of different sizes, while a
    # replica's part of a batch must be bit for bit what it is in the whole.
    scaled = (PCA_SIGMA * np.multiply(PCA_EIGENVECTORS, PCA_EIGENVALUES)).astype(np.float32)
    first, second, third = tf.split(tf.cast(normals, tf.float32), 3, axis=-1)
    colour = first * scaled[:, 0] + second * scaled[:, 1] + third * scaled[:, 2]
    return tf.cast(image, tf.float32) + colour[..., None, None, :]


def integers(uniforms, count):
    """Uniforms in [0, 1) -> whole numbers in [0, count), int32."""
    count = tf.cast(count, tf.float32)
    # float32 rounds a product just under `count` up to it
    return tf.cast(tf.minimum(tf.floor(uniforms * count), count - 1.0), tf.int32)
