"""Contenders of the training and serving benchmarks do what they are timed for; no times."""

import numpy as np
import pytest

from benchmarks import harness, serving_artifacts, serving_runtimes

INT8 = [name for name in serving_runtimes.CONTENDERS if "int8" in name]
OF_FILES = [name for name, (_, file) in serving_runtimes.CONTENDERS.items() if file]


@pytest.mark.slow
@pytest.mark.parametrize("contender", ["ours", "keras_fit", "torch"])
def test_a_training_step_is_timed_in_a_process_of_its_own(contender):
    settings = {"model": "resnet20", "quick": True}
    assert harness.alone("benchmarks.train_step", contender, settings)["seconds_a_step"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("contender", ["ours", "keras_fit"])
def test_rounds_are_timed_in_a_process_of_their_own(contender):
    assert harness.alone("benchmarks.rounds", contender, {"quick": True})["seconds_a_round"] > 0


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory):
    """Every artifact of resnet8 with random weights: -> its folder."""
    folder = tmp_path_factory.mktemp("artifacts")
    files = dict.fromkeys(serving_runtimes.CONTENDERS[name][1] for name in OF_FILES)
    wanted = [serving_artifacts.HELD_OUT, *files]
    serving_artifacts.write(folder, wanted, run_dir=None, model="resnet8")
    return folder


@pytest.mark.parametrize("contender", OF_FILES)
def test_an_artifact_answers_as_the_network(artifacts, contender):
    load, file = serving_runtimes.CONTENDERS[contender]
    answer, dtype = load(artifacts / file)()
    with np.load(artifacts / serving_artifacts.HELD_OUT) as found:
        pixels, expected = found["pixels"].astype(dtype), found["first"]
    assert len(set(expected)) > 1
    for batch_size in (1, 32):
        same = np.argmax(answer(pixels[:batch_size]), axis=1) == expected[:batch_size]
        assert same.mean() >= (0.8 if contender in INT8 else 1)
