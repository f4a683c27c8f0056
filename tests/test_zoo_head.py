"""Weights under another head: what is copied, what is refused, what stays frozen."""

import dataclasses

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy as convert

import zoo
from zoo import archive, complexity
from zoo.contract import InputContract
from zoo.surgery import head
from zoo.surgery.convolutional import convolutional

CONTRACT = InputContract(image_size=8, resize_px=8)
SOURCE = zoo.Network("resnet8", 10, 8, "A", mean="pixel", bn_epsilon=1e-3, zeros="split")


@pytest.fixture(scope="module")
def source():
    """Every weight another random number, as no two layers of a trained net are alike."""
    model = zoo.build_network(SOURCE)
    rng = np.random.default_rng(0)
    for layer in model.layers:
        layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.weights])
    return model


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(1).uniform(0, 255, (4, 8, 8, 3)).astype("float32")


def filled(source, network, places=None):
    model = zoo.build_network(network)
    head.fill(model, source, places)
    return model


def pooled(model, images):
    return convert(zoo.features(model, ["pool"])(images)["pool"])


def test_another_head_sees_the_same_features(source, images):
    model = filled(source, dataclasses.replace(SOURCE, num_classes=3))
    assert model.output_shape == (None, 3)
    np.testing.assert_array_equal(pooled(model, images), pooled(source, images))
    assert convert(model.get_layer("logits").kernel).std() > 0  # as initialised, not zeros
    np.testing.assert_array_equal(convert(model.get_layer("logits").bias), np.zeros(3))


def test_the_same_classes_in_another_order_keep_their_logits(source, images):
    names = tuple("abcdefghij")
    order = [3, 1, 4, 0, 5, 9, 2, 6, 8, 7]
    places = head.places(names, [names[i] for i in order])
    assert places.tolist() == order
    model = filled(source, SOURCE, places)
    expected = convert(source(images))[:, order]
    np.testing.assert_allclose(convert(model(images)), expected, rtol=1e-6)


def test_other_classes_have_no_places():
    assert head.places(("cat", "dog"), ("cat", "owl")) is None
    assert head.places(("cat", "dog"), ("cat", "dog", "owl")) is None
    assert head.places(("cat", "cat"), ("cat", "cat")) is None  # a name that says nothing
    assert head.places(("cat", "dog"), ("dog", "cat")).tolist() == [1, 0]


def test_a_misfit_names_the_layer(source):
    with pytest.raises(head.HeadError, match=r"resnet8 does not fit resnet14 .* 'conv2_block2_1"):
        filled(source, dataclasses.replace(SOURCE, name="resnet14"))
    with pytest.raises(head.HeadError, match=r"resnet8 .* 'conv3_block1_0_conv'"):
        filled(source, dataclasses.replace(SOURCE, shortcut="B"))
    with pytest.raises(head.HeadError, match=r"mean of shape \(8, 8, 3\).*\(16, 16, 3\)"):
        filled(source, dataclasses.replace(SOURCE, image_size=16))


@pytest.mark.parametrize(
    ("through", "learning"),
    [
        ("none", {"conv1", "conv2", "conv3", "conv4", "logits"}),
        ("conv1", {"conv2", "conv3", "conv4", "logits"}),
        ("conv3", {"conv4", "logits"}),
        ("conv4", {"logits"}),
        ("backbone", {"logits"}),
    ],
)
def test_frozen_through_a_stage(through, learning):
    model = zoo.build_network(SOURCE)
    head.freeze(model, through)
    stages = {v.path.split("/")[0].split("_")[0] for v in model.trainable_variables}
    assert stages == learning


def test_a_stage_that_is_not_there_is_named():
    with pytest.raises(head.HeadError, match="one of conv1, conv2, conv3, conv4 .* got 'conv5'"):
        head.freeze(zoo.build_network(SOURCE), "conv5")


@pytest.mark.parametrize("frozen", [True, False])
def test_frozen_statistics_do_not_move(frozen, images):
    """In training mode a frozen normalisation computes what it computes at inference."""
    model = zoo.build_network(SOURCE)
    head.freeze(model, batch_norm=frozen)
    norms = [x for x in model.layers if isinstance(x, keras.layers.BatchNormalization)]
    before = [convert(x.moving_mean) for x in norms]
    training = convert(model(images, training=True))
    still = [np.array_equal(convert(x.moving_mean), b) for x, b in zip(norms, before)]
    assert all(still) if frozen else not any(still)
    assert np.array_equal(training, convert(model(images, training=False))) == frozen
    learning = {v.path.split("/")[0] for v in model.trainable_variables}
    assert any(name.endswith("_bn") for name in learning) != frozen


def test_a_hidden_layer_is_kept_counted_and_slid(tmp_path):
    """Dense, ReLU, dense before the logits, by hand in numpy; as learned features in a transfer."""
    network = zoo.Network("resnet8", 5, 8, "A", hidden=7)
    model = zoo.build_network(network)
    plain = zoo.build_network(dataclasses.replace(network, hidden=None))
    extra = complexity.parameters(model) - complexity.parameters(plain)
    assert extra == (64 * 7 + 7) + (7 * 5 + 5) - (64 * 5 + 5)
    for layer in model.layers[-3:]:
        layer.set_weights([np.random.default_rng(0).normal(size=w.shape) for w in layer.weights])
    pixels = np.random.default_rng(1).uniform(0, 255, (2, 8, 8, 3)).astype("float32")
    (w1, b1), (w2, b2) = (model.get_layer(x).get_weights() for x in ("hidden", "logits"))
    by_hand = np.maximum(pooled(model, pixels) @ w1 + b1, 0) @ w2 + b2
    np.testing.assert_allclose(convert(model(pixels)), by_hand, rtol=1e-4, atol=1e-4)
    slid = convolutional(model, network, 8)(np.concatenate([pixels, pixels], axis=1))
    assert slid.shape == (2, 5)
    np.testing.assert_allclose(convolutional(model, network, 8)(pixels), by_hand, rtol=1e-3)

    names = tuple("abcde")
    archive.save(model, archive.Manifest(network, CONTRACT, names), tmp_path)
    loaded, manifest = archive.load(tmp_path)
    assert manifest.network == network
    np.testing.assert_array_equal(convert(loaded(pixels)), convert(model(pixels)))
    other = filled(model, dataclasses.replace(network, num_classes=3))
    np.testing.assert_array_equal(convert(other.get_layer("hidden").kernel), w1)
    head.freeze(other, "backbone")
    assert [x.name for x in other.layers if x.trainable and x.weights][-1:] == ["logits"]
    assert not other.get_layer("hidden").trainable
