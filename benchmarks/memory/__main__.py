"""python -m benchmarks.memory: the most memory that each task takes, beside the peers'.

resnet50 at 224 px with random weights. Evaluation of 64 images in batches of 32, and exports, each
in a process of its own; of training and serving what their own benchmarks have written before.
Nothing is timed, so that two processes run at once. Writes reports/speed/memory.json.
"""

import functools

from absl import flags

from benchmarks import harness
from benchmarks.memory import collect, work
from zoo import program

harness.define()
_MODEL = flags.DEFINE_string("model", "resnet50", "the network, for --contender")

MODULE = "benchmarks.memory"
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
    found = {}
    for task, (benchmark, group, names, _) in BEFORE.items():
        found[task] = collect.before(harness.folder() / f"{benchmark}.json", group, names)
    asked = {task: list(contenders) for task, (_, contenders) in tasks.items()}
    found |= collect.measured(MODULE, asked, "resnet20" if quick else "resnet50")
    found = {task: one for task, one in found.items() if one.figures or one.failed}
    peer = {task: peer for task, (peer, _) in TASKS.items()}
    peer |= {task: peer for task, (*_, peer) in BEFORE.items()}
    harness.write("memory", found, peer=peer)


if __name__ == "__main__":
    program.run(main, __doc__)
