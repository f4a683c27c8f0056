"""A region's first convolutions on the map against the same network in its own order."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.detection import commuted, network
from zoo.detection.specs import Detector


def detector(name="resnet50", shortcut="B", stride="1x1", **more):
    return Detector(
        zoo.Network(name, 1, None, shortcut, stride=stride), 3, bins=4, rpn_filters=8, **more
    )


@pytest.fixture(scope="module")
def built():
    keras.utils.set_random_seed(1)
    model = network.build_detector(detector())
    for layer in model.layers:  # biases, which would not commute if they came before the pooling
        if layer.name.startswith("conv5") and layer.name.endswith("_bn"):
            layer.beta.assign(tf.linspace(-1.0, 1.0, layer.beta.shape[0]))
    return model


def given():
    """A map and regions, one partly beyond it, one wholly."""
    rng = np.random.default_rng(0)
    maps = rng.normal(size=(2, 5, 6, 1024)).astype("float32")
    boxes = [[0, 0, 80, 96], [10, 20, 30, 90], [-40, 50, 60, 150], [200, 200, 300, 300]]
    return tf.constant(maps), tf.constant([boxes, boxes[::-1]], tf.float32)


def answered(second, model, given):
    """What the head says, and the gradient of the first convolutions, of the map."""
    maps, boxes = given
    kernels = [layer.kernel.value for layer in commuted.first_convolutions(model, detector())]
    with tf.GradientTape() as tape:
        tape.watch(maps)
        logits, deltas = second([maps, boxes], training=False)
        loss = tf.reduce_sum(logits**2)
    return [logits, deltas, *tape.gradient(loss, [maps, *kernels])]


@pytest.mark.parametrize("channels", [128, 96])
def test_it_is_the_same_function(built, channels, monkeypatch):
    monkeypatch.setattr(commuted, "CHANNELS", channels)
    convolutions = commuted.first_convolutions(built, detector())
    assert [x.name for x in convolutions] == ["conv5_block1_0_conv", "conv5_block1_1_conv"]
    own = answered(network.parts(built).second, built, given())
    found = answered(commuted.second(built, convolutions), built, given())
    for mine, theirs in zip(found, own, strict=True):
        assert mine.shape == theirs.shape
        np.testing.assert_allclose(mine, theirs, atol=1e-5 * float(tf.reduce_max(tf.abs(theirs))))
    assert found[0].shape == (2, 4, 4)


@pytest.mark.parametrize(
    "described",
    [
        detector(pooling="max"),
        detector(stride="3x3"),  # whose 3x3 reads bins that the shortcut does not
        detector(shortcut="A"),  # whose shortcut is of the bins themselves
        detector("resnet18"),
    ],
)
def test_where_they_do_not_commute_there_are_none(described):
    assert commuted.first_convolutions(None, described) == []
