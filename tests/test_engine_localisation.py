"""What a localiser learns of a batch: the picture's class, its losses, the same bits twice."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from test_localisation_network import described

from trainers.engine import localisation
from trainers.engine.detection import losses, targets
from trainers.plan.localisation.recipes import RECIPES
from zoo.localisation.locate import cells_of
from zoo.localisation.network import build_localiser

RECIPE = dataclasses.replace(RECIPES["scenes_single"], rpn_anchors=8)
OBJECTS = {
    "boxes": tf.constant([[[4, 4, 20, 20], [0, 0, 0, 0]], [[0] * 4] * 2], tf.float32),
    "classes": tf.constant([[2, -1], [-1, -1]]),
    "ignore": tf.zeros((2, 2), tf.bool),
    "size": tf.constant([[32, 32]] * 2),
    "key": tf.constant([[0, 5], [0, 6]], tf.int64),
}


def test_the_class_of_a_picture_is_its_objects():
    """An object without area, and one to be ignored, are none; without classes all are of one."""
    known = targets.Objects(
        tf.constant([[[0, 0, 9, 9], [0, 0, 9, 9]], [[0, 0, 9, 9], [3, 3, 3, 9]]], tf.float32),
        tf.constant([[1, 2], [0, 2]]),
        tf.constant([[False, True], [False, False]]),
    )
    assert localisation.kinds_of(known, described()).numpy().tolist() == [1, 0]
    assert localisation.kinds_of(known, described(by_class=False)).numpy().tolist() == [0, 0]
    nothing = targets.Objects(*(x[:, :0] for x in known[:1]), tf.fill([2, 1], -1), known[2][:, :1])
    nothing = nothing._replace(boxes=tf.zeros((2, 1, 4)))
    assert localisation.kinds_of(nothing, described()).numpy().tolist() == [-1, -1]


@pytest.fixture(scope="module")
def learned():
    keras.utils.set_random_seed(0)
    localiser = described()
    model = build_localiser(localiser)
    learn = localisation.localisation(localiser, RECIPE).learn
    images = np.random.default_rng(0).integers(0, 255, (2, 32, 32, 3)).astype(np.uint8)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            each, sums = learn(model, tf.constant(images), OBJECTS)
        return each, sums, tape.gradient(each, model.trainable_variables)

    return localiser, model, images, step


def test_losses_are_those_of_the_pictures_one_by_one(learned):
    """Anchors as a detector draws them of each picture; the sums are of both."""
    localiser, model, images, step = learned
    each, sums, _ = step()
    maps, logits, deltas = model(images.astype(np.float32), training=True)
    cells = cells_of(localiser, maps)
    for number, kind in enumerate((2, -1)):
        known = targets.Objects(*(OBJECTS[n][number] for n in ("boxes", "classes", "ignore")))
        chosen = targets.anchors(cells, known, [32, 32], OBJECTS["key"][number], 8)
        alone = targets.Anchors(*(x[None] for x in chosen))
        rows = logits[number : number + 1], deltas[number : number + 1]
        found = losses.rpn_of_classes(*rows, alone, tf.constant([kind]), 8)
        assert float(sum(found)[0]) == pytest.approx(float(each[number]), rel=1e-4)
    assert sums[0] == 2 and float(sums[1]) == pytest.approx(float(tf.reduce_sum(each)), rel=1e-6)
    assert float(sums[2] + sums[3]) == pytest.approx(float(sums[1]), rel=1e-6)


def test_gradients_repeat_bit_for_bit(learned):
    """But for batch normalisation's moving statistics nothing changes, and they have no say."""
    first, again = learned[3]()[2], learned[3]()[2]
    assert all(x is not None for x in first)
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(tf.convert_to_tensor(one), tf.convert_to_tensor(other))
