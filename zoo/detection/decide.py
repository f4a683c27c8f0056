"""Scores and offsets of regions -> detections: NMS class by class, refinement, voting (App. B)."""

import collections
import dataclasses

import tensorflow as tf

from zoo.detection import boxes as box
from zoo.detection.proposals import suppress, taken
from zoo.detection.specs import OFFSET_SCALES

# Likeliest first. boxes (M, 4), scores (M,), classes (M,) int32, -1 from `count` () on.
Detections = collections.namedtuple("Detections", "boxes scores classes count")


@dataclasses.dataclass(frozen=True)
class Deciding:
    """Detections have a score above `score`, of one class an IoU of `iou` at most; `most` at most."""

    score: float = 0.05
    iou: float = 0.3
    most: int = 100


def regress(boxes, deltas, height_width):
    """Each region's box for each class: (R, 4), (R, K, 4) in OFFSET_SCALES, (2,) -> (R, K, 4)."""
    moved = box.decode(deltas * tf.constant(OFFSET_SCALES), tf.expand_dims(boxes, 1))
    return box.clip(moved, height_width)


def candidates(probabilities, boxes, count):
    """All boxes of all classes as one list: (R, K + 1), (R, K, 4), () -> (R*K, 4), scores, classes.

    The background stands last and is left out; regions from `count` on have score 0.
    """
    regions, classes = boxes.shape[0], boxes.shape[1]
    regions = tf.shape(boxes)[0] if regions is None else regions
    there = tf.cast(tf.range(regions) < count, tf.float32)
    scores = tf.reshape(probabilities[:, :classes] * there[:, None], [-1])
    labels = tf.tile(tf.range(classes), [regions])
    return tf.reshape(boxes, [-1, 4]), scores, labels


def decide(boxes, scores, classes, height_width, deciding):
    """NMS of each class for itself: (N, 4), (N,), (N,) int32, (2,) -> Detections.

    By one NMS for all: boxes of class k are moved k pictures away.
    """
    side = tf.cast(tf.reduce_max(height_width), tf.float32) + 1.0
    apart = boxes + (tf.cast(classes, tf.float32) * side)[:, None]
    kept, count = suppress(apart, scores, deciding.most, deciding.iou, deciding.score)
    chosen, worth, labels = taken((boxes, scores, classes + 1), kept, count)
    return Detections(chosen, worth, labels - 1, count)


def vote(kept, boxes, scores, classes, iou=0.5):
    """Each detection as the mean of all its class' boxes near it, weighted by score (App. B, [6]).

    `boxes` (N, 4), `scores`, `classes` are those before NMS; near is an IoU of `iou` at least.
    """
    near = tf.cast(box.iou(kept.boxes, boxes) >= iou, tf.float32)
    same = tf.cast(kept.classes[:, None] == classes[None], tf.float32)
    weights = near * same * scores[None]
    total = tf.reduce_sum(weights, axis=1, keepdims=True)
    mean = tf.matmul(weights, boxes) / tf.where(total > 0.0, total, 1.0)
    return kept._replace(boxes=tf.where(total > 0.0, mean, kept.boxes))
