"""Contenders of the serving benchmarks do what they are timed for; no times."""

import numpy as np
import pytest

from benchmarks import serving_artifacts, serving_runtimes

INT8 = [name for name in serving_runtimes.CONTENDERS if "int8" in name]
OF_FILES = [name for name, (_, file) in serving_runtimes.CONTENDERS.items() if file]


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
