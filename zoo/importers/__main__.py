"""python -m zoo.importers: a published file of weights -> a run directory.

The directory is one like those of training: evaluate it, export it, or start from it. Where the
files are, and under which evaluation each was published: zoo/importers/sources.md.
"""

from absl import flags

from zoo import limits, program, specs

SOURCES = ("keras_applications", "torch", "caffe", "onnx")

_SOURCE = flags.DEFINE_enum("source", None, SOURCES, "the library that the file is of")
_FILE = flags.DEFINE_string(
    "file", None, ".h5 .keras | .safetensors .pth .bin | .caffemodel | .onnx"
)
_MODEL = flags.DEFINE_string("model", None, "the network that the file holds, such as resnet50")
_OUTPUT_DIR = flags.DEFINE_string("output_dir", "runs/imported", "the run directory to write")
_EVALUATION = flags.DEFINE_string(
    "evaluation", None, "the published image preparation (default: the layout's usual one)"
)
_LABELS = flags.DEFINE_string("labels", None, "class names: one a line, or JSON")
_MEAN = limits.DEFINE_numbers(
    "mean", None, "of red, green, blue, or all, in fractions of white", limit="mean of white"
)
_STD = limits.DEFINE_numbers("std", None, "their deviations, likewise", limit="std of white")
_IMAGE_SIZE = limits.DEFINE_integer("image_size", None, "that it was trained at, in pixels")
_BGR = flags.DEFINE_bool("bgr", None, "the first kernel reads BGR (default: as is usual)")
_POOL_PAD = flags.DEFINE_enum(
    "pool_pad", None, specs.POOL_PADS, "of the max pool, where the file does not tell"
)
_ENTRY = flags.DEFINE_string("entry", None, "which dictionary of a checkpoint, if several")
_MEAN_FILE = flags.DEFINE_string("mean_file", None, "Caffe's mean image (.binaryproto)")
_HEADLESS = flags.DEFINE_bool("headless", False, "the file has no head; ours will be zeros")


def main(arguments):
    missing = [flag.name for flag in (_SOURCE, _FILE, _MODEL) if not flag.value]
    if arguments or missing:
        program.usage_error(f"unexpected {arguments}" if arguments else f"missing --{missing[0]}")
    for flag in (_MEAN, _STD):
        if flag.value and len(flag.value) not in (1, 3):
            program.usage_error(f"--{flag.name}: expected one number or three")
    from zoo.importers import assemble, evaluations

    if _EVALUATION.value not in (None, *evaluations.EVALUATIONS):
        known = ", ".join(evaluations.EVALUATIONS)
        program.usage_error(f"unknown --evaluation {_EVALUATION.value}: expected one of {known}")
    request = assemble.Request(
        source=_SOURCE.value,
        path=_FILE.value,
        model=_MODEL.value,
        evaluation=_EVALUATION.value,
        labels=_LABELS.value,
        mean_file=_MEAN_FILE.value,
        headless=_HEADLESS.value,
        entry=_ENTRY.value,
        bgr=_BGR.value,
        pool_pad=_POOL_PAD.value,
        mean=tuple(_MEAN.value or ()),
        std=tuple(_STD.value or ()),
        image_size=_IMAGE_SIZE.value,
    )
    found = assemble.understood(request)  # a file that is refused is refused before the wait
    with program.quiet_start():
        import tensorflow as tf

        tf.config.list_logical_devices()
    model, manifest = assemble.assemble(request, found)
    assemble.save(model, manifest, _OUTPUT_DIR.value)
    origin, image = manifest.data["imported"], manifest.input
    print(
        f"{_OUTPUT_DIR.value}: {manifest.network.name}, {manifest.network.num_classes} classes, "
        f"from {origin['file']} ({origin['layout']} layout{_chosen(found)}){_hidden(found)}; "
        f"images as in {origin['evaluation']}: "
        f"shorter side {image.resize_px}, {image.method}, centre {image.image_size}"
    )


def _chosen(found):
    """Which of several dictionaries it was."""
    others = ", ".join(found.arrays.others or ())
    return f", its {found.arrays.entry} and not its {others}" if others else ""


def _hidden(found):
    """What is assumed of a head of two layers, as files of weights do not tell it."""
    if not found.network.hidden:
        return ""
    told = "which ends" if _SOURCE.value == "onnx" else "taken to end"
    return f"; its head has a hidden layer of {found.network.hidden:,}, {told} in a ReLU"


if __name__ == "__main__":
    program.run(main, __doc__)
