"""A detector's ways of being computed: on CPUs of fewer multiplications, elsewhere plainly."""

import collections

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from trainers.engine.detection import fast
from trainers.engine.detection.task import detection
from trainers.judging.detection import look
from trainers.plan.detection.recipes import RECIPES
from zoo.detection import detect, network
from zoo.detection.specs import Detector

DETECTOR = Detector(
    zoo.Network("resnet50", 1, None, "B"),
    3,
    sizes=(32.0, 64.0),
    bins=4,
    rpn_filters=256,
    proposals_before=50,
    proposals=6,
    detections=4,
)
SIZE = tf.constant([[64, 96]])


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(1)
    return network.build_detector(DETECTOR)


@pytest.fixture(scope="module")
def pixels():
    rng = np.random.default_rng(0)
    return tf.constant(rng.integers(0, 256, (1, 64, 96, 3)).astype("float32"))


def counted(function, *given):
    """How many operations of each type a function's graph has."""
    graph = function.get_concrete_function(*given).graph
    return collections.Counter(op.type for op in graph.get_operations())


def test_the_halves_are_the_same_function(model, pixels):
    own, ours = network.parts(model), fast.parts(model, DETECTOR)
    maps, *proposed = own.first(pixels, training=False)
    boxes = tf.constant([[[0, 0, 40, 50], [10, 10, 64, 96], [30, 20, 50, 90]]], tf.float32)
    expected = [maps, *proposed, *own.second([maps, boxes], training=False)]
    found = [*ours.first(pixels, training=False), *ours.second([maps, boxes], training=False)]
    for mine, theirs in zip(found, expected, strict=True):
        largest = float(tf.reduce_max(tf.abs(theirs)))
        np.testing.assert_allclose(mine, theirs, atol=2e-5 * largest)
        assert largest > 0


def test_wide_3x3_convolutions_are_none_and_all_others_stay(model, pixels):
    """Of 256 and more: one of RPN, six of conv4_x; of conv5_x three. conv1 is a 7x7."""
    own, ours = network.parts(model), fast.parts(model, DETECTOR)
    plain, fewer = (
        counted(tf.function(lambda x, half=half: half(x, training=False)), pixels)
        for half in (own.first, ours.first)
    )
    assert plain["Conv2D"] - fewer["Conv2D"] == 7
    maps = own.first(pixels, training=False)[0]
    given = [maps, tf.constant([[[0, 0, 40, 50]]], tf.float32)]
    plain, fewer = (
        counted(tf.function(lambda x, half=half: half(x, training=False)), given)
        for half in (own.second, ours.second)
    )
    assert plain["Conv2D"] - fewer["Conv2D"] == 3


def test_training_and_judging_are_computed_so(model, monkeypatch):
    asked = []
    monkeypatch.setattr(fast, "parts", lambda *given: asked.append(given) or network.parts(model))
    detection(model, DETECTOR, RECIPES["coco"])
    look.detecting(model, DETECTOR)
    assert asked == [(model, DETECTOR)] * 2


def test_what_is_exported_stays_plain_whatever_was_traced_before(model, pixels):
    before = counted(tf.function(detect.detecting(model, DETECTOR)), pixels, SIZE)
    looked = look.detecting(model, DETECTOR)(pixels, SIZE)
    after = counted(tf.function(detect.detecting(model, DETECTOR)), pixels, SIZE)
    assert looked.finite and before["Conv2D"] == after["Conv2D"] == 56


def test_with_a_gpu_they_are_the_plain_halves(model, pixels, monkeypatch):
    monkeypatch.setattr(fast, "on_cpus", lambda: False)
    own, ours = network.parts(model), fast.parts(model, DETECTOR)
    assert isinstance(ours.second, keras.Model)
    for mine, theirs in zip(ours.first(pixels), own.first(pixels), strict=True):
        np.testing.assert_array_equal(mine, theirs)
