"""The random half of the way of an image.

Each function is a pure function of pixels and of random numbers that the caller draws, so a batch
depends on its seed and step alone and a test can choose every crop.
"""

import dataclasses
import functools

import numpy as np
import tensorflow as tf

from trainers.data.augment import randaugment, regions, windows
from zoo import headers, preprocess, sizes

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

    `mixup` and `cutmix` are of the batch: `trainers.data.augment.mix`.
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
    def crops(self) -> bool:
        """Whether it begins with a window of the picture, and not with all of it."""
        return self.kind in ("scale_jitter", "random_resized_crop")

    @property
    def changes(self) -> bool:
        """Whether it makes other pixels of an image that has the network's size."""
        return self.policy != "none" or self.erase > 0 or self.color

    @property
    def mixes(self) -> bool:
        return self.mixup > 0 or self.cutmix > 0

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"augmentation: expected one of {KINDS}, got {self.kind!r}")


def apply(images, rows, contract, augmentation):
    """Augmentation, then the network's size: (n, H, W, 3) or (n,) encoded -> (n, S, S, 3)."""
    drawn = {key: rows[key] for key in ("uniforms", "normals", "more") if key in rows}
    if not augmentation.mirror:
        drawn["uniforms"] = never_mirrored(drawn["uniforms"])
    padded = augmentation.kind == "pad_crop"
    resizes = augmentation.crops or not is_at_size(images, contract)
    if resizes or (augmentation.changes and not padded):
        images = each(of_one(contract, augmentation, resizes), images, drawn)
    if padded:
        chosen, fill = drawn["uniforms"][:, :3], augmentation.fill
        images = pad_crop_mirror(images, chosen, augmentation.pad_px, fill)
        if augmentation.changes:
            images = each(lambda image, row: change(image, row, augmentation), images, drawn)
    return images


@functools.cache
def of_one(contract, augmentation, resizes):
    """One image and its row's draws -> what `apply` makes of it before it pads; traced once.

    A stream takes it twice, for pieces and for single images, and a run has several streams. It is
    one function, so that what a step leaves in the processor's cache, the next finds there.
    """

    @tf.function(autograph=False)
    def one(image, row):
        image = at_size(image, row, contract, augmentation) if resizes else image
        return image if augmentation.kind == "pad_crop" else change(image, row, augmentation)

    return one


def is_at_size(images, contract):
    """Whether they are pixels that the contract leaves as they are."""
    size = sizes.of(contract.image_size)
    if images.dtype == tf.string:
        return False
    return images.shape[1:3] == size and contract.resize_px == min(size)


def at_size(image, row, contract, augmentation):
    """By a random crop, where the augmentation begins with one, else by the contract."""
    size, way_up = contract.image_size, contract.orientation
    if image.dtype == tf.string and augmentation.crops:
        image = headers.bounded(image, contract.bound_px)
    if augmentation.kind == "scale_jitter":
        scales = augmentation.scale_range
        return windows.scale_jitter(image, row["uniforms"], size, scales, way_up)
    if augmentation.kind == "random_resized_crop":
        draws = row["more"][: regions.CROP_DRAWS]
        return windows.random_resized_crop(image, row["uniforms"], draws, size, way_up)
    if image.dtype == tf.string:
        return preprocess.prepare(image, contract)
    return preprocess.resize_crop(image, contract)


def change(image, row, augmentation):
    """The policy, then the rectangle, then the colour: (S, S, 3) -> (S, S, 3)."""
    if augmentation.policy != "none" or augmentation.erase:
        image = tf.cast(image, tf.float32)
    if augmentation.policy != "none":
        chosen = row["more"][regions.CROP_DRAWS :][: randaugment.DRAWS]
        image = randaugment.augment(image, chosen, augmentation.policy)
    if augmentation.erase:
        chosen = row["more"][regions.CROP_DRAWS + randaugment.DRAWS :]
        image = regions.erase(image, chosen, augmentation.erase, augmentation.fill)
    return pca_color(image, row["normals"]) if augmentation.color else image


def never_mirrored(uniforms):
    """The same choices without the mirror: (n, 4) -> (n, 4). A mirrored 2 is no digit."""
    return tf.where([False, False, True, False], 1.0, uniforms)


def each(function, images, rows):
    """`function(image, row)` on every image: (n, ...) -> (n, ...) float32; no loop around one."""
    if images.shape[0] == 1:
        return function(images[0], {key: value[0] for key, value in rows.items()})[None]
    return tf.map_fn(lambda both: function(*both), (images, rows), fn_output_signature=tf.float32)


def pad_crop_mirror(images, uniforms, pad_px: int, fill=(0, 0, 0)):
    """Pad, crop at random to the old size, mirror half (Sec. 4.2): (B, H, W, 3) -> the same.

    `uniforms` (B, 3) in [0, 1) choose top, left and mirror. The dtype stays. The paper pads with
    zeros after subtracting the mean; here the network subtracts it, so `fill` is the mean colour
    where that is to be repeated.
    """
    images = tf.convert_to_tensor(images)
    batch, height, width, channels = tf.unstack(tf.shape(images))
    uniforms = tf.cast(uniforms, tf.float32)
    top, left = tf.unstack(windows.integers(uniforms[:, :2], 2 * pad_px + 1) - pad_px, axis=1)
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
    # By whole rows of the picture: adding three numbers to each pixel takes three times as long.
    height, width = image.shape[-3:-1]
    rows = tf.reshape(tf.cast(image, tf.float32), (*image.shape[:-3], height, width * 3))
    shift = tf.tile(colour, [*[1] * (len(colour.shape) - 1), width])
    return tf.reshape(rows + shift[..., None, :], image.shape)
