"""python -m benchmarks.input: images a second of the input pipelines alone.

JPEGs from files (`jpeg`) and CIFAR's images from memory (`cifar`), with the paper's
augmentation by ours and by the usual means. Writes reports/speed/input.json.
"""

import functools
import pathlib
import tempfile

from absl import flags

from benchmarks import harness, photographs
from benchmarks.input import cifar, jpeg
from zoo import program

harness.define()
_FOLDER = flags.DEFINE_string("folder", None, "pictures of an earlier call, for --contender")

MODULE = "benchmarks.input"
QUICK = ("ours", "usual_tf_data", "raw_decode")  # of the JPEGs
PEER = {"jpeg": jpeg.PEER, "pca_colour": jpeg.COLOR_PEER, "cifar": cifar.PEER}
GOALS = {
    "jpeg": jpeg.GOALS,
    "pca_colour": jpeg.COLOR_GOALS,
    "cifar": cifar.GOALS,
}


def main(arguments):
    if arguments:
        program.usage_error(f"unexpected arguments: {' '.join(arguments)}")
    if flags.FLAGS.contender:
        harness.run_one(contenders(), jpeg.ELSEWHERE)
        return
    rounds, quick = flags.FLAGS.rounds, flags.FLAGS.quick
    of_jpegs = QUICK if quick else jpeg.CONTENDERS
    with tempfile.TemporaryDirectory() as folder:
        photographs.write(pathlib.Path(folder) / "photos")
        of_parts = {
            "jpeg": harness.compete(MODULE, of_jpegs, rounds, folder=folder),
            "pca_colour": harness.compete_by_turns(
                MODULE, "pca_colour", folder=folder, quick=quick
            ),
            "cifar": harness.compete(MODULE, cifar.CONTENDERS, rounds),
        }
    results = {name: figures for name, (figures, _) in of_parts.items()}
    failures = {name: failed for name, (_, failed) in of_parts.items()}
    harness.write("input", results, failures, peer=PEER, goals=GOALS)


def contenders():
    """What a process can be asked for."""
    turns = 1 if flags.FLAGS.quick else 8
    of_pictures = {"pca_colour": functools.partial(jpeg.color_by_turns, rounds=turns)}
    of_pictures |= jpeg.CONTENDERS
    bound = {name: functools.partial(f, _FOLDER.value) for name, f in of_pictures.items()}
    return bound | cifar.CONTENDERS


if __name__ == "__main__":
    program.run(main, __doc__)
