"""Which anchors and which regions a detector learns from, and what ([32] Sec. 3.1.2, [7] Sec. 2.3).

All of one picture. Draws are stateless, keyed on the picture's place in training, so that a resumed
run and any number of replicas draw the same.
"""

import collections

import tensorflow as tf

from zoo.detection import anchors as anchor
from zoo.detection import boxes as box

POSITIVE_IOU, NEGATIVE_IOU = 0.7, 0.3  # of anchors ([32], Sec. 3.1.2)
FOREGROUND_IOU = 0.5  # of regions ([7], Sec. 2.3)
IGNORED_SHARE = 0.5  # of an anchor or region within a crowd or a difficult object

# Objects of a picture: boxes (M, 4), classes (M,) int32, -1 for padding, ignore (M,) bool.
Objects = collections.namedtuple("Objects", "boxes classes ignore")
# Rows to learn from: index (n,), 1 for an object, 0 for none, offsets (n, 4), weights (n,) 0 or 1.
Anchors = collections.namedtuple("Anchors", "index labels deltas weights")
# Regions: boxes (n, 4), classes (n,), the background last, offsets (n, 4), weights (n,) 0 or 1.
Regions = collections.namedtuple("Regions", "boxes classes deltas weights")


def real(objects):
    """Whether each object counts: no padding, not ignored, with an area: (M,) bool."""
    return (objects.classes >= 0) & ~objects.ignore & (box.area(objects.boxes) > 0.0)


def overlaps(boxes, objects):
    """IoU with each object that counts: (N, 4) -> (M, N), 0 for the others.

    Objects first, here and below: rows as long as there are anchors take a fifth of the time of
    rows as long as there are objects.
    """
    return box.iou(objects.boxes, boxes) * tf.cast(real(objects), tf.float32)[:, None]


def within_ignored(boxes, objects):
    """Whether a box lies in something that is not to be learned, as crowds: (N, 4) -> (N,) bool."""
    ignored = objects.ignore & (objects.classes >= 0)
    shared = box.shared(objects.boxes, boxes) * tf.cast(ignored, tf.float32)[:, None]
    own = tf.maximum(box.area(boxes), 1e-6)
    return tf.reduce_any(shared > IGNORED_SHARE * own, axis=0)


def label_anchors(grid, objects, size):
    """1 at an object, 0 far from all, -1 not to be learned: (N, 4) anchors -> (N,) int32, (N,).

    The second says which object an anchor is nearest to. Positive are an IoU of 0.7, and an
    object's best anchors whatever theirs is. Anchors across the picture's border are left out.
    """
    inside = anchor.inside(grid, size)
    shared = overlaps(grid, objects) * tf.cast(inside, tf.float32)
    highest, nearest = tf.reduce_max(shared, axis=0), tf.argmax(shared, axis=0)
    best_of_object = tf.reduce_max(shared, axis=1, keepdims=True)
    is_best = (shared == best_of_object) & (best_of_object > 0.0)
    # An anchor that is the best of an object is that object's, though it be nearer to another.
    of_any = tf.reduce_any(is_best, axis=0)
    nearest = tf.where(of_any, tf.argmax(is_best, axis=0), nearest)
    positive = inside & ((highest >= POSITIVE_IOU) | of_any)
    negative = inside & (highest < NEGATIVE_IOU) & ~within_ignored(grid, objects)
    labels = tf.where(positive, 1, tf.where(negative, 0, -1))
    return labels, nearest


def anchors(grid, objects, size, key, count):
    """`count` anchors, half of them positive at most: -> Anchors of count // 2 + count rows."""
    labels, nearest = label_anchors(grid, objects, size)
    drawn = tf.random.stateless_uniform(tf.shape(labels), key, alg="philox")
    at_objects, are = _draw(labels == 1, drawn, count // 2)
    elsewhere, are_not = _draw(labels == 0, drawn, count)
    room = count - tf.reduce_sum(tf.cast(are, tf.int32))
    are_not &= tf.range(tf.size(are_not)) < room
    index = tf.concat([at_objects, elsewhere], axis=0)
    objects_there = tf.gather(objects.boxes, tf.gather(nearest, index))
    return Anchors(
        index,
        tf.concat([tf.ones_like(at_objects), tf.zeros_like(elsewhere)], axis=0),
        box.encode(objects_there, tf.gather(grid, index)),
        tf.cast(tf.concat([are, are_not], axis=0), tf.float32),
    )


def _draw(candidates, drawn, count):
    """`count` of the candidates by the highest numbers: -> indices, and which of them are any."""
    count = tf.minimum(count, tf.size(drawn))
    values, index = tf.math.top_k(tf.where(candidates, drawn, -1.0), count)
    return index, values >= 0.0


def regions(proposals, count, objects, num_classes, key, recipe):
    """The recipe's `regions` of the proposals and the objects themselves: -> Regions.

    `count` () says how many of the proposals (P, 4) are any. A share of `foreground` at most is of
    an IoU of 0.5 with an object, the others of less, `background_iou` at least. Where there are too
    few, some come again with weight 0: what is no region must not enter batch normalisation.
    """
    there = tf.concat([tf.range(tf.shape(proposals)[0]) < count, real(objects)], axis=0)
    candidates = tf.concat([proposals, objects.boxes], axis=0)
    shared = overlaps(candidates, objects)
    highest, nearest = tf.reduce_max(shared, axis=0), tf.argmax(shared, axis=0)
    foreground = there & (highest >= FOREGROUND_IOU)
    background = there & (highest < FOREGROUND_IOU) & (highest >= recipe.background_iou)
    background &= ~within_ignored(candidates, objects)
    index, valid = choose(foreground, background, key, recipe)
    boxes = tf.gather(candidates, index)
    is_object, nearest = tf.gather(foreground, index), tf.gather(nearest, index)
    classes = tf.where(is_object, tf.gather(objects.classes, nearest), num_classes)
    offsets = box.encode(tf.gather(objects.boxes, nearest), boxes)
    return Regions(boxes, classes, offsets, tf.cast(valid, tf.float32))


def choose(foreground, background, key, recipe):
    """Indices of the recipe's `regions`, (n,), and which count; the rest are repetitions."""
    drawn = tf.random.stateless_uniform(tf.shape(foreground), key, alg="philox")
    most = min(recipe.regions, max(1, round(recipe.foreground * recipe.regions)))
    at_objects, are = _draw(foreground, drawn, most)
    chosen = tf.scatter_nd(at_objects[:, None], tf.cast(are, tf.float32), tf.shape(drawn))
    # Those at objects come first, then the background, then what is neither.
    order = chosen * (2.0 + drawn) + tf.where(background, 1.0 + drawn, 0.0)
    padding = tf.maximum(recipe.regions - tf.size(order), 0)
    values, index = tf.math.top_k(tf.pad(order, [[0, padding]]), recipe.regions)
    found = tf.reduce_sum(tf.cast(values > 0.0, tf.int32))
    rows = tf.range(recipe.regions)
    return tf.gather(index, rows % tf.maximum(found, 1)), rows < found
