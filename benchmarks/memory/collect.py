"""The most memory that contenders took, from processes of their own and from other benchmarks."""

import json
import subprocess
from concurrent import futures

from benchmarks import harness

FIGURE = "megabytes_at_most"
STATED = (FIGURE, "threads")


def measured(module, tasks, model):
    """{task: Found} of {task: names}, two contenders at a time; tells each."""
    pairs = [(task, name) for task, names in tasks.items() for name in names]
    found = {task: harness.Found({}, {}) for task in tasks}
    with futures.ThreadPoolExecutor(2) as pool:
        results = pool.map(lambda pair: alone(module, pair[1], model), pairs)
        for (task, name), (figures, why) in zip(pairs, results, strict=True):
            if figures:
                found[task].figures[name] = [figures]
            else:
                found[task].failed[name] = why
            print(f"{task}: {name} {figures[FIGURE] if figures else why}", flush=True)
    return found


def alone(module, name, model):
    """(figures, None) or (None, why there are none)."""
    try:
        figures = harness.alone(module, name, {"model": model})
        return {key: round(figures[key]) for key in STATED}, None
    except (subprocess.SubprocessError, ValueError) as error:
        return None, harness.reason(error)


def before(path, group, names):
    """What another benchmark's file tells of contenders' memory: -> Found, empty without it."""
    figures = json.loads(path.read_text(encoding="utf-8"))["figures"] if path.exists() else {}
    kept = {
        name: [{key: round(one[key]) for key in STATED} for one in rounds]
        for name, rounds in figures.get(group, {}).items()
        if FIGURE in rounds[0] and name in (names or (name,))
    }
    return harness.Found(kept, {})
