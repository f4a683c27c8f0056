"""Regions read from a pyramid of pictures, each at two neighbouring sizes (App. B).

The proposals are of the network's own size of picture: the paper tests at several scales in the
Fast R-CNN step alone. Of the last stage's two maps of a region the larger values are taken.
"""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from trainers.engine.detection import fast
from zoo.detection import detect, pyramid
from zoo.recursion import room_for


def contracts(contract, shorter_sides):
    """The contract at other sizes: the longer side is bounded in proportion."""
    bound = contract.longer_px / contract.shorter_px
    return [
        dataclasses.replace(contract, shorter_px=px, longer_px=int(np.ceil(bound * px)))
        for px in shorter_sides
    ]


def reading(model, detector):
    """A function of one picture: its own size (2,), [(pictures, sizes), ...] -> `regions`.

    Which is a function too: boxes (1, R, 4) in pixels of its own size -> as `detect.judged` has it.
    """
    image, boxes = model.inputs
    maps, *_, logits, deltas = model.outputs
    last = model.get_layer("avg_pool").input
    with room_for(len(model.layers)):
        parts = (
            keras.Model(image, maps),
            keras.Model([maps, boxes], last),
            keras.Model([last, boxes], [logits, deltas]),
        )
    trunk, stage, siblings = (tf.function(fast.part(part), reduce_retracing=True) for part in parts)
    # Where a region is as large as the head's grid, 14 bins of 16 px, as SIDE_PX is of the paper's.
    enlarged = detector.bins * detector.stride / pyramid.SIDE_PX

    def read(own, others):
        seen = [trunk(tf.cast(pictures, tf.float32)) for pictures, _ in others]
        sides = [int(tf.reduce_min(sizes)) for _, sizes in others]
        base = float(tf.reduce_min(own)) * enlarged

        def regions(boxes):
            lower = pyramid.pair(boxes[0], sides, base).numpy()
            merged = tf.zeros(0)
            for number, (features, (_, sizes)) in enumerate(zip(seen, others)):
                rows = np.flatnonzero((lower == number) | (lower + 1 == number))
                if not len(rows):  # of nothing oneDNN's convolution has the wrong shape
                    continue
                factor = tf.cast(sizes[0], tf.float32) / tf.cast(own, tf.float32)
                scaled = tf.gather(boxes, rows, axis=1) * tf.concat([factor, factor], axis=0)
                found = stage([features, scaled])
                if not len(merged):
                    merged = tf.fill([len(lower), *found.shape[1:]], found.dtype.min)
                merged = tf.tensor_scatter_nd_max(merged, rows[:, None], found)
            logits, deltas = siblings([merged, boxes])
            return detect.decidable(logits, deltas)

        return regions

    return read
