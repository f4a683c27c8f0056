"""How large a detector is: what is shared, and what each region costs (App. A)."""

import re

import keras

from zoo import complexity, resnet
from zoo.detection.network import build_detector
from zoo.detection.specs import Detector
from zoo.recursion import room_for

PICTURES = {"imagenet": (600, 1000), "cifar": (96, 96)}  # px, by the net's stem
HEADER = (
    f"{'detector on':<12}{'shared':>8}{'stride':>8}{'parameters':>13}"
    f"{'of the picture':>18}{'of a region':>16}"
)


def row(network, num_classes=80):
    """The line as data: Network -> dict. Convolutions as the paper counts, without projections."""
    detector = Detector(network, num_classes, bins=14 if network.spec.stem == "imagenet" else 8)
    model = build_detector(detector)
    height, width = PICTURES[network.spec.stem]
    image = keras.Input((height, width, 3), dtype="float32")
    with room_for(4 * network.spec.layers):
        shared = keras.Model(
            image, resnet.trunk(detector.network, image, network.spec.last_stage - 1)
        )
    head = [x for x in model.layers if x.name.startswith(f"conv{network.spec.last_stage}_")]
    counted = [x for x in shared.layers if re.fullmatch(r"conv.*(?<!_0)_conv", x.name)]
    return {
        "name": network.name,
        "shared_convolutions": len(counted),
        "stride": detector.stride,
        "parameters": complexity.parameters(model),
        "picture": f"{height}x{width}",
        "picture_multiply_adds": complexity.multiply_adds(shared),
        "region_multiply_adds": sum(map(complexity.layer_multiply_adds, head)),
    }


def as_line(item):
    picture, region = (item[f"{what}_multiply_adds"] / 1e9 for what in ("picture", "region"))
    return (
        f"{item['name']:<12}{item['shared_convolutions']:>8}{item['stride']:>8}"
        f"{item['parameters']:>13,}{f'{picture:.2f}e9 ' + item['picture']:>18}{region:>14.4f}e9"
    )
