"""Decisions: class probabilities and offsets of regions -> boxes, refined and voted on (App. B)."""

import collections
import dataclasses

import tensorflow as tf

from zoo.detection import boxes as box
from zoo.detection import nms

# (most, 4), (most,), (most,) int32, (): best first; rows beyond `count` are 0, their class -1.
Detections = collections.namedtuple("Detections", "boxes scores classes count")
# What a region says of each class: (N, 4), (N,), (N,) int32; a score of 0 is no candidate.
Candidates = collections.namedtuple("Candidates", "boxes scores classes")


@dataclasses.dataclass(frozen=True)
class Deciding:
    """Candidates with scores above `score`, suppressed class by class, the best `most` of them."""

    score: float = 0.05
    iou: float = 0.3
    most: int = 100

    def __post_init__(self):
        if not 0 <= self.score < 1:
            raise ValueError(f"expected a score of 0 or more and below 1, got {self.score}")
        nms.check_iou(self.iou)
        if self.most < 1:
            raise ValueError(f"expected most to be 1 at least, got {self.most}")


def decide(boxes, probabilities, deltas, count, height_width, deciding):
    """One picture's detections: (R, 4), (R, K + 1), (R, K, 4), (), (2,) -> Detections.

    The background is the last class; `deltas` are offsets from `boxes`, of which `count` count.
    """
    found = candidates(boxes, probabilities, deltas, count, height_width)
    return suppress(found, height_width, deciding)


def candidates(boxes, probabilities, deltas, count, height_width):
    """Every region's box of every class, as `decide` takes them -> Candidates of R * K rows."""
    classes = deltas.shape[1]
    scores = tf.cast(probabilities[:, :classes], tf.float32)
    scores = tf.where(_first(boxes, count)[:, tf.newaxis], scores, 0.0)
    moved = box.clip(box.decode(deltas, tf.expand_dims(boxes, 1)), height_width)
    labels = tf.zeros_like(scores, tf.int32) + tf.range(classes)
    flat = tf.reshape(moved, [-1, 4]), tf.reshape(scores, [-1]), tf.reshape(labels, [-1])
    return Candidates(*flat)


def suppress(found, height_width, deciding):
    """Candidates -> Detections, by one NMS for all classes: each has a place of its own.

    The places lie in a square, not in a row: 80 pictures of 1,000 px side by side would leave
    float32 a step of 1/128 px.
    """
    labels = tf.cast(found.classes, tf.float32)
    side = tf.math.ceil(tf.sqrt(tf.reduce_max(labels) + 1.0))
    row = tf.floor((labels + 0.5) / side)
    place = tf.stack([row, labels - row * side], axis=-1)
    place *= tf.cast(tf.reduce_max(height_width), tf.float32) + 1.0
    moved = found.boxes + tf.concat([place, place], axis=-1)
    kept, count = nms.best(moved, found.scores, deciding.most, deciding.iou, deciding.score)
    boxes, scores, classes = nms.rows((found.boxes, found.scores, found.classes + 1), kept, count)
    return Detections(boxes, scores, classes - 1, count)


def vote(detections, found, iou=0.5):
    """Each detection's box as the mean, by score, of those that overlap it ([6], App. B).

    Of Candidates those of its class with an IoU of `iou` and more take part; scores stay.
    """
    same = detections.classes[:, tf.newaxis] == found.classes
    near = box.iou(detections.boxes, found.boxes) >= iou
    weights = tf.where(same & near, found.scores, 0.0)
    total = tf.reduce_sum(weights, axis=1, keepdims=True)
    mean = tf.matmul(weights, found.boxes) / tf.where(total > 0.0, total, 1.0)
    return detections._replace(boxes=tf.where(total > 0.0, mean, detections.boxes))


def regress(boxes, probabilities, deltas, count, height_width):
    """Each region's box of its most probable object, to be pooled again (App. B): -> (R, 4).

    Arguments as `decide` takes them; rows beyond `count` are 0.
    """
    classes = deltas.shape[1]
    likely = tf.argmax(probabilities[:, :classes], axis=-1, output_type=tf.int32)
    chosen = tf.one_hot(likely, classes, dtype=tf.float32)[..., tf.newaxis]
    offsets = tf.reduce_sum(tf.cast(deltas, tf.float32) * chosen, axis=1)
    moved = box.clip(box.decode(offsets, boxes), height_width)
    return tf.where(_first(boxes, count)[:, tf.newaxis], moved, 0.0)


def refine(head, boxes, count, height_width):
    """Candidates of the regions and of the boxes that they were regressed to, joined (App. B).

    `head` is (R, 4) -> (R, K + 1), (R, K, 4). `suppress` and `vote` come after it.
    """
    first = head(boxes)
    again = regress(boxes, *first, count, height_width)
    once = candidates(boxes, *first, count, height_width)
    twice = candidates(again, *head(again), count, height_width)
    return Candidates(*(tf.concat(pair, axis=0) for pair in zip(once, twice)))


def _first(rows, count):
    """Whether a row is among the first `count`: -> (R,) bool."""
    return tf.range(tf.shape(rows)[0]) < count
