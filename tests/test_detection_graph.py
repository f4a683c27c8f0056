"""All of the geometry as one graph, in every runtime; RoIAlign as a layer."""

import keras
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
import tf2onnx
from ai_edge_litert.interpreter import Interpreter

from zoo.detection import anchors, decide, proposals, roi
from zoo.detection.decide import Deciding
from zoo.detection.proposals import Proposing
from zoo.detection.roi_layer import RoiAlign

CELLS, STRIDE, CLASSES = (6, 8), 16, 3
SIGNATURE = tf.TensorSpec((1, *CELLS, 5), tf.float32, "maps")


@pytest.fixture(scope="module")
def detect():
    """Maps to refined, voted Detections, with random heads whose weights are constants."""
    rng = np.random.default_rng(0)
    rpn = rng.normal(size=(5, 6 * 5)).astype("float32") / 3
    head = rng.normal(size=(16 * 5, CLASSES + 1 + CLASSES * 4)).astype("float32") / 2

    @tf.function(input_signature=[SIGNATURE], autograph=False)
    def function(maps):
        size = tf.constant([CELLS[0] * STRIDE, CELLS[1] * STRIDE])
        outputs = tf.reshape(tf.matmul(tf.reshape(maps, [-1, 5]), rpn), [-1, 5])
        grid = anchors.grid(*CELLS, STRIDE, (24, 48), (0.5, 1, 2))
        found = outputs[:, 0], outputs[:, 1:], grid, size
        regions, _, count = proposals.propose(*found, Proposing(before=200, after=20))

        def siblings(boxes):
            pooled = roi.align(maps, boxes[tf.newaxis], STRIDE, 7, even=True)
            answers = tf.matmul(tf.reshape(pooled, [20, -1]), head)
            offsets = tf.reshape(answers[:, CLASSES + 1 :] / 10, [20, CLASSES, 4])
            return tf.nn.softmax(answers[:, : CLASSES + 1]), offsets

        voters = decide.refine(siblings, regions, count, size)
        kept = decide.suppress(voters, size, Deciding(most=30))
        return decide.vote(kept, voters)._asdict()

    return function


def in_saved_model(detect, folder):
    tf.saved_model.save(tf.Module(), str(folder), signatures=detect.get_concrete_function())
    return tf.saved_model.load(str(folder)).signatures["serving_default"]


def in_litert(detect, folder):
    in_saved_model(detect, folder)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
    interpreter = Interpreter(model_content=converter.convert())  # built-in operators alone
    return interpreter.get_signature_runner()


def in_onnxruntime(detect, folder):
    names = list(detect.get_concrete_function().structured_outputs)
    listed = tf.function(lambda maps: [detect(maps)[name] for name in names], [SIGNATURE])
    model, _ = tf2onnx.convert.from_function(listed, [SIGNATURE], opset=18)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    (argument,) = session.get_inputs()
    return lambda maps: dict(zip(names, session.run(None, {argument.name: maps.numpy()})))


@pytest.mark.parametrize("runtime", [in_saved_model, in_litert, in_onnxruntime])
def test_every_runtime_detects_the_same(detect, runtime, tmp_path):
    run = runtime(detect, tmp_path)
    rng = np.random.default_rng(1)
    for _ in range(6):
        maps = rng.normal(size=SIGNATURE.shape).astype("float32")
        expected, found = detect(maps), run(maps=tf.constant(maps))
        assert 3 < expected["count"] == found["count"]
        np.testing.assert_array_equal(found["classes"], expected["classes"])
        np.testing.assert_allclose(found["scores"], expected["scores"], rtol=1e-5)
        np.testing.assert_allclose(found["boxes"], expected["boxes"], atol=1e-3)


@pytest.mark.parametrize("runtime", [in_saved_model, in_litert, in_onnxruntime])
def test_every_runtime_pools_the_same(runtime, tmp_path):
    boxes = np.array([[[3, 4, 50, 90], [0, 0, 96, 128], [60, 5, 61, 6]]], "float32")

    @tf.function(input_signature=[SIGNATURE], autograph=False)
    def pool(maps):
        return {"regions": roi.max_pool(maps, boxes, STRIDE, 7, even=True)}

    maps = np.random.default_rng(1).normal(size=SIGNATURE.shape).astype("float32")
    found = runtime(pool, tmp_path)(maps=tf.constant(maps))["regions"]
    np.testing.assert_array_equal(found, roi.max_pool(maps, boxes, STRIDE, 7, even=True))


@pytest.mark.parametrize("pooling, pool", [("align", roi.align), ("max", roi.max_pool)])
def test_the_layer_pools_with_sizes_unknown_and_is_saved(pooling, pool, tmp_path):
    inputs = [keras.Input((None, None, 5)), keras.Input((None, 4))]
    outputs = RoiAlign(STRIDE, 7, even=True, pooling=pooling)(inputs)
    assert outputs.shape == (None, None, 4, 4, 5)
    keras.Model(inputs, outputs).save(tmp_path / "roi.keras")
    model = keras.models.load_model(tmp_path / "roi.keras")
    rng = np.random.default_rng(2)
    maps = rng.normal(size=(2, 6, 8, 5)).astype("float32")
    boxes = np.array([[[3, 4, 50, 90]], [[0, 0, 96, 128]]], "float32")
    found = model([maps, boxes])
    np.testing.assert_array_equal(found, pool(maps, boxes, STRIDE, 7, even=True))


def test_the_layer_keeps_boxes_float32_in_mixed_precision():
    layer = RoiAlign(8, 2, dtype="mixed_bfloat16")
    maps = np.tile(np.arange(128, dtype="float32") % 2, (1, 2, 1))[..., np.newaxis]
    box = tf.constant([[[0, 1003, 16, 1005]]], tf.float32)
    found = layer([maps, box])
    assert found.dtype == tf.bfloat16
    exact = roi.align(maps, box, 8, 2)
    np.testing.assert_allclose(tf.cast(found, tf.float32), exact, atol=2**-7)


def test_a_pooling_that_is_none_is_refused():
    with pytest.raises(ValueError, match="align.*max.*mean"):
        RoiAlign(8, 2, pooling="mean")
