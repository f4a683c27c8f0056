"""What `manifest.json` says of a trained network, and how it is read back."""

import dataclasses
import importlib.metadata
import pathlib
import platform

from zoo import records
from zoo.contract import InputContract
from zoo.detection.contract import DetectionInput
from zoo.detection.specs import Detector
from zoo.localisation.specs import Localiser, Refiner
from zoo.specs import Network

FORMAT = 1
# What a network may be: how each kind describes itself, and the way of its images.
KINDS = {
    "classifier": (Network, InputContract),
    "detector": (Detector, DetectionInput),
    "localiser": (Localiser, DetectionInput),
    "refiner": (Refiner, InputContract),
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
            fields["network"] = self.network.as_fields()
        return fields


def load_manifest(run_dir):
    """The manifest alone: directory -> Manifest. ArchiveError names what does not fit."""
    path = pathlib.Path(run_dir) / MANIFEST
    try:
        fields = records.read(path)
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
            f"{path} has format {records.shown(fields['format'])}, this program reads {FORMAT}: "
            "use the version that wrote it"
        )
    kind = fields.get("kind", "classifier")
    if not isinstance(kind, str) or kind not in KINDS:
        raise ArchiveError(
            f"{path} has kind {records.shown(kind)}, expected one of {', '.join(KINDS)}"
        )
    network, contract = KINDS[kind]
    try:
        fields["network"] = _from_fields(network, fields.get("network"), "network.")
        fields["input"] = _from_fields(contract, fields.get("input"), "input.")
        _check_types(fields)
        fields["class_names"] = tuple(fields.get("class_names", ()))
        return _from_fields(Manifest, fields, "")
    except (TypeError, ValueError) as error:
        raise ArchiveError(f"{path}: {error}") from None


# What readers rely on; whatever else stands there is printed at most.
_OBJECTS = ("data", "recipe", "metrics", "versions", "weights")
_TYPES = {
    "data.name": (str, type(None)),
    "data.data_dir": (str, type(None)),
    "data.drawing": str,
    "data.seed": int,
    "data.train_images": int,
    "data.validation_images": int,
    "data.imported": dict,
    "data.init_from": dict,
    "data.localiser": dict,
    "recipe.batch_size": int,
    "recipe.precision": str,
    "recipe.proposals": int,
    "recipe.proposal_iou": (int, float),
}


def _check_types(fields):
    """ValueError for the first field, or entry of one, that is of another type than ours."""
    for name in ("seed", "step"):
        records.of_type(fields.get(name, 0), int, name)
    for name in records.of_type(fields.get("class_names", []), list, "class_names"):
        records.of_type(name, str, "class_names")
    for name in _OBJECTS:
        records.of_type(fields.get(name, {}), dict, name)
    for place, kinds in _TYPES.items():
        outer, inner = place.split(".")
        if inner in fields.get(outer, {}):
            records.of_type(fields[outer][inner], kinds, place)
    for name, value in fields.get("metrics", {}).items():
        records.of_type(value, (int, float, str, list, dict, bool, type(None)), f"metrics.{name}")
    for name, facts in fields.get("weights", {}).items():
        place = f"weights.{name[:40]}"
        records.of_type(facts, dict, place)
        records.of_type(facts.get("sha256"), str, f"{place}.sha256")
        records.of_type(facts.get("bytes"), int, f"{place}.bytes")


def versions():
    """The packages that decide what a network computes: name -> version."""
    packages = ("keras", "tensorflow", "numpy", "h5py")
    found = {package: importlib.metadata.version(package) for package in packages}
    return {"python": platform.python_version(), **found}


def _from_fields(kind, fields, prefix):
    """A dataclass from JSON fields; ValueError names the keys that are unknown or missing."""
    if not isinstance(fields, dict):
        raise ValueError(
            f"expected an object at {prefix.rstrip('.')!r}, got {records.shown(fields)}"
        )
    known = {field.name: field for field in dataclasses.fields(kind)}
    unknown = sorted(set(fields) - set(known))
    if unknown:
        named = ", ".join(prefix + key[:40] for key in unknown[:3])
        raise ValueError(f"unknown key {named}" + " and more" * (len(unknown) > 3))
    missing = [name for name, field in known.items() if name not in fields and _required(field)]
    if missing:
        raise ValueError(f"missing key {', '.join(prefix + key for key in missing)}")
    return kind(**fields)


def _required(field):
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
