"""Figures of `benchmarks.gpu` on disk: cases that are done stay done, the others are measured."""

import dataclasses
import json
import subprocess

from benchmarks import harness, machine
from benchmarks.gpu import cases as all_cases
from zoo import files

SAYS = "benchmarks.gpu: "  # how our program begins its errors; libraries' words may follow


class ResultsError(ValueError):
    """Figures that do not go together."""


def opened(path, settings, device, *, restart=False):
    """What is at `path`, or nothing yet: {"settings", "device", "machine", "cases": {name: entry}}.

    An entry has its case's fields, `rounds` with figures, and `failed` or `refused` with a reason.
    ResultsError where the figures are of other settings, TensorFlow or driver, unless they are to
    be replaced.
    """
    there, told = {}, machine.told()
    tensorflow = told["versions"]["tensorflow"]
    settings = {**settings, "tensorflow": tensorflow, "driver": device.driver}
    if path.exists() and not restart:
        found = json.loads(path.read_text(encoding="utf-8"))
        there, theirs = found["cases"], found["settings"]
        differing = [
            f"{name} {theirs.get(name)}, not {value}"
            for name, value in settings.items()
            if theirs.get(name) != value
        ]
        if differing:
            raise ResultsError(
                f"{path} has figures of other settings ({'; '.join(differing)}): take another "
                "--output_dir, or replace them by --restart"
            )
    return {
        "settings": settings,
        "device": dataclasses.asdict(device),
        "machine": told,
        "cases": there,
    }


def enter(results, cases, device):
    """Makes an entry of each case that has none; says at once what the device refuses."""
    for case in cases:
        if case.name not in results["cases"]:
            entry = {**dataclasses.asdict(case), "rounds": []}
            if why := all_cases.refusal(case, device):
                entry["refused"] = why
            results["cases"][case.name] = entry


def pending(results, cases, rounds):
    """The cases that lack figures of so many rounds, and have not failed."""
    entries = results["cases"]
    return [case for case in cases if not done(entries[case.name], rounds)]


def done(entry, rounds):
    return "failed" in entry or "refused" in entry or len(entry["rounds"]) >= rounds


def measure(path, results, cases, rounds, alone):
    """All cases in turn, round by round; `alone` maps a case to its figures. Saves after each."""
    for number in range(1, rounds + 1):
        todo = pending(results, cases, number)
        for place, case in enumerate(todo, 1):
            entry = results["cases"][case.name]
            try:
                entry["rounds"].append(alone(case))
                said = f"{entry['rounds'][-1]['images_per_second']:,.1f} images/s"
            except (subprocess.SubprocessError, OSError, ValueError) as error:
                entry["failed"] = reason(error)
                said = f"failed: {entry['failed']}"
            save(path, results)
            told = f"round {number} of {rounds}, {place} of {len(todo)}: {case.name}"
            print(f"{told}: {said}", flush=True)


def reason(error):
    """Why a case has no figures: what its process said of it, or how it ended."""
    if getattr(error, "returncode", 0) < 0:
        return f"its process was ended by signal {-error.returncode}"
    lines = (getattr(error, "stderr", None) or "").splitlines()
    said = [line.removeprefix(SAYS) for line in lines if line.startswith(SAYS)]
    return said[-1] if said else harness.reason(error)


def save(path, results):
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_json(path, results)
