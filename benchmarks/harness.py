"""Contenders side by side: each in a process of its own, in turn, A B C A B C ..., then ratios.

A contender is a function () -> {figure: number} of a benchmark's module; `--contender=NAME` runs it
and prints that as one line of JSON. A round's ratio is of neighbours in time, so that a machine
which slows down for a while disturbs it least; the median of the rounds' ratios is what counts.
"""

import dataclasses
import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

from absl import flags

from zoo import files, limits, program

FOLDER = pathlib.Path("reports/speed")
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
# What libraries read at their start; a contender whose library asks for more sets it itself.
THREADS = {name: str(CORES) for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")}
PACKAGES = ("tensorflow", "keras", "torch", "openvino", "nncf", "onnxruntime", "ai-edge-litert")
TIMEOUT_SECONDS = 600
LESS_IS_BETTER = ("seconds", "megabytes")  # how the names of such figures begin


@dataclasses.dataclass(frozen=True)
class Goal:
    """`ours` is to be at least `times` as good as `peer` in `figure`."""

    ours: str
    peer: str
    figure: str
    times: float


def define():
    """The flags that every benchmark has."""
    limits.DEFINE_integer("rounds", 3, "rounds of each contender")
    flags.DEFINE_string("contender", None, "run this one alone and print its figures")
    flags.DEFINE_bool("quick", False, "fewer contenders and steps: to see that it works")


def run_one(contenders, elsewhere=()):
    """Runs --contender and prints its figures and threads: what the harness calls.

    A contender that was not given as many threads as there are cores has a figure `threads`.
    Those whose names are `elsewhere` do without TensorFlow.
    """
    name = flags.FLAGS.contender
    if name not in contenders:
        program.usage_error(f"--contender: expected one of {', '.join(contenders)}, got {name}")
    with program.quiet() if name in elsewhere else program.quiet_start():
        figures = contenders[name]()
    print(json.dumps({**figures, "threads": figures.get("threads", CORES)}), flush=True)


def compete(module, names, rounds, **settings):
    """Figures of each contender, a dict a round, and why some have none: -> (dict, dict).

    `settings` become flags of the contenders' processes.
    """
    figures, failed = {name: [] for name in names}, {}
    for number in range(rounds):
        for name in names:
            if name in failed:
                continue
            try:
                figures[name].append(alone(module, name, settings))
                shown = {k: float(f"{v:.4g}") for k, v in figures[name][-1].items()}
                print(f"round {number + 1}: {name} {shown}", flush=True)
            except (subprocess.SubprocessError, ValueError) as error:
                failed[name] = reason(error)
                print(f"round {number + 1}: {name} failed: {failed[name]}", flush=True)
    return {name: found for name, found in figures.items() if name not in failed}, failed


def by_turns(contenders, rounds):
    """Figures of contenders a few percent apart, all in this process: {name: [figures a round]}.

    Two processes with the same work differ by more than that, the memory that they got for one.
    """
    figures = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            figures[name].append({**contender(), "threads": CORES})
    return figures


def compete_by_turns(module, name, **settings):
    """As `compete`, of contenders that one process, called by `name`, has run `by_turns`."""
    try:
        figures = alone(module, name, settings)
    except (subprocess.SubprocessError, ValueError) as error:
        print(f"{name} failed: {reason(error)}", flush=True)
        return {}, {name: reason(error)}
    del figures["threads"]
    print(f"{name}: {', '.join(figures)} by turns", flush=True)
    return figures, {}


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
    start = time.perf_counter()
    for _ in range(timed):
        next(iterator)
    return {"images_per_second": timed * size / (time.perf_counter() - start)}


def reason(error):
    """Why a contender has no figures, in a line."""
    if isinstance(error, subprocess.TimeoutExpired):
        return f"not done after {error.timeout:.0f} s"
    lines = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
    return lines[-1][:200] if lines else type(error).__name__


def ratios(figures, name, peer, figure):
    """How many times as good as the peer, a number a round; of seconds and megabytes, fewer are."""
    pairs = zip(figures[name], figures[peer], strict=True)
    if figure.startswith(LESS_IS_BETTER):
        return [theirs[figure] / ours[figure] for ours, theirs in pairs]
    return [ours[figure] / theirs[figure] for ours, theirs in pairs]


def middle(values):
    """(median, least, most)."""
    return statistics.median(values), min(values), max(values)


def machine():
    """What the figures were taken on."""
    lines = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((x.split(": ")[1] for x in lines if x.startswith("model name")), "unknown")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "not installed"
    return {
        "processor": model,
        "cores": CORES,
        "memory_gib": round(memory, 1),
        "python": platform.python_version(),
        "versions": versions,
        "date": datetime.date.today().isoformat(),
    }


def folder():
    """Where figures lie; those of --quick must not replace the others."""
    return FOLDER / "quick" if flags.FLAGS.is_parsed() and flags.FLAGS.quick else FOLDER


def write(name, figures, failed, *, peer=None, goals=None, **more):
    """`reports/speed/NAME.json`, for `benchmarks.report`; the first four are dicts by group.

    A group's `peer` is whom its table compares all others with; its `goals` are Goals.
    """
    result = {
        "machine": machine(),
        "figures": figures,
        "failed": failed,
        "peer": peer or {},
        "goals": {g: [dataclasses.asdict(x) for x in (goals or {}).get(g, ())] for g in figures},
        **more,
    }
    folder().mkdir(parents=True, exist_ok=True)
    files.write_json(folder() / f"{name}.json", result)
    return result
