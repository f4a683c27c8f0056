"""Which scales a region reads, by hand."""

import numpy as np
import pytest
import tensorflow as tf

from zoo.detection import pyramid

SCALES = (200, 400, 600, 800, 1000)


def test_pairs_by_hand():
    """448 px at 600 are 149 and 299 at (200, 400); 112 px are 149 and 187 at (800, 1000).

    224 x 200 has a side of 212 px and would have one of 224 at 635.
    """
    sides = [(448, 448), (112, 112), (224, 200), (2000, 900), (0, 0), (896, 224)]
    boxes = tf.constant([[[9, 5, 9 + h, 5 + w] for h, w in sides]], tf.float32)
    found = pyramid.pair(boxes, SCALES, 600)
    np.testing.assert_array_equal(found, [[0, 3, 2, 0, 3, 0]])


def test_each_region_is_picked_at_its_two_scales():
    pooled = [tf.fill((1, 3, 2, 2, 4), float(scale)) for scale in SCALES]
    below, above = pyramid.pick(pooled, tf.constant([[3, 0, 1]]))
    np.testing.assert_array_equal(below[0, :, 1, 0, 2], [800, 200, 400])
    np.testing.assert_array_equal(above[0, :, 1, 0, 2], [1000, 400, 600])
    np.testing.assert_array_equal(pyramid.maxout(below, -above), below)


def test_the_same_scale_twice_is_that_scale_bit_for_bit():
    once = tf.constant(np.random.default_rng(0).normal(size=(1, 5, 2, 2, 3)).astype("float32"))
    lower = pyramid.pair(
        tf.constant(np.full((1, 5, 4), [0, 0, 50, 50], "float32")), (600, 600), 600
    )
    np.testing.assert_array_equal(pyramid.maxout(*pyramid.pick([once, once], lower)), once)


@pytest.mark.parametrize("scales", [(600,), (400, 200)])
def test_scales_that_make_no_pair_are_refused(scales):
    with pytest.raises(ValueError, match="ascending"):
        pyramid.pair(tf.zeros((1, 4)), scales, 600)
