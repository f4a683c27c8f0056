"""A detector's losses by hand: beta, normalisers, the class' own offsets, what has no weight."""

import math

import numpy as np
import pytest
import tensorflow as tf

from trainers.engine.detection import losses, targets


def test_smooth_l1_is_square_below_beta_and_straight_above():
    """[7], Eqn. 3, with sigma^2 = 1 / beta: 0.5 * 0.25 and 2 - 0.5; at 1/9: 1/18 at its end."""
    difference = tf.constant([[0.5, 0, 0, 0], [2, 0, 0, 0], [0.5, 2, 0, 0]])
    np.testing.assert_allclose(losses.smooth_l1(difference, 1.0), [0.125, 1.5, 1.625])
    assert float(losses.smooth_l1(tf.constant([1 / 9, 0, 0, 0]), 1 / 9)) == pytest.approx(1 / 18)


def test_rpn_counts_boxes_of_objects_alone():
    """Logits 0: ln 2 an anchor. One object, one not, one without weight; over 4."""
    chosen = targets.Anchors(
        tf.constant([2, 0, 1]),
        tf.constant([1, 0, 1]),
        tf.constant([[1.0, 0, 0, 0], [math.nan] * 4, [math.nan] * 4]),
        tf.constant([1.0, 1.0, 0.0]),
    )
    entropy, moved = losses.rpn(tf.zeros(3), tf.zeros((3, 4)), chosen, 4)
    assert float(entropy) == pytest.approx(2 * math.log(2) / 4)
    assert float(moved) == pytest.approx((1 - 1 / 18) / 4)


def test_each_class_is_a_question_of_its_own():
    """Logits 0: ln 2 an anchor and class, over 4; offsets of class 1 alone."""
    chosen = targets.Anchors(
        tf.constant([[2, 0, 1]]),
        tf.constant([[1, 0, 1]]),
        tf.constant([[[1.0, 0, 0, 0], [9.0] * 4, [math.nan] * 4]]),
        tf.constant([[1.0, 1.0, 0.0]]),
    )
    logits = np.zeros((1, 3, 2), np.float32)
    deltas = np.zeros((1, 3, 2, 4), np.float32)
    deltas[0, 2, 0] = 5.0  # of the other class
    given = tf.constant(logits), tf.constant(deltas), chosen, tf.constant([1])
    entropy, moved = losses.rpn_of_classes(*given, 4)
    assert entropy.numpy() == pytest.approx([2 * 2 * math.log(2) / 4])
    assert moved.numpy() == pytest.approx([(1 - 1 / 18) / 4])
    logits[0, 2] = -30.0, 30.0  # sure of class 1 at the object alone
    logits[0, 0] = -30.0
    given = tf.constant(logits), *given[1:]
    assert losses.rpn_of_classes(*given, 4)[0].numpy() == pytest.approx([0], abs=1e-6)
    nothing = losses.rpn_of_classes(*given[:3], tf.constant([-1]), 4)  # sure, and wrong: 30
    assert nothing[0].numpy() == pytest.approx([30 / 4]) and nothing[1].numpy() == 0


def test_the_head_counts_the_own_class_in_its_scales():
    """Classes 1 and the background of 2: offsets of class 1 alone, dy 0.1 / 0.1 = 1 -> 0.5."""
    regions = targets.Regions(
        tf.zeros((3, 4)),
        tf.constant([1, 2, 0]),
        tf.constant([[0.1, 0, 0, 0], [9.0, 9, 9, 9], [9.0, 9, 9, 9]]),
        tf.constant([1.0, 1.0, 0.0]),
    )
    deltas = tf.constant([[[5.0] * 4, [0.0] * 4]] * 3)
    entropy, moved = losses.head(tf.zeros((3, 3)), deltas, regions, 2)
    assert float(entropy) == pytest.approx(2 * math.log(3) / 2)
    assert float(moved) == pytest.approx(0.5 / 2)
