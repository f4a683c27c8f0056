"""What a detector learns from: labels of anchors and regions by hand, draws that repeat."""

import dataclasses

import numpy as np
import tensorflow as tf

from trainers.engine.detection import targets
from trainers.plan.detection.recipes import RECIPES

RECIPE = dataclasses.replace(RECIPES["scenes"], regions=8, foreground=0.25)
SIZE = tf.constant([100, 100])
KEY = tf.constant([0, 7], tf.int64)


def objects(boxes, classes, ignore=None):
    count = len(classes)
    return targets.Objects(
        tf.constant(boxes, tf.float32),
        tf.constant(classes, tf.int32),
        tf.constant(ignore or [False] * count),
    )


# An object of 20 x 20; anchors moved by 2, 6 and 15 px: IoU 18/22 = .82, 14/26 = .54, 5/35 = .14.
OBJECT = [[40, 40, 60, 60]]
THREE = tf.constant([[42, 40, 62, 60], [46, 40, 66, 60], [55, 40, 75, 60]], tf.float32)


def test_near_far_and_between():
    labels, nearest = targets.label_anchors(THREE, objects(OBJECT, [3]), SIZE)
    assert labels.numpy().tolist() == [1, -1, 0] and nearest.numpy().tolist() == [0, 0, 0]


def test_an_object_without_a_near_anchor_gets_its_best():
    labels, _ = targets.label_anchors(THREE[1:], objects(OBJECT, [3]), SIZE)
    assert labels.numpy().tolist() == [1, 0]


def test_an_anchor_across_the_border_is_left_out():
    labels, _ = targets.label_anchors(THREE, objects(OBJECT, [3]), tf.constant([61, 100]))
    assert labels.numpy().tolist() == [-1, -1, -1]


def test_padding_crowds_and_boxes_without_area_are_no_objects():
    boxes = [*OBJECT, [0, 0, 0, 0], [55, 40, 75, 60], [80, 80, 80, 90]]
    known = objects(boxes, [3, -1, 2, 1], [False, False, True, False])
    labels, _ = targets.label_anchors(THREE, known, SIZE)
    assert labels.numpy().tolist() == [1, -1, -1]  # the third lies in the crowd: no background
    assert targets.real(known).numpy().tolist() == [True, False, False, False]


def test_a_picture_without_objects_is_all_background():
    known = objects([[0, 0, 0, 0]], [-1])
    labels, _ = targets.label_anchors(THREE, known, SIZE)
    assert labels.numpy().tolist() == [0, 0, 0]
    chosen = targets.anchors(THREE, known, SIZE, KEY, 2)
    assert float(tf.reduce_sum(chosen.weights * tf.cast(chosen.labels, tf.float32))) == 0
    assert float(tf.reduce_sum(chosen.weights)) == 2 and np.isfinite(chosen.deltas).all()


def test_half_the_anchors_are_at_objects_at_most_and_the_rest_fills_up():
    """256 with 3 positives leave room for 253 negatives."""
    far = tf.tile(tf.constant([[0, 0, 10, 10]], tf.float32), (400, 1))
    grid = tf.concat([tf.tile(THREE[:1], (3, 1)), far], axis=0)
    chosen = targets.anchors(grid, objects(OBJECT, [3]), SIZE, KEY, 256)
    counted = chosen.weights.numpy() > 0
    labels = chosen.labels.numpy()[counted]
    assert (labels == 1).sum() == 3 and (labels == 0).sum() == 253
    assert len(set(chosen.index.numpy()[counted])) == 256
    many = tf.concat([tf.tile(THREE[:1], (300, 1)), far], axis=0)
    chosen = targets.anchors(many, objects(OBJECT, [3]), SIZE, KEY, 256)
    labels = chosen.labels.numpy()[chosen.weights.numpy() > 0]
    assert (labels == 1).sum() == 128 and (labels == 0).sum() == 128


def test_offsets_are_those_to_the_own_object():
    """Moved by 2 px of 20: dy = -0.1."""
    chosen = targets.anchors(THREE, objects(OBJECT, [3]), SIZE, KEY, 2)
    at = chosen.deltas.numpy()[(chosen.weights * tf.cast(chosen.labels, tf.float32)).numpy() > 0]
    np.testing.assert_allclose(at, [[-0.1, 0, 0, 0]], atol=1e-6)


def test_regions_are_a_quarter_objects_and_the_objects_themselves_take_part():
    known = objects([*OBJECT, [0, 0, 0, 0]], [3, -1])
    proposals = tf.concat([THREE, tf.tile([[0.0, 0.0, 10.0, 10.0]], (20, 1))], axis=0)
    found = targets.regions(proposals, tf.constant(23), known, 10, KEY, RECIPE)
    classes = found.classes.numpy()
    assert found.boxes.shape == (8, 4) and found.weights.numpy().tolist() == [1] * 8
    assert (classes == 3).sum() == 2 and (classes == 10).sum() == 6  # IoU .82, .54 and 1: two drawn
    alone = targets.regions(proposals, tf.constant(0), known, 10, KEY, RECIPE)
    assert alone.weights.numpy().tolist() == [1] + [0] * 7
    np.testing.assert_array_equal(alone.boxes.numpy(), OBJECT * 8)  # no padding reaches a norm


def test_the_background_of_fast_rcnn_begins_at_its_least_iou():
    recipe = dataclasses.replace(RECIPE, background_iou=0.1)
    proposals = tf.constant([[55, 40, 75, 60], [0, 0, 10, 10]], tf.float32)  # IoU .14 and 0
    found = targets.regions(proposals, 2, objects(OBJECT, [3]), 10, KEY, recipe)
    kept = found.boxes.numpy()[found.weights.numpy() > 0]
    assert sorted(kept.tolist()) == [[40, 40, 60, 60], [55, 40, 75, 60]]


def test_draws_are_the_picture_s_own():
    grid = tf.tile(tf.constant([[0, 0, 10, 10]], tf.float32), (400, 1))
    draw = tf.function(lambda key: targets.anchors(grid, objects(OBJECT, [3]), SIZE, key, 16).index)
    first, again, other = draw(KEY), draw(KEY), draw(KEY + 1)
    assert np.array_equal(first, again) and not np.array_equal(first, other)
