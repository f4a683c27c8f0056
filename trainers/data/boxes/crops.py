"""A square crop of pictures with boxes, as App. C trains on: 224 px, where chance puts it."""

import tensorflow as tf

from trainers.data.augment import windows
from zoo.detection import boxes as box


def corners(uniforms, sizes, side):
    """Where crops of `side` px begin: (B, 2) in [0, 1), (B, 2) -> (B, 2) int32."""
    return windows.integers(uniforms, tf.maximum(sizes - side, 0) + 1)


def cut(image, corner, side):
    """A picture's crop, smaller where the picture is: (H, W, 3), (2,) -> (h, w, 3)."""
    top, left = tf.unstack(corner)
    return image[top : top + side, left : left + side]


def moved(targets, corner, side):
    """Boxes (B, M, 4) and sizes (B, 2) in crops that begin at `corner` (B, 2): targets -> targets.

    Boxes end at the crop's border; one of which nothing is left fills up, with class -1.
    """
    size = tf.minimum(targets["size"], side)
    shift = tf.tile(tf.cast(corner, tf.float32), (1, 2))[:, None]
    boxes = box.clip(targets["boxes"] - shift, size)
    left = (box.area(boxes) > 0.0) & (targets["classes"] >= 0)
    return {
        **targets,
        "boxes": tf.where(left[..., None], boxes, 0.0),
        "classes": tf.where(left, targets["classes"], -1),
        "ignore": targets["ignore"] & left,
        "size": size,
    }
