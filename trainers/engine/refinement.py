"""R-CNN on a localiser's proposals (App. C): what a region teaches, and the engine's Task of it."""

import numpy as np
import tensorflow as tf

from trainers.data import sources
from trainers.data.boxes.annotations import gather
from trainers.data.boxes.regions import Samples
from trainers.engine.detection import losses, targets
from trainers.engine.localisation import LOSSES, SHOWN
from trainers.engine.task import Task
from zoo.detection import boxes as box

CHUNK = 2**16  # regions looked at together


def refinement():
    """The task; judged by the box of the class that is there, the lowest is the best."""
    return Task(
        name="refinement",
        sums=("loss", *LOSSES),
        watched="gt_class_error",
        shown=SHOWN,
        learn=learn,
    )


def learn(model, images, regions):
    """The losses of a training batch's regions (B,), and its sums (4,)."""
    logits, deltas = model(images, training=True)
    columns = losses.head_of_classes(logits, deltas, regions["classes"], regions["deltas"])
    total = tf.add_n(columns)
    sums = tf.stack([tf.ones_like(total), total, *columns])
    return total, tf.reduce_sum(tf.cast(tf.stop_gradient(sums), tf.float64), axis=1)


def samples(source, picture, boxes):
    """Proposals (N,), (N, 4) int32 of a source's pictures as Samples.

    At an object are an IoU of 0.5 with one that counts, elsewhere is less with all of them, unless
    it lies in what is to be ignored. DataError where none is at an object.
    """
    known = gather(source.annotations)
    found = [
        labelled(known, picture[start : start + CHUNK], boxes[start : start + CHUNK])
        for start in range(0, len(picture), CHUNK)
    ]
    classes, deltas, ignored = (np.concatenate(column) for column in zip(*found, strict=True))
    at_objects = np.flatnonzero(classes >= 0)
    if not len(at_objects):
        raise sources.DataError(
            f"{source.name}: none of {len(picture):,} proposals of {source.split} has an IoU of "
            f"{targets.FOREGROUND_IOU} with an object: train the localiser longer"
        )
    elsewhere = np.flatnonzero((classes < 0) & ~ignored)
    return Samples(picture, boxes, classes, deltas, at_objects, elsewhere)


def labelled(known, picture, boxes):
    """Classes (n,), -1 at no object, offsets to the nearest (n, 4), which lie in the ignored."""
    there = targets.Objects(*(known(picture)[name] for name in targets.Objects._fields))
    regions = tf.constant(boxes, tf.float32)
    shared = box.iou(regions[:, None], there.boxes)[:, 0]
    shared = tf.where(targets.real(there), shared, 0.0)
    nearest = tf.argmax(shared, axis=1)
    classes = tf.gather(there.classes, nearest, batch_dims=1)
    classes = tf.where(tf.reduce_max(shared, axis=1) >= targets.FOREGROUND_IOU, classes, -1)
    offsets = box.encode(tf.gather(there.boxes, nearest, batch_dims=1), regions)
    within = box.shared(regions[:, None], there.boxes)[:, 0]
    within = tf.where(there.ignore & (there.classes >= 0), within, 0.0)
    ignored = tf.reduce_any(within > targets.IGNORED_SHARE * box.area(regions)[:, None], axis=1)
    return classes.numpy(), offsets.numpy(), ignored.numpy()
