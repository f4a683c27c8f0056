"""python -m benchmarks.input: images a second of the input pipelines alone.

JPEGs from files and CIFAR's images from memory, with the paper's augmentation by ours and by
the usual means. Writes reports/speed/input.json.
"""

import functools
import pathlib
import tempfile

from absl import flags

from benchmarks import harness, photographs
from benchmarks.input import cifar, jpeg, ours
from zoo import program

harness.define()
_FOLDER = flags.DEFINE_string("folder", None, "pictures of an earlier call, for --contender")

MODULE = "benchmarks.input"
QUICK = ("ours", "usual_tf_data", "raw_decode")  # of the JPEGs
PEER = {"jpeg": jpeg.PEER, "pca_colour": ours.COLOR_PEER, "cifar": cifar.PEER}
GOALS = {"jpeg": jpeg.GOALS, "pca_colour": ours.COLOR_GOALS, "cifar": cifar.GOALS}


def main(arguments):
    if arguments:
        program.usage_error(f"unexpected arguments: {' '.join(arguments)}")
    if flags.FLAGS.contender:
        harness.run_one(contenders(), jpeg.ELSEWHERE)
        return
    with tempfile.TemporaryDirectory() as folder:
        photographs.write(pathlib.Path(folder) / "photos")
        found = compete(folder)
    harness.write("input", found, peer=PEER, goals=GOALS)


def compete(folder):
    """{part: Found}, of the pictures in the folder and of images in memory."""
    rounds, quick = flags.FLAGS.rounds, flags.FLAGS.quick
    of_jpegs = QUICK if quick else jpeg.CONTENDERS
    settings = dict(folder=folder, quick=quick)
    return {
        "jpeg": harness.compete(MODULE, of_jpegs, rounds, jpeg.GOALS, folder=folder),
        "pca_colour": harness.compete_by_turns(MODULE, "pca_colour", **settings),
        "cifar": harness.compete(MODULE, cifar.CONTENDERS, rounds),
    }


def contenders():
    """What a process can be asked for."""
    turns = 1 if flags.FLAGS.quick else 24
    of_pictures = {"pca_colour": functools.partial(ours.color_by_turns, rounds=turns)}
    of_pictures |= jpeg.CONTENDERS
    bound = {name: functools.partial(f, _FOLDER.value) for name, f in of_pictures.items()}
    return bound | cifar.CONTENDERS


if __name__ == "__main__":
    program.run(main, __doc__)
