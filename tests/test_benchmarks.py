"""The benchmarks' arithmetic by hand, and contenders through the real harness; no times."""

import dataclasses
import sys

import pytest

from benchmarks import clock, harness, machine, machines, report, torch_nets

PARAMETERS = {"resnet20": 269_722, "resnet110": 1_727_962, "resnet50": 25_557_032}  # the paper's


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
    found = harness.compete("contenders_of_a_test", ["a", "broken", "bbb"], 2, size=3)
    assert log.read_text().split() == ["a", "broken", "bbb", "a", "bbb"]
    assert found.figures == {"a": [{"seconds_a_step": 1}] * 2, "bbb": [{"seconds_a_step": 3}] * 2}
    assert found.failed == {"broken": "no such library"} and found.again == 0
    assert "broken failed: no such library" in capsys.readouterr().out


def competing(monkeypatch, busy, rounds, goals=()):
    """Contenders a, b and c; a's processors are as busy as one number after the other says."""
    asked, busy = [], iter(busy)

    def alone(module, name, settings):
        asked.append(name)
        processors = next(busy) if name == "a" else 1.5
        return {"seconds_a_step": len(asked), "processors": processors}

    monkeypatch.setattr(harness, "alone", alone)
    return harness.compete("module", ["a", "b", "c"], rounds, goals), "".join(asked)


def test_who_has_no_goal_runs_once(monkeypatch):
    goals = [harness.Goal("a", "b", "seconds_a_step", 1.0)]
    found, asked = competing(monkeypatch, [1.5, 1.5, 1.5], 3, goals)
    assert asked == "abc" + "ab" + "ab"
    assert [len(found.figures[name]) for name in "abc"] == [3, 3, 1]


def test_a_round_that_stood_still_is_taken_again(monkeypatch, capsys):
    goals = [harness.Goal("a", "b", "seconds_a_step", 1.0)]
    found, asked = competing(monkeypatch, [1.8, 0.4, 1.7, 1.6], 3, goals)
    assert asked == "abc" + "ab" + "ab" + "ab"  # the second, all who have goals
    assert "round 2 stood still and is taken again" in capsys.readouterr().out
    assert [one["processors"] for one in found.figures["a"]] == [1.8, 1.6, 1.7]
    assert [one["seconds_a_step"] for one in found.figures["b"]] == [2, 9, 7]
    assert found.again == 1
    found, _ = competing(monkeypatch, [1.8] + 9 * [0.4], 5, goals)
    assert found.again == harness.AGAIN  # and no more: the machine stands still for good


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
    both = harness.compete_by_turns("turns_of_a_test", "both")
    seconds = {name: [x["seconds_a_step"] for x in found] for name, found in both.figures.items()}
    assert seconds == {"plain": [1, 3], "mirrored": [2, 4]} and both.failed == {}
    broken = harness.compete_by_turns("broken_of_a_test", "both")
    assert broken == harness.Found({}, {"both": "no such library"})


ELSEWHERE = """
import sys
from absl import flags
from benchmarks import clock, harness
from zoo import program
harness.define()
def loaded():
    clock.since(clock.now())
    return {"tensorflow": "tensorflow" in sys.modules}
program.run(lambda _: harness.run_one({"ours": loaded, "peer": loaded}, ["peer"]), "A test.")
"""


def test_a_contender_elsewhere_does_without_tensorflow_and_tells_its_memory(tmp_path, monkeypatch):
    (tmp_path / "elsewhere_of_a_test.py").write_text(ELSEWHERE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = harness.compete("elsewhere_of_a_test", ["ours", "peer"], 1)
    assert not found.failed
    (ours,), (peer,) = found.figures["ours"], found.figures["peer"]
    assert ours["tensorflow"] and not peer["tensorflow"]
    assert ours["threads"] == peer["threads"] == harness.CORES
    assert "processors" in ours
    # TensorFlow's library alone has hundreds of megabytes; Python and absl have tens.
    assert 10 < peer["megabytes_at_most"] < 100 < ours["megabytes_at_most"]


def test_images_a_second_are_of_the_timed_batches(monkeypatch):
    times, taken = iter([(10.0, 1.0), (12.0, 4.0)]), []
    monkeypatch.setattr(clock, "now", lambda: next(times))
    found = harness.images_per_second(map(taken.append, range(100)), 32, warm_up=2, timed=5)
    assert clock.processors() == {"processors": 1.5} and clock.processors() == {}
    assert found == {"images_per_second": 5 * 32 / 2.0} and taken == list(range(7))


def test_the_fastest_of_several_calls_counts(monkeypatch):
    """Three calls of 2, 1 and 4 seconds, by one processor, two and one."""
    times = iter([(0, 0), (2, 2), (2, 2), (3, 4), (3, 4), (7, 8)])
    called = []
    monkeypatch.setattr(clock, "now", lambda: next(times))
    assert clock.fastest(lambda: called.append(1), 3) == 1 and len(called) == 3
    assert clock.processors() == {"processors": pytest.approx(8 / 7)}  # of all that was timed


def written(folder, monkeypatch, **more):
    """The report of one training step's figures."""
    monkeypatch.setattr(harness, "FOLDER", folder / "speed")
    monkeypatch.setattr(machine, "speed", lambda: {"matmul_gflops": 200, "copy_gb_per_second": 9})
    found = harness.Found(FIGURES, {"torch": "not there"}, again=1)
    harness.write("train_step", {"resnet20": found}, **more)
    report.main([])
    return (folder / "speed.md").read_text()


def steps(*seconds, **more):
    return [{"seconds_a_step": one, **more} for one in seconds]


FIGURES = {
    "ours": steps(1.0, 1.1, 1.0, 1.0, 1.2, megabytes=100, processors=1.5, threads=2),
    "keras_fit": steps(1.5, 1.3, 1.4, 1.6, 1.68, megabytes=150, processors=1.25, threads=2),
    "slow_peer": steps(1.01, 1.0, 1.0, 1.02, 1.25, threads=1),
    "once": steps(4.0, threads=2),
}
GOALS = [
    harness.Goal("ours", "keras_fit", "seconds_a_step", 1.1),
    harness.Goal("ours", "keras_fit", "seconds_a_step", 1.4),
    harness.Goal("ours", "keras_fit", "seconds_a_step", 2.0),
    harness.Goal("ours", "keras_fit", "megabytes", 1.5),
    harness.Goal("ours", "slow_peer", "seconds_a_step", 1.045),
    harness.Goal("ours", "torch", "seconds_a_step", 1.0),
]


def test_the_report_says_what_is_met_missed_and_unclear(tmp_path, monkeypatch):
    """The rounds' ratios to fit are 1.5, 1.18, 1.4, 1.6, 1.4, that of the best 1.3 / 1.0."""
    text = written(
        tmp_path,
        monkeypatch,
        peer={"resnet20": "keras_fit"},
        goals={"resnet20": GOALS},
    )
    for line in (
        "| contender | seconds a step | megabytes | processors | threads |",
        "| keras fit | 1.3 (1.5), 1.00x | 150, 1.00x | 1.2 | 2 |",
        "| ours | 1 (1), 1.30x | 100, 1.50x | 1.5 | 2 |",
        "| slow peer | 1 (1.01), 1.30x |  |  | 1 |",
        "| once | 4, 0.33x |  |  | 2 |",
        "- ours to keras fit, seconds a step: 1.30x (1.18-1.60), goal 1.10x: met",
        "- ours to keras fit, seconds a step: 1.30x (1.18-1.60), goal 1.40x: unclear",
        "- ours to keras fit, seconds a step: 1.30x (1.18-1.60), goal 2.00x: missed by 20%",
        "- ours to keras fit, megabytes: 1.50x (1.50-1.50), goal 1.50x: met",
        "- ours to slow peer, seconds a step: 1.00x (0.91-1.04), goal 1.04x: "
        "missed by less than 1%",
        "- ours to torch, seconds a step: goal 1.00x, not measured",
        "- torch: failed, not there",
        "- rounds that stood still and were taken again: 1",
    ):
        assert line in text.splitlines()
    assert (tmp_path / "speed" / "ratios.png").stat().st_size > 1000


def test_another_machine_adds_a_column(tmp_path, monkeypatch):
    """The same goals there a few days ago, of two rounds, as reports of before had them."""
    theirs = {
        "machine": {"processor": "AMD EPYC", "cores": 4, "versions": {}, "date": "2026-01-01"},
        "figures": {"resnet20": {name: rounds[:2] for name, rounds in FIGURES.items()}},
        "goals": {"resnet20": [dataclasses.asdict(GOALS[0]), dataclasses.asdict(GOALS[3])]},
    }
    (tmp_path / "speed").mkdir()
    machines.keep(tmp_path / "speed", {"train_step": theirs})
    monkeypatch.setattr(
        machine,
        "processor",
        lambda: {
            "processor": "New (R) Chip",
            "number": "6.1.2",
            "features": ["amx_bf16", "amx_tile", "avx2", "avx512_vnni", "avx512f"],
        },
    )
    goals = {"resnet20": [GOALS[0], GOALS[3]]}
    text = written(tmp_path, monkeypatch, goals=goals).splitlines()
    ours = f"New-Chip-6.1.2-{harness.CORES}-cores"
    for line in (
        f"|  | AMD-EPYC-4-cores | {ours} |",
        "| offers |  | AVX2, AVX-512 (vnni), AMX (bf16) |",
        "| float32 matrix product, GFLOP/s |  | 200 |",
        "| resnet20: ours to keras fit, seconds a step (goal 1.10x) | 1.30x (1.18-1.50) unclear | "
        "1.30x (1.18-1.60) met |",
        "| resnet20: ours to keras fit, megabytes (goal 1.50x) | 1.50x (1.50-1.50) met | "
        "1.50x (1.50-1.50) met |",
    ):
        assert line in text
    found = {path.stem for path in (tmp_path / "speed").glob("*.json")}
    assert found == {"train_step", "AMD-EPYC-4-cores", ours}


def test_profiles_and_notes_follow_the_figures(tmp_path, monkeypatch):
    (tmp_path / "speed").mkdir()
    (tmp_path / "speed" / "notes_train_step.md").write_text("What was tried.\n")
    text = written(
        tmp_path,
        monkeypatch,
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
