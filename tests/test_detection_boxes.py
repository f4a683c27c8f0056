"""Coding, overlap and clipping of boxes, by hand and beside Keras."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.utils import bounding_boxes

from zoo.detection import boxes


def some(count, seed):
    """Boxes with sides between 1 and 60 px in a picture of 100 x 200."""
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, [90, 190], (count, 2))
    return np.concatenate([corner, corner + rng.uniform(1, 60, (count, 2))], -1).astype("float32")


def test_area_by_hand():
    found = boxes.area(tf.constant([[1, 2, 4, 12], [0, 0, 0, 9], [5, 5, 4, 9]], tf.float32))
    np.testing.assert_array_equal(found, [30, 0, 0])


def test_overlap_by_hand():
    """5 x 10 px of 15 x 10 are shared; a box over itself; neighbours; a box without area."""
    a = tf.constant([[0, 0, 10, 10], [3, 3, 3, 3]], tf.float32)
    b = tf.constant([[0, 5, 10, 15], [0, 0, 10, 10], [10, 0, 20, 10], [3, 3, 3, 3]], tf.float32)
    found = boxes.iou(a, b).numpy()
    np.testing.assert_allclose(found, [[1 / 3, 1, 0, 0], [0, 0, 0, 0]], rtol=1e-7)
    assert found[0, 1] == 1  # exactly, although Keras' is below


def test_overlap_is_keras():
    """Keras adds 1e-7 px² to the union: of 1 px² and more, that is rounding."""
    a, b = np.stack([some(7, 0), some(7, 1)]), np.stack([some(9, 2), some(9, 3)])
    expected = bounding_boxes.compute_iou(a, b, "yxyx")
    assert np.count_nonzero(expected) > 10
    np.testing.assert_allclose(boxes.iou(a, b), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(boxes.iou(a, b)[1], boxes.iou(a[1], b[1]))


def test_clipping_by_hand():
    one = tf.constant([[-3, -4, 5, 6], [90, 150, 120, 260], [-9, 210, -2, 220]], tf.float32)
    inside = [[0, 0, 5, 6], [90, 150, 100, 200], [0, 200, 0, 200]]
    for size in (tf.constant([100, 200]), tf.constant([100.0, 200.0])):
        np.testing.assert_array_equal(boxes.clip(one, size), inside)
    two = boxes.clip(tf.stack([one, one]), tf.constant([[100, 200], [4, 300]]))
    np.testing.assert_array_equal(two[0], inside)
    np.testing.assert_array_equal(two[1], [[0, 0, 4, 6], [4, 150, 4, 260], [0, 210, 0, 220]])


def test_coding_by_hand():
    """A 16 px anchor; a box 16 px high and 32 px wide whose centre is 4 px below and 16 right."""
    anchor = tf.constant([[0, 0, 16, 16]], tf.float32)
    box = tf.constant([[4, 8, 20, 40]], tf.float32)
    deltas = boxes.encode(box, anchor)
    np.testing.assert_allclose(deltas, [[0.25, 1, 0, np.log(2)]], rtol=1e-7)
    np.testing.assert_allclose(boxes.decode(deltas, anchor), box, rtol=1e-6)


def test_coding_is_keras():
    anchors, found = some(50, 4), some(50, 5)
    formats = dict(anchor_format="yxyx", box_format="yxyx")
    deltas = bounding_boxes.encode_box_to_deltas(anchors, found, **formats)
    np.testing.assert_allclose(boxes.encode(found, anchors), deltas, rtol=1e-5, atol=1e-6)
    there = bounding_boxes.decode_deltas_to_boxes(anchors, keras.ops.array(deltas), **formats)
    np.testing.assert_allclose(boxes.decode(deltas, anchors), there, rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(boxes.decode(deltas, anchors), found, rtol=1e-5, atol=1e-4)


def test_no_offset_makes_an_infinite_box():
    """16 px grow to 1,000 at most; a shift is not bounded, for the picture's border bounds it."""
    anchor = tf.constant([[0, 0, 16, 16]], tf.float32)
    found = boxes.decode(tf.constant([[2, 0, 100, -100]], tf.float32), anchor)
    np.testing.assert_allclose(found, [[40 - 500, 8, 40 + 500, 8]], rtol=1e-5)


def test_padding_encodes_to_numbers():
    nothing = tf.zeros((1, 4))
    for pair in [(nothing, some(1, 0)), (some(1, 0), nothing), (nothing, nothing)]:
        assert np.isfinite(boxes.encode(*pair)).all()


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_positions_are_float32_whatever_the_network_computes_in(dtype):
    """In bfloat16 the corner at 1,001 px would be 1,000."""
    anchor = tf.constant([[985, 985, 1001, 1001]], tf.float32)
    found = boxes.decode(tf.zeros((1, 4), dtype), anchor)
    assert found.dtype == tf.float32
    np.testing.assert_array_equal(found, anchor)
