"""Figures of networks and programs, each from a process of its own, or why there are none."""

import subprocess
import time

from benchmarks import harness
from benchmarks.growth import programs as all_programs

MODULE = "benchmarks.growth"
SHOWN = ("build_seconds", "_seconds_an_image", "_per_second", "load_saved_model_seconds")


def rate():
    """What the ideal line is drawn by; without it there is none."""
    found, why = attempt("matmul", "matrix product")
    return found or {}, {"matmul": why} if why else {}


def networks(tasks, folder):
    """({network: figures}, {what failed: why})."""
    found, failed = {}, {}
    for task in tasks:
        sizes = {"batch_sizes": ",".join(map(str, task.batch_sizes))} if task.batch_sizes else {}
        figures, why = attempt(
            "network",
            str(task),
            model=task.model,
            parts=",".join(task.parts),
            folder=folder,
            **sizes,
        )
        if figures and "export" in task.parts:
            more, why = attempt(
                "load_saved_model",
                f"{task.model}: load SavedModel",
                model=task.model,
                folder=folder,
            )
            figures |= more or {}
        if figures:
            found[task.model] = found.get(task.model, {}) | figures
        if why:
            failed[str(task)] = why
    return found, failed


def programs(calls):
    """({program: figures}, {program: why it has none})."""
    found, failed = {}, {}
    for name in all_programs.names():
        try:
            found[name] = all_programs.measure(name, calls)
        except subprocess.SubprocessError as error:
            failed[name] = reason(error)
            print(f"{name} --help failed: {failed[name]}", flush=True)
    slowest = max(found, key=lambda name: found[name]["seconds"])
    print(f"--help of {len(found)} programs: {slowest} {found[slowest]['seconds']:.2f} s at most")
    return found, failed


def attempt(contender, title, **settings):
    """(figures, None) of a process of its own, or (None, why there are none); tells which."""
    start = time.perf_counter()
    try:
        figures, why = harness.alone(MODULE, contender, settings), None
        for key in ("threads", "processors", "megabytes_at_most"):
            figures.pop(key, None)
        told = ", ".join(f"{k} {v:.3g}" for k, v in figures.items() if k.endswith(SHOWN))
    except (subprocess.SubprocessError, ValueError) as error:
        figures, why = None, reason(error)
        told = f"failed: {why}"
    print(f"{title}; {told} ({time.perf_counter() - start:.0f} s)", flush=True)
    return figures, why


def reason(error):
    if getattr(error, "returncode", 0) == -9:
        return "killed, as systems do when memory runs out"
    return harness.reason(error)
