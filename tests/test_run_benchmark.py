"""The trainer's benchmark: figures that follow from each other, and nothing on disk."""

import pathlib
import re

import pytest
from runs_on_digits import run

from trainers.run.benchmark import Timing, table

# resnet8 on 8 x 8 pixels by hand: 3x3 convolutions on maps of 8, 4 and 2 px, and the last layer.
FORWARD = (
    8 * 8 * 9 * (3 * 16 + 2 * 16 * 16)
    + 4 * 4 * 9 * (16 * 32 + 32 * 32)
    + 2 * 2 * 9 * (32 * 64 + 64 * 64)
    + 64 * 10
)


def test_the_table_by_hand():
    """Ten steps of 64 images: nine of 0.1 s, one of 0.6 s, of which 0.3 s waiting."""
    two = Timing("synthetic", 64, (0.1,) * 9 + (0.6,), 0.3)
    one = Timing("alone", 32, (0.1,) * 10, 0.0)
    head, line, _, alone, scaling, note = table([two, two, one], 1_000_000_000, "2").splitlines()
    assert line.split() == ["synthetic", "426.7", "100.00", "150.00", "555.00", "20.0%", "2560.00"]
    assert alone.split()[1] == "320.0"
    assert scaling == "scaling: 2 give 1.33 times one replica alone, an efficiency of 67%"
    assert "64 images" in note and "1,000.0 million" in note and "p50" in head


@pytest.mark.parametrize("devices", [1, pytest.param(2, marks=pytest.mark.exhaustive)])
def test_a_run_is_timed_and_nothing_written(tmp_path, monkeypatch, devices):
    monkeypatch.setenv("PYTHONPATH", str(pathlib.Path.cwd()))
    monkeypatch.chdir(tmp_path)
    arguments = ["--benchmark", "--benchmark_steps=3", "--batch_size=16"]
    result = run("classify", *arguments, f"--logical_devices={devices}", "--run_dir=here")
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    rows = [line for line in lines if re.match(r"synthetic|digits", line)]
    assert len(rows) == (2 if devices == 1 else 3)
    for row in rows:
        speed, *percentiles, wait, gigaflops = row[30:].replace("%", "").split()
        assert float(speed) > 0 and sorted(map(float, percentiles)) == list(map(float, percentiles))
        assert 0 <= float(wait) <= 100
        assert float(gigaflops) == pytest.approx(float(speed) * FORWARD * 6 / 1e9, abs=0.01)
    assert ("scaling:" in result.stdout) == (devices == 2)
    assert list(tmp_path.iterdir()) == []
