"""How one image is looked at: a network's score is the mean of the softmax over its views.

A pass is a function from images (n, H, W, 3) of one size to their views (n, V, h, w, 3). Views of
several sizes take several passes.
"""

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from trainers.data import augment
from zoo import preprocess

KINDS = ("center", "ten_crop", "multi_scale")
CROP, SHORTER = 224, 256  # Sec. 3.4; in proportion for other crops
SCALES = (224, 256, 384, 480, 640)  # Sec. 3.4, shorter sides for nets trained on crops of 224


@dataclasses.dataclass(frozen=True)
class Pass:
    """One way of looking: `count` views an image, all of one size if `fixed_size`.

    An image is read if it stays small when its shorter side becomes the contract's `resize_px`.
    """

    look: Callable
    count: int
    contract: preprocess.InputContract
    fixed_size: bool = True


def passes(kind, contract, mirrors=True):
    """The passes of one of KINDS: -> a list of Pass.

    Without `mirrors` ten_crop is five crops and multi_scale half its views: for a network that was
    not trained on mirror images. A net for small images (Sec. 4.2) has the single view, `center`.
    """
    if kind == "center":
        return [Pass(lambda images: center(images, contract), 1, contract)]
    if kind == "ten_crop":
        side = proportional(SHORTER, contract.image_size)
        return [Pass(crops_of(side, contract, mirrors), 5 * (1 + mirrors), at(side, contract))]
    if kind == "multi_scale":
        sides = [proportional(scale, contract.image_size) for scale in SCALES]
        largest = at(sides[-1], contract)
        return [Pass(whole_at(s, contract, mirrors), 1 + mirrors, largest, False) for s in sides]
    raise ValueError(f"views: expected one of {', '.join(KINDS)}, got {kind!r}")


def proportional(px, crop):
    """A length the paper gives for crops of 224, for other crops: 256 -> 37 where it is 32."""
    return max(crop, round(px * crop / CROP))


def center(images, contract):
    """The contract's own view: (n, H, W, 3) -> (n, 1, S, S, 3)."""
    return augment.apply(images, {}, contract, augment.Augmentation("none"))[:, None]


def at(side, contract):
    return dataclasses.replace(contract, resize_px=side)


def crops_of(side, contract, mirrors):
    """A function to the ten crops of an image whose shorter side is 256 for crops of 224."""

    def look(images):
        crops = five_crop(shorter_side(images, side, contract), contract)
        return with_mirrors(crops) if mirrors else crops

    return look


def five_crop(images, contract):
    """The four corners, then the centre: (n, H, W, 3) with H, W >= S -> (n, 5, S, S, 3)."""
    size = contract.image_size
    height_width = tf.shape(images)[1:3]
    bottom, right = tf.unstack(height_width - size)
    middle = tf.unstack(preprocess.corner(height_width, size, contract.rounding))
    corners = [(0, 0), (0, right), (bottom, 0), (bottom, right), middle]
    crops = tf.stack([images[:, y : y + size, x : x + size] for y, x in corners], axis=1)
    return tf.ensure_shape(crops, (images.shape[0], 5, size, size, 3))


def with_mirrors(views):
    """The views, then the mirror of each: (n, V, h, w, 3) -> (n, 2 V, h, w, 3)."""
    return tf.concat([views, views[:, :, :, ::-1]], axis=1)


def whole_at(side, contract, mirrors):
    """A function to the whole image with `side` for its shorter side, and its mirror."""

    def look(images):
        whole = shorter_side(images, side, contract)[:, None]
        return with_mirrors(whole) if mirrors else whole

    return look


def shorter_side(images, px, contract):
    """Images resized by the contract's rule: (n, H, W, 3) -> (n, h, w, 3), min(h, w) = px."""
    images = tf.cast(images, tf.float32)
    scaled = preprocess.scaled_size(tf.shape(images)[1:3], px, contract.rounding)
    return preprocess.resize(images, scaled, contract)
