"""Folding changes the number of operations and nothing else, for every kind of network."""

import keras
import numpy as np
import pytest
from export_networks import randomised
from keras import layers

import zoo
from zoo.recursion import room_for
from zoo.surgery.fold import fold

# Float32 rounding alone: 53 layers of sums in another order leave 2e-6 (measured on ResNet-50).
# An epsilon of 1e-3 for 1e-5, the smallest mistake that libraries make, leaves 3e-4.
ROUNDING = 1e-5

KINDS = [
    ("plain8", {}),
    ("resnet8", {"mean": "pixel"}),
    ("resnet8", {"shortcut": "B"}),
    ("resnet8", {"shortcut": "C"}),
    ("resnet20", {}),
    ("plain18", {}),
    ("resnet18", {}),
    ("resnet34", {"shortcut": "A"}),
    ("resnet50", {}),
    ("resnet50", {"stride": "3x3", "shortcut": "C"}),
    ("resnet50", {"batch_norm": "synchronized"}),
]


def images_for(model, count=3):
    rng = np.random.default_rng(1)
    return np.float32(rng.integers(0, 256, (count, *model.input.shape[1:])))


def largest_difference(one, other, images):
    with room_for(len(one.layers)):
        expected, found = np.array(one(images)), np.array(other(images))
    assert np.isfinite(expected).all()
    return np.abs(expected - found).max() / np.abs(expected).max()


@pytest.mark.parametrize(("name", "options"), KINDS)
def test_folded_network_is_the_same_function(name, options):
    size = 16 if zoo.find(name).stem == "cifar" else 64
    model = randomised(zoo.build(name, image_size=size, **options))
    folded = fold(model)
    assert largest_difference(model, folded, images_for(model)) < ROUNDING
    assert not any(isinstance(x, layers.BatchNormalization) for x in folded.layers)


def test_each_normalisation_leaves_one_bias():
    model = zoo.build("resnet20", image_size=32)
    norms = [x for x in model.layers if isinstance(x, layers.BatchNormalization)]
    channels = sum(norm.gamma.shape[0] for norm in norms)
    folded = fold(model)
    # gamma, beta, mean and variance become one bias for each channel.
    assert folded.count_params() == model.count_params() - 3 * channels
    gone = {x.name for x in model.layers} - {x.name for x in folded.layers}
    assert gone == {norm.name for norm in norms}


def test_source_is_left_alone():
    model = randomised(zoo.build("resnet8", image_size=8))
    before = [w.copy() for w in model.get_weights()]
    folded = fold(model)
    for layer in folded.layers:
        layer.set_weights([np.zeros_like(w) for w in layer.get_weights()])
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_mixed_precision_becomes_float32():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        mixed = randomised(zoo.build("resnet8", image_size=8))
    finally:
        keras.config.set_dtype_policy(policy)
    whole = zoo.build("resnet8", image_size=8)
    whole.set_weights(mixed.get_weights())
    folded = fold(mixed)
    assert {layer.compute_dtype for layer in folded.layers} == {"float32"}
    assert largest_difference(whole, folded, images_for(whole)) < ROUNDING


def test_only_what_may_be_folded_is():
    """A bias of the convolution's own, no scale; and three normalisations that stay."""
    image = keras.Input((6, 6, 3))
    x = layers.Conv2D(4, 3, name="biased", bias_initializer="ones")(image)
    x = layers.BatchNormalization(scale=False, name="biased_bn")(x)
    x = layers.Conv2D(4, 1, activation="relu", name="active")(x)
    x = layers.BatchNormalization(name="after_relu_bn")(x)
    read_twice = layers.Conv2D(4, 1, name="read_twice")(x)
    x = layers.Add()([layers.BatchNormalization(name="one_reader_bn")(read_twice), read_twice])
    model = keras.Model(image, layers.BatchNormalization(name="after_add_bn")(x))
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in model.get_weights()])

    folded = fold(model)
    kept = {x.name for x in folded.layers if isinstance(x, layers.BatchNormalization)}
    assert kept == {"after_relu_bn", "one_reader_bn", "after_add_bn"}
    assert largest_difference(model, folded, images_for(model)) < ROUNDING


@pytest.mark.exhaustive  # most of it Keras building the graph
def test_1202_layers_fold():
    model = randomised(zoo.build("resnet1202", image_size=8), last_gamma=0.05)
    folded = fold(model)
    assert largest_difference(model, folded, images_for(model, count=1)) < ROUNDING
