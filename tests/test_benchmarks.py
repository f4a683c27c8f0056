"""The benchmarks' arithmetic by hand, and contenders through the real harness; no times."""

import sys

import pytest

from benchmarks import harness, report, torch_nets

PARAMETERS = {"resnet20": 269_722, "resnet110": 1_727_962, "resnet50": 25_557_032}  # the paper's


def test_ratios_are_of_neighbours():
    figures = {
        "ours": [{"seconds_a_step": 1.0}, {"seconds_a_step": 4.0}, {"seconds_a_step": 2.0}],
        "peer": [{"seconds_a_step": 2.0}, {"seconds_a_step": 6.0}, {"seconds_a_step": 6.0}],
    }
    found = harness.ratios(figures, "ours", "peer", "seconds_a_step")
    assert found == [2.0, 1.5, 3.0]
    assert harness.middle(found) == (2.0, 1.5, 3.0)
    speeds = {
        n: [{"images_per_second": r["seconds_a_step"]} for r in f] for n, f in figures.items()
    }
    assert harness.ratios(speeds, "peer", "ours", "images_per_second") == [2.0, 1.5, 3.0]


@pytest.mark.parametrize("name", PARAMETERS)
def test_pytorchs_networks_are_the_same(name):
    model = torch_nets.NETS[name]()
    assert sum(p.numel() for p in model.parameters()) == PARAMETERS[name]


CONTENDERS = """
import json, pathlib, sys
name = sys.argv[1].partition("=")[2]
with open({log!r}, "a") as log:
    log.write(name + " ")
if name == "broken":
    sys.exit("no such library")
print("something else")
print(json.dumps({{"seconds_a_step": len(name)}}))
"""


def test_contenders_take_turns_and_a_broken_one_is_named(tmp_path, monkeypatch, capsys):
    log = tmp_path / "log"
    (tmp_path / "contenders_of_a_test.py").write_text(CONTENDERS.format(log=str(log)))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    figures, failed = harness.compete("contenders_of_a_test", ["a", "broken", "bbb"], 2, size=3)
    assert log.read_text().split() == ["a", "broken", "bbb", "a", "bbb"]
    assert figures == {"a": [{"seconds_a_step": 1}] * 2, "bbb": [{"seconds_a_step": 3}] * 2}
    assert failed == {"broken": "no such library"}
    assert "broken failed: no such library" in capsys.readouterr().out


ONE_PROCESS = """
import json
from benchmarks import harness
seen = []
def contender(name):
    return lambda: seen.append(name) or {"seconds_a_step": len(seen)}
figures = harness.by_turns({name: contender(name) for name in ("plain", "mirrored")}, 2)
print(json.dumps({**figures, "threads": 1}))
"""


def test_contenders_of_one_process_take_turns(tmp_path, monkeypatch):
    (tmp_path / "turns_of_a_test.py").write_text(ONE_PROCESS)
    (tmp_path / "broken_of_a_test.py").write_text("raise SystemExit('no such library')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    figures, failed = harness.compete_by_turns("turns_of_a_test", "both")
    seconds = {name: [x["seconds_a_step"] for x in found] for name, found in figures.items()}
    assert seconds == {"plain": [1, 3], "mirrored": [2, 4]} and failed == {}
    assert harness.compete_by_turns("broken_of_a_test", "both") == ({}, {"both": "no such library"})


ELSEWHERE = """
import sys
from absl import flags
from benchmarks import harness
from zoo import program
harness.define()
def loaded():
    return {"tensorflow": "tensorflow" in sys.modules}
program.run(lambda _: harness.run_one({"ours": loaded, "peer": loaded}, ["peer"]), "A test.")
"""


def test_a_contender_elsewhere_does_without_tensorflow(tmp_path, monkeypatch):
    (tmp_path / "elsewhere_of_a_test.py").write_text(ELSEWHERE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    figures, failed = harness.compete("elsewhere_of_a_test", ["ours", "peer"], 1)
    assert not failed
    assert figures["ours"] == [{"tensorflow": True, "threads": harness.CORES}]
    assert figures["peer"] == [{"tensorflow": False, "threads": harness.CORES}]


def test_images_a_second_are_of_the_timed_batches(monkeypatch):
    clock, taken = iter((10.0, 12.0)), []
    monkeypatch.setattr(harness.time, "perf_counter", lambda: next(clock))
    found = harness.images_per_second(map(taken.append, range(100)), 32, warm_up=2, timed=5)
    assert found == {"images_per_second": 5 * 32 / 2.0} and taken == list(range(7))


def written(folder, monkeypatch, **more):
    """The report of one training step's figures."""
    monkeypatch.setattr(harness, "FOLDER", folder / "speed")
    harness.write("train_step", failed={"resnet20": {"torch": "not there"}}, **more)
    report.main([])
    return (folder / "speed.md").read_text()


FIGURES = {
    "ours": [{"seconds_a_step": 1.0, "megabytes": 100, "threads": 2}] * 3,
    "keras_fit": [
        {"seconds_a_step": seconds, "megabytes": 150, "threads": 2} for seconds in (1.5, 1.3, 1.4)
    ],
    "slow_peer": [{"seconds_a_step": 1.0, "threads": 1}] * 3,
}
GOALS = [
    harness.Goal("ours", "keras_fit", "seconds_a_step", 1.4),
    harness.Goal("ours", "keras_fit", "megabytes", 2.0),
    harness.Goal("ours", "slow_peer", "seconds_a_step", 1.25),
    harness.Goal("ours", "slow_peer", "seconds_a_step", 1.005),
    harness.Goal("ours", "torch", "seconds_a_step", 1.0),
]


def test_the_report_says_what_is_met_and_missed(tmp_path, monkeypatch):
    text = written(
        tmp_path,
        monkeypatch,
        figures={"resnet20": FIGURES},
        peer={"resnet20": "keras_fit"},
        goals={"resnet20": GOALS},
    )
    for line in (
        "| contender | seconds a step | megabytes | threads |",
        "| keras fit | 1.4 (1.3-1.5), 1.00x | 150, 1.00x | 2 |",
        "| ours | 1, 1.40x | 100, 1.50x | 2 |",
        "| slow peer | 1, 1.40x |  | 1 |",
        "- ours to keras fit, seconds a step: 1.40x (1.30-1.50), goal 1.40x: met",
        "- ours to keras fit, megabytes: 1.50x (1.50-1.50), goal 2.00x: missed by 25%",
        "- ours to slow peer, seconds a step: 1.00x (1.00-1.00), goal 1.25x: missed by 20%",
        "- ours to slow peer, seconds a step: 1.00x (1.00-1.00), goal 1.00x: "
        "missed by less than 1%",
        "- ours to torch, seconds a step: goal 1.00x, not measured",
        "- torch: failed, not there",
    ):
        assert line in text.splitlines()
    assert (tmp_path / "speed" / "ratios.png").stat().st_size > 1000


def test_profiles_and_notes_follow_the_figures(tmp_path, monkeypatch):
    (tmp_path / "speed").mkdir()
    (tmp_path / "speed" / "notes_train_step.md").write_text("What was tried.\n")
    text = written(
        tmp_path,
        monkeypatch,
        figures={"resnet20": FIGURES},
        profiles={"ours": {"ReLU": 1.0, "convolution": 3.0}},
    )
    assert "Where the time goes, ours:" in text
    assert "| convolution | 75.0% |\n| ReLU | 25.0% |" in text
    assert text.endswith("What was tried.\n")
    assert "ratios.png" not in text  # there are no goals


def test_a_report_of_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(harness, "FOLDER", tmp_path)
    monkeypatch.setattr(sys, "argv", ["report"])
    with pytest.raises(SystemExit, match="2"):
        report.main([])
