"""A network on disk: `manifest.json` says what it is, `model.weights.h5` what it learned.

Loading builds the network from the manifest's plain data and copies arrays; nothing in either
file is executed. Every misfit is an ArchiveError of one sentence.
"""

import contextlib
import dataclasses
import io
import pathlib
import shutil

from zoo import arrays, files, places, precision
from zoo.detection import places as detection
from zoo.detection.network import build_detector
from zoo.localisation import places as localisation
from zoo.localisation.network import build_localiser, build_refiner
from zoo.manifest import MANIFEST, ArchiveError, Manifest, load_manifest, versions
from zoo.resnet import build_network

__all__ = [
    "MANIFEST",
    "WEIGHTS",
    "ArchiveError",
    "Manifest",
    "add",
    "copy",
    "load",
    "load_manifest",
    "save",
    "versions",
    "weights_file",
]

WEIGHTS = "model.weights.h5"
# Of each of zoo.manifest.KINDS; the shapes are of what will be built, told beforehand.
BUILDERS = {
    "classifier": build_network,
    "detector": build_detector,
    "localiser": build_localiser,
    "refiner": build_refiner,
}
SHAPES = {
    "classifier": places.shapes,
    "detector": detection.shapes,
    "localiser": localisation.shapes,
    "refiner": localisation.of_refiner,
}


def weights_file(weights):
    """The file of a set of weights: "model", as training left them, or another's name."""
    return WEIGHTS if weights == "model" else f"model.{weights}.weights.h5"


def save(model, manifest, run_dir, keep=()):
    """Writes weights, then manifest, each whole or not at all; returns the manifest written.

    Other sets of weights in `run_dir` were made of earlier ones and are forgotten, except those
    named in `keep`.
    """
    files.make_directory(run_dir)
    known = _known(run_dir) if keep else {}
    files_kept = {weights_file(name) for name in keep} & known.keys()
    kept = {name: known[name] for name in sorted(files_kept)}
    return _write(model, dataclasses.replace(manifest, weights=kept), run_dir, "model")


def _known(run_dir):
    """What the manifest says of the sets of weights; of a damaged one, what the files say."""
    if not (pathlib.Path(run_dir) / MANIFEST).is_file():
        return {}
    try:
        return load_manifest(run_dir).weights
    except ArchiveError:
        there = pathlib.Path(run_dir).glob("model*.weights.h5")
        return {path.name: _facts(path) for path in there}


def _facts(path):
    return {"sha256": files.sha256(path), "bytes": path.stat().st_size}


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
    content = _Memory()
    with _without_optimizer(model):
        model.save_weights(content)
    return _write_by(lambda path: path.write_bytes(content.getbuffer()), manifest, run_dir, weights)


class _Memory(io.BytesIO):
    """What Keras writes HDF5 into: on a full disk the library's own file would end the process."""

    def __str__(self):
        return WEIGHTS  # Keras asks a file for its ending


def _write_by(write, manifest, run_dir, weights):
    name = weights_file(weights)
    path = pathlib.Path(run_dir) / name
    # Both are written before either gets its name: on a full disk the earlier pair stays.
    with (
        files.replacing(path.with_name(MANIFEST)) as described,
        files.replacing(path) as temporary,
    ):
        write(temporary)
        known = {**manifest.weights, name: _facts(temporary)}
        manifest = dataclasses.replace(manifest, weights=known, versions=versions())
        files.write_json(described, manifest.as_fields())
    return manifest


def load(run_dir, weights="model", dtype="float32", kind="classifier"):
    """The network that was saved, and its manifest: directory -> (keras.Model, Manifest).

    `weights` is one of the sets that the manifest names. `dtype` is the policy that the network
    computes in, such as "mixed_bfloat16"; Keras' global policy has no say and stays as it is. A
    network of another `kind` is an ArchiveError.
    """
    manifest = load_manifest(run_dir)
    if manifest.kind != kind:
        raise ArchiveError(f"{run_dir} holds a {manifest.kind}, expected a {kind}")
    path = pathlib.Path(run_dir) / weights_file(weights)
    if weights != "model" and path.name not in manifest.weights:
        raise ArchiveError(
            f"{run_dir} has no {weights!r} weights: expected {path.name} to be one of those that "
            f"its manifest names ({', '.join(manifest.weights)})"
        )
    _check_file(path, manifest.weights.get(path.name, {}))
    stored = _stored(path)
    if kind in SHAPES:  # before anything as large as the manifest claims is built
        _check_shapes(path, manifest.network.name, SHAPES[kind](manifest.network), stored)
    with precision.policy(dtype):
        model = BUILDERS[kind](manifest.network)
    expected = {x.name: [tuple(v.shape) for v in x.weights] for x in model.layers if x.weights}
    _check_shapes(path, model.name, expected, stored)
    model.load_weights(path)
    return model, manifest


def _check_file(path, expected):
    if not path.is_file():
        raise ArchiveError(f"{path} is missing: its manifest is there, its weights are not")
    size = path.stat().st_size
    if size != expected.get("bytes") or files.sha256(path) != expected.get("sha256"):
        raise ArchiveError(
            f"{path} is not the file its manifest describes ({size} bytes, expected "
            f"{expected.get('bytes')}): it was cut short, changed or left by another run"
        )


def _stored(path):
    """The shapes of each layer of a Keras weights file, of which nothing is read."""
    try:
        with arrays.opened(path) as file:
            groups = arrays.layers(file, path)
            return {name: [item.shape for item in items] for name, items in groups}
    except (OSError, ValueError) as error:
        raise ArchiveError(f"{path} is no file of weights: {error}") from None


def _check_shapes(path, network, expected, found):
    """Compares layer names and shapes with those of the network."""
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise ArchiveError(
                f"{path} does not fit {network} at layer {name[:60]!r}: expected weights of shapes "
                f"{expected.get(name, 'none')}, found {found.get(name, 'none')}"
            )


@contextlib.contextmanager
def _without_optimizer(model):
    """A compiled model saves its optimizer's variables too; the archive is the network alone."""
    if not hasattr(model, "optimizer"):  # never compiled; Keras' HDF5 writer trips over a None
        yield
        return
    optimizer = model.optimizer
    model.optimizer = None
    try:
        yield
    finally:
        model.optimizer = optimizer
