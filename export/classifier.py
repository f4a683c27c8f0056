"""What an exporter exports: a trained network and all that its artifact must know beside it."""

import dataclasses

import keras

from export.errors import ExportError
from zoo import archive
from zoo.preprocess import InputContract


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
    def headless(self):
        """Whether it was imported without a head: its features are all that it knows."""
        return self.facts.get("data", {}).get("imported", {}).get("head") == "zeros"

    @property
    def labels(self):
        """The text of `labels.txt`."""
        return label_lines(self.class_names)

    @property
    def image_size(self):
        return self.contract.image_size


def label_lines(class_names):
    """The text of `labels.txt`: a line a class, also where a name has none, or several."""
    lines = (" ".join(name.split()) or str(n) for n, name in enumerate(class_names))
    return "".join(f"{line}\n" for line in lines)


def from_run(run_dir, weights="model"):
    """The network of a run directory, with its own weights or another set, such as "precise"."""
    model, manifest = archive.load(run_dir, weights)
    facts = {**manifest.as_fields(), "exported_weights": archive.weights_file(weights)}
    return Classifier(model, manifest.input, manifest.class_names, facts)
