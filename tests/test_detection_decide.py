"""Proposals and decisions, by hand and beside onnxruntime's NonMaxSuppression."""

import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf

from zoo.detection import decide
from zoo.detection.decide import Candidates, Deciding, Detections
from zoo.detection.proposals import Proposing, propose

SIZE = tf.constant([100, 200])


def their_nms(boxes, scores, most, iou, score=None):
    """onnxruntime: (N, 4), (K, N) -> (rows, classes), class by class."""
    inputs = {
        "boxes": np.float32(boxes)[np.newaxis],
        "scores": np.float32(scores)[np.newaxis],
        "most": np.array([most], "int64"),
        "iou": np.array([iou], "float32"),
        "score": np.array([-1e30 if score is None else score], "float32"),
    }
    infos = [
        onnx.helper.make_tensor_value_info(
            name, onnx.helper.np_dtype_to_tensor_dtype(x.dtype), x.shape
        )
        for name, x in inputs.items()
    ]
    out = onnx.helper.make_tensor_value_info("out", onnx.TensorProto.INT64, None)
    node = onnx.helper.make_node("NonMaxSuppression", list(inputs), ["out"])
    graph = onnx.helper.make_graph([node], "one", infos, [out])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)])
    model.ir_version = 9
    found = onnxruntime.InferenceSession(model.SerializeToString()).run(None, inputs)[0]
    return found[:, 2], found[:, 1]


def some(count, seed=0):
    """Boxes that overlap much, within 100 x 200 px."""
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, [50, 150], (count, 2))
    return np.concatenate([corner, corner + rng.uniform(20, 50, (count, 2))], -1).astype("float32")


def test_proposals_are_onnxruntimes():
    rng = np.random.default_rng(1)
    anchors, logits = some(400), rng.normal(size=400).astype("float32")
    proposing = Proposing(before=200, after=50, iou=0.5)
    boxes, scores, count = propose(logits, tf.zeros((400, 4)), anchors, SIZE, proposing)
    top = np.argsort(-logits)[:200]
    rows, _ = their_nms(anchors[top], logits[top][np.newaxis], 50, 0.5)
    assert 10 < count == len(rows)
    np.testing.assert_allclose(boxes[:count], anchors[top][rows], rtol=1e-6, atol=1e-5)
    np.testing.assert_array_equal(scores[:count], logits[top][rows])
    assert not np.any(boxes[count:]) and not np.any(scores[count:])


def test_proposals_are_decoded_clipped_and_not_small():
    """The second moves right by its width, the third is over the border.

    The fourth lies outside, so that nothing of it stays, and the last is no higher than 4 px.
    """
    anchors = [[0, 0, 10, 10], [0, 20, 10, 40], [90, 0, 120, 50], [0, -30, 9, -3], [50, 50, 54, 80]]
    deltas = np.zeros((5, 4), "float32")
    deltas[1, 1] = 1
    logits = tf.constant([-3, 2, 1, 9, 8], tf.bfloat16)
    arguments = logits, tf.constant(deltas, tf.bfloat16), tf.constant(anchors, tf.float32), SIZE
    boxes, scores, count = propose(*arguments, Proposing(after=4, smallest=4))
    assert count == 3 and boxes.dtype == scores.dtype == tf.float32
    expected = [[0, 40, 10, 60], [90, 0, 100, 50], [0, 0, 10, 10], [0, 0, 0, 0]]
    np.testing.assert_array_equal(boxes, expected)
    np.testing.assert_array_equal(scores, [2, 1, -3, 0])
    assert propose(*arguments, Proposing(before=2))[2] == 1  # 9 and 8, of which one has no area


def a_decision(count, classes=80, regions=60):
    rng = np.random.default_rng(2)
    probabilities = rng.dirichlet(np.full(classes + 1, 0.1), regions).astype("float32")
    return some(regions), probabilities, tf.zeros((regions, classes, 4)), tf.constant(count), SIZE


@pytest.mark.parametrize("classes", [1, 3, 80])
def test_decisions_are_onnxruntimes_class_by_class(classes):
    boxes, probabilities, *rest = a_decision(50, classes)
    found = decide.decide(boxes, probabilities, *rest, Deciding(0.05, 0.3, 100))
    rows, labels = their_nms(boxes[:50], probabilities[:50, :-1].T, 100, 0.3, 0.05)
    scores = probabilities[rows, labels]
    order = np.argsort(-scores)[:100]
    assert 5 < found.count == len(order)
    np.testing.assert_array_equal(found.classes[: found.count], labels[order])
    np.testing.assert_array_equal(found.scores[: found.count], scores[order])
    there = boxes[rows[order]]
    np.testing.assert_allclose(found.boxes[: found.count], there, rtol=1e-6, atol=1e-5)
    np.testing.assert_array_equal(found.classes[found.count :], -1)
    assert not np.any(found.boxes[found.count :]) and not np.any(found.scores[found.count :])


def test_no_regions_are_no_detections():
    found = decide.decide(*a_decision(0), Deciding(score=0, most=7))
    assert found.count == 0
    np.testing.assert_array_equal(found.classes, [-1] * 7)


def test_neighbouring_places_do_not_touch():
    """The whole picture, of each of 5 classes: none suppresses another."""
    whole = tf.constant([[0, 0, 100, 200]] * 5, tf.float32)
    found = Candidates(whole, tf.constant([0.9, 0.8, 0.7, 0.6, 0.5]), tf.range(5))
    found = decide.suppress(found, SIZE, Deciding(iou=1e-6))
    np.testing.assert_array_equal(found.classes[:5], range(5))


def test_voting_by_hand():
    """0.8 of (0, 0, 10, 10) and 0.2 of (0, 2, 10, 12), whose IoU is 2/3.

    No voters: a box of IoU 1/3, one of another class. A row that fills up stays as it is.
    """
    boxes = [[0, 0, 10, 10], [0, 2, 10, 12], [0, 5, 10, 15], [0, 1, 10, 11]]
    found = Candidates(
        tf.constant(boxes, tf.float32), tf.constant([0.8, 0.2, 0.7, 0.9]), tf.constant([1, 1, 1, 0])
    )
    kept = Detections(
        tf.constant([[0, 0, 10, 10], [0, 0, 0, 0]], tf.float32),
        tf.constant([0.8, 0]),
        tf.constant([1, -1]),
        tf.constant(1),
    )
    voted = decide.vote(kept, found)
    np.testing.assert_allclose(voted.boxes, [[0, 0.4, 10, 10.4], [0, 0, 0, 0]], rtol=1e-6)
    np.testing.assert_array_equal(voted.scores, kept.scores)


def test_a_head_that_shifts_by_4_px_gives_boxes_shifted_once_and_twice():
    """Of two classes the likelier moves right, the other would move down; 20 px boxes."""
    regions = tf.constant([[0, 0, 20, 20], [40, 60, 60, 80], [9, 9, 9, 9]], tf.float32)

    def head(boxes):
        probabilities = tf.constant([[0.1, 0.6, 0.3]] * 3)
        return probabilities, tf.constant([[[0.2, 0, 0, 0], [0, 0.2, 0, 0]]] * 3)

    found = decide.refine(head, regions, tf.constant(2), SIZE)
    right = found.boxes.numpy()[found.classes.numpy() == 1]
    once = [[0, 4, 20, 24], [40, 64, 60, 84]]
    twice = [[0, 8, 20, 28], [40, 68, 60, 88]]
    np.testing.assert_allclose(right[:2], once, rtol=1e-6)
    np.testing.assert_allclose(right[3:5], twice, rtol=1e-6)
    scores = found.scores.numpy().reshape(6, 2)
    np.testing.assert_array_equal(scores[[2, 5]], 0)
    detections = decide.suppress(found, SIZE, Deciding(iou=0.3))
    assert detections.count == 4  # a place and a class each: shifts by 4 of 20 px overlap by 2/3


@pytest.mark.parametrize(
    "wrong", [lambda: Proposing(after=0), lambda: Proposing(iou=0), lambda: Deciding(score=1)]
)
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match="expected"):
        wrong()
