"""The localiser as a network: on a classifier to the bit, its counts by hand, its best boxes."""

import dataclasses
import subprocess

import keras
import numpy as np
import pytest
import tensorflow as tf
from export_networks import program

import zoo
from zoo import archive
from zoo.detection.preprocess import DetectionInput
from zoo.localisation import count, locate, places
from zoo.localisation.network import build_localiser
from zoo.localisation.specs import Localiser


def described(name="resnet8", classes=3, **more):
    network = zoo.Network(name, 7, None, zoo.find(name).shortcut)
    return Localiser(network, classes, **{"sizes": (8, 16), "rpn_filters": 8, **more})


def test_of_1000_classes_on_resnet_101_by_hand():
    """Table 1's net without its fc layer, a 3x3 of 512, then 9 anchors' 1,000 and 4,000 outputs."""
    row = count.row(zoo.Network("resnet101", 1000, None, "B"))
    added = (9 * 2048 * 512 + 512) + (512 + 1) * 9 * 1000 + (512 + 1) * 9 * 4000
    assert row["parameters"] == 44_549_160 - 2048 * 1000 - 1000 + added
    assert row["rpn_multiply_adds"] == 49 * 512 * (9 * 2048 + 9 * 5000)  # at 7 x 7, stride 32
    assert row["stride"] == 32
    assert row["picture_multiply_adds"] - row["rpn_multiply_adds"] == pytest.approx(7.568e9, 1e-3)


def test_a_classifiers_hidden_layer_has_no_say():
    network = zoo.Network("resnet8", 7, None, "A", hidden=5)
    assert Localiser(network, 3) == Localiser(dataclasses.replace(network, hidden=None), 3)


def test_its_map_is_the_classifiers_last():
    classifier = zoo.build("resnet8", num_classes=3, mean="channel")
    model = build_localiser(described())
    for layer in classifier.layers[:-1]:
        model.get_layer(layer.name).set_weights(layer.get_weights()) if layer.weights else None
    image = np.random.default_rng(0).integers(0, 255, (2, 32, 40, 3)).astype("float32")
    maps, logits, deltas = model(image)
    np.testing.assert_array_equal(maps, zoo.features(classifier)(image)["conv4"])
    anchors = 8 * 10 * 2 * 3  # stride 4; two sizes, three ratios
    assert logits.shape == (2, anchors, 3) and deltas.shape == (2, anchors, 3, 4)


@pytest.mark.parametrize("by_class", [True, False])
def test_shapes_are_told_before_anything_is_built(by_class):
    localiser = described(by_class=by_class)
    model = build_localiser(localiser)
    built = {x.name: [tuple(w.shape) for w in x.weights] for x in model.layers if x.weights}
    assert built == places.shapes(localiser)
    assert built["rpn_deltas"][1] == ((4 * 6 * 3,) if by_class else (4 * 6,))


def test_a_class_takes_its_own_best_anchors_box():
    """Of two, 10 x 20 px: the first, half its height down; the second, twice as wide, cut."""
    anchors = tf.constant([[0, 0, 10, 20], [10, 30, 20, 50], [30, 0, 41, 20]], tf.float32)
    logits = tf.constant([[[2.0, -1.0], [1.0, 0.0], [9.0, 9.0]]])  # the last leaves the picture
    deltas = np.full((1, 3, 2, 4), 9, np.float32)
    deltas[0, 0, 0] = 0.5, 0, 0, 0
    deltas[0, 1, 1] = 0, 0, 0, np.log(2)
    boxes, scores = locate.best(logits, tf.constant(deltas), anchors, tf.constant([[40, 55]]))
    np.testing.assert_allclose(boxes[0], [[5, 0, 15, 20], [10, 20, 20, 55]], atol=1e-5)
    np.testing.assert_allclose(scores[0], [1 / (1 + np.exp(-2)), 0.5], rtol=1e-6)


def test_pictures_of_a_batch_and_classes_do_not_mix():
    keras.utils.set_random_seed(0)
    localiser = described(classes=4)
    find = locate.locating(build_localiser(localiser), localiser)
    images = np.random.default_rng(1).uniform(0, 255, (2, 32, 48, 3)).astype("float32")
    sizes = np.array([[32, 48], [32, 48]])
    together, alone = find(images, sizes), find(images[1:], sizes[1:])
    np.testing.assert_allclose(together[0][1], alone[0][0], atol=1e-3)
    assert together[0].shape == (2, 4, 4) and together[1].shape == (2, 4)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    root = tmp_path_factory.mktemp("localiser")
    localiser = described()
    manifest = archive.Manifest(
        localiser, DetectionInput(32, 40), ("a", "b", "c"), kind="localiser"
    )
    archive.save(build_localiser(localiser), manifest, root)
    return root, localiser


def test_it_is_saved_and_loaded_as_what_it_is(saved):
    root, localiser = saved
    model, manifest = archive.load(root, kind="localiser")
    assert manifest.network == localiser and manifest.kind == "localiser"
    with pytest.raises(archive.ArchiveError, match="holds a localiser, expected a detector"):
        archive.load(root, kind="detector")


@pytest.mark.parametrize(
    ("name", "words"), [("trainers.predict", ["x.png"]), ("export.onnx", ["--image_size=64"])]
)
def test_programs_for_others_say_so(saved, name, words):
    typed = program(name, f"--run_dir={saved[0]}", *words)
    result = subprocess.run(typed, capture_output=True, text=True, timeout=300)
    assert result.returncode in (1, 2) and len(result.stderr.splitlines()) == 1
    assert "holds a localiser" in result.stderr


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"by_class": 1}, "by_class: expected true or false"),
        ({"sizes": ()}, "sizes: expected positive numbers"),
        ({"rpn_filters": 0}, "rpn_filters: expected a whole number of at least 1"),
        ({"num_classes": True}, "num_classes: expected a whole number"),
        ({"network": "resnet8"}, "network: expected a Network"),
    ],
)
def test_what_cannot_be_built_is_refused(change, told):
    fields = {"network": zoo.Network("resnet8", 3, None, "A"), "num_classes": 3, **change}
    with pytest.raises(ValueError, match=told):
        Localiser(**fields)
