"""What the network itself says of pictures, for its artifact to be compared with."""

import numpy as np

from export.detection.forms import answer
from export.detection.pictures import padded
from zoo.detection.preprocess import prepare


def of_pixels(network, pixels, canvas=None):
    """Of one picture as evaluation sees it, or on a canvas: (h, w, 3) -> Answer."""
    image = pixels if canvas is None else padded(pixels, canvas)
    return answer(network(np.float32(image)[np.newaxis]))


def of_file(network, contract, content):
    """Of an encoded picture, boxes in its own pixels: bytes -> Answer."""
    image, original = (x.numpy() for x in prepare(content, contract))
    found = of_pixels(network, image)
    scale = np.float32(original) / np.float32(image.shape[:2])
    return found._replace(boxes=found.boxes * np.tile(scale, 2))
