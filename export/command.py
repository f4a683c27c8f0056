"""What the exporters' command lines do alike: their flags, and the way from a run to a version."""

import pathlib
import re
import shlex

from absl import flags

from zoo import files, limits, program

_RUN_DIR = flags.DEFINE_string("run_dir", None, "the run to export", required=True)
_OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "default: artifacts/RUN-FORMAT")
_VERSION = limits.DEFINE_integer("version", None, "default: the next free number")
_WEIGHTS = flags.DEFINE_string(
    "weights", "model", "the run's own, or another set of its: precise, ema"
)
_DATA_DIR = flags.DEFINE_string("data_dir", None, "where the images live; default: the run's")
_ACCEPT = flags.DEFINE_bool(
    "accept_changed_data", False, "the run's pictures that are still there, if some are not"
)
_IMAGES = limits.DEFINE_integer("images", 256, "real images to compare on")


def export(name, arguments, calibrate=0):
    """Exports the run that the flags name to the format `name`, and says what came of it.

    `calibrate` is the number of training images a quantised format measures its ranges on. Returns
    the artifact's directory.
    """
    if arguments:
        program.usage_error(f"unexpected arguments: {' '.join(arguments)}")
    with program.quiet_start():
        from export import card, classifier, formats, images, publish

    form = formats.find(name)
    run_dir = pathlib.Path(_RUN_DIR.value)
    source = classifier.from_run(run_dir, _WEIGHTS.value)
    own = (_DATA_DIR.value, run_dir, _ACCEPT.value)
    held_out = images.of_run(source, "validation", _IMAGES.value, *own)
    calibration = None
    if calibrate:
        training = images.of_run(source, "train", 8 * calibrate, *own)
        calibration = images.stratified(training, calibrate)
    run_name = re.sub(r"[][*?\\]", "_", run_dir.resolve().name)  # SavedModels are found then
    output_dir = pathlib.Path("artifacts") / f"{run_name}-{form.name}"
    with program.filtered_stderr(formats.NOISE):
        target, proof = publish.publish(
            source,
            form,
            images.Evidence(held_out, calibration),
            _OUTPUT_DIR.value or output_dir,
            version=_VERSION.value,
        )
    print(f"{target}: {source.model.name} as {form.name}, compared on {held_out.origin}")
    for way, comparison in proof.items():
        print(f"  {way:<13} {sentence(comparison)}")
    digits = files.sha256(target / card.METADATA)
    command = shlex.join(["python", "-m", "export.verify", str(target), f"--sha256={digits}"])
    print(f"keep its hash elsewhere: {command}")
    return target


def sentence(comparison):
    text = (
        f"largest difference {comparison.largest:.1e} of the largest logit, "
        f"same first class {comparison.top1:.2%}"
    )
    if comparison.source_accuracy is not None:
        theirs, ours = comparison.source_accuracy, comparison.artifact_accuracy
        text += f", accuracy {ours:.2%} (network {theirs:.2%})"
    return text
