"""Contenders side by side: each in a process of its own, in turn, A B C A B C ..., round by round.

A contender is a function () -> {figure: number} of a benchmark's module; `--contender=NAME` runs it
and prints that as one line of JSON. What a ratio of two counts for, `benchmarks.ratios` says.
"""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys

from absl import flags

from benchmarks import clock, machine, ratios
from zoo import files, limits, program

FOLDER = pathlib.Path("reports/speed")
CORES = machine.CORES
# What libraries read at their start; a contender whose library asks for more sets it itself.
THREADS = {name: str(CORES) for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")}
TIMEOUT_SECONDS = 600
AGAIN = 2  # rounds that stood still are taken again at most so often


@dataclasses.dataclass(frozen=True)
class Goal:
    """`ours` is to be at least `times` as good as `peer` in `figure`."""

    ours: str
    peer: str
    figure: str
    times: float


@dataclasses.dataclass(frozen=True)
class Found:
    """{contender: [figures of a round]}, {contender: why it has none}, rounds taken again."""

    figures: dict
    failed: dict
    again: int = 0


def define(rounds=ratios.ROUNDS):
    """The flags that every benchmark has."""
    limits.DEFINE_integer("rounds", rounds, "rounds of each contender that has a goal")
    flags.DEFINE_string("contender", None, "run this one alone and print its figures")
    flags.DEFINE_bool("quick", False, "fewer contenders and steps: to see that it works")


def run_one(contenders, elsewhere=()):
    """Runs --contender and prints its figures, threads and memory: what the harness calls.

    A contender that was not given as many threads as there are cores has a figure `threads`.
    Those whose names are `elsewhere` do without TensorFlow.
    """
    name = flags.FLAGS.contender
    if name not in contenders:
        program.usage_error(f"--contender: expected one of {', '.join(contenders)}, got {name}")
    with program.quiet() if name in elsewhere else program.quiet_start():
        figures = contenders[name]()
    held = {"megabytes_at_most": machine.peak_megabytes(), **clock.processors()}
    told = {key: value for key, value in held.items() if value is not None}
    print(json.dumps({**told, **figures, "threads": figures.get("threads", CORES)}), flush=True)


def compete(module, names, rounds, goals=(), **settings):
    """Contenders' figures: -> Found. Who stands in none of the goals, if there are some, runs once.

    `settings` become flags of the contenders' processes. Rounds that stood still are taken again.
    """
    found = Found({name: [] for name in names}, {})
    rivals = {name for goal in goals for name in (goal.ours, goal.peer)} or set(names)
    for number in range(rounds):
        play(found, number, [x for x in names if number == 0 or x in rivals], module, settings)
    again = 0
    while again < AGAIN and (still := ratios.stood_still(found.figures)):
        print(f"round {still[0] + 1} stood still and is taken again", flush=True)
        play(found, still[0], [x for x in names if x in rivals], module, settings)
        again += 1
    kept = {name: rounds for name, rounds in found.figures.items() if name not in found.failed}
    return Found(kept, found.failed, again)


def play(found, number, names, module, settings):
    """One round, the first or again, into `found`."""
    for name in names:
        if name in found.failed:
            continue
        try:
            figures = alone(module, name, settings)
        except (subprocess.SubprocessError, ValueError) as error:
            found.failed[name] = reason(error)
            print(f"round {number + 1}: {name} failed: {found.failed[name]}", flush=True)
            continue
        found.figures[name][number : number + 1] = [figures]
        shown = {k: float(f"{v:.4g}") for k, v in figures.items()}
        print(f"round {number + 1}: {name} {shown}", flush=True)


def by_turns(contenders, rounds):
    """Figures of contenders a few percent apart, all in this process: {name: [figures a round]}.

    Two processes with the same work differ by more than that, the memory that they got for one.
    """
    figures = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            figures[name].append({**contender(), **clock.processors(), "threads": CORES})
    return figures


def compete_by_turns(module, name, **settings):
    """As `compete`, of contenders that one process, called by `name`, has run `by_turns`."""
    try:
        figures = alone(module, name, settings)
    except (subprocess.SubprocessError, ValueError) as error:
        print(f"{name} failed: {reason(error)}", flush=True)
        return Found({}, {name: reason(error)})
    figures = {name: rounds for name, rounds in figures.items() if isinstance(rounds, list)}
    print(f"{name}: {', '.join(figures)} by turns", flush=True)
    return Found(figures, {})


def alone(module, name, settings):
    """One contender's figures, from a process of its own."""
    return json.loads(output(module, name, settings).splitlines()[-1])


def output(module, name, settings, **environment):
    """What a contender's process prints; CalledProcessError if it fails."""
    words = [f"--contender={name}", *(f"--{k}={v}" for k, v in settings.items())]
    result = subprocess.run(
        [sys.executable, "-m", module, *words],
        capture_output=True,
        text=True,
        check=True,
        timeout=TIMEOUT_SECONDS,
        env={**os.environ, **THREADS, **environment},
    )
    return result.stdout


def images_per_second(batches, size, warm_up, timed):
    """A contender's figure: `timed` batches of `size` images, after the first `warm_up`."""
    iterator = iter(batches)
    for _ in range(warm_up):
        next(iterator)
    start = clock.now()
    for _ in range(timed):
        next(iterator)
    return {"images_per_second": timed * size / clock.since(start)}


def reason(error):
    """Why a contender has no figures, in a line."""
    if isinstance(error, subprocess.TimeoutExpired):
        return f"not done after {error.timeout:.0f} s"
    lines = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
    return lines[-1][:200] if lines else type(error).__name__


def folder():
    """Where figures lie; those of --quick must not replace the others."""
    return FOLDER / "quick" if flags.FLAGS.is_parsed() and flags.FLAGS.quick else FOLDER


def write(name, found, *, peer=None, goals=None, **more):
    """`reports/speed/NAME.json`, for `benchmarks.report`; `found` is {group: Found}.

    A group's `peer` is whom its table compares all others with; its `goals` are Goals.
    """
    result = {
        "machine": machine.describe(),
        "figures": {group: one.figures for group, one in found.items()},
        "failed": {group: one.failed for group, one in found.items()},
        "again": {group: one.again for group, one in found.items() if one.again},
        "peer": peer or {},
        "goals": {g: [dataclasses.asdict(x) for x in (goals or {}).get(g, ())] for g in found},
        **more,
    }
    folder().mkdir(parents=True, exist_ok=True)
    files.write_json(folder() / f"{name}.json", result)
    return result
