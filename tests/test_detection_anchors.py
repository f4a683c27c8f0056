"""Anchors, beside detectron2's and by hand."""

import itertools
import math

import numpy as np
import pytest
import tensorflow as tf

from zoo.detection import anchors

SIZES, RATIOS = (128, 256, 512), (0.5, 1, 2)  # of the paper's [32]

# detectron2, tests/modeling/test_anchor_generator.py, a map of 1 x 2 cells of 4 px, offset 0.5;
# there (x1, y1, x2, y2).
CENTRED = [
    [-30, -6, 34, 10],
    [-14, -14, 18, 18],
    [-6, -30, 10, 34],
    [-62, -14, 66, 18],
    [-30, -30, 34, 34],
    [-14, -62, 18, 66],
    [-26, -6, 38, 10],
    [-10, -14, 22, 18],
    [-2, -30, 14, 34],
    [-58, -14, 70, 18],
    [-26, -30, 38, 34],
    [-10, -62, 22, 66],
]


def test_anchors_are_detectron2s():
    expected = np.array(CENTRED)[:, [1, 0, 3, 2]]
    found = anchors.grid(1, 2, 4, sizes=(32, 64), ratios=(0.25, 1, 4))
    assert found.dtype == tf.float32
    np.testing.assert_array_equal(found, expected)


def test_shapes_keep_their_area_and_are_not_rounded():
    """128 px at ratio 1/2 is 90.51 high and 181.02 wide; torchvision has 90 and 182."""
    found = anchors.shapes(SIZES, RATIOS)
    root = math.sqrt(2)
    np.testing.assert_allclose(found[0], [-64 / root, -64 * root, 64 / root, 64 * root], rtol=1e-6)
    heights, widths = (found[:, 2:] - found[:, :2]).T
    np.testing.assert_allclose(heights * widths, np.repeat(np.square(SIZES), 3), rtol=1e-6)
    np.testing.assert_allclose(heights / widths, [0.5, 1, 2] * 3, rtol=1e-6)


def test_rows_come_before_columns():
    found = anchors.grid(3, 5, 16, sizes=(32,), ratios=(1,)).numpy()
    centres = [(8 + 16 * i, 8 + 16 * j) for i, j in itertools.product(range(3), range(5))]
    np.testing.assert_array_equal((found[:, :2] + found[:, 2:]) / 2, centres)


def test_a_traced_grid_is_the_same():
    @tf.function(input_signature=[tf.TensorSpec((), tf.int32)] * 2)
    def traced(height, width):
        return anchors.grid(height, width, 16, SIZES, RATIOS)

    plain = anchors.grid(38, 63, 16, SIZES, RATIOS)
    assert plain.shape == (21_546, 4)  # 38 * 63 * 9: a picture of 600 x 1000
    np.testing.assert_array_equal(traced(38, 63), plain)


@pytest.mark.parametrize("dtype", [tf.int32, tf.float32])
def test_those_inside_are_as_many_as_a_formula_says(dtype):
    """Centres at 16 i + 8, no nearer to a border than half a side; for 128 px square: 30 * 55."""

    def places(length, side):
        return max(0, math.floor((length - side / 2 - 8) / 16) - math.ceil((side / 2 - 8) / 16) + 1)

    sides = [(s * math.sqrt(r), s / math.sqrt(r)) for s in SIZES for r in RATIOS]
    expected = [places(600, height) * places(1000, width) for height, width in sides]
    assert expected[1] == 30 * 55
    found = anchors.inside(anchors.grid(38, 63, 16, SIZES, RATIOS), tf.constant([600, 1000], dtype))
    np.testing.assert_array_equal(np.sum(np.reshape(found, (-1, 9)), axis=0), expected)


def test_an_anchor_on_the_border_is_inside():
    found = anchors.inside(
        tf.constant([[0, 0, 10, 20], [-0.1, 0, 10, 20], [0, 0, 10, 20.1]]), (10, 20)
    )
    np.testing.assert_array_equal(found, [True, False, False])
