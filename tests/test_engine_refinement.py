"""What proposals teach R-CNN: their labels and losses by hand."""

import types

import numpy as np
import pytest
import tensorflow as tf

from trainers.data import sources
from trainers.data.boxes.files import annotated
from trainers.engine import refinement
from trainers.engine.detection import losses


def source_of(rows):
    """Two pictures of 100 x 100 px; [(picture, box, class, ignore)]."""
    pictures = [types.SimpleNamespace(path=f"{n}.png", image_id=n) for n in range(2)]
    rows = [(picture, box, kind, hard, 1.0) for picture, box, kind, hard in rows]
    found = annotated(rows, np.int32([(100, 100)] * 2), pictures, ".", {"a": 1, "b": 2})
    return types.SimpleNamespace(annotations=found, name="x", split="train")


def test_an_iou_of_a_half_makes_a_region_the_objects():
    """Squares of 10 px: moved by 3 px an IoU of 7/13, by 4 of 6/14; within a crowd nothing."""
    source = source_of([(0, (0, 0, 10, 10), 1, False), (1, (0, 0, 50, 50), 0, True),
                        (1, (60, 60, 80, 100), 0, False)])  # fmt: skip
    boxes = np.int32([[0, 3, 10, 13], [0, 4, 10, 14], [20, 20, 40, 40], [60, 60, 80, 80]])
    picture = np.array([0, 0, 1, 1])
    found = refinement.samples(source, picture, boxes)
    assert found.classes.tolist() == [1, -1, -1, 0]
    assert (found.at_objects.tolist(), found.elsewhere.tolist()) == ([0, 3], [1])
    # Moved back by 3 of 10 px; half its width to the right, and twice as wide.
    np.testing.assert_allclose(found.deltas[0], [0, -0.3, 0, 0], atol=1e-6)
    np.testing.assert_allclose(found.deltas[3], [0, 0.5, 0, np.log(2)], atol=1e-6)


def test_proposals_that_hit_nothing_are_refused():
    source = source_of([(0, (0, 0, 10, 10), 1, False)])
    with pytest.raises(sources.DataError, match="none of 1 proposals of train has an IoU of 0.5"):
        refinement.samples(source, np.array([0]), np.int32([[50, 50, 60, 60]]))


def test_losses_of_an_object_and_of_none_by_hand():
    """-log sigmoid for the own class, -log(1 - sigmoid) for others; smooth L1 of the own box."""
    logits = tf.constant([[1.0, -2.0], [0.0, 3.0]])
    deltas = tf.constant([[[9.0] * 4, [0.5, 0, 0, 3]], [[9.0] * 4] * 2])
    offsets = tf.constant([[0.1, 0, 0, 0], [5.0, 5, 5, 5]])  # 0.1 counts as 1, the network's unit
    classes, boxes = losses.head_of_classes(logits, deltas, tf.constant([1, -1]), offsets)

    def entropy(logit, label):
        share = 1 / (1 + np.exp(-logit))
        return -np.log(share if label else 1 - share)

    expected = [entropy(1, 0) + entropy(-2, 1), entropy(0, 0) + entropy(3, 0)]
    np.testing.assert_allclose(classes, expected, rtol=1e-5)
    np.testing.assert_allclose(boxes, [0.5 * 0.5**2 + 3 - 0.5, 0], rtol=1e-5)


def test_a_tasks_sums_are_of_all_regions():
    def model(images, training):
        return images[:, 0, 0, :2], tf.zeros((3, 2, 4))

    images = tf.random.stateless_normal((3, 4, 4, 3), [1, 2])
    targets = {"classes": tf.constant([0, -1, 1]), "deltas": tf.zeros((3, 4))}
    each, sums = refinement.refinement().learn(model, images, targets)
    assert sums[0] == 3 and float(sums[1]) == pytest.approx(float(tf.reduce_sum(each)), rel=1e-6)
    assert float(sums[2]) == pytest.approx(float(sums[1]), rel=1e-6) and sums[3] == 0
