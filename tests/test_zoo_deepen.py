"""The construction of Sec. 1: deeper, and the same function."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from export_networks import randomised
from keras.ops import convert_to_numpy as convert

import zoo
from zoo import complexity
from zoo.surgery.deepen import DeepenError, deepen

PAIRS = [
    ("plain20", "plain32", {}),
    ("resnet20", "resnet56", {}),
    ("resnet18", "resnet34", {}),
    ("resnet8", "resnet20", {"shortcut": "C"}),
    pytest.param("resnet50", "resnet101", {}, marks=pytest.mark.exhaustive),
    ("plain8", "plain14", {}),
    ("resnet8", "resnet14", {"mean": "pixel", "zeros": "split"}),
]
# Float32 rounding of an identity in each of up to 16 new layers; a kernel of two identities, or an
# epsilon that is forgotten, leaves 1e-4 and more.
ROUNDING = 2e-6


def shallow(name, options):
    spec = zoo.find(name)
    size = 16 if spec.stem == "cifar" else 64
    options = {"shortcut": spec.shortcut, **options}
    network = zoo.Network(name, num_classes=10, image_size=size, **options)
    return randomised(zoo.build_network(network), last_gamma=0.3), network


def images_for(network, count=4, seed=1):
    shape = (count, network.image_size, network.image_size, 3)
    return np.float32(np.random.default_rng(seed).integers(0, 256, shape))


@pytest.mark.parametrize(("name", "deeper_name", "options"), PAIRS)
def test_the_deeper_network_computes_the_same(name, deeper_name, options):
    model, network = shallow(name, options)
    deeper, deeper_network = deepen(model, network, deeper_name)
    assert deeper_network == dataclasses.replace(network, name=deeper_name)
    assert complexity.parameters(deeper) == complexity.parameters(zoo.build_network(deeper_network))
    images = images_for(network)
    expected = convert(model(images))
    assert np.ptp(expected) > 0.1  # logits that say something
    error = np.abs(convert(deeper(images)) - expected).max()
    assert error <= ROUNDING * np.abs(expected).max()


def test_residual_blocks_are_exact_in_training_too():
    model, network = shallow("resnet8", {})
    deeper, _ = deepen(model, network, "resnet20")
    images = images_for(network)
    expected = convert(model(images, training=True))
    np.testing.assert_allclose(convert(deeper(images, training=True)), expected, rtol=1e-5)


def test_with_its_images_a_plain_net_is_the_same_in_training_too():
    """On the batch whose statistics it took, so no batch fluctuates."""
    keras.utils.set_random_seed(0)
    network = zoo.Network("plain8", 10, 16, None)
    model = zoo.build_network(network)
    images = images_for(network, 16)
    for layer in model.layers:
        layer.momentum = 0.0  # the moving statistics become this batch's
    model(images, training=True)
    expected = convert(model(images, training=True))
    measured, _ = deepen(model, network, "plain14", images)
    without, _ = deepen(model, network, "plain14")
    scale = np.abs(expected).max()
    assert np.abs(convert(measured(images, training=True)) - expected).max() < 1e-3 * scale
    assert np.abs(convert(without(images, training=True)) - expected).max() > 1e-1 * scale
    np.testing.assert_allclose(convert(measured(images)), convert(model(images)), atol=1e-4 * scale)


def test_the_new_layers_can_learn():
    """F = 0 is where training starts: the last gamma of a new block has a gradient."""
    model, network = shallow("resnet8", {})
    deeper, _ = deepen(model, network, "resnet14")
    gamma = deeper.get_layer("conv3_block2_2_bn").gamma
    assert not convert(gamma).any()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(deeper(images_for(network), training=True)[:, 0])
    assert np.abs(tape.gradient(loss, gamma.value)).max() > 0


def test_the_source_is_left_alone():
    model, network = shallow("plain8", {})
    before = model.get_weights()
    deeper, _ = deepen(model, network, "plain14")
    deeper.get_layer("conv1_conv").kernel.assign(deeper.get_layer("conv1_conv").kernel * 2)
    for ours, theirs in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("name", "deeper_name"),
    [("resnet20", "resnet14"), ("resnet20", "resnet20"), ("plain20", "resnet56"),
     ("resnet34", "resnet50"), ("resnet18", "resnet20")],
)  # fmt: skip
def test_what_is_no_deeper_net_is_refused(name, deeper_name):
    network = zoo.Network(name, 10, 32, zoo.find(name).shortcut)
    with pytest.raises(DeepenError, match=f"{deeper_name} is not {name} with more blocks"):
        deepen(None, network, deeper_name)
