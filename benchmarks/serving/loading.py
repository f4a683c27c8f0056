"""python -m benchmarks.serving.loading: what the weights of a SavedModel cost.

As variables and as constants: resnet50 at 224 px with random weights, beside keras.Model.export.
Each is loaded and asked in processes of its own, in turn; of each figure the least of the rounds
counts, for a busy machine only adds. Writes reports/loading.md.
"""

import functools
import tempfile

from absl import flags

from benchmarks import harness, machine
from benchmarks.serving import measure
from zoo import files, program

harness.define(rounds=3)
_FOLDER = flags.DEFINE_string("folder", None, "artifacts of an earlier call, for --contender")
_GROUP = flags.DEFINE_string("group", None, "whose artifacts they are, for --contender")

MODULE = "benchmarks.serving.loading"
REPORT = "loading.md"
CONTENDERS = {
    "keras_export": ("keras.Model.export", "stock"),
    "ours_saved_model": ("ours, variables (default)", "saved_model"),
    "ours_constants": ("ours, `--weights_as=constants`", "saved_model-constants"),
}
FIGURES = {
    "seconds_to_load": "load, s",
    "seconds_of_the_first_answer": "first answer, s",
    measure.ONE: "1 image, s",
    measure.MANY: "32 images, s",
    "megabytes_of_memory": "memory, MB",
    "megabytes": "disk, MB",
}


def main(arguments):
    program.no_arguments(arguments)
    quick = flags.FLAGS.quick
    if flags.FLAGS.contender:
        harness.run_one(steps())
        return
    with tempfile.TemporaryDirectory() as folder:
        settings = dict(folder=folder, group="resnet20" if quick else "resnet50")
        harness.alone(MODULE, "write", settings)
        rounds = 1 if quick else flags.FLAGS.rounds
        found = harness.compete(MODULE, list(CONTENDERS), rounds, **settings)
    if found.failed:
        program.usage_error(f"failed: {found.failed}")
    path = (harness.folder() if quick else harness.FOLDER.parent) / REPORT
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(path, text(found.figures, settings["group"], machine.told()))
    print(f"{path}: written")


def steps():
    known = {"write": write}
    for name in CONTENDERS:
        known[name] = functools.partial(measure.measure, name, _FOLDER.value, _GROUP.value)
    return known


def write():
    from benchmarks.serving import artifacts

    names = [measure.HELD_OUT, *(file for _, file in CONTENDERS.values())]
    with program.filtered_stderr(artifacts.NOISE):
        artifacts.write(_FOLDER.value, names, None, _GROUP.value)
    return {}


def text(figures, group, told):
    """The least of each figure, a row a contender -> Markdown."""
    rounds = len(next(iter(figures.values())))
    versions = told["versions"]
    lines = [
        "# What a SavedModel's weights cost",
        f"{group} with random weights, TensorFlow {versions['tensorflow']} in Python, "
        f"{told['processor']}, {told['cores']} cores shared with other work; the least of "
        f"{rounds} rounds, each in a process of its own. `python -m {MODULE}` takes them again.",
        "\n".join(
            [
                f"| | {' | '.join(FIGURES.values())} |",
                "|---" * (1 + len(FIGURES)) + "|",
                *(row(title, figures[name]) for name, (title, _) in CONTENDERS.items()),
            ]
        ),
    ]
    return "\n\n".join(lines) + "\n"


def row(title, rounds):
    least = (min(found[figure] for found in rounds) for figure in FIGURES)
    shown = (f"{x:.0f}" if x >= 100 else f"{x:.3g}" for x in least)
    return f"| {title} | {' | '.join(shown)} |"


if __name__ == "__main__":
    program.run(main, __doc__)
