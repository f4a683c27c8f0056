"""What the detection benchmark compares is the same work, and says so where it cannot; no times."""

import ctypes
import importlib.util
import shutil

import numpy as np
import pytest

from benchmarks import clock, harness
from benchmarks.detection import cases, ours, parts, torchvision_cpu
from zoo import complexity

# The convolutions of the released ResNet-50: all but its head and its normalisations' two each.
CONVOLUTIONS = 25_557_032 - (2048 + 1) * 1000 - 53_120
RPN = (9 * 1024 + 1) * 1024 + (1024 + 1) * 9 * (1 + 4)
KINDS = ("seconds", "seconds_of_processors")
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


@pytest.fixture
def small(monkeypatch):
    """The same work on a picture and a network of a twentieth, regions and boxes likewise."""
    less = dict(HEIGHT=96, WIDTH=128, RPN_FILTERS=64, REGIONS=8, TRAIN_BEFORE=200, TRAIN_AFTER=50)
    for name, value in {**less, "BEFORE": 100, "ANCHORS": (32.0, 64.0), "OBJECTS": 3}.items():
        monkeypatch.setattr(cases, name, value)
    monkeypatch.setattr(ours, "NETWORK", "resnet18")


def test_our_detector_is_timed(small):
    found = ours.both("1x1")
    expected = {f"{kind}_a_{what}" for kind in KINDS for what in ("step", "picture")}
    assert set(found) == expected and all(value > 0 for value in found.values())
    # A step and a picture, each once; what traces and warms up is not among them.
    assert len(clock.TIMED) == 2 * cases.TIMED
    assert clock.processors()["processors"] > 0


@pytest.mark.slow
@pytest.mark.skipif(not importlib.util.find_spec("torchvision"), reason="needs torchvision")
def test_torchvisions_is_timed_in_a_process_of_its_own():
    found = harness.alone("benchmarks.detection", "torchvision", {"quick": True})
    assert found["seconds_a_step"] > 0 and found["seconds_a_picture"] > 0


@pytest.mark.parametrize("group", ["regions", "suppression"])
def test_operations_take_turns(group, monkeypatch):
    for name, value in {
        "MAP": (10, 12, 8),
        "BINS": 4,
        "REGIONS": 6,
        "BEFORE": 50,
        "AFTER": 9,
    }.items():
        monkeypatch.setattr(parts, name, value)
    monkeypatch.setattr(parts, "rounds", lambda: 2)
    found = parts.GROUPS[group]()
    assert len(found) >= 3 and {len(rounds) for rounds in found.values()} == {2}
    timed = [value for rounds in found.values() for one in rounds for value in one.values()]
    assert all(value > 0 for value in timed)
