"""python -m trainers.evaluate --run_dir=DIR: judge a trained network, every image once.

--views=center is the single view; ten_crop averages the softmax over corners, centre and their
mirrors; multi_scale is fully convolutional over five sizes (Sec. 3.4). Several --run_dir are an
ensemble. Prints the errors, and writes evaluation.json and pictures: the confusion matrix, the
calibration, the worst mistakes.
"""

import pathlib

from absl import flags

from zoo import limits, program

_RUN_DIR = flags.DEFINE_multi_string(
    "run_dir", None, "the run to judge; given several times, an ensemble", required=True
)
_WEIGHTS = flags.DEFINE_string(
    "weights", "model", "as training left them, or ema, best, precise: trainers.precise_bn"
)
_VIEWS = flags.DEFINE_enum(
    "views", "center", ("center", "ten_crop", "multi_scale"), "how to look at an image"
)
_MIRRORS = flags.DEFINE_bool("mirrors", True, "ten_crop, multi_scale: mirror images too")
_DATA = flags.DEFINE_string("data", None, "other images than the run's own")
_DATA_DIR = flags.DEFINE_string("data_dir", None, "where the images live; default: the run's")
_SPLIT = flags.DEFINE_enum("split", "validation", ("train", "validation"), "which images")
_BATCH_SIZE = limits.DEFINE_integer("batch_size", 64, "images a step, over all devices")
_LIMIT = limits.DEFINE_integer("limit", None, "at most so many images")
_STRATEGY = flags.DEFINE_enum("strategy", "auto", ("auto", "none", "mirrored"), "devices")
_LOGICAL_DEVICES = limits.DEFINE_integer("logical_devices", 1, "split the CPU")
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "default: the run's directory, an ensemble's is `ensemble` in the first's"
)


def main(arguments):
    if arguments:
        program.usage_error(f"unexpected arguments: {' '.join(arguments)}")
    with program.quiet_start():
        from trainers.data import stream
        from trainers.engine import distribute
        from trainers.judging import figures, scores, verdict
        from trainers.plan import images
        from zoo import archive

        strategy = distribute.strategy(_STRATEGY.value, _LOGICAL_DEVICES.value)
        distribute.check_batch(_BATCH_SIZE.value, strategy)

    look = scores.Look(_VIEWS.value, _MIRRORS.value, _BATCH_SIZE.value, _LIMIT.value)
    members, manifests = [], []
    for run_dir in _RUN_DIR.value:
        with strategy.scope():
            model, manifest = archive.load(run_dir, _WEIGHTS.value)
        source = images.source_of(manifest, _DATA.value, _DATA_DIR.value, _SPLIT.value)
        with stream.unreadable_named():
            members.append(scores.of_network(model, manifest, source, look, strategy))
        manifests.append(manifest)
    result = {
        **verdict.head(_RUN_DIR.value, manifests, source, look, _WEIGHTS.value),
        **figures.judge(scores.ensemble(members), source.class_names),
    }
    if len(members) > 1:
        for member, fields in zip(members, result["members"], strict=True):
            fields["error"] = figures.judge(member, source.class_names)["error"]
    verdict.write(output_dir(), result, scores.ensemble(members), source)
    print(verdict.as_table(result))
    print(f"written: {output_dir()}/evaluation.json, {', '.join(verdict.PICTURES)}")


def output_dir():
    first = pathlib.Path(_RUN_DIR.value[0])
    return pathlib.Path(
        _OUTPUT_DIR.value or (first if len(_RUN_DIR.value) == 1 else first / "ensemble")
    )


if __name__ == "__main__":
    program.run(main, __doc__)
