"""How good a detector is at the end of a training round: AP and the recall of its proposals."""

import numpy as np
import tensorflow as tf

from trainers.data.boxes import pipelines
from trainers.judging.detection import coco, objects, recall
from zoo.detection.detect import detecting


class Rounds:
    """Called, it gives {"AP", "AP50", "AP75", "recall"} over every picture of the source, once.

    `recall` is the share of the objects that a proposal covers by an IoU of 0.5. Each process of a
    cluster computes all of it. `found` is what came of the last call.
    """

    def __init__(self, model, detector, source, contract, batch_size):
        self.detect = tf.function(detecting(model, detector), reduce_retracing=True)
        self.source, self.contract, self.batch_size = source, contract, batch_size
        self.truth, self.found = truth_of(source), objects.found([])

    def __call__(self):
        rows, overlap = look(self.detect, self.source, self.contract, self.batch_size)
        self.found = objects.found(rows)
        figures, _ = coco.judge(self.truth, self.found)
        covered = recall.judge(self.truth, overlap)
        named = {"AP": "ap", "AP50": "ap50", "AP75": "ap75"}
        return {
            **{name: figures[key] for name, key in named.items()},
            "recall": covered["50"]["all"],
        }


def look(detect, source, contract, batch_size):
    """Every picture looked at: [(picture, boxes, scores, classes)], best overlaps (N,).

    The latter of each object with a proposal.
    """
    rows, overlaps = [], np.zeros(len(source.annotations.boxes), np.float32)
    for images, targets, weights, index in pipelines.evaluate(
        source, contract, batch_size=batch_size
    ):
        found, proposals, counts = detect(tf.cast(images, tf.float32), targets["size"])
        scale = (targets["original"] / targets["size"]).numpy()
        columns = [x.numpy() for x in (index, weights, counts, proposals, *found)]
        for i, (number, weight, many, proposed, boxes, scores, classes, count) in enumerate(
            zip(*columns, strict=True)
        ):
            if weight > 0:
                back = np.tile(scale[i], 2).astype(np.float32)
                rows.append((number, boxes[:count] * back, scores[:count], classes[:count]))
                there = objects.on_picture(source.annotations, number)
                overlaps[there] = recall.best(
                    proposed[:many] * back, source.annotations.boxes[there]
                )
    return rows, overlaps


def truth_of(source):
    """What is there: the source's annotations as a Truth."""
    known = source.annotations
    return objects.Truth(
        np.arange(source.length),
        known.picture,
        known.boxes,
        known.classes,
        known.ignore,
        known.area,
        source.class_names,
        known.category_ids,
        known.image_ids,
    )
