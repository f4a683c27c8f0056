"""Ratios of rounds, their intervals and the three words, by hand."""

import pytest

from benchmarks import ratios

FIGURES = {
    "ours": [{"seconds_a_step": x} for x in (1.0, 4.0, 2.0, 2.0, 1.0)],
    "peer": [{"seconds_a_step": x} for x in (2.0, 6.0, 6.0, 5.0, 1.5)],
}


def test_the_ratio_is_of_the_best_rounds_and_the_interval_of_neighbours():
    """Neighbours: 2, 1.5, 3, 2.5, 1.5; the least of each: 1.5 / 1."""
    assert ratios.paired(FIGURES, "ours", "peer", "seconds_a_step") == [2, 1.5, 3, 2.5, 1.5]
    found = ratios.of(FIGURES, "ours", "peer", "seconds_a_step")
    assert found == ratios.Ratio(1.5, 1.5, 3, known=True)
    speeds = {
        name: [{"images_per_second": 60 / one["seconds_a_step"]} for one in rounds]
        for name, rounds in FIGURES.items()
    }
    found = ratios.of(speeds, "peer", "ours", "images_per_second")  # the slower is the better
    assert found.times == pytest.approx(1 / 1.5) and found.low == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("rounds", "low", "high"),
    [(1, 1, 1), (2, 1, 2), (5, 1, 5), (6, 1, 6), (7, 1, 7), (8, 2, 7), (12, 3, 10), (20, 6, 15)],
)
def test_the_interval_is_the_sign_tests(rounds, low, high):
    """Its tables at 10 %, two-sided: so many are left out at each end.

    0 of 5 to 7 signs, 1 of 8, 2 of 12, 5 of 20.
    """
    values = list(range(rounds, 0, -1))
    assert ratios.interval(values) == (low, high)


@pytest.mark.parametrize(
    ("ratio", "goal", "word"),
    [
        ((1.5, 1.4, 1.6), 1.4, "met"),
        ((1.5, 1.39, 1.6), 1.4, "unclear"),  # its worse end is short of it
        ((5.93, 1.04, 10.8), 1.15, "unclear"),
        ((1.5, 1.4, 1.6), 1.6, "unclear"),
        ((1.5, 1.4, 1.6), 1.61, "missed"),
    ],
)
def test_three_words(ratio, goal, word):
    assert ratios.word(ratios.Ratio(*ratio, known=True), goal) == word
    assert ratios.word(ratios.Ratio(*ratio, known=False), goal) == "unclear"


def test_few_rounds_are_known_only_of_what_is_counted():
    two = {name: [{"seconds": 1.0, "megabytes": 100.0}] * 2 for name in ("ours", "peer")}
    assert not ratios.of(two, "ours", "peer", "seconds").known
    assert ratios.of(two, "ours", "peer", "megabytes").known
    five = {name: rounds[:1] * 5 for name, rounds in two.items()}
    assert ratios.of(five, "ours", "peer", "seconds").known


def test_rounds_in_which_the_machine_stood_still():
    """The same work with fewer processors a second: 0.9 of 1.8 is a half, 1.2 two thirds."""
    figures = {
        "ours": [{"processors": x} for x in (1.8, 0.9, 1.7, 1.2)],
        "of_one_process": [{"processors": x} for x in (0.2, 0.19, 0.21, 0.1)],
        "once": [{"processors": 0.1}],
        "untimed": [{"seconds": 1.0}] * 4,
    }
    assert ratios.stood_still(figures) == [1, 3]
    assert ratios.stood_still({"ours": figures["ours"][:1]}) == []
