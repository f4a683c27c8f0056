"""A network on disk: `manifest.json` says what it is, `model.weights.h5` what it learned.

Loading builds the network from the manifest's plain data and copies arrays; nothing in either
file is executed. Every misfit is an ArchiveError of one sentence.
"""

import contextlib
import dataclasses
import importlib.metadata
import json
import pathlib
import platform
import shutil

import h5py

from zoo import files
from zoo.preprocess import InputContract
from zoo.resnet import build_network
from zoo.specs import Network

FORMAT = 1
MANIFEST, WEIGHTS = "manifest.json", "model.weights.h5"


class ArchiveError(ValueError):
    """What was expected of a run directory, what is there, and what to do."""


@dataclasses.dataclass(frozen=True)
class Manifest:
    """All that is known of a trained network beside its weights; JSON in `manifest.json`."""

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

    def __post_init__(self):
        if len(self.class_names) != self.network.num_classes:
            raise ValueError(
                f"{len(self.class_names)} class names for a network of "
                f"{self.network.num_classes} classes"
            )


def weights_file(weights):
    """The file of a set of weights: "model", as training left them, or another's name."""
    return WEIGHTS if weights == "model" else f"model.{weights}.weights.h5"


def save(model, manifest, run_dir, keep=()):
    """Writes weights, then manifest, each whole or not at all; returns the manifest written.

    Other sets of weights in `run_dir` were made of earlier ones and are forgotten, except those
    named in `keep`.
    """
    pathlib.Path(run_dir).mkdir(parents=True, exist_ok=True)
    known = load_manifest(run_dir).weights if keep and _is_archive(run_dir) else {}
    files_kept = {weights_file(name) for name in keep} & known.keys()
    kept = {name: known[name] for name in sorted(files_kept)}
    return _write(model, dataclasses.replace(manifest, weights=kept), run_dir, "model")


def _is_archive(run_dir):
    return (pathlib.Path(run_dir) / MANIFEST).is_file()


def add(model, run_dir, weights):
    """Writes another set of weights beside those that are there, known as `weights`."""
    return _write(model, load_manifest(run_dir), run_dir, weights)


def copy(run_dir, source, weights):
    """Writes the set `source` once more, as `weights`; for a deep net far faster than `add`."""
    file = pathlib.Path(run_dir) / weights_file(source)
    return _write_by(
        lambda path: shutil.copyfile(file, path), load_manifest(run_dir), run_dir, weights
    )


def _write(model, manifest, run_dir, weights):
    with _without_optimizer(model):
        return _write_by(model.save_weights, manifest, run_dir, weights)


def _write_by(write, manifest, run_dir, weights):
    name = weights_file(weights)
    path = pathlib.Path(run_dir) / name
    with files.replacing(path) as temporary:
        write(temporary)
        facts = {"sha256": files.sha256(temporary), "bytes": temporary.stat().st_size}
    known = {**manifest.weights, name: facts}
    manifest = dataclasses.replace(manifest, weights=known, versions=versions())
    files.write_json(path.with_name(MANIFEST), dataclasses.asdict(manifest))
    return manifest


def load(run_dir, weights="model"):
    """The network that was saved, and its manifest: directory -> (keras.Model, Manifest)."""
    manifest = load_manifest(run_dir)
    path = pathlib.Path(run_dir) / weights_file(weights)
    if weights != "model" and path.name not in manifest.weights:
        raise ArchiveError(
            f"{run_dir} has no {weights!r} weights: expected {path.name} to be one of those that "
            f"its manifest names ({', '.join(manifest.weights)})"
        )
    _check_file(path, manifest.weights.get(path.name, {}))
    model = build_network(manifest.network)
    _check_shapes(path, model)
    model.load_weights(path)
    return model, manifest


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
    try:
        fields["network"] = _from_fields(Network, fields.get("network"), "network.")
        fields["input"] = _from_fields(InputContract, fields.get("input"), "input.")
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


def _check_file(path, expected):
    if not path.is_file():
        raise ArchiveError(f"{path} is missing: its manifest is there, its weights are not")
    size = path.stat().st_size
    if size != expected.get("bytes") or files.sha256(path) != expected.get("sha256"):
        raise ArchiveError(
            f"{path} is not the file its manifest describes ({size} bytes, expected "
            f"{expected.get('bytes')}): it was cut short, changed or left by another run"
        )


def _check_shapes(path, model):
    """Compares layer names and shapes in a Keras weights file with a network's."""
    expected = {
        layer.name: [tuple(v.shape) for v in layer.weights]
        for layer in model.layers
        if layer.weights
    }
    found = {}

    def collect(_, item):
        if isinstance(item, h5py.Group) and "name" in item.attrs and len(item):
            shapes = [item[str(i)].shape for i in range(len(item))]
            found[item.attrs["name"]] = shapes

    with h5py.File(path, "r") as file:
        file.visititems(collect)
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise ArchiveError(
                f"{path} does not fit {model.name} at layer {name!r}: expected weights of shapes "
                f"{expected.get(name, 'none')}, found {found.get(name, 'none')}"
            )


@contextlib.contextmanager
def _without_optimizer(model):
    """A compiled model saves its optimizer's variables too; the archive is the network alone."""
    optimizer = getattr(model, "optimizer", None)
    model.optimizer = None
    try:
        yield
    finally:
        model.optimizer = optimizer
