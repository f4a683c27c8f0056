"""python -m trainers.precise_bn --run_dir=DIR: batch normalisation's statistics, recomputed.

The moving averages of training lag behind the weights. The authors' released networks have true
averages instead, taken after training: here over the batches of the next --batches steps, images
augmented as in training. They go into DIR/model.precise.weights.h5 beside the moving ones, and
`--weights=precise` asks for them.
"""

import shlex

from absl import flags

from zoo import limits, program

_RUN_DIR = flags.DEFINE_string("run_dir", None, "the run to work on", required=True)
_DATA = flags.DEFINE_string("data", None, "other images than the run's own")
_DATA_DIR = flags.DEFINE_string("data_dir", None, "where the images live; default: the run's")
_ACCEPT = flags.DEFINE_bool(
    "accept_changed_data", False, "the run's pictures that are still there, if some are not"
)
_BATCHES = limits.DEFINE_integer("batches", 200, "how many batches to average over")
_BATCH_SIZE = limits.DEFINE_integer(
    "batch_size", None, "default: the run's", limit="batch_size of statistics"
)

WEIGHTS = "precise"


def main(arguments):
    if arguments:
        program.usage_error(f"unexpected arguments: {' '.join(arguments)}")
    with program.quiet_start():
        from trainers.data import skipped, stream
        from trainers.judging import statistics
        from trainers.plan import images as run_images
        from zoo import archive, disks, progress

    model, manifest = archive.load(_RUN_DIR.value)
    batch_size = _BATCH_SIZE.value or manifest.recipe.get("batch_size", 64)
    other = run_images.Images(_DATA.value, _DATA_DIR.value, _ACCEPT.value)
    source = run_images.source_of(manifest, "train", other, _RUN_DIR.value)
    source = skipped.tolerant(source)
    batches = statistics.training_batches(model, manifest, source, batch_size, _BATCHES.value)
    with stream.unreadable_named():
        batches = progress.over(batches, "averaging batches", _BATCHES.value)
        moved = statistics.recompute(model, (images for images, *_ in batches))
    with disks.told(_RUN_DIR.value):
        archive.add(model, _RUN_DIR.value, WEIGHTS)
    if names := source.skipped.names(source):
        images = f"{len(names)} image{'s' * (len(names) > 1)}"
        print(f"passed over {images} that cannot be read: {names[0]}{' ...' * (len(names) > 1)}")
    words = [f"--run_dir={_RUN_DIR.value}", f"--weights={WEIGHTS}"]
    command = shlex.join(["python", "-m", "trainers.evaluate", *words])
    print(
        f"{manifest.network.name}: {len(moved)} normalisations, true averages over "
        f"{_BATCHES.value} batches of {batch_size} images; the means moved by "
        f"{max(moved.values()):.2g} standard deviations at most; next: {command}"
    )


if __name__ == "__main__":
    program.run(main, __doc__)
