"""Errors and sums, by hand."""

import numpy as np
import pytest
import tensorflow as tf

from trainers.engine.metrics import CLASSIFICATION, batch_sums, rank
from trainers.engine.task import Sums

NAN = float("nan")


@pytest.mark.parametrize(
    "logits, label, before",
    [
        ([0.1, 0.9, 0.3], 1, 0),
        ([0.1, 0.9, 0.3], 0, 2),
        ([0.5, 0.5, 0.5], 0, 0),  # a dead network is right for one class and no other
        ([0.5, 0.5, 0.5], 1, 1),
        ([0.5, 0.5, 0.5], 2, 2),
        ([NAN, 0.9, 0.3], 1, 1),
        ([NAN, NAN, NAN], 0, 3),  # in_top_k would be no better; an argmax would call it right
        ([float("inf"), 0.0, 0.0], 0, 0),
    ],
)
def test_rank_counts_the_classes_before_the_right_one(logits, label, before):
    assert rank(tf.constant([logits]), tf.constant([label])).numpy().tolist() == [before]


def test_sums_are_those_of_numpy():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(50, 8)).astype("float32")
    labels = rng.integers(0, 8, 50).astype("int32")
    weights = (rng.uniform(size=50) > 0.3).astype("float32")
    order = np.argsort(-logits, axis=1)
    place = np.array([list(order[i]).index(labels[i]) for i in range(50)])
    shifted = logits - logits.max(axis=1, keepdims=True)
    loss = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(50), labels]
    sums = batch_sums(tf.constant(logits), tf.constant(labels), tf.constant(weights)).numpy()
    assert sums[0] == weights.sum()
    assert sums[1] == pytest.approx((loss * weights).sum(), rel=1e-5)
    assert sums[2] == ((place >= 1) * weights).sum()
    assert sums[3] == ((place >= 5) * weights).sum()


def test_padding_does_not_count_even_if_it_is_nan():
    logits = tf.constant([[2.0, 1.0], [NAN, NAN]])
    sums = batch_sums(logits, tf.constant([1, 0]), tf.constant([1.0, 0.0])).numpy()
    np.testing.assert_allclose(sums, [1, np.log1p(np.e), 1, 0], rtol=1e-6)


def test_means_are_per_image():
    total = Sums() + Sums(2.0, (1.0, 1.0, 0.0)) + Sums(6.0, (3.0, 1.0, 1.0))
    assert CLASSIFICATION.means(total) == {"loss": 0.5, "error": 0.25, "error_top5": 0.125}
