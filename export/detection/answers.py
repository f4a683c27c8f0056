"""What the network itself says of pictures, for its artifact to be compared with."""

import dataclasses
from collections.abc import Callable

import numpy as np

from export.detection.forms import answer
from export.detection.pictures import padded
from zoo.detection.preprocess import DetectionInput, prepare


@dataclasses.dataclass(frozen=True)
class Source:
    """The trained network, `graph.source`'s function, asked picture by picture."""

    network: Callable
    contract: DetectionInput

    def of_pixels(self, pixels, canvas=None):
        """Of a picture as evaluation sees it, or on a canvas: (h, w, 3) -> Answer."""
        image = pixels if canvas is None else padded(pixels, canvas)
        return answer(self.network(np.float32(image)[np.newaxis]))

    def of_file(self, content):
        """Of an encoded picture, boxes in its own pixels: bytes -> Answer."""
        image, original = (x.numpy() for x in prepare(content, self.contract))
        found = self.of_pixels(image)
        scale = np.float32(original) / np.float32(image.shape[:2])
        return found._replace(boxes=found.boxes * np.tile(scale, 2))
