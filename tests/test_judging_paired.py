"""Paired comparisons: hand arithmetic, and SciPy's exact tests and bootstrap."""

import numpy as np
import pytest
from scipy import stats

from trainers.judging import paired


def test_mcnemar_by_hand():
    """Six images that one alone gets wrong, one that the other does: 2 (1 + 7) / 2^7."""
    one = np.array([1] * 6 + [0] + [1, 1] + [0] * 20, bool)
    other = np.array([0] * 6 + [1] + [1, 1] + [0] * 20, bool)
    assert paired.mcnemar(one, other) == paired.mcnemar(other, one) == 0.125
    assert paired.mcnemar(one, one) == 1.0  # nothing in which they differ
    assert paired.sign_test(1, 1) == 1.0  # 2 * 3/4, and no probability is above 1


@pytest.mark.parametrize(("first", "second"), [(0, 5), (3, 9), (40, 60), (812, 702), (6000, 6210)])
def test_the_sign_test_is_scipys(first, second):
    expected = stats.binomtest(first, first + second, 0.5).pvalue
    assert paired.sign_test(first, second) == pytest.approx(expected, rel=1e-9)


def wrong(count, images):
    return np.arange(images) < count


def test_the_interval_of_one_seed_is_the_normal_approximations():
    """90 and 60 discordant images of 1,000: 3 points, variance (150 - 30^2/1000) / 1000^2."""
    one = np.concatenate([wrong(90, 90), wrong(0, 60), wrong(100, 850)])
    other = np.concatenate([wrong(0, 90), wrong(60, 60), wrong(100, 850)])
    found = paired.difference(one, other)
    assert found.mean == pytest.approx(0.03)
    half = 1.96 * np.sqrt(150 - 30**2 / 1000) / 1000
    assert (found.low, found.high) == pytest.approx((0.03 - half, 0.03 + half), abs=0.0015)
    oracle = stats.bootstrap(
        (one.astype(float) - other,), np.mean, n_resamples=2000, method="percentile", rng=1
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx(oracle, abs=0.0015)
    assert found.shows and found.p == (pytest.approx(stats.binomtest(60, 150).pvalue),)
    assert not paired.difference(other, other).shows
    back = paired.difference(other, one)
    assert back.shows and (back.low, back.high) == pytest.approx((-found.high, -found.low))
    assert str(back) == str(-found)


def test_seeds_that_disagree_do_not_show():
    """By 9, 8 and -1 points: the images alone would call that clear, a draw of the last does not.

    The last seed alone is one draw in 27, above the 2.5 % that the interval leaves out below.
    """
    images = 10_000
    one = np.stack([wrong(1900, images), wrong(1800, images), wrong(900, images)])
    other = np.stack([wrong(1000, images)] * 3)
    found = paired.difference(one, other)
    assert found.mean == pytest.approx(0.16 / 3) and not found.shows
    assert found.low < 0 < found.high and max(found.p) < 1e-9
    agreeing = paired.difference(one[:2], other[:2])
    assert agreeing.shows and str(agreeing).startswith("+8.50 points (+7.")


def test_what_is_not_paired_is_refused():
    with pytest.raises(ValueError, match=r"got \(1, 3\) and \(1, 4\)"):
        paired.difference(wrong(1, 3), wrong(1, 4))
