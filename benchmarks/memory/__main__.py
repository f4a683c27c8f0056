"""python -m benchmarks.memory: the most memory that each task takes, beside the peers'.

resnet50 at 224 px with random weights. Evaluation of 64 images in batches of 32, and exports, each
in a process of its own; of training and serving what their own benchmarks have written before.
Nothing is timed, so that two processes run at once. Writes reports/speed/memory.json.
"""

import functools
import json
import subprocess
from concurrent import futures

from absl import flags

from benchmarks import harness
from benchmarks.memory import work
from zoo import program

harness.define()
_MODEL = flags.DEFINE_string("model", "resnet50", "the network, for --contender")

MODULE = "benchmarks.memory"
FIGURE = "megabytes_at_most"
# {task: (peer, {contender: what it does})}
TASKS = {
    "evaluation": ("keras_evaluate", work.EVALUATING),
    **{f"export_{name}": task for name, task in work.EXPORTING.items()},
}
ELSEWHERE = ("torch",)
BEFORE = {  # task: (who has written it, its group, its contenders, peer)
    "training": ("train_step", "resnet50", None, "keras_fit"),
    "serving": (
        "serving",
        "resnet50",
        ("keras_export", "ours_saved_model", "ours_constants", "openvino", "ours_onnx"),
        "keras_export",
    ),
}


def main(arguments):
    program.no_arguments(arguments)
    if flags.FLAGS.contender:
        contenders = {name: f for _, task in TASKS.values() for name, f in task.items()}
        bound = {name: functools.partial(f, _MODEL.value) for name, f in contenders.items()}
        harness.run_one(bound, ELSEWHERE)
        return
    quick = flags.FLAGS.quick
    tasks = {name: TASKS[name] for name in (["evaluation"] if quick else TASKS)}
    found = {} if quick else {task: before(*where) for task, (*where, _) in BEFORE.items()}
    found |= measured(tasks, "resnet20" if quick else _MODEL.value)
    found = {task: one for task, one in found.items() if one.figures or one.failed}
    peer = {task: peer for task, (peer, _) in TASKS.items()}
    peer |= {task: peer for task, (*_, peer) in BEFORE.items()}
    harness.write("memory", found, peer=peer)


def measured(tasks, model):
    """{task: Found}, two contenders at a time."""
    pairs = [(task, name) for task, (_, contenders) in tasks.items() for name in contenders]
    found = {task: harness.Found({}, {}) for task in tasks}
    with futures.ThreadPoolExecutor(2) as pool:
        for (task, name), (figures, why) in zip(
            pairs, pool.map(lambda x: alone(x[1], model), pairs)
        ):
            if figures:
                found[task].figures[name] = [figures]
            else:
                found[task].failed[name] = why
            print(f"{task}: {name} {figures[FIGURE] if figures else why}", flush=True)
    return found


def alone(name, model):
    """(figures, None) or (None, why there are none)."""
    try:
        figures = harness.alone(MODULE, name, {"model": model})
        return {key: round(figures[key]) for key in (FIGURE, "threads")}, None
    except (subprocess.SubprocessError, ValueError) as error:
        return None, harness.reason(error)


def before(benchmark, group, names):
    """The memory that another benchmark's contenders took: -> Found, empty if it has not run."""
    path = harness.folder() / f"{benchmark}.json"
    figures = json.loads(path.read_text(encoding="utf-8"))["figures"] if path.exists() else {}
    kept = {
        name: [{key: round(one[key]) for key in (FIGURE, "threads")} for one in rounds]
        for name, rounds in figures.get(group, {}).items()
        if FIGURE in rounds[0] and name in (names or (name,))
    }
    return harness.Found(kept, {})


if __name__ == "__main__":
    program.run(main, __doc__)
