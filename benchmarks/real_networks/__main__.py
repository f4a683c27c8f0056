"""python -m benchmarks.real_networks --weights_dir=DIR --data_dir=DIR: reports/real_networks.md.

Four trained CIFAR-10 networks, resnet20, 32, 44 and 56, from PyTorch through every format:
accuracy, and the same first class as in PyTorch. DIR holds the .th files of
github.com/akamaster/pytorch_resnet_cifar10; the other one CIFAR-10's pictures without loss, folders
train/CLASS, which the 8-bit file is calibrated on, and validation/CLASS, of test pictures.
"""

import json
import pathlib

from absl import flags

from zoo import files, limits, program

_WEIGHTS_DIR = flags.DEFINE_string("weights_dir", None, "the .th files", required=True)
_DATA_DIR = flags.DEFINE_string("data_dir", None, "the pictures", required=True)
_OUTPUT_DIR = flags.DEFINE_string("output_dir", "reports", "where real_networks.md is written")
_IMAGES = limits.DEFINE_integer("images", 1000, "pictures to judge by")
_CALIBRATION = limits.DEFINE_integer("calibration_images", 200, "pictures to calibrate on")

# Test accuracies as their repository prints them.
PUBLISHED = {20: 0.9173, 32: 0.9263, 44: 0.9310, 56: 0.9339}


def main(arguments):
    program.no_arguments(arguments)
    paths = {layers: weights_of(layers) for layers in PUBLISHED}
    with program.quiet_start():
        from benchmarks.real_networks import compared, report

    figures = {}
    for layers, path in paths.items():
        asked = layers, path, _DATA_DIR.value
        found = compared.figures(*asked, _IMAGES.value, _CALIBRATION.value)
        figures[f"resnet{layers}"] = {"published": PUBLISHED[layers], **found}
        print(f"resnet{layers}: {json.dumps(found['ways'])}", flush=True)
    folder = files.make_directory(_OUTPUT_DIR.value)
    files.write_text(folder / "real_networks.md", report.text(figures))
    print(f"{folder / 'real_networks.md'}: written")


def weights_of(layers):
    """The one file of a network."""
    found = sorted(pathlib.Path(_WEIGHTS_DIR.value).glob(f"resnet{layers}-*.th"))
    if len(found) != 1:
        program.usage_error(
            f"--weights_dir: expected one resnet{layers}-*.th in it, found {len(found)}: get them "
            "from github.com/akamaster/pytorch_resnet_cifar10, pretrained_models"
        )
    return found[0]


if __name__ == "__main__":
    program.run(main, __doc__)
