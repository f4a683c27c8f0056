"""How large a localiser is: the network without its head, and what finds boxes on top (App. C)."""

import keras

from zoo import complexity
from zoo.localisation.network import build_localiser
from zoo.localisation.specs import Localiser

PICTURES = {"imagenet": 224, "cifar": 96}  # px, by the net's stem
HEADER = (
    f"{'localiser on':<14}{'classes':>8}{'stride':>8}{'parameters':>13}{'of a picture':>18}"
    f"{'of it the RPN':>16}"
)


def row(network, num_classes=None):
    """The line as data: Network -> dict; of the network's own classes if they are not told."""
    localiser = Localiser(network, num_classes or network.num_classes)
    model = build_localiser(localiser)
    side = PICTURES[network.spec.stem]
    image = keras.Input((side, side, 3), dtype="float32")
    sized = keras.models.clone_model(model, input_tensors=image)
    added = [layer for layer in sized.layers if layer.name.startswith("rpn_")]
    return {
        "name": network.name,
        "classes": localiser.num_classes,
        "stride": localiser.stride,
        "parameters": complexity.parameters(model),
        "picture": f"{side}x{side}",
        "picture_multiply_adds": complexity.multiply_adds(sized),
        "rpn_multiply_adds": sum(map(complexity.layer_multiply_adds, added)),
    }


def as_line(item):
    picture, added = (item[f"{what}_multiply_adds"] / 1e9 for what in ("picture", "rpn"))
    return (
        f"{item['name']:<14}{item['classes']:>8,}{item['stride']:>8}{item['parameters']:>13,}"
        f"{f'{picture:.2f}e9 ' + item['picture']:>18}{added:>14.4f}e9"
    )
