"""Whatever a person types is meant, or refused in a sentence: every flag of every program.

Nothing is loaded and nothing is left behind by a command line that cannot be meant: `command_lines`
tries them.
"""

import json
import pathlib
import subprocess
import sys

import command_lines
import pytest
from test_style_imports import ROOT, is_program, read_modules

REFUSED, FAILED = 2, 1
LONGEST = 300  # characters of a sentence
# Of texts, those that may go up and down the tree; the others are names and addresses.
PATHS = ("dir", "file", "folder", "labels")
# What another flag or the disk has a say in, or what TensorFlow must have loaded.
LATER = {
    "backbone_rate",
    "classifier",
    "contender",
    "csv",
    "data_dir",
    "entry",
    "evaluation",
    "group",
    "init_from",
    "layer",
    "localiser",
    "only",
    "parts",
    "real_dir",
    "weights",
}
PROGRAMS = sorted(
    name.removesuffix(".__main__")
    for name, source in read_modules(ROOT).items()
    if is_program(name, source) and not name.startswith("tests.")
)


def trials(name):
    """(flags, results): what the program has, what came of each command line."""
    result = subprocess.run(
        [sys.executable, pathlib.Path(command_lines.__file__), name],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    flags, *results = map(json.loads, result.stdout.splitlines())
    return {flag["name"]: flag for flag in flags}, results


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_command_line_is_meant_or_refused(name):
    flags, results = trials(name)
    assert [flag for flag in flags.values() if flag["kind"] == "foreign"] == []
    bare = results[-1]["code"]  # without a flag that is tried
    for result in results:
        shown = [word[:60] for word in result["words"]], result["code"], result["stderr"][-300:]
        assert result["code"] in (0, FAILED, REFUSED, command_lines.ACCEPTED), shown
        if result["code"] in (FAILED, REFUSED):
            sentences = result["stderr"].splitlines()
            assert len(sentences) == 1 and len(sentences[0]) <= LONGEST, shown
            assert sentences[0].startswith(name), shown
        if result["code"] == REFUSED:
            assert result["left"] == [] and result["stdout"] == "", shown
        if result["flag"]:
            wrong = cannot_be_meant(flags[result["flag"]], result["words"][-1])
            if wrong is not None:
                assert result["code"] == (REFUSED if wrong else bare), shown


def cannot_be_meant(flag, word):
    """Whether a value is one that nobody means, by rules of this test's own; None: who knows."""
    value = word.partition("=")[2]
    if "=" not in word or flag["kind"] in ("bool", "enum"):
        return True
    if flag["kind"] in ("whole", "real"):
        written = {"-1": -1, "3.7": 3.7} if flag["kind"] == "real" else {"-1": -1}
        least, most = flag["bounds"]
        if value not in written or not least <= written[value] <= most:
            return True
        return None if flag["name"] in LATER else False
    if flag["kind"] == "numbers":
        meant = {("drops", ""), ("scales", ""), ("profile_steps", "1,5")}
        meant |= {("anchor_sizes", "3.7"), ("anchor_ratios", "3.7")}
        return (flag["name"], value) not in meant and (
            value not in ("5\n", " 5", "5 ", "1,5")
            or flag["name"] in ("drops", "profile_steps", "mean", "std")
            or (value == "1,5" and flag["bounds"][0] > 1)
        )
    if not value.strip() or not value.isprintable() or len(value) > 4096:
        return True
    if flag["kind"] == "texts" and value in (",", "a,,b", '"'):
        return True
    return None if flag["name"] in LATER else not flag["name"].endswith(PATHS)


def test_a_number_that_may_be_is_taken():
    """The bounds themselves, and the ways to write a number."""
    from zoo import limits

    for name, limit in limits.LIMITS.items():
        assert limits.read(name, f"{limit.least}") == limit.least
        if getattr(limit, "below", False):
            with pytest.raises(limits.LimitError, match="to below 1, got '1'"):
                limits.read(name, f"{limit.most:g}")
        else:
            assert limits.read(name, f"{limit.most}") == limit.most
    for text, value in {"1e-4": 1e-4, ".5": 0.5, "5.": 5.0, "+1": 1.0, "2E1": 20.0}.items():
        assert limits.read("learning_rate", text) == value
