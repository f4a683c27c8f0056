"""Regions as grids of bins, beside onnxruntime's operators and by hand."""

import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf

from zoo.detection import roi

STRIDE = 16
# In a map of 7 x 11 cells of 16 px: within, over the borders, outside, thin, empty, all of it.
BOXES = np.array(
    [
        [13.3, 20.7, 80.1, 160.9],
        [-30, -21.5, 60, 47],
        [70.2, 120, 140.6, 210],
        [-90, -80, -40, -50],
        [40, 3, 41, 170],
        [0, 0, 0, 0],
        [0, 0, 112, 176],
        [8.5, 99.25, 77.75, 131.5],
    ],
    "float32",
)
POOLS = [roi.align, roi.max_pool]


def some_maps(batch, dtype="float32"):
    return np.random.default_rng(3).normal(size=(batch, 7, 11, 5)).astype(dtype)


def run_onnx(operator, inputs, attributes):
    """One ONNX operator in onnxruntime: arrays by name -> an array."""
    kinds = {"float32": onnx.TensorProto.FLOAT, "int64": onnx.TensorProto.INT64}
    infos = [
        onnx.helper.make_tensor_value_info(name, kinds[str(x.dtype)], x.shape)
        for name, x in inputs.items()
    ]
    out = onnx.helper.make_tensor_value_info("out", onnx.TensorProto.FLOAT, None)
    node = onnx.helper.make_node(operator, list(inputs), ["out"], **attributes)
    graph = onnx.helper.make_graph([node], "one", infos, [out])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)])
    model.ir_version = 9
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, inputs)[0]


def theirs(operator, maps, boxes, bins):
    """RoiAlign or MaxRoiPool of onnxruntime, which wants (x1, y1, x2, y2) and channels first."""
    batch, count = boxes.shape[:2]
    corners = np.ascontiguousarray(boxes[..., [1, 0, 3, 2]].reshape(-1, 4))
    index = np.repeat(np.arange(batch), count)
    inputs = {"maps": np.ascontiguousarray(maps.transpose(0, 3, 1, 2))}
    if operator == "RoiAlign":
        inputs |= {"rois": corners, "index": index}
        size = dict(output_height=bins, output_width=bins, sampling_ratio=2)
        mode = dict(mode="avg", coordinate_transformation_mode="half_pixel")
        options = {**size, **mode}
    else:
        inputs |= {"rois": np.concatenate([np.float32(index)[:, None], corners], axis=1)}
        options = dict(pooled_shape=(bins, bins))
    found = run_onnx(operator, inputs, {**options, "spatial_scale": 1 / STRIDE})
    return found.transpose(0, 2, 3, 1).reshape(batch, count, bins, bins, -1)


def two_pictures():
    return some_maps(2), np.stack([BOXES, BOXES[::-1] * [1, 0.9, 1.1, 1]]).astype("float32")


@pytest.mark.parametrize("bins", [7, 4])
def test_align_is_onnxruntimes(bins):
    """To the rounding of positions: values are of size 1, slopes between cells of size 3."""
    maps, boxes = two_pictures()
    expected = theirs("RoiAlign", maps, boxes, bins)
    np.testing.assert_allclose(roi.align(maps, boxes, STRIDE, bins), expected, atol=2e-5)
    assert np.ptp(expected) > 1


@pytest.mark.parametrize("bins", [7, 4, 1])
def test_max_pooling_is_onnxruntimes_bit_for_bit(bins):
    maps, boxes = two_pictures()
    expected = theirs("MaxRoiPool", maps, boxes, bins)
    np.testing.assert_array_equal(roi.max_pool(maps, boxes, STRIDE, bins), expected)


def test_max_pooling_by_hand():
    """(20, 40, 60, 120) px round to rows 1 to 4, columns 3 to 8: in arange, the last cells win."""
    maps = np.arange(77, dtype="float32").reshape(1, 7, 11, 1)
    found = roi.max_pool(maps, tf.constant([[[20.0, 40, 60, 120]]]), STRIDE, 2)[0, 0, ..., 0]
    np.testing.assert_array_equal(found, [[27, 30], [49, 52]])


def test_align_reads_a_ramp_at_the_centres_of_the_bins():
    """Cell (i, j), centred on 16 i + 8 px, holds its position: so does each bin, exactly."""
    y, x = np.mgrid[0:20, 0:30].astype("float32")
    maps = np.stack([16 * y + 8, 16 * x + 8], axis=-1)[np.newaxis]
    found = roi.align(maps, tf.constant([[[32.0, 64, 96, 192]]]), STRIDE, 4)
    np.testing.assert_array_equal(found[0, 0, :, 1, 0], [40, 56, 72, 88])
    np.testing.assert_array_equal(found[0, 0, 1, :, 1], [80, 112, 144, 176])


def test_align_of_detectron2s_example():
    """tests/layers/test_roi_align.py, `correct_results`: half a cell off, it would be 7.5 to 18."""
    maps = np.arange(25, dtype="float32").reshape(1, 5, 5, 1)
    found = roi.align(maps, tf.constant([[[1.0, 1, 3, 3]]]), 1, 4)[0, 0, ..., 0]
    rows = [[4.5, 5, 5.5, 6], [7, 7.5, 8, 8.5], [9.5, 10, 10.5, 11], [12, 12.5, 13, 13.5]]
    np.testing.assert_array_equal(found, rows)


@pytest.mark.parametrize("bins, kept", [(7, [0, 2, 4, 6]), (4, [0, 2])])
@pytest.mark.parametrize("pool", POOLS)
def test_even_bins_are_every_second_one(pool, bins, kept):
    maps, boxes = two_pictures()
    whole = pool(maps, boxes, STRIDE, bins).numpy()
    found = pool(maps, boxes, STRIDE, bins, even=True)
    np.testing.assert_allclose(found, whole[:, :, kept][:, :, :, kept], atol=1e-6)
    assert found.shape == (2, 8, len(kept), len(kept), 5)


@pytest.mark.parametrize("pool", POOLS)
def test_sizes_may_be_unknown(pool):
    maps, boxes = two_pictures()
    signature = [tf.TensorSpec((None, None, None, 5)), tf.TensorSpec((None, None, 4))]
    traced = tf.function(lambda m, b: pool(m, b, STRIDE, 7), signature, autograph=False)
    found = traced(maps, boxes)
    assert traced.get_concrete_function().output_shapes.as_list() == [None, None, 7, 7, 5]
    np.testing.assert_allclose(found, pool(maps, boxes, STRIDE, 7), atol=1e-6)


@pytest.mark.parametrize("pool", POOLS)
def test_gradients_reach_the_maps_alone_and_repeat_bit_for_bit(pool):
    rng = np.random.default_rng(5)
    maps = tf.constant(rng.normal(size=(1, 20, 30, 64)).astype("float32"))
    corners = rng.uniform(0, [200, 300], (1, 48, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(20, 200, (1, 48, 2))], -1)
    boxes = tf.constant(boxes.astype("float32"))
    weights = tf.constant(rng.normal(size=(1, 48, 7, 7, 64)).astype("float32"))

    @tf.function(autograph=False)
    def gradients():
        with tf.GradientTape() as tape:
            tape.watch([maps, boxes])
            total = tf.reduce_sum(pool(maps, boxes, STRIDE, 7) * weights)
        return tape.gradient(total, [maps, boxes])

    first, nothing = gradients()
    assert nothing is None
    assert np.count_nonzero(first) > 0.5 * maps.shape.num_elements()
    for _ in range(10):
        np.testing.assert_array_equal(gradients()[0], first)


def test_the_gradient_of_align_is_its_slope():
    """Linear in the maps: along any direction the difference is the gradient's, to rounding."""
    maps, boxes = two_pictures()
    maps, step = tf.constant(maps), tf.constant(some_maps(2)[::-1])
    with tf.GradientTape() as tape:
        tape.watch(maps)
        total = tf.reduce_sum(roi.align(maps, boxes, STRIDE, 4) ** 2) / 2
    slope = tf.reduce_sum(tape.gradient(total, maps) * step)
    product = roi.align(maps, boxes, STRIDE, 4) * roi.align(step, boxes, STRIDE, 4)
    np.testing.assert_allclose(slope, tf.reduce_sum(product), rtol=1e-4)


@pytest.mark.parametrize("dtype, roughness", [("bfloat16", 2**-7), ("float16", 2**-10)])
@pytest.mark.parametrize("pool", POOLS)
def test_positions_are_float32_whatever_the_maps_are(pool, dtype, roughness):
    """At 1,005 px a bfloat16 rounds to 1,004 and 1,008; maps' values round to `roughness`."""
    maps = np.tile(np.arange(128, dtype="float32") % 2, (1, 2, 1))[..., np.newaxis]
    box = tf.constant([[[0, 1003, 16, 1005]]], tf.float32)
    exact = pool(maps, box, STRIDE / 2, 2)
    found = pool(tf.cast(maps, dtype), box, STRIDE / 2, 2)
    assert found.dtype == dtype
    np.testing.assert_allclose(tf.cast(found, tf.float32), exact, atol=roughness)
