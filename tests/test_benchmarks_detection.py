"""What the detection benchmark compares is the same work, and says so where it cannot; no times."""

import ctypes
import importlib.util
import shutil

import numpy as np
import pytest

from benchmarks import harness
from benchmarks.detection import cases, ours, torchvision_cpu
from zoo import complexity

# The convolutions of the released ResNet-50: all but its head and its normalisations' two each.
CONVOLUTIONS = 25_557_032 - (2048 + 1) * 1000 - 53_120
RPN = (9 * 1024 + 1) * 1024 + (1024 + 1) * 9 * (1 + 4)
SIBLINGS = (2048 + 1) * (21 + 4 * 20)


def test_all_is_trained_but_normalisation():
    model = ours.network(ours.detector("1x1"))
    assert complexity.parameters(model) == CONVOLUTIONS + RPN + SIBLINGS
    gammas = [x.gamma.numpy() for x in model.layers if x.name.endswith("_3_bn")]
    assert len(gammas) == 16 and all((gamma == np.float32(0.2)).all() for gamma in gammas)


def test_objects_lie_in_the_picture():
    pixels, boxes, classes = cases.picture()
    assert pixels.shape == (480, 640, 3) and boxes.shape == (8, 4) and (classes < 20).all()
    assert (boxes >= 0).all() and (boxes[:, 2] <= 480).all() and (boxes[:, 3] <= 640).all()
    assert (boxes[:, 2:] - boxes[:, :2] >= 59.9).all()


def test_without_torchvision_it_is_asked_for(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="pip install --no-deps --target=FOLDER torchvision"):
        torchvision_cpu.load()


@pytest.mark.skipif(not shutil.which("gcc"), reason="needs gcc")
def test_an_empty_library_answers_0(tmp_path):
    path = torchvision_cpu.compiled(tmp_path, "libempty.so.1", ["one", "_ZN3two5threeEv"])
    library = ctypes.CDLL(path)
    assert library.one() == 0 and library["_ZN3two5threeEv"]() == 0


@pytest.mark.slow
@pytest.mark.parametrize("contender", ["ours", "torchvision"])
def test_a_detector_is_timed_in_a_process_of_its_own(contender):
    if contender == "torchvision" and not importlib.util.find_spec("torchvision"):
        pytest.skip("needs torchvision")
    found = harness.alone("benchmarks.detection", contender, {"quick": True})
    assert found["seconds_a_step"] > 0 and found["seconds_a_picture"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("group", ["regions", "suppression"])
def test_operations_take_turns(group):
    found, failed = harness.compete_by_turns("benchmarks.detection", group, quick=True)
    assert not failed and len(found) >= 3
