"""What lies beside a detector's artifact: labels, requests, a picture, card and metadata."""

import dataclasses
import pathlib

from export import card
from export.detection import drawing, text
from export.detection.forms import SIGNATURE, Form, Loaded
from export.detection.pictures import Pictures
from export.detection.samples import Samples
from export.samples import write_requests
from zoo import files

PICTURE = "detections.png"


@dataclasses.dataclass(frozen=True)
class Export:
    """One export, written and proven, about to be published."""

    trained: object
    form: Form
    loaded: Loaded
    pictures: Pictures
    proof: dict
    sample: Samples


def write(directory, export):
    """Writes all that lies beside the artifact; hashes every file last."""
    directory = pathlib.Path(directory)
    names, rows = export.trained.class_names, export.sample.pictures
    files.write_text(directory / card.LABELS, export.trained.labels)
    if export.loaded.encoded:
        write_requests(directory, rows[0].encoded, "detect_bytes")
    if export.sample.shown:
        answers = [export.loaded.pixels(row.pixels) for row in rows]
        drawing.draw(directory / PICTURE, [row.pixels for row in rows], answers, names)
    card.record(directory, describe(export), text.text)


def describe(export):
    """All that is known of a detector's artifact, as plain data."""
    known = card.common(export.trained, export)
    pixels = export.sample.pictures[0].pixels
    height, width, _ = pixels.shape
    return {
        **known,
        "kind": "detector",
        "signature": SIGNATURE,
        "parity_images": export.pictures.origin,
        "latency": {"picture_ms": card.median_ms(export.loaded.pixels, pixels)},
        "latency_size": [height, width],
    }
