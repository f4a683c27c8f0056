"""Views of an image, by hand: which pixels, how many, and what is averaged over them."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from export_networks import randomised
from keras.ops import convert_to_numpy as convert
from PIL import Image

import zoo
from trainers.data import sources
from trainers.judging import scores, views
from zoo import archive
from zoo.preprocess import InputContract
from zoo.surgery.convolutional import ConvolutionalError, convolutional

ONE = tf.distribute.get_strategy()


def numbered(height, width):
    """An image whose red is its row and green its column."""
    rows, columns = np.mgrid[:height, :width]
    return np.float32(np.stack([rows, columns, 0 * rows], axis=-1))[None]


def test_five_crops_are_corners_then_centre():
    crops = views.five_crop(numbered(8, 11), InputContract(5, 5)).numpy()
    assert crops.shape == (1, 5, 5, 5, 3)
    corners = [tuple(crop[0, 0, :2]) for crop in crops[0]]
    assert corners == [(0, 0), (0, 6), (3, 0), (3, 6), (1, 3)]  # row, column of the upper left
    np.testing.assert_array_equal(crops[0, 3], numbered(8, 11)[0, 3:, 6:])


def test_mirrors_come_after_their_originals():
    crops = np.arange(2 * 3 * 1 * 2 * 3, dtype=np.float32).reshape(2, 3, 1, 2, 3)
    ten = views.with_mirrors(crops).numpy()
    assert ten.shape == (2, 6, 1, 2, 3)
    np.testing.assert_array_equal(ten[:, :3], crops)
    np.testing.assert_array_equal(ten[:, 3:], crops[:, :, :, ::-1])


@pytest.mark.parametrize("shape", [(300, 400), (100, 90), (3, 40), (256, 256), (1, 1)])
@pytest.mark.parametrize("in_map", [False, True])
def test_ten_crop_of_any_size_and_aspect(shape, in_map):
    (one,) = views.passes("ten_crop", InputContract(224, 256))
    image = np.random.default_rng(0).integers(0, 256, (1, *shape, 3)).astype(np.uint8)
    look = one.look
    if in_map:
        found = next(iter(tf.data.Dataset.from_tensors(image).map(look)))
    else:
        found = look(image)
    assert one.count == 10 and found.shape == (1, 10, 224, 224, 3)
    assert found.dtype == tf.float32


def test_ten_crop_resizes_the_shorter_side_to_256_in_proportion():
    assert views.proportional(256, 224) == 256
    assert views.proportional(256, 32) == 37  # 36.57
    assert views.proportional(224, 32) == 32
    assert [views.proportional(s, 112) for s in views.SCALES] == [112, 128, 192, 240, 320]
    # A shorter side of 256 already: no resize, so pixels are the image's own.
    image = np.random.default_rng(0).integers(0, 256, (1, 256, 300, 3)).astype(np.uint8)
    (one,) = views.passes("ten_crop", InputContract(224, 256))
    np.testing.assert_array_equal(one.look(image)[0, 3], image[0, 32:, 76:])


def test_multi_scale_sees_the_whole_image_at_five_sizes():
    passes = views.passes("multi_scale", InputContract(224, 256))
    shapes = [one.look(np.zeros((1, 100, 150, 3), np.uint8)).shape for one in passes]
    assert shapes == [(1, 2, s, round(1.5 * s), 3) for s in (224, 256, 384, 480, 640)]
    assert [one.count for one in passes] == [2] * 5
    alone = views.passes("multi_scale", InputContract(224, 256), mirrors=False)
    assert [one.count for one in alone] == [1] * 5
    assert alone[0].look(np.zeros((1, 100, 150, 3), np.uint8)).shape[1] == 1


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "resnet8"])
def test_the_fully_convolutional_form_is_the_ordinary_one_on_its_size(name):
    spec = zoo.find(name)
    size = spec.image_size
    network = zoo.Network(name, 7, size, spec.shortcut)
    model = randomised(zoo.build_network(network), last_gamma=0.3)
    form = convolutional(model, network, size)
    images = np.float32(np.random.default_rng(1).integers(0, 256, (2, size, size, 3)))
    expected = convert(model(images))
    np.testing.assert_allclose(convert(form(images)), expected, atol=1e-5 * np.abs(expected).max())


def test_the_fully_convolutional_form_averages_the_scores_of_every_window():
    network = zoo.Network("resnet8", 5, 16, "A")
    model = randomised(zoo.build_network(network))
    form = convolutional(model, network, 16)
    images = np.float32(np.random.default_rng(1).integers(0, 256, (1, 24, 28, 3)))
    free = zoo.build_network(dataclasses.replace(network, image_size=None))
    free.set_weights(model.get_weights())
    last = convert(zoo.features(free, ["conv4"])(images)["conv4"])  # (1, 6, 7, 64): 3 x 4 windows
    kernel, bias = model.get_layer("logits").get_weights()
    windows = [last[0, y : y + 4, x : x + 4].mean((0, 1)) for y in range(3) for x in range(4)]
    expected = np.mean([window @ kernel + bias for window in windows], axis=0)
    np.testing.assert_allclose(convert(form(images))[0], expected, rtol=1e-3, atol=1e-4)
    assert np.abs(convert(free(images))[0] - expected).max() > 1e-2  # one pool is another score


def test_a_mean_for_each_pixel_ties_a_network_to_its_size():
    network = zoo.Network("resnet8", 5, 16, "A", mean="pixel")
    with pytest.raises(ConvolutionalError, match="a mean image of 16 pixels.*--mean=channel"):
        convolutional(zoo.build_network(network), network, 16)


@pytest.fixture(scope="module")
def judged():
    """A network that tells images apart, its manifest, 7 encoded images of different shapes."""
    keras.utils.set_random_seed(0)
    network = zoo.Network("resnet8", 3, 16, "A")
    model = randomised(zoo.build_network(network))
    names = ("a", "b", "c")
    manifest = archive.Manifest(network, InputContract(16, 18), names, data={"name": "x"})
    rng = np.random.default_rng(0)
    shapes = [(16, 16), (20, 40), (9, 5), (18, 18), (30, 19), (16, 90), (12, 13)]
    images = [rng.integers(0, 256, (*s, 3)).astype(np.uint8) for s in shapes]
    encoded = [tf.io.encode_png(image).numpy() for image in images]
    labels = [0, 1, 2, 0, 1, 2, 0]
    source = sources.in_memory("x", "validation", names, np.array(encoded), labels)
    return model, manifest, source, images


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def resized(image, side):
    """By PIL, whose antialiased bilinear is the contract's; rounds to whole pixel values."""
    scale = side / min(image.shape[:2])
    width, height = (max(side, round(n * scale)) for n in (image.shape[1], image.shape[0]))
    if (width, height) == (image.shape[1], image.shape[0]):
        return np.float32(image)
    return np.float32(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))


def test_ten_crop_scores_are_the_mean_of_ten_softmaxes(judged):
    model, manifest, source, images = judged
    look = scores.Look("ten_crop", batch_size=4)  # 7 = 4 + 3: the last batch is not full
    found = scores.of_network(model, manifest, source, look, ONE)
    assert list(found.index) == list(range(7)) and list(found.labels) == [0, 1, 2, 0, 1, 2, 0]
    for image, probabilities in zip(images, found.probabilities, strict=True):
        whole = resized(image, 18)  # 16 * 256 / 224
        y, x = whole.shape[0] - 16, whole.shape[1] - 16
        places = [(0, 0), (0, x), (y, 0), (y, x), (y // 2, x // 2)]
        crops = np.stack([whole[a : a + 16, b : b + 16] for a, b in places])
        crops = np.concatenate([crops, crops[:, :, ::-1]])
        expected = softmax(np.float64(convert(model(crops)))).mean(axis=0)
        np.testing.assert_allclose(probabilities, expected, atol=5e-3)  # PIL's whole pixel values


def test_multi_scale_scores_are_the_mean_over_sizes_and_mirrors(judged):
    model, manifest, source, images = judged
    found = scores.of_network(model, manifest, source, scores.Look("multi_scale", limit=3), ONE)
    form = convolutional(model, manifest.network, 16)
    for index, probabilities in zip(found.index, found.probabilities, strict=True):
        each = []
        for side in (16, 18, 27, 34, 46):  # 224, 256, 384, 480, 640 where the crop is 16
            whole = resized(images[index], side)[None]
            each += [softmax(np.float64(convert(form(x)))) for x in (whole, whole[:, :, ::-1])]
        np.testing.assert_allclose(probabilities, np.mean(each, axis=0)[0], atol=5e-3)


def test_an_ensemble_is_the_mean_of_its_members(judged):
    model, manifest, source, _ = judged
    one = scores.of_network(model, manifest, source, scores.Look(), ONE)
    other = dataclasses.replace(one, probabilities=one.probabilities[:, ::-1])
    both = scores.ensemble([one, other])
    np.testing.assert_allclose(both.probabilities, (one.probabilities + other.probabilities) / 2)
    fewer = dataclasses.replace(one, index=one.index + 1)
    with pytest.raises(scores.ScoreError, match="the same images"):
        scores.ensemble([one, fewer])


def test_a_diverged_network_is_named(judged):
    _, manifest, source, _ = judged
    model = zoo.build_network(manifest.network)
    model.get_layer("logits").bias.assign([np.nan, 0, 0])
    with pytest.raises(scores.ScoreError, match="for 7 of 7 images its outputs are not finite"):
        scores.of_network(model, manifest, source, scores.Look(), ONE)
