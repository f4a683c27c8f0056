"""Layers against numpy and against the Keras layers that they stand for."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.ops import convert_to_numpy as convert

from zoo.layers import FusedBatchNormalization, IdentityShortcut, PixelNormalization


def test_option_a_keeps_every_second_pixel_and_appends_zeros():
    x = np.arange(2 * 5 * 5 * 2, dtype="float32").reshape(2, 5, 5, 2) + 1
    y = convert(IdentityShortcut(filters=6, stride=2)(x))
    assert y.shape == (2, 3, 3, 6)
    np.testing.assert_array_equal(y[..., :2], x[:, ::2, ::2])
    assert not y[..., 2:].any()


def test_option_a_cannot_drop_channels():
    with pytest.raises(ValueError, match="option A only adds channels: 8 do not fit 4"):
        IdentityShortcut(filters=4, stride=1)(np.zeros((1, 2, 2, 8), "float32"))


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float32"])
def test_pixels_are_normalised_whatever_their_type(dtype):
    layer = PixelNormalization((2, 2, 3))
    pixels = np.arange(12).reshape(1, 2, 2, 3).astype(dtype)
    layer.build(pixels.shape)
    mean = np.linspace(1, 200, 12).reshape(2, 2, 3).astype("float32")
    layer.mean.assign(mean)
    layer.scale.assign([1, 0.5, 2])
    expected = (pixels.astype("float32") - mean) * np.array([1, 0.5, 2], "float32")
    np.testing.assert_array_equal(layer(pixels), expected)
    assert layer.trainable_variables == []


def test_subtraction_is_exact_before_it_is_rounded_to_half_precision():
    layer = PixelNormalization(dtype="mixed_bfloat16")
    layer.build((None, 1, 1, 3))
    layer.mean.assign(np.full((1, 1, 3), 250.0))
    # 251 and 253 are not bfloat16 numbers; their distance from 250 is.
    y = layer(np.array([251, 253, 255], "uint8").reshape(1, 1, 1, 3))
    assert y.dtype == "bfloat16"
    np.testing.assert_array_equal(convert(y).astype("float32").ravel(), [1, 3, 5])


def twins(**options):
    """Our layer and Keras' with the same, unusual, weights."""
    rng = np.random.default_rng(0)
    pair = [FusedBatchNormalization(**options), keras.layers.BatchNormalization(**options)]
    values = [rng.uniform(0.5, 2, 4) for _ in range(4)]
    for layer in pair:
        layer.build((None, 6, 6, 4))
        layer.set_weights(values)
    return pair


@pytest.mark.parametrize("training", [True, False])
def test_fused_normalisation_has_keras_numbers(training):
    """Output, moving statistics and gradients; 1e-5 is float32's rounding over 180 pixels."""
    x = tf.constant(np.random.default_rng(1).normal(3, 2, (5, 6, 6, 4)).astype("float32"))
    weight = tf.constant(np.random.default_rng(2).normal(size=(5, 6, 6, 4)).astype("float32"))
    results = []
    for layer in twins(momentum=0.9, epsilon=1e-5):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=training)
            loss = tf.reduce_sum(y * weight)
        gradients = tape.gradient(loss, [x, *[v.value for v in layer.trainable_variables]])
        moved = [layer.moving_mean, layer.moving_variance]
        results.append([convert(t) for t in (y, *gradients, *moved)])
    for ours, keras_own in zip(*results, strict=True):
        np.testing.assert_allclose(ours, keras_own, rtol=1e-5, atol=1e-4 if training else 1e-5)


def test_fused_normalisation_is_one_op():
    layer, stock = twins()
    for each, fused in ((layer, 1), (stock, 0)):
        graph = tf.function(lambda x, each=each: each(x, training=True)).get_concrete_function(
            tf.TensorSpec((None, 6, 6, 4))
        )
        ops = [op.type for op in graph.graph.get_operations()]
        assert ops.count("FusedBatchNormV3") == fused


def test_a_frozen_layer_normalises_by_its_moving_statistics():
    layer, stock = twins()
    x = np.random.default_rng(1).normal(3, 2, (5, 6, 6, 4)).astype("float32")
    layer.trainable = stock.trainable = False
    before = [convert(w) for w in layer.weights]
    np.testing.assert_allclose(layer(x, training=True), stock(x, training=True), rtol=1e-5)
    for old, new in zip(before, layer.weights, strict=True):
        np.testing.assert_array_equal(old, convert(new))


@pytest.mark.parametrize(
    "options, shape",
    [({"synchronized": True}, (5, 6, 6, 4)), ({"axis": 1}, (5, 4, 6, 6)), ({}, (5, 4))],
)
def test_other_cases_take_keras_own_path(options, shape):
    layer = FusedBatchNormalization(**options)
    x = np.random.default_rng(1).normal(3, 2, shape).astype("float32")
    expected = keras.layers.BatchNormalization(**options)(x, training=True)
    np.testing.assert_array_equal(layer(x, training=True), expected)


def test_layers_survive_a_keras_file(tmp_path):
    """A user may save any network by Keras' own means, without us at hand to name the classes."""
    import zoo

    model = zoo.build("resnet8", image_size=8)
    model.save(tmp_path / "net.keras")
    again = keras.models.load_model(tmp_path / "net.keras")
    x = np.random.default_rng(0).uniform(0, 255, (2, 8, 8, 3)).astype("float32")
    np.testing.assert_array_equal(model(x), again(x))
