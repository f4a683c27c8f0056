"""Contenders of the training benchmarks, each in a process of its own; no times."""

import pytest

from benchmarks import harness

PEERS = [pytest.param(name, marks=pytest.mark.exhaustive) for name in ("keras_fit", "torch")]


@pytest.mark.slow
@pytest.mark.parametrize("contender", ["ours", *PEERS])
def test_a_training_step_is_timed_in_a_process_of_its_own(contender):
    settings = {"model": "resnet20", "quick": True}
    assert harness.alone("benchmarks.training.step", contender, settings)["seconds_a_step"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("contender", ["ours", PEERS[0]])
def test_rounds_are_timed_in_a_process_of_their_own(contender):
    assert (
        harness.alone("benchmarks.training.rounds", contender, {"quick": True})["seconds_a_round"]
        > 0
    )
