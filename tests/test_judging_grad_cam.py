"""Grad-CAM where the answer is known: by hand, by differences, as a program."""

import json

import keras
import numpy as np
import programs
import pytest
import tensorflow as tf
from export_networks import NAMES, randomised, save_run
from keras import layers
from PIL import Image

import zoo
from trainers.data import sources
from trainers.judging import explaining, grad_cam

RED, BLUE = 0, 1


def red_and_blue():
    """Class 0's logit is the mean redness of the picture, class 1's the mean blueness."""
    image = keras.Input((16, 24, 3))
    x = layers.Conv2D(2, 1, use_bias=False, name="conv1_relu")(image)
    x = layers.AveragePooling2D(4, name="conv2_block1_out")(x)
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    logits = layers.Dense(2, kernel_initializer="identity", name="logits")(x)
    model = keras.Model(image, logits)
    kernel = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]]) / 255
    model.get_layer("conv1_relu").set_weights([kernel.reshape(1, 1, 3, 2)])
    return model


def test_a_map_shows_where_the_colour_is():
    """A red square above left, a blue one below right: maps of 4 x 6 cells of 4 x 4 pixels.

    The mean has the slope 1 / 24 everywhere, so a map is the colour's share of a cell over 24.
    """
    image = np.zeros((16, 24, 3), np.float32)
    image[0:4, 4:12, RED] = 255
    image[12:14, 20:24, 2] = 255
    explain = grad_cam.mapper(red_and_blue())
    (found,) = grad_cam.explained(explain, image[None], lambda i, row: [BLUE, RED])
    blue, red = np.zeros((4, 6)), np.zeros((4, 6))
    red[0, 1:3], blue[3, 5] = 1 / 24, 0.5 / 24
    np.testing.assert_allclose(found.maps, [blue, red], atol=1e-8)
    expected = np.exp([0.5 / 24, 2 / 24]) / np.exp([0.5 / 24, 2 / 24]).sum()
    np.testing.assert_allclose(found.probabilities, expected, rtol=1e-6)
    shown = grad_cam.over(np.full((16, 24, 3), 100, np.uint8), found.maps[1])
    changed = np.abs(shown.astype(int) - 100).max(axis=-1)
    assert changed[1:3, 6:10].min() > 60 and changed[8:].max() == 0


def test_slopes_are_finite_differences():
    """Eq. 1 and 2 on a residual net, its inner map moved by hand, by the layers behind it."""
    model = randomised(zoo.build("resnet8", image_size=8, num_classes=4))
    images = np.random.default_rng(0).uniform(0, 255, (2, 8, 8, 3)).astype("float32")
    classes = np.array([1, 3])
    maps, _ = grad_cam.mapper(model, "conv2")(tf.constant(images), tf.constant(classes))
    inner = zoo.features(model, ["conv2"])(images)["conv2"].numpy()
    tail = keras.Model(model.get_layer("conv2_block1_out").output, model.output)
    step, slopes = 0.02, np.zeros_like(inner)
    for channel in range(inner.shape[-1]):  # all positions of a channel at once: their sum
        for sign in (1, -1):
            moved = inner.copy()
            moved[..., channel] += sign * step
            logits = tail(moved).numpy()[np.arange(2), classes]
            slopes[..., channel] += sign * logits[:, None, None] / (2 * step)
    weights = slopes[:, 0, 0] / np.prod(inner.shape[1:3])
    expected = np.maximum(np.einsum("nc,nhwc->nhw", weights, inner), 0)
    assert expected.max() > 0
    error = np.abs(maps.numpy() - expected).max() / expected.max()
    assert error < 0.05  # a few ReLUs bend within the step


def test_the_last_map_is_the_class_activation_map():
    """Sec. 3.1: behind it there is a mean and a dense layer, so its weights are that layer's."""
    model = randomised(zoo.build("resnet8", image_size=32, num_classes=4))
    images = np.random.default_rng(0).uniform(0, 255, (3, 32, 32, 3)).astype("float32")
    last = zoo.features(model, ["conv4"])(images)["conv4"].numpy()
    kernel = model.get_layer("logits").get_weights()[0]
    maps, softmax = grad_cam.mapper(model)(tf.constant(images), tf.constant([2, 0, 2]))
    expected = np.maximum(np.einsum("nhwc,cn->nhw", last, kernel[:, [2, 0, 2]]) / 64, 0)
    np.testing.assert_allclose(maps, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(softmax, tf.nn.softmax(model(images)), atol=1e-5)


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    return save_run(tmp_path_factory.mktemp("runs") / "digits")


def explain(*arguments):
    return programs.run("trainers.explain", *arguments)


def test_the_worst_mistakes_are_explained_for_both_classes(run_dir):
    result = explain(f"--run_dir={run_dir}", "--images=2")
    assert result.returncode == 0 and result.stderr == "", result.stderr
    listed = json.loads((run_dir / "explain" / "explain.json").read_text())
    assert len(listed) == 2
    for each in listed:
        called, label = each["explained"]
        assert called["probability"] > label["probability"] and called["class"] != label["class"]
        number = int(each["file"].removeprefix("validation/"))
        source = sources.load("digits", "validation")
        assert NAMES[int(source.fetch([number])[1][0])] == label["class"]
        with Image.open(run_dir / "explain" / each["picture"]) as picture:
            assert picture.width > 2 * picture.height and each["picture"] in result.stdout


def test_pictures_are_explained_and_others_get_their_sentence(run_dir, tmp_path):
    source = sources.load("digits", "validation")
    path = tmp_path / "a, picture.png"
    path.write_bytes(tf.io.encode_png(source.fetch([0])[0][0]).numpy())
    place = tmp_path / "out"
    words = [f"--run_dir={run_dir}", f"--output_dir={place}", path, tmp_path / "none.png"]
    result = explain(*words, "--top=3")
    assert result.returncode == 1 and result.stderr == f"{tmp_path / 'none.png'}: no such file\n"
    assert {p.name for p in place.iterdir()} == {"explain.json", "001_a_picture.png"}
    (each,) = json.loads((place / "explain.json").read_text())
    shares = [c["probability"] for c in each["explained"]]
    assert shares == sorted(shares, reverse=True) and len(shares) == 3


@pytest.mark.parametrize(
    ("label", "layer", "told"),
    [
        ("dog", None, r"--label: expected one of the network's 10 classes \(0, 1, .*got 'dog'"),
        (None, "pool", "--layer=pool: expected a layer with a map"),
        (None, "conv9", "expected one of conv1, conv2"),
    ],
)
def test_what_the_network_lacks_is_a_sentence(run_dir, tmp_path, label, layer, told):
    asked = explaining.Asked(run_dir, "model", layer, 1, label, tmp_path / "out")
    with pytest.raises(grad_cam.ExplanationError, match=told):
        list(explaining.of_pictures(asked, ["a.png"]))
    assert not asked.output_dir.exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--label=1"], "--label is for pictures: name some"),
        (["--images=3", "a.png"], "--images is for worst mistakes: give no pictures"),
        (["--label=1", "--top=2", "a.png"], "leave --top out"),
    ],
)
def test_flags_that_do_not_go_together(run_dir, words, told):
    result = explain(f"--run_dir={run_dir}", *words)
    assert result.returncode == 2 and told in result.stderr
    assert len(result.stderr.splitlines()) == 1
