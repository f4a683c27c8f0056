"""Regions for R-CNN: proposals of a class, whole pixels, warped slices, the best box by hand."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from test_localisation_network import described

import zoo
from zoo import archive
from zoo.detection import boxes as box
from zoo.detection.proposals import Proposing
from zoo.localisation import places, propose, regions
from zoo.localisation.network import build_refiner
from zoo.localisation.specs import Refiner
from zoo.preprocess import InputContract

CONTRACT = InputContract(6, 6, orientation="exif")


def refiner(classes=3):
    return Refiner(zoo.Network("resnet8", 7, None, "A"), classes)


def test_boxes_become_whole_pixels_of_the_picture():
    """Rounded; one without a pixel gets one, one that reaches out is cut: 10 x 20 px."""
    boxes = [[1.4, 2.6, 5.5, 7.4], [3.1, 4.1, 3.2, 4.2], [9.9, 19.9, 10, 20], [-3, -3, 99, 99]]
    found = regions.snapped(tf.constant(boxes), tf.constant([10, 20]))
    assert found.numpy().tolist() == [[1, 3, 6, 7], [3, 4, 4, 5], [9, 19, 10, 20], [0, 0, 10, 20]]


def test_a_region_is_its_own_pixels_resized_side_by_side():
    """2 x 3 px, seen at 6 x 6: bilinear, each pixel thrice or twice as large, edges repeated."""
    image = np.zeros((8, 9, 3), np.uint8)
    image[3:5, 2:5] = np.reshape([10, 40, 70, 100, 130, 160], (2, 3, 1))
    down, across = np.clip([-1 / 3, 0, 1 / 3, 2 / 3, 1, 4 / 3], 0, 1), np.arange(6) / 2 - 0.25
    across = np.clip(across, 0, 2)
    expected = 10 + 90 * down[:, None] + 30 * across[None]
    warp = tf.function(lambda *x: regions.warp(*x, CONTRACT))
    for call in (warp, lambda *x: regions.warp(*x, CONTRACT)):
        found = call(tf.constant(image), tf.constant([3, 2, 5, 5]))
        assert found.shape == (6, 6, 3)
        np.testing.assert_allclose(found[..., 1], expected, atol=1e-3)


def test_a_large_region_is_low_passed():
    """Stripes of one pixel, 0 and 200, shrunk to a quarter: grey, but for the borders."""
    image = np.tile(np.array([0, 200], np.uint8), 12)[None, :, None] * np.ones((24, 1, 3), np.uint8)
    found = regions.warp(tf.constant(image), tf.constant([0, 0, 24, 24]), CONTRACT)
    np.testing.assert_allclose(found[:, 1:-1], 100, atol=7)


def test_the_best_region_of_each_class_is_moved():
    """Of three the last does not count. Offsets of .1 and .2 are one unit of the network's."""
    logits = tf.constant([[2.0, -1.0], [1.0, 0.0], [9.0, 9.0]])
    deltas = np.full((3, 2, 4), 9, np.float32)
    deltas[0, 0] = 5, 0, 0, 0  # half its height of 10 down
    deltas[1, 1] = 0, 0, 0, 5 * np.log(2)  # twice as wide, cut at 55
    boxes = tf.constant([[0, 0, 10, 20], [10, 30, 20, 50], [0, 0, 9, 9]])
    found, scores = regions.best(logits, deltas, boxes, 2, tf.constant([40, 55]))
    np.testing.assert_allclose(found, [[5, 0, 15, 20], [10, 20, 20, 55]], atol=1e-4)
    np.testing.assert_allclose(scores, [1 / (1 + np.exp(-2)), 0.5], rtol=1e-6)


def test_proposals_are_those_of_the_kind_that_is_asked():
    """A localiser that says by hand: of class 1 two anchors apart, of class 0 one; borders never.

    A map of 8 x 8 cells of 4 px, anchors of 8 px and ratio 1 at each.
    """
    localiser = dataclasses.replace(described(classes=2), sizes=(8.0,), ratios=(1.0,))
    logits = np.full((1, 64, 2), -5, np.float32)
    logits[0, 8 * 3 + 3, 1], logits[0, 8 * 3 + 4, 1], logits[0, 8 * 6 + 6, 1] = 3, 2.5, 2
    logits[0, 8 * 2 + 5, 0], logits[0, 0, 0] = 1, 9  # the last leaves the picture
    deltas = np.zeros((1, 64, 2, 4), np.float32)

    def model(pixels, training):
        return np.zeros((1, 8, 8, 1), np.float32), tf.constant(logits), tf.constant(deltas)

    asked = Proposing(after=2, iou=0.3)  # neighbours share a third
    find = propose.proposing(model, localiser, asked)
    boxes, counts = tf.function(find)(
        tf.zeros((1, 32, 32, 3)), tf.constant([[32, 32]]), tf.constant([[1, 0]])
    )
    assert boxes.shape == (1, 2, 2, 4) and counts.numpy().tolist() == [[2, 2]]
    assert boxes[0, 0].numpy().tolist() == [[10, 10, 18, 18], [22, 22, 30, 30]]
    assert boxes[0, 1, 0].numpy().tolist() == [6, 18, 14, 26]
    few = propose.proposing(model, localiser, Proposing(after=60, iou=0.3))
    counts = few(tf.zeros((1, 32, 32, 3)), tf.constant([[32, 32]]), tf.constant([[1]]))[1]
    assert 0 < counts[0, 0] < 60


def test_offsets_of_a_learned_box_lead_back_to_it():
    """What the losses ask for, through `best`: a region's box is the object's."""
    thing, region = tf.constant([[12.0, 10, 30, 41]]), tf.constant([[10, 12, 26, 36]])
    deltas = box.encode(thing, region) / [0.1, 0.1, 0.2, 0.2]
    found, _ = regions.best(tf.ones((1, 1)), deltas[:, None], region, 1, tf.constant([60, 60]))
    np.testing.assert_allclose(found, thing, rtol=1e-5)


def test_its_arrays_and_its_features_are_the_classifiers(tmp_path):
    network = refiner()
    model = build_refiner(network)
    built = {x.name: [tuple(w.shape) for w in x.weights] for x in model.layers if x.weights}
    assert built == places.of_refiner(network)
    assert built["class_logits"] == [(64, 3), (3,)] and built["box_deltas"] == [(64, 12), (12,)]
    image = np.random.default_rng(0).integers(0, 255, (2, 32, 32, 3)).astype("float32")
    logits, deltas = model(image)
    assert logits.shape == (2, 3) and deltas.shape == (2, 3, 4)
    pooled = keras.Model(model.input, model.get_layer("avg_pool").output)(image)
    kernel, bias = model.get_layer("class_logits").get_weights()
    np.testing.assert_allclose(logits, pooled @ kernel + bias, rtol=1e-4, atol=1e-6)
    manifest = archive.Manifest(network, CONTRACT, ("a", "b", "c"), kind="refiner")
    archive.save(model, manifest, tmp_path)
    loaded, told = archive.load(tmp_path, kind="refiner")
    assert (told.network, told.input) == (network, CONTRACT)
    np.testing.assert_array_equal(loaded(image)[0], logits)
    with pytest.raises(archive.ArchiveError, match="holds a refiner, expected a localiser"):
        archive.load(tmp_path, kind="localiser")
