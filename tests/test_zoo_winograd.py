"""Winograd's convolutions against sums in float64, and against TensorFlow's."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo import winograd
from zoo.layers import Conv2D


def drawn(shape, filters):
    """A map and a kernel."""
    rng = np.random.default_rng(0)
    kernel = rng.normal(0, 0.1, (3, 3, shape[-1], filters))
    return rng.normal(size=shape).astype("float32"), kernel.astype("float32")


def summed(x, kernel):
    """The convolution as it is defined, in float64."""
    height, width = x.shape[1:3]
    padded = np.pad(np.float64(x), [(0, 0), (1, 1), (1, 1), (0, 0)])
    return sum(
        padded[:, i : i + height, j : j + width] @ np.float64(kernel[i, j])
        for i in range(3)
        for j in range(3)
    )


@pytest.mark.parametrize("size", [(1, 1), (4, 4), (7, 7), (5, 14), (9, 3), (30, 40)])
def test_it_is_the_convolution(size):
    x, kernel = drawn((2, *size, 24), 16)
    y = winograd.convolve(x, kernel)
    assert y.shape == (2, *size, 16)
    np.testing.assert_allclose(y, summed(x, kernel), atol=3e-5)


def test_of_no_maps_come_none():
    x, kernel = drawn((0, 7, 7, 5), 6)
    assert winograd.convolve(x, kernel).shape == (0, 7, 7, 6)


def test_sizes_may_be_unknown():
    x, kernel = drawn((3, 7, 10, 8), 8)
    unknown = tf.function(
        lambda x: winograd.convolve(x, kernel),
        input_signature=[tf.TensorSpec((None, None, None, 8))],
    )
    assert unknown.get_concrete_function().output_shapes == (None, None, None, 8)
    np.testing.assert_allclose(unknown(x), summed(x, kernel), atol=3e-5)


def gradients(convolution, x, kernel, of_y):
    with tf.GradientTape() as tape:
        tape.watch([x, kernel])
        y = convolution(x, kernel)
    return tape.gradient(y, [x, kernel], of_y)


def test_its_gradients_are_the_convolutions_and_the_same_bits_each_time():
    x, kernel = map(tf.constant, drawn((2, 7, 9, 24), 16))
    of_y = np.random.default_rng(1).normal(size=(2, 7, 9, 16)).astype("float32")
    ours = tf.function(lambda *given: gradients(winograd.convolve, *given))
    found = ours(x, kernel, of_y)
    expected = gradients(lambda x, kernel: tf.nn.conv2d(x, kernel, 1, "SAME"), x, kernel, of_y)
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-4)
    for first, second in zip(found, ours(x, kernel, of_y), strict=True):
        np.testing.assert_array_equal(first, second)


def convolutions(layer, x):
    """How many of TensorFlow's convolutions a layer's graph has."""

    @tf.function
    def graph(x):
        return layer(x)

    return [op.type for op in graph.get_concrete_function(x).graph.get_operations()].count("Conv2D")


def built(x, **options):
    layer = Conv2D(**{"filters": 8, "kernel_size": 3, "padding": "same", **options})
    layer.build(x.shape)
    return layer


def test_the_layer_is_keras_own_until_it_is_asked():
    x, _ = drawn((2, 7, 7, 8), 8)
    layer = built(x, activation="relu", bias_initializer="ones")
    keras_own = keras.layers.Conv2D(8, 3, padding="same", activation="relu")
    keras_own.build(x.shape)
    keras_own.set_weights(layer.get_weights())
    np.testing.assert_array_equal(layer(x), keras_own(x))
    with winograd.from_channels(8):
        assert convolutions(layer, x) == 0
        y = layer(x)
    np.testing.assert_allclose(y, keras_own(x), atol=1e-5)
    np.testing.assert_array_equal(layer(x), keras_own(x))
    assert convolutions(layer, x) == 1


def test_files_of_weights_know_it_by_keras_own_name(tmp_path):
    x, _ = drawn((1, 5, 5, 2), 3)
    models = []
    for kind in (keras.layers.Conv2D, Conv2D):
        image = keras.Input((5, 5, 2))
        models.append(keras.Model(image, kind(3, 3, name="conv1_conv")(image)))
    keras_own, ours = models
    keras_own.save_weights(tmp_path / "a.weights.h5")
    ours.load_weights(tmp_path / "a.weights.h5")
    np.testing.assert_array_equal(ours(x), keras_own(x))


@pytest.mark.parametrize(
    "options",
    [
        {"filters": 7},
        {"kernel_size": 1},
        {"kernel_size": (3, 1)},
        {"strides": 2},
        {"padding": "valid"},
        {"dilation_rate": 2},
        {"groups": 2},
        {"dtype": "mixed_bfloat16"},
        {"dtype": "float64"},
    ],
)
def test_where_it_is_not_defined_or_too_narrow_a_convolution_stays(options, monkeypatch):
    x, _ = drawn((2, 7, 7, 8), 8)
    layer = built(x, **options)
    expected = layer(x)
    monkeypatch.setattr(winograd, "convolve", None)
    with winograd.from_channels(8):
        np.testing.assert_array_equal(layer(x), expected)
