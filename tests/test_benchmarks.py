"""The benchmarks' arithmetic by hand, and contenders through the real harness; no times."""

import json
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


def result(**more):
    return {"machine": harness.machine(), "failed": {"resnet20": {"torch": "not there"}}, **more}


def test_the_report_says_what_is_met_and_missed(tmp_path, monkeypatch):
    monkeypatch.setattr(harness, "FOLDER", tmp_path / "speed")
    (tmp_path / "speed").mkdir()
    figures = {
        "ours": [{"seconds_a_step": 1.0}, {"seconds_a_step": 1.0}],
        "keras_fit": [{"seconds_a_step": 1.5}, {"seconds_a_step": 1.3}],
        "slow_peer": [{"seconds_a_step": 1.0}, {"seconds_a_step": 1.0}],
    }
    goals = {"resnet20": {"keras_fit": 1.4, "slow_peer": 1.25, "torch": 1.0}}
    (tmp_path / "speed" / "train_step.json").write_text(
        json.dumps(result(figures={"resnet20": figures}, peer="keras_fit", goals=goals))
    )
    report.main([])
    text = (tmp_path / "speed.md").read_text()
    assert "| keras fit | 1.4 (1.3-1.5) |" in text
    assert "- ours to keras fit: 1.40x, goal 1.40x: met" in text
    assert "- ours to slow peer: 1.00x, goal 1.25x: missed by 20%" in text
    assert "- torch: failed, not there" in text
    assert (tmp_path / "speed" / "ratios.png").stat().st_size > 1000


def test_a_report_of_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(harness, "FOLDER", tmp_path)
    monkeypatch.setattr(sys, "argv", ["report"])
    with pytest.raises(SystemExit, match="2"):
        report.main([])
