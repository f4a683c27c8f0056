"""The engine's Task of a localiser: pictures and objects -> the losses of each picture (App. C)."""

import functools

import tensorflow as tf

from trainers.engine.detection import losses, targets
from trainers.engine.detection.task import without_margin
from trainers.engine.task import Task
from zoo.localisation.locate import cells_of

LOSSES = ("class_loss", "box_loss")
SHOWN = {"loss": ".4f", "gt_class_error": "6.1%", "error": "6.1%", "error_top5": "6.1%"}
CHOSEN = targets.Anchors(tf.int32, tf.int32, tf.float32, tf.float32)


def localisation(localiser, recipe):
    """The task of App. C; judged by the box of the class that is there, the lowest is the best."""
    return Task(
        name="localisation",
        sums=("loss", *LOSSES),
        watched="gt_class_error",
        shown=SHOWN,
        learn=functools.partial(learn, localiser, recipe),
    )


def learn(localiser, recipe, model, images, objects):
    """The losses of a training batch (B,), and its sums (4,)."""
    pixels = without_margin(model, images, objects["size"])
    maps, logits, deltas = model(pixels, training=True)
    cells, count = cells_of(localiser, maps), recipe.rpn_anchors
    known = targets.Objects(*(objects[name] for name in ("boxes", "classes", "ignore")))

    def choose(row):
        of_picture, size, key = row
        return targets.anchors(cells, of_picture, size, key, count)

    rows = known, objects["size"], objects["key"]
    chosen = tf.map_fn(choose, rows, fn_output_signature=CHOSEN)
    columns = losses.rpn_of_classes(logits, deltas, chosen, kinds_of(known, localiser), count)
    total = tf.add_n(columns)
    sums = tf.stack([tf.ones_like(total), total, *columns])
    return total, tf.reduce_sum(tf.cast(tf.stop_gradient(sums), tf.float64), axis=1)


def kinds_of(objects, localiser):
    """Which of an anchor's scores is each picture's: Objects of a batch -> (B,), -1 of none."""
    classes = tf.where(targets.real(objects), objects.classes, -1)
    there = tf.reduce_max(classes, axis=1)
    return there if localiser.by_class else tf.minimum(there, 0)
