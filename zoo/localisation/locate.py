"""Pixels -> the best box of each class: the one of the anchor that scores highest (App. C).

Anchors across the picture's border have no say, as in training: what a shape that fits nowhere says
was never learned, and a score that means nothing would beat one of 0.3 that means something.
"""

import tensorflow as tf

from zoo.detection import anchors as anchor
from zoo.detection import boxes as box
from zoo.detection import nms


def locating(model, localiser):
    """A function: pixels (B, H, W, 3), sizes (B, 2) -> boxes (B, K, 4), scores (B, K).

    Pixels are RGB 0-255; a size is the picture's height and width within the batch. Scores are
    probabilities of the class being at the anchor.
    """

    def locate(pixels, sizes):
        maps, logits, deltas = model(pixels, training=False)
        return best(logits, deltas, cells_of(localiser, maps), sizes)

    return locate


def best(logits, deltas, anchors, sizes):
    """(B, N, K), (B, N, K, 4), (N, 4), (B, 2) -> boxes within the picture (B, K, 4), scores."""
    inside = anchor.inside(anchors[None], sizes[:, None])
    logits = tf.where(inside[..., None], logits, nms.NEVER)
    chosen = tf.argmax(logits, axis=1, output_type=tf.int32)  # (B, K)
    batch, kinds = tf.shape(chosen)[0], tf.shape(chosen)[1]
    pictures, classes = tf.meshgrid(tf.range(batch), tf.range(kinds), indexing="ij")
    places = tf.stack([pictures, chosen, classes], axis=-1)
    found = box.decode(tf.gather_nd(deltas, places), tf.gather(anchors, chosen))
    return box.clip(found, sizes), tf.sigmoid(tf.gather_nd(logits, places))


def cells_of(localiser, maps):
    """The anchors of a map: (B, h, w, C) -> (h * w * A, 4)."""
    height, width = (tf.shape(maps)[i] if maps.shape[i] is None else maps.shape[i] for i in (1, 2))
    return anchor.grid(height, width, localiser.stride, localiser.sizes, localiser.ratios)
