"""Benchmarks in turn: what is done stays done, what fails is named and runs again."""

import json

import pytest

from benchmarks import sequence

OPTIONS = {"step": ["--rounds=5"], "input": ["--rounds=5", "--quick"], "serving": []}


def running(path, asked, broken=()):
    """(programs called, those done, those failed)."""
    called = []

    def call(program, options):
        called.append((program, options))
        return program not in broken

    seconds, failed = sequence.run(OPTIONS, path, asked, call)
    return [name for name, _ in called], list(seconds), failed


def test_what_failed_runs_again_alone(tmp_path, capsys):
    path, asked = tmp_path / "unfinished", {"rounds": 5}
    found = running(path, asked, broken=["input"])
    assert found == (["step", "input", "serving"], ["step", "serving"], ["input"])
    assert running(path, asked) == (["input"], ["step", "serving", "input"], [])
    assert "step: done before" in capsys.readouterr().out


def test_another_days_or_other_rounds_are_not_gone_on_with(tmp_path):
    path = tmp_path / "unfinished"
    running(path, {"rounds": 5}, broken=["input"])
    everything = list(OPTIONS)
    assert running(path, {"rounds": 7}, broken=["input"])[0] == everything
    old = json.loads(path.read_text())
    path.write_text(json.dumps({**old, "since": old["since"] - sequence.STALE_SECONDS}))
    assert running(path, {"rounds": 7})[0] == everything


def test_it_is_stopped_and_goes_on(tmp_path):
    path, called = tmp_path / "unfinished", []

    def stopped(program, options):
        called.append(program)
        if program == "input":
            raise KeyboardInterrupt
        return True

    with pytest.raises(KeyboardInterrupt):
        sequence.run(OPTIONS, path, {}, stopped)
    assert called == ["step", "input"]
    assert running(path, {})[0] == ["input", "serving"]
