"""What a recipe leaves to the images: steps of so many epochs; of a folder sizes, rounds too.

Measured on two busy cores, from scratch: resnet18, 180 tiles of three photographs, 200 steps at 96
px: 2.3 % of 44 wrong after three minutes. 500 pictures of CIFAR-10: resnet18, 512 steps at 64 px,
68 %, seven minutes; with random_resized_crop and a decay of 5e-4, 384 steps, 73 %; resnet20, 384
steps at 32 px, 63 %, two minutes.
"""

import dataclasses
import statistics

import numpy as np
import tensorflow as tf

import zoo
from trainers.plan.checks import SIZED
from zoo import preprocess

EPOCHS = 30
LEAST_STEPS = 200  # below it a few dozen pictures are not learned from scratch
ROUNDS = 20
SAMPLE = 32  # pictures whose sides are looked at
SIDES = {"imagenet": (64, 96), "cifar": (32, 64)}  # px at least and at most, by the net's stem


def settled(run, train_images, shorter_px=None):
    """The Run with numbers where its recipe has none, by the images that it first started with.

    `shorter_px` is what `typical_side` found, for a recipe that asks for it.
    """
    recipe = run.recipe
    changes = {"epochs": None}
    steps = recipe.steps
    if steps is None:
        steps = -(-(recipe.epochs or EPOCHS) * train_images // recipe.batch_size)
        steps = steps if recipe.epochs else max(steps, LEAST_STEPS)
        changes["steps"] = max(1, steps)
    if recipe.round_steps is None:
        epoch_steps = -(-train_images // recipe.batch_size)
        changes["round_steps"] = max(1, min(steps, max(epoch_steps, -(-steps // ROUNDS))))
    if asks_for_side(run) and shorter_px:
        least, most = SIDES[zoo.find(run.model).stem]
        changes["image_size"] = min(max(least, shorter_px), most)
    return dataclasses.replace(run, recipe=dataclasses.replace(recipe, **changes))


def asks_for_side(run):
    """Whether nobody else says the network's size: a source of weights has its own."""
    return run.recipe.name == SIZED and run.recipe.image_size is None and not run.init_from


def typical_side(source):
    """The median shorter side of a few of the pictures, px; None where none can be read."""
    chosen = np.unique(np.linspace(0, source.length - 1, SAMPLE).astype(int))
    sides = [side for index in chosen if (side := side_of(source, index))]
    return int(statistics.median(sides)) if sides else None


def side_of(source, index):
    """Of a JPEG by its header."""
    try:
        encoded = source.fetch(np.array([index]))[0][0]
        jpeg = bool(tf.io.is_jpeg(encoded))
        shape = tf.io.extract_jpeg_shape(encoded) if jpeg else preprocess.decode(encoded).shape
        return int(min(shape[0], shape[1]))
    except tf.errors.OpError:
        return None
