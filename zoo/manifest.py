"""What `manifest.json` says of a trained network, and how it is read back."""

import dataclasses
import importlib.metadata
import json
import pathlib
import platform

from zoo.detection.preprocess import DetectionInput
from zoo.detection.specs import Detector
from zoo.preprocess import InputContract
from zoo.specs import Network

FORMAT = 1
# What a network may be: how each kind describes itself, and the way of its images.
KINDS = {
    "classifier": (Network, InputContract),
    "detector": (Detector, DetectionInput),
}
MANIFEST = "manifest.json"


class ArchiveError(ValueError):
    """What was expected of a run directory, what is there, and what to do."""


@dataclasses.dataclass(frozen=True)
class Manifest:
    """All that is known of a trained network beside its weights; JSON in `manifest.json`.

    `kind` is one of KINDS, which says what `network` and `input` are.
    """

    network: Network
    input: InputContract
    class_names: tuple[str, ...]
    data: dict = dataclasses.field(default_factory=dict)
    recipe: dict = dataclasses.field(default_factory=dict)
    seed: int = 0
    step: int = 0
    metrics: dict = dataclasses.field(default_factory=dict)
    versions: dict = dataclasses.field(default_factory=dict)
    weights: dict = dataclasses.field(default_factory=dict)
    format: int = FORMAT
    kind: str = "classifier"

    def __post_init__(self):
        if len(self.class_names) != self.network.num_classes:
            raise ValueError(
                f"{len(self.class_names)} class names for a network of "
                f"{self.network.num_classes} classes"
            )

    def as_fields(self):
        """For JSON; a classifier's kind goes without saying, as it did before there were others."""
        fields = dataclasses.asdict(self)
        if self.kind == "classifier":
            del fields["kind"]
        return fields


def load_manifest(run_dir):
    """The manifest alone: directory -> Manifest. ArchiveError names what does not fit."""
    path = pathlib.Path(run_dir) / MANIFEST
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ArchiveError(
            f"{run_dir} holds no trained network: expected {MANIFEST} in it; "
            "give the directory of a run that has finished at least one round"
        ) from None
    except (OSError, ValueError) as error:
        raise ArchiveError(f"{path} is not a readable manifest: {error}") from None
    if not isinstance(fields, dict) or "format" not in fields:
        raise ArchiveError(f"{path} is not a manifest: expected a JSON object with a format number")
    if fields["format"] != FORMAT:
        raise ArchiveError(
            f"{path} has format {fields['format']}, this program reads {FORMAT}: "
            "use the version that wrote it"
        )
    kind = fields.get("kind", "classifier")
    if kind not in KINDS:
        raise ArchiveError(f"{path} has kind {kind!r}, expected one of {', '.join(KINDS)}")
    network, contract = KINDS[kind]
    try:
        fields["network"] = _from_fields(network, fields.get("network"), "network.")
        fields["input"] = _from_fields(contract, fields.get("input"), "input.")
        fields["class_names"] = tuple(fields.get("class_names", ()))
        return _from_fields(Manifest, fields, "")
    except (TypeError, ValueError) as error:
        raise ArchiveError(f"{path}: {error}") from None


def versions():
    """The packages that decide what a network computes: name -> version."""
    packages = ("keras", "tensorflow", "numpy", "h5py")
    found = {package: importlib.metadata.version(package) for package in packages}
    return {"python": platform.python_version(), **found}


def _from_fields(kind, fields, prefix):
    """A dataclass from JSON fields; ValueError names the keys that are unknown or missing."""
    if not isinstance(fields, dict):
        raise ValueError(f"expected an object at {prefix.rstrip('.')!r}, got {fields!r}")
    known = {field.name: field for field in dataclasses.fields(kind)}
    unknown = sorted(set(fields) - set(known))
    if unknown:
        raise ValueError(f"unknown key {', '.join(prefix + key for key in unknown)}")
    missing = [name for name, field in known.items() if name not in fields and _required(field)]
    if missing:
        raise ValueError(f"missing key {', '.join(prefix + key for key in missing)}")
    return kind(**fields)


def _required(field):
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
