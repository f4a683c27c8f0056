"""What a localiser says of each picture of a source: boxes, with the classes that it guesses.

Classes are guessed by a classifier of the same pictures, as in the paper, or else by the
localiser's own scores.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from trainers.data.boxes import pipelines, single
from trainers.judging import scores
from trainers.judging.detection import evaluation, objects
from trainers.judging.localisation import errors
from trainers.plan.images import require_classes
from zoo import archive
from zoo.localisation.locate import locating


@dataclasses.dataclass(frozen=True)
class Seen:
    """What is there, what was guessed, and what is drawn of it: each picture's first guess."""

    truth: objects.Truth
    guesses: errors.Guesses
    found: objects.Found
    least_shown: float = 0.0


@dataclasses.dataclass(frozen=True)
class Look:
    """How pictures are looked at: the whole, or a central square of `crop_px`; `limit` of them."""

    batch_size: int = 1
    limit: int | None = None
    crop_px: int | None = None


def finding(model, localiser):
    """`locating`'s function, compiled."""
    return tf.function(locating(model, localiser), reduce_retracing=True)


def see(find, source, contract, look, probabilities=None):
    """Every picture once: -> Seen, or None where an output is not finite.

    `find` is `finding`'s, `probabilities` (P, K) are a classifier's of the pictures, ascending.
    """
    pictures = batches(source, contract, look)
    return guessed(source, *located(find, pictures, look.crop_px), probabilities)


def batches(source, contract, look):
    """`pipelines.evaluate`'s."""
    # The zeros around a smaller picture would have a say at its border.
    batch_size = look.batch_size if source.image_shape else 1
    return pipelines.evaluate(source, contract, batch_size=batch_size, limit=look.limit)


def located(find, pictures, crop_px=None):
    """Of `batches`: numbers, ascending (P,), boxes of each (P, K, 4) and their scores (P, K)."""
    found = dict(boxes_of(find, pictures, crop_px))
    numbers = np.array(sorted(found), np.int64)
    columns = zip(*(found[number] for number in numbers.tolist()), strict=True)
    return numbers, *map(np.stack, columns)


def guessed(source, pictures, boxes, sure, probabilities=None):
    """What `located` gives as guesses: -> Seen, or None where a number is not finite."""
    if not (np.isfinite(boxes).all() and np.isfinite(sure).all()):
        return None
    truth = evaluation.truth_of(source, pictures)
    labels = errors.labels_of(truth)
    if boxes.shape[1] < source.num_classes:  # one box for all classes
        boxes, sure = (np.repeat(x, source.num_classes, axis=1) for x in (boxes, sure))
        ranked = probabilities
    else:
        ranked = sure if probabilities is None else probabilities
    rows = np.arange(len(pictures))
    told = boxes[rows, labels]
    classes = np.zeros((len(pictures), 0), np.int64)
    if ranked is not None:
        classes = np.argsort(-ranked, axis=1, kind="stable")[:, : errors.GUESSES]
    chosen = boxes[rows[:, None], classes], sure[rows[:, None], classes]
    guesses = errors.Guesses(pictures, classes, *chosen, told)
    first = classes[:, 0] if classes.shape[1] else labels
    drawn = boxes[rows, first], sure[rows, first], first.astype(np.int32)
    return Seen(truth, guesses, objects.Found(pictures, *drawn))


def boxes_of(find, pictures, crop_px):
    """(number, (boxes (K, 4) in the picture's own pixels, scores (K,))) of each picture."""
    for images, targets, weights, index in pictures:
        size = targets["size"]
        corner = tf.zeros_like(size)
        if crop_px:
            images, size, corner = central(images, size, crop_px)
        boxes, sure = find(tf.cast(images, tf.float32), size)
        boxes = boxes + tf.tile(tf.cast(corner, tf.float32), (1, 2))[:, None]
        scale = tf.cast(targets["original"] / targets["size"], tf.float32)
        boxes = boxes * tf.tile(scale, (1, 2))[:, None]
        for row in np.flatnonzero(weights.numpy() > 0):
            yield int(index[row]), (boxes[row].numpy(), sure[row].numpy())


def central(images, sizes, side):
    """The middle of pictures of one size: -> crops, their sizes (B, 2), their corners (B, 2)."""
    cropped = tf.minimum(sizes, side)
    corner = (sizes - cropped) // 2
    (top, left), (height, width) = tf.unstack(corner[0]), tf.unstack(cropped[0])
    return images[:, top : top + height, left : left + width], cropped, corner


def classified(run_dir, source, limit):
    """A classifier's probabilities of the pictures, ascending: a run's directory -> (P, K)."""
    model, manifest = archive.load(run_dir)
    require_classes(source, manifest.class_names)
    look = scores.Look(limit=limit)
    strategy = tf.distribute.get_strategy()
    return scores.of_network(
        model, manifest, single.classified(source), look, strategy
    ).probabilities
