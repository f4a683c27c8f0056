"""Every program answers `--help` at once: its own words, and nothing heavy is imported for them."""

import subprocess
import sys

import pytest
from test_style_imports import ROOT, is_program, read_modules

from benchmarks.growth import programs as known_programs

HEAVY = {"tensorflow", "keras", "matplotlib"}  # half a second and more, before a word of help
OWN_FLAG = {
    "trainers.classify": "--run_dir",
    "trainers.evaluate": "--run_dir",
    "zoo": "--shortcut=A|B|C",
}


def test_programs_are_found():
    modules = read_modules(ROOT)
    programs = {name for name, source in modules.items() if is_program(name, source)}
    ours = {name.removesuffix(".__main__") for name in programs if not name.startswith("tests.")}
    assert {"zoo", "zoo.importers", "trainers.classify", "benchmarks.growth"} <= ours
    assert known_programs.names() == sorted(ours)


@pytest.mark.parametrize("name", known_programs.names())
def test_help_is_answered_without_tensorflow(name):
    result = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", name, "--help"], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(f"python -m {name}")
    assert OWN_FLAG.get(name, "--flagfile=FILE") in result.stdout
    modules = known_programs.imported(result.stderr)
    assert "absl" in modules  # the list is not empty for another reason
    assert not HEAVY & modules
