"""The learning-rate range test: its rates and rule by hand, and that it leaves runs alone."""

import csv
import json

import numpy as np
import pytest
from runs_on_digits import records, run
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from trainers.engine import optim
from trainers.run import rates


def test_rates_rise_by_equal_factors():
    sweep = rates.Sweep(5, 1e-3, 10.0)
    assert [sweep.rate(i) for i in range(5)] == pytest.approx([1e-3, 1e-2, 0.1, 1, 10])
    with pytest.raises(rates.RangeError, match="got 1 and 1"):
        rates.Sweep(5, 1.0, 1.0)


def test_smoothing_by_hand():
    """0.9 of the old, over 1 - 0.9^n: a constant stays, and the first is itself."""
    assert rates.smooth([2.0, 2.0, 2.0]) == pytest.approx([2, 2, 2])
    assert rates.smooth([1.0, 3.0]) == pytest.approx([1.0, (0.9 * 0.1 + 0.3) / 0.19])


def test_the_suggestion_is_a_tenth_of_the_lowest():
    tried = tuple(10.0 ** np.arange(-20, 1))
    losses = (*np.linspace(2, 1, 19), 3.0, 5.0)  # lowest at 1e-2
    curve = rates.Curve(tried, losses, losses)
    assert curve.lowest == 18 and curve.suggestion == pytest.approx(1e-3)
    rising = tuple(np.linspace(1, 2, 21))
    assert rates.Curve(tried, rising, rising).suggestion is None
    flat = tuple(2 - 1e-4 * np.arange(21))
    assert rates.Curve(tried, flat, flat).suggestion is None


def test_the_steps_are_those_of_the_rate(monkeypatch):
    """One step at each rate, from the same weights as training: w - lr g, no more."""
    from trainers.plan import flags as plan
    from trainers.run import classification, keywords, options
    from trainers.run import place as places

    values = keywords.parse(
        "test",
        (plan.define, options.define),
        dict(model="resnet8", batch_size=16, schedule="cosine", warmup_steps=3, momentum=0),
    )
    asked = plan.run(values)
    place = places.stand(asked, options.read(asked, values))
    built, seen = [], []
    build = classification.build
    monkeypatch.setattr(classification, "build", lambda *a: built.append(build(*a)) or built[-1])
    smooth = rates.smooth

    def spy(losses):
        seen.append(float(built[-1].optimizer.learning_rate))
        return smooth(losses)

    monkeypatch.setattr(rates, "smooth", spy)
    sweep = rates.Sweep(20, 1e-6, 1e-4)
    curve = rates.find(asked, place, sweep)
    assert len(curve.losses) == 20
    assert seen[:-1] == pytest.approx([sweep.rate(i) for i in range(20)], rel=1e-6)
    assert optim.innermost(built[-1].optimizer).iterations.numpy() == 20


def test_it_writes_its_curve_and_no_run(tmp_path):
    """Into the directory of a run, which goes on afterwards as if nothing had been."""
    words = ["--steps=20", "--round_steps=10", "--batch_size=16", "--nopictures"]
    for name in ("run", "other"):
        assert run("classify", *words, f"--run_dir={tmp_path / name}").returncode == 0
    before = {p: p.read_bytes() for p in (tmp_path / "run").rglob("*") if p.is_file()}
    found = run("find_rate", *words, f"--run_dir={tmp_path / 'run'}", "--sweep_steps=40")
    assert found.returncode == 0 and found.stderr == "", found.stderr
    folder = tmp_path / "run" / "find_rate"
    after = {p: p.read_bytes() for p in (tmp_path / "run").rglob("*") if p.is_file()}
    assert {p: b for p, b in after.items() if folder not in p.parents} == before
    said = json.loads((folder / "rates.json").read_text())
    assert f"--learning_rate={said['suggestion']:.2g} (a tenth of the rate at" in found.stdout
    assert 1e-4 < said["suggestion"] < 1
    with open(folder / "rates.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["loss"]) for row in rows] == [step["loss"] for step in said["steps"]]
    assert float(rows[0]["rate"]) == 1e-5
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0}).Reload()
    assert set(events.Tags()["tensors"]) == {
        *("find_rate", "find_rate/loss", "find_rate/smoothed_loss", "find_rate/log10_rate")
    }
    assert len(events.Tensors("find_rate/loss")) == len(rows)
    again = run("classify", *words, f"--run_dir={tmp_path / 'run'}")
    assert again.returncode == 0
    assert records(tmp_path / "run") == records(tmp_path / "other")


def test_rates_that_are_no_range(tmp_path):
    found = run("find_rate", "--lowest_rate=1", "--highest_rate=0.1", f"--run_dir={tmp_path}/a")
    assert found.returncode == 2 and "expected --lowest_rate below --highest_rate" in found.stderr
    assert list(tmp_path.iterdir()) == []
