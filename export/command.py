"""What the exporters' command lines do alike: their flags, and the way from a run to a version."""

import pathlib
import re
import shlex
import sys

from absl import flags

from export import check
from zoo import files, limits, program

_RUN_DIR = flags.DEFINE_string("run_dir", None, "the run to export", required=True)
_OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "default: artifacts/RUN-FORMAT")
_VERSION = limits.DEFINE_integer("version", None, "default: the next free number")
_WEIGHTS = flags.DEFINE_string(
    "weights", "model", "the run's own, or another set of its: precise, ema"
)
_DATA = flags.DEFINE_string("data", None, "images to compare on; default: the run's own")
_DATA_DIR = flags.DEFINE_string("data_dir", None, "where the images live; default: the run's")
_SAMPLES = flags.DEFINE_enum(
    "samples", "pictures", ("pictures", "none"), "what is published beside it: none of the images"
)
_ACCEPT = flags.DEFINE_bool(
    "accept_changed_data", False, "the run's pictures that are still there, if some are not"
)
_IMAGE_SIZE = limits.DEFINE_integer(
    "image_size",
    None,
    "a detector's: the longer side of its pictures, px; default: the run's",
    limit="longer_px",
)
_IMAGES = limits.DEFINE_integer("images", 256, "real images to compare on")

NAMED = 3  # files in a note


def export(name, arguments, calibrate=0):
    """Exports the run that the flags name to the format `name`, and says what came of it.

    `calibrate` is the number of training images a quantised format measures its ranges on. Returns
    the artifact's directory.
    """
    if arguments:
        program.usage_error(f"unexpected arguments: {' '.join(arguments)}")
    run_dir = pathlib.Path(_RUN_DIR.value)
    with program.quiet_start():
        from zoo.manifest import load_manifest

        kind = load_manifest(run_dir).kind
    detects = kind == "detector"
    if detects and _DATA.value:
        program.usage_error(
            "--data is for classifiers, and this run holds a detector, which is compared on its "
            "own pictures: leave it out"
        )
    if not detects and _IMAGE_SIZE.value:
        program.usage_error(
            f"--image_size is for detectors, and this run holds a {kind}, which has its size "
            "from training: leave it out"
        )
    return (
        export_detector(name, run_dir) if detects else export_classifier(name, run_dir, calibrate)
    )


def export_classifier(name, run_dir, calibrate):
    with program.quiet_start():
        from export import classifier, formats, images, publish

    form = formats.find(name)
    source = classifier.from_run(run_dir, _WEIGHTS.value)
    asked = images.Asked(_DATA.value, _DATA_DIR.value, run_dir, _ACCEPT.value)
    evidence = images.gather(source, asked, _IMAGES.value, calibrate)
    with program.filtered_stderr(formats.NOISE):
        target, proof = publish.publish(
            source,
            form,
            evidence,
            output_dir(run_dir, form),
            version=_VERSION.value,
            pictures=_SAMPLES.value == "pictures",
        )
    tell(evidence)
    held_out = evidence.held_out
    told = {way: sentence(comparison, source.headless) for way, comparison in proof.items()}
    return report(target, f"{source.model.name} as {form.name}", held_out.origin, told)


def export_detector(name, run_dir):
    with program.quiet_start():
        from export import formats
        from export.detection import detector, forms, pictures, publish

    form = forms.find(name)
    source = detector.from_run(run_dir, _WEIGHTS.value, _IMAGE_SIZE.value)
    held_out = pictures.of_run(source, _IMAGES.value, _DATA_DIR.value, run_dir, _ACCEPT.value)
    with program.filtered_stderr(formats.NOISE):
        target, proof = publish.publish_detector(
            source,
            form,
            held_out,
            output_dir(run_dir, form),
            version=_VERSION.value,
            pictures=_SAMPLES.value == "pictures",
        )
    told = {way: detections(comparison) for way, comparison in proof.items()}
    what = f"{source.model.name}, a detector, as {form.name}"
    return report(target, what, held_out.origin, told)


def output_dir(run_dir, form):
    """What the person gave, or a folder named for the run and the format."""
    run_name = re.sub(r"[][*?\\]", "_", run_dir.resolve().name)  # SavedModels are found then
    return _OUTPUT_DIR.value or pathlib.Path("artifacts") / f"{run_name}-{form.name}"


def report(target, what, origin, told):
    """Says what was published, and how near it came by each way; returns where."""

    print(f"{target}: {what}, compared on {origin}")
    for way, words in told.items():
        print(f"  {way:<13} {words}")
    digits = files.sha256(target / check.METADATA)
    command = shlex.join(["python", "-m", "export.verify", str(target), f"--sha256={digits}"])
    print(f"keep its hash elsewhere: {command}")
    return target


def detections(comparison):
    return (
        f"{comparison.detections:,} detections, the same in {comparison.same:.2%} of the pictures; "
        f"corners differ by {comparison.boxes_px:.1e} px at most, scores by {comparison.scores:.1e}"
    )


def tell(evidence):
    """A note on each set of which pictures were passed over, and on proof that is a stand-in's."""
    for found in filter(None, (evidence.held_out, evidence.calibration)):
        if found.passed_over:
            names = [name.partition("\t")[2] for name in found.passed_over]
            shown = ", ".join(names[:NAMED]) + " ..." * (len(names) > NAMED)
            note(f"{len(names)} of the pictures cannot be read and were passed over: {shown}")
    if not evidence.held_out.own:
        note("compared on pictures of anything: --data_dir=DIR, a folder a class, proves more")


def note(sentence):
    print(f"NOTE: {sentence}", file=sys.stderr, flush=True)


def sentence(comparison, headless=False):
    if headless:
        return f"largest difference {comparison.largest:.1e} of the largest feature"
    text = (
        f"largest difference {comparison.largest:.1e} of the largest logit, "
        f"same first class {comparison.top1:.2%}"
    )
    if comparison.source_accuracy is not None:
        theirs, ours = comparison.source_accuracy, comparison.artifact_accuracy
        text += f", accuracy {ours:.2%} (network {theirs:.2%})"
    return text
