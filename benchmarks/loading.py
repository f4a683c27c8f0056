"""python -m benchmarks.loading: how long until an artifact answers, and how large it is.

resnet50 as our SavedModel and as keras.Model.export's, each loaded in a process of its own: seconds
to load, seconds of the first answer, megabytes on disk. Writes reports/speed/loading.json.
"""

import pathlib
import tempfile
import time

from absl import flags

from benchmarks import harness
from zoo import program

harness.define()
_FOLDER = flags.DEFINE_string("folder", None, "artifacts of an earlier call, for --contender")

PEER = "keras_export"
GOALS = {"seconds_to_load": 1 / 0.6, "megabytes": 2.0}  # times better than the peer


def main(arguments):
    if arguments:
        program.usage_error(f"unexpected arguments: {' '.join(arguments)}")
    if flags.FLAGS.contender:
        harness.run_one(CONTENDERS)
        return
    with tempfile.TemporaryDirectory() as folder:
        export(pathlib.Path(folder))
        found = harness.compete("benchmarks.loading", CONTENDERS, flags.FLAGS.rounds, folder=folder)
    harness.write("loading", {"resnet50": found[0]}, {"resnet50": found[1]}, peer=PEER, goals=GOALS)


def export(folder):
    """Both artifacts of one network with random weights."""
    with program.quiet_start():
        from benchmarks import serving_peers
        from export import formats, images

        source = serving_peers.classifier(None, "resnet50")
        few = images.of_run(source, "validation", 4)
    source.model.export(str(folder / "keras_export"), verbose=False)
    (folder / "ours").mkdir()
    formats.find("saved_model").write(source, folder / "ours", images.Evidence(few, few))


def load(name):
    import numpy as np
    import tensorflow as tf

    from benchmarks import serving_peers

    path = pathlib.Path(_FOLDER.value) / name
    images = tf.constant(np.zeros((1, 224, 224, 3), "float32"))
    start = time.perf_counter()
    loaded = tf.saved_model.load(str(path))
    serve = loaded.signatures["serving_default"]
    seconds = time.perf_counter() - start
    (argument,) = serve.structured_input_signature[1]
    start = time.perf_counter()
    next(iter(serve(**{argument: images}).values())).numpy()
    return {
        "seconds_to_load": seconds,
        "seconds_of_the_first_answer": time.perf_counter() - start,
        "megabytes": serving_peers.size(path) / 1e6,
    }


CONTENDERS = {name: lambda name=name: load(name) for name in ("ours", "keras_export")}

if __name__ == "__main__":
    program.run(main, __doc__)
