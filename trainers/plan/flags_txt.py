"""A run directory's `flags.txt`: the flags that make the same Run again, and where two differ."""

import dataclasses
import os

from trainers.plan.flags import hyper_parameters
from zoo import sizes

BEFORE = {"decay": "kernels"}  # how runs were trained whose flags.txt is older than the flag


def as_text(run, **more):
    """The flags that make the same Run again, one a line, for `--flagfile`."""
    chosen = dataclasses.asdict(run)
    recipe = chosen.pop("recipe")
    chosen["recipe"] = recipe["name"]
    chosen |= {field.name: recipe[field.name] for field in hyper_parameters(run.recipe)} | more
    given = {name: value for name, value in chosen.items() if value is not None}
    return "".join(f"{_as_flag(name, value)}\n" for name, value in given.items())


def _as_flag(name, value):
    if isinstance(value, bool):
        return f"--{name}" if value else f"--no{name}"
    if name == "image_size":
        value = sizes.shown(value)
    if isinstance(value, tuple):
        value = ",".join(map(str, value))
    return f"--{name}={value}"


def differing(ours, theirs):
    """Names of the flags in which two `as_text` differ, in order; not where the images live."""

    def parse(text):
        pairs = (_name_and_value(line) for line in text.splitlines() if line.startswith("--"))
        return BEFORE | {name: value for name, value in pairs if name != "data_dir"}

    ours, theirs = parse(ours), parse(theirs)
    return [name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name)]


def _name_and_value(line):
    name, _, value = line[2:].partition("=")
    if name in ("init_from", "localiser"):  # however one directory is spelled
        value = os.path.realpath(value)
    return (name[2:], "no") if name.startswith("no") and not value else (name, value)
