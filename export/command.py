"""What the exporters' command lines do alike: their flags, and the way from a run to a version."""

import pathlib

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
_IMAGE_SIZE = limits.DEFINE_integer(
    "image_size", None, "a detector's: the longer side of its pictures, px; default: the run's"
)
_IMAGES = limits.DEFINE_integer("images", 256, "real images to compare on")


def export(name, arguments, calibrate=0):
    """Exports the run that the flags name to the format `name`, and says what came of it.

    `calibrate` is the number of training images a quantised format measures its ranges on.
    """
    if arguments:
        program.usage_error(f"unexpected arguments: {' '.join(arguments)}")
    with program.quiet_start():
        from zoo.manifest import load_manifest

        run_dir = pathlib.Path(_RUN_DIR.value)
        detects = load_manifest(run_dir).kind == "detector"
    if detects:
        export_detector(name, run_dir)
        return
    if _IMAGE_SIZE.value:
        program.usage_error(
            "--image_size is a detector's, and this run holds a classifier, which has its size "
            "from training: leave it out"
        )
    export_classifier(name, run_dir, calibrate)


def export_classifier(name, run_dir, calibrate):
    with program.quiet_start():
        from export import classifier, formats, images, publish

    form = formats.find(name)
    source = classifier.from_run(run_dir, _WEIGHTS.value)
    own = (_DATA_DIR.value, run_dir, _ACCEPT.value)
    held_out = images.of_run(source, "validation", _IMAGES.value, *own)
    calibration = None
    if calibrate:
        training = images.of_run(source, "train", 8 * calibrate, *own)
        calibration = images.stratified(training, calibrate)
    with program.filtered_stderr(formats.NOISE):
        target, proof = publish.publish(
            source,
            form,
            images.Evidence(held_out, calibration),
            output_dir(run_dir, form),
            version=_VERSION.value,
        )
    told = {way: sentence(comparison) for way, comparison in proof.items()}
    report(target, f"{source.model.name} as {form.name}", held_out.origin, told)


def export_detector(name, run_dir):
    with program.quiet_start():
        from export import formats
        from export.detection import detector, forms, pictures, publish

    form = forms.find(name)
    source = detector.from_run(run_dir, _WEIGHTS.value, _IMAGE_SIZE.value)
    held_out = pictures.of_run(source, _IMAGES.value, _DATA_DIR.value, run_dir, _ACCEPT.value)
    with program.filtered_stderr(formats.NOISE):
        target, proof = publish.publish_detector(
            source, form, held_out, output_dir(run_dir, form), version=_VERSION.value
        )
    told = {way: detections(comparison) for way, comparison in proof.items()}
    report(target, f"{source.model.name}, a detector, as {form.name}", held_out.origin, told)


def output_dir(run_dir, form):
    """What the person gave, or a folder named for the run and the format."""
    default = pathlib.Path("artifacts") / f"{run_dir.resolve().name}-{form.name}"
    return _OUTPUT_DIR.value or default


def report(target, what, origin, told):
    """Says what was published, and how near it came by each way."""
    from export import card

    print(f"{target}: {what}, compared on {origin}")
    for way, words in told.items():
        print(f"  {way:<13} {words}")
    digits = files.sha256(target / card.METADATA)
    print(f"keep its hash elsewhere: python -m export.verify {target} --sha256={digits}")


def detections(comparison):
    return (
        f"{comparison.detections:,} detections, the same in {comparison.same:.2%} of the pictures; "
        f"corners differ by {comparison.boxes_px:.1e} px at most, scores by {comparison.scores:.1e}"
    )


def sentence(comparison):
    text = (
        f"largest difference {comparison.largest:.1e} of the largest logit, "
        f"same first class {comparison.top1:.2%}"
    )
    if comparison.source_accuracy is not None:
        theirs, ours = comparison.source_accuracy, comparison.artifact_accuracy
        text += f", accuracy {ours:.2%} (network {theirs:.2%})"
    return text
