"""The engine's Task of a detector: pictures and objects -> the losses of each picture."""

import functools

import tensorflow as tf

from trainers.engine.detection import fast, losses, targets
from trainers.engine.task import Task
from zoo.detection import network
from zoo.detection.anchors import grid
from zoo.detection.proposals import Proposing, propose

LOSSES = ("rpn_class_loss", "rpn_box_loss", "class_loss", "box_loss")


def detection(model, detector, recipe):
    """The task of Sec. 4.3 for a built detector; judged by COCO's AP, the highest is the best."""
    parts = fast.parts(model, detector)
    return Task(
        name="detection",
        sums=("loss", *LOSSES),
        watched="AP",
        highest=True,
        shown={"loss": ".4f", "AP": "6.1%", "AP50": "6.1%", "recall": "6.1%"},
        learn=functools.partial(learn, parts, detector, recipe),
    )


def learn(parts, detector, recipe, model, images, objects):
    """The losses of a training batch (B,), and its sums (6,)."""
    batch = images.shape[0]
    pixels = without_margin(model, images, objects["size"])
    maps, logits, deltas = parts.first(pixels, training=True)
    cells = grid(*tf.unstack(tf.shape(maps)[1:3]), detector.stride, detector.sizes, detector.ratios)
    pictures = [picture(objects, i) for i in range(batch)]
    proposed, regions = [], []
    # Unstacked, for the gradient of x[i] is a batch of zeros around it, one for each picture.
    of_each = zip(pictures, *(tf.unstack(x, batch) for x in (logits, deltas)), strict=True)
    for (known, size, key), its_logits, its_deltas in of_each:
        chosen = targets.anchors(cells, known, size, key, recipe.rpn_anchors)
        proposed.append(losses.rpn(its_logits, its_deltas, chosen, recipe.rpn_anchors))
        boxes = proposals(its_logits, its_deltas, cells, size, recipe)
        regions.append(targets.regions(*boxes, known, detector.num_classes, key + 1, recipe))
    asked = tf.stack([of_picture.boxes for of_picture in regions])
    if detector.context:
        asked = network.with_whole(asked, objects["size"])
    scores, offsets = parts.second([maps, asked], training=True)
    heads = zip(*(tf.unstack(x, batch) for x in (scores, offsets)), regions, strict=True)
    found = [losses.head(*of_picture, recipe.regions) for of_picture in heads]
    of_kinds = [*zip(*proposed, strict=True), *zip(*found, strict=True)]
    columns = [tf.stack(of_kind) for of_kind in of_kinds]
    total = tf.add_n(columns)
    sums = [tf.ones_like(total), total, *columns]
    return total, tf.reduce_sum(tf.cast(tf.stop_gradient(tf.stack(sums)), tf.float64), axis=1)


def picture(objects, number):
    """One picture of a batch: -> its Objects, its size (2,), the key of its draws (2,)."""
    known = targets.Objects(*(objects[name][number] for name in ("boxes", "classes", "ignore")))
    return known, objects["size"][number], objects["key"][number]


def proposals(logits, deltas, cells, size, recipe):
    """Boxes (P, 4) of one picture to train the head on, and how many they are."""
    asked = Proposing(recipe.train_proposals_before, recipe.train_proposals, recipe.proposal_iou)
    boxes, _, count = propose(logits, deltas, cells, size, asked)
    return boxes, count


def without_margin(model, images, size):
    """Pixels, of the mean's colour beyond each picture's size: (B, H, W, 3) -> the same, float32.

    What a batch fills up with is nothing for the network then, as its own padding.
    """
    images = tf.cast(images, tf.float32)
    mean = tf.cast(tf.convert_to_tensor(model.get_layer("pixels").mean), tf.float32)
    rows = tf.range(tf.shape(images)[1])[None] < size[:, :1]
    columns = tf.range(tf.shape(images)[2])[None] < size[:, 1:]
    return tf.where((rows[:, :, None] & columns[:, None])[..., None], images, mean)
