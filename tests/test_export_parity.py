"""The arithmetic of a comparison by hand, and that wrong networks pass no gate."""

import dataclasses

import numpy as np
import pytest

from export import parity

EXPECTED = np.array([[1.0, 2.0, 4.0], [0.0, -3.0, 1.0]])


def test_comparison_by_hand():
    found = EXPECTED + [[0, 0, 0.5], [1.5, 0, 0]]
    got = parity.compare(EXPECTED, found, labels=np.array([2, 0]))
    assert got.images == 2
    assert got.largest == 1.5 / 4
    assert got.rms == pytest.approx(np.sqrt((0.25 + 2.25) / (1 + 4 + 16 + 9 + 1)))
    assert got.top1 == 0.5  # the second image's first class is now 0 instead of 2
    assert got.top5 == 1.0
    assert (got.source_accuracy, got.artifact_accuracy) == (0.5, 1.0)


def test_top_five_counts_five():
    expected = np.eye(7)[[6]]
    found = -np.arange(7.0)[np.newaxis]  # class 6 comes last
    assert parity.compare(expected, found).top5 == 0.0
    found[0, 6] = -3.5  # now fifth
    assert parity.compare(expected, found).top5 == 1.0


def test_no_labels_no_accuracy():
    got = parity.compare(EXPECTED, EXPECTED)
    assert (got.source_accuracy, got.artifact_accuracy) == (None, None)
    assert (got.largest, got.rms, got.top1) == (0.0, 0.0, 1.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_an_error(bad):
    found = EXPECTED.copy()
    found[0, 0] = bad
    with pytest.raises(ValueError, match="1 of 6 logits are not finite"):
        parity.compare(EXPECTED, found)


def test_another_shape_is_an_error():
    with pytest.raises(ValueError, match=r"\(2, 3\), got \(2, 2\)"):
        parity.compare(EXPECTED, EXPECTED[:, :2])


GATES = [parity.FLOAT32, parity.FLOAT16, parity.INTEGER]


@pytest.mark.parametrize("gate", GATES)
def test_each_condition_of_a_gate_can_fail_alone(gate):
    perfect = dataclasses.replace(parity.compare(EXPECTED, EXPECTED), images=1000)
    assert parity.misses(perfect, gate) == []
    worse = {"top1": 0.97, "largest": 0.2, "rms": 0.2}
    for name, value in worse.items():
        missed = parity.misses(dataclasses.replace(perfect, **{name: value}), gate)
        assert len(missed) == (getattr(gate, name) is not None)


def test_one_tie_may_fall_either_way_and_no_more():
    one, two = (
        parity.Comparison(images=20, largest=0.0, rms=0.0, top1=top1, top5=1.0)
        for top1 in (19 / 20, 18 / 20)
    )
    assert parity.misses(one, parity.INTEGER) == []
    assert "90.00% of 20 images" in parity.misses(two, parity.INTEGER)[0]


@pytest.mark.parametrize("gate", GATES)
def test_not_a_number_passes_no_gate(gate):
    broken = dataclasses.replace(parity.compare(EXPECTED, EXPECTED), largest=np.nan, rms=np.nan)
    assert parity.misses(broken, gate)


def test_softmax_by_hand():
    np.testing.assert_allclose(parity.softmax(np.log([[1.0, 2.0, 5.0]])), [[0.125, 0.25, 0.625]])
    assert np.isfinite(parity.softmax(np.array([[1000.0, 0.0]]))).all()
