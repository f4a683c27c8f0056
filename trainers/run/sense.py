"""Whether a run can learn anything at all, asked before it begins."""

import numpy as np
import tensorflow as tf

import zoo
from trainers.run.directory import RunError
from zoo import headers, preprocess

SHRINKS = {"imagenet": 32, "cifar": 4}  # how much smaller the last stage is, by the net's stem


def check(run, place, data):
    """RunError, of one sentence, for a single class, or for images that cannot be normalised.

    And where no picture of a split can be read, which would be met after a round.
    """
    if data.train.num_classes < 2:
        only = repr(data.train.class_names[0]) if data.train.class_names else "none"
        raise RunError(
            f"{run.data}: expected at least two classes to tell apart, got {only:.60} alone"
        )
    check_normalisation(run, data.input.image_size, place)
    for source in (data.train, data.validation):
        if source.files and not any(is_readable(source, i, data) for i in range(source.length)):
            raise RunError(
                f"{run.data}: none of the {source.length:,} pictures of {source.split} can be "
                f"read, the first is {source.files[0]:.120}: put others in their place"
            )


def check_normalisation(run, image_size, place):
    """RunError where batch normalisation would see one value a channel: all that is left is 0."""
    side = -(-image_size // SHRINKS[zoo.find(run.model).stem])
    replicas = place.strategy.num_replicas_in_sync
    own = run.recipe.batch_size // place.engine.accumulate
    own //= 1 if run.recipe.batch_norm == "synchronized" else replicas
    if own * side * side > 1 or run.recipe.freeze_bn:
        return
    raise RunError(
        f"batch normalisation needs more than one value a channel: at {image_size} px the last "
        f"stage has one position, and --batch_size={run.recipe.batch_size} one image at a time; "
        "take a larger one of the two"
    )


def is_readable(source, index, data):
    """Whether an example can be decoded."""
    try:
        encoded = source.fetch(np.array([index]))[0][0]
        return bool(tf.size(preprocess.decode(headers.bounded(encoded, data.input.resize_px))))
    except tf.errors.OpError:
        return False
