"""What an exporter exports of a detector: the network and all its artifact must know beside it."""

import dataclasses

import keras

from export.classifier import label_lines
from zoo import archive
from zoo.detection.preprocess import DetectionInput
from zoo.detection.specs import Detector


@dataclasses.dataclass(frozen=True)
class TrainedDetector:
    """`model` is `network.build_detector`'s of `detector`; `contract` makes its pixels.

    `facts` is what the card tells of its training: a manifest as plain data.
    """

    model: keras.Model
    detector: Detector
    contract: DetectionInput
    class_names: tuple[str, ...]
    facts: dict = dataclasses.field(default_factory=dict)

    @property
    def labels(self):
        """The text of `labels.txt`."""
        return label_lines(self.class_names)


def from_run(run_dir, weights="model", image_size=None):
    """The detector of a run directory, with its own weights or another set, such as "ema".

    `image_size` is the longer side that pictures get, in px, if not the run's.
    """
    model, manifest = archive.load(run_dir, weights, kind="detector")
    contract = manifest.input
    if image_size:
        contract = dataclasses.replace(contract, shorter_px=image_size, longer_px=image_size)
    facts = {**manifest.as_fields(), "exported_weights": archive.weights_file(weights)}
    return TrainedDetector(model, manifest.network, contract, manifest.class_names, facts)
