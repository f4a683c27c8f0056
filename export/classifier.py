"""What an exporter exports: a trained network and all that its artifact must know beside it."""

import dataclasses
import pathlib

import keras

from zoo import archive, files
from zoo.preprocess import InputContract

WEIGHTS = {
    "final": archive.WEIGHTS,
    "ema": "model.ema.weights.h5",
    "best": "model.best.weights.h5",
}


class ExportError(ValueError):
    """What was expected of a run or of an artifact, and what is there."""


@dataclasses.dataclass(frozen=True)
class Classifier:
    """`model` maps pixels 0-255 (B, S, S, 3) to logits (B, classes); `contract` makes the pixels.

    `facts` is what the card tells of its training, a manifest as plain data; may be empty.
    """

    model: keras.Model
    contract: InputContract
    class_names: tuple[str, ...]
    facts: dict = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        classes = self.model.output.shape[-1]
        if len(self.class_names) != classes:
            raise ExportError(
                f"{len(self.class_names)} class names for a network of {classes} classes"
            )

    @property
    def image_size(self):
        return self.contract.image_size


def from_run(run_dir, weights="final"):
    """The network of a run directory, with its final, averaged ("ema") or best weights."""
    model, manifest = archive.load(run_dir)
    path = pathlib.Path(run_dir) / WEIGHTS[weights]
    if not path.is_file():
        raise ExportError(f"{run_dir} has no {weights} weights: expected {path.name} in it")
    if weights != "final":
        known = manifest.weights.get(path.name, {}).get("sha256")
        if known not in (None, files.sha256(path)):
            raise ExportError(f"{path} is not the file its manifest describes")
        model.load_weights(path)
    facts = {**dataclasses.asdict(manifest), "exported_weights": path.name}
    return Classifier(model, manifest.input, manifest.class_names, facts)
