"""The detector as a network: cut out of a classifier to the bit, its parts, its counts."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.detection import count, places
from zoo.detection.network import build_detector, parts, with_whole
from zoo.detection.specs import Detector
from zoo.surgery import head


def described(name="resnet8", **more):
    spec = zoo.find(name)
    return Detector(zoo.Network(name, 3, None, spec.shortcut), 4, **more)


def small(name="resnet8", **more):
    return described(name, sizes=(12, 20), bins=4, rpn_filters=8, **more)


def test_resnet_101_shares_91_convolutions_and_a_region_costs_732e6():
    """App. A counts 91 layers of stride 16; 3 blocks of conv5 at 7 x 7, by Table 1's widths."""
    row = count.row(zoo.Network("resnet101", 1000, 224, "B"))
    assert (row["shared_convolutions"], row["stride"]) == (91, 16)
    first = 49 * (1024 * 512 + 9 * 512 * 512 + 512 * 2048 + 1024 * 2048)
    other = 49 * (2048 * 512 + 9 * 512 * 512 + 512 * 2048)
    assert row["region_multiply_adds"] == first + 2 * other == pytest.approx(732e6, rel=1e-3)


@pytest.mark.parametrize("name", ["resnet8", "plain8", "resnet18"])
def test_trunk_and_last_stage_are_the_classifier(name):
    """The map of the trunk, then conv of the last stage over all of it as one region."""
    model = build_detector(described(name, bins=4))
    classifier = zoo.build(name, num_classes=3, image_size=None, mean="channel")
    pieces = {x.name: x.get_weights() for x in classifier.layers if x.weights}
    for layer in model.layers:
        if layer.weights and layer.name in pieces:
            layer.set_weights(pieces[layer.name])
    image = np.random.default_rng(0).integers(0, 255, (1, 64, 64, 3)).astype("float32")
    stages = zoo.features(classifier)(image)
    last = zoo.find(name).last_stage
    maps, *_ = parts(model).first(image)
    np.testing.assert_array_equal(maps, stages[f"conv{last - 1}"])


def test_with_v1_strides_leaving_bins_out_changes_nothing():
    """conv5_1's 1x1 convolutions of stride 2 read even bins alone: difference 0."""
    network = zoo.Network("resnet50", 3, None, "B", width=0.25, hidden=5)
    paper = Detector(network, 2, sizes=(32,), bins=4, rpn_filters=8)
    assert paper.network.hidden is None  # of the classifier's head
    assert (
        paper.skips_bins and not Detector(dataclasses.replace(network, stride="3x3"), 2).skips_bins
    )
    model = build_detector(paper)
    assert model.get_layer("conv5_block1_1_conv").strides == (1, 1)
    assert model.get_layer("roi_pool").output.shape[2:4] == (2, 2)


def test_outputs_and_arrays_are_those_told_beforehand():
    for detector in (small(), small(context=True), small("resnet20", pooling="max")):
        model = build_detector(detector)
        found = {x.name: [tuple(w.shape) for w in x.weights] for x in model.layers if x.weights}
        assert found == places.shapes(detector)
        first, second = (lambda p: (p.first, p.second))(parts(model))
        maps, logits, deltas = first(tf.zeros((2, 24, 32, 3)))
        assert maps.shape == (2, 12, 16, 32)
        assert (logits.shape, deltas.shape) == ((2, 12 * 16 * 6), (2, 12 * 16 * 6, 4))
        boxes = tf.zeros((2, 5, 4)) + tf.constant([0.0, 0, 24, 32])
        asked = with_whole(boxes, tf.constant([[24, 32]] * 2)) if detector.context else boxes
        scores, offsets = second([maps, asked])
        assert (scores.shape, offsets.shape) == ((2, 5, 5), (2, 5, 4, 4))


def test_the_context_of_the_whole_picture_is_the_region_s_own():
    """A region that is the picture has its feature twice: both halves of the fc see the same."""
    model = build_detector(small(context=True))
    kernel, bias = model.get_layer("class_logits").get_weights()
    half = len(kernel) // 2
    maps, *_ = parts(model).first(np.random.default_rng(0).random((1, 24, 32, 3)) * 255)
    boxes = tf.constant([[[0.0, 0.0, 24.0, 32.0]] * 2])
    whole, _ = parts(model).second([maps, boxes])
    model.get_layer("class_logits").set_weights(
        [np.concatenate([kernel[half:], kernel[:half]]), bias]
    )
    swapped, _ = parts(model).second([maps, boxes])
    np.testing.assert_allclose(whole, swapped, atol=1e-5)


def test_frozen_normalisation_is_the_surgery_s():
    model = build_detector(small())
    head.freeze(model, "conv2", batch_norm=True)
    trained = {v.path.split("/")[0] for v in model.trainable_variables}
    assert not [name for name in trained if name.endswith("_bn") or name.startswith("conv2")]
    assert {"rpn_conv", "class_logits", "conv3_block1_1_conv"} <= trained


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"bins": 5}, "bins: expected an even number, got 5"),
        ({"sizes": ()}, "sizes: expected positive numbers"),
        ({"ratios": (0,)}, "ratios: expected positive numbers"),
        ({"pooling": "mean"}, "unknown pooling 'mean'"),
        ({"context": 1}, "context: expected true or false"),
        ({"nms_iou": 2}, "nms_iou: expected a number between 0 and 1"),
        ({"proposals": 0}, "proposals: expected a whole number of at least 1"),
    ],
)
def test_what_is_no_detector_is_refused(more, sentence):
    with pytest.raises(ValueError, match=sentence):
        described(**more)
