"""Every program of ours, how soon it answers `--help`, and what it imports for that."""

import pathlib
import re
import statistics
import subprocess
import sys
import time

from zoo import program

ROOT = pathlib.Path(__file__).resolve().parents[2]
GUARD = re.compile(r"^if __name__ == \"__main__\":$", re.MULTILINE)
IMPORTED = re.compile(r"^import time:\s+\d+ \|\s+\d+ \|\s+(\S+)$", re.MULTILINE)
HEAVY = ("keras", "matplotlib", "numpy", "tensorflow")


def names(root=ROOT):
    """What `python -m` runs of ours, sorted: modules with a __main__ guard, packages with one."""
    found = []
    for package in program.OURS:
        for path in (root / package).rglob("*.py"):
            parts = path.relative_to(root).with_suffix("").parts
            if parts[-1] == "__main__":
                found.append(".".join(parts[:-1]))
            elif GUARD.search(path.read_text(encoding="utf-8")):
                found.append(".".join(parts))
    return sorted(found)


def imported(text):
    """Names of the modules in what `python -X importtime` says on standard error."""
    return set(IMPORTED.findall(text))


def measure(name, calls):
    """Seconds of `--help`, median of some calls, and which heavy packages it imports."""
    help_of = ("-m", name, "--help")
    modules = imported(run("-X", "importtime", *help_of).stderr)
    return {"seconds": seconds(help_of, calls), "imports": [x for x in HEAVY if x in modules]}


def bare(calls):
    """What nothing can be quicker than, and what loading TensorFlow takes, plainly and our way."""
    ours = "from zoo import program\nwith program.quiet_start(): import tensorflow"
    words = {
        "python": ("-c", ""),
        "tensorflow": ("-c", "import tensorflow"),
        "tensorflow_ours": ("-c", ours),
    }
    return {name: seconds(of_name, calls) for name, of_name in words.items()}


def seconds(words, calls):
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        run(*words)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def run(*words):
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, check=True, cwd=ROOT
    )
