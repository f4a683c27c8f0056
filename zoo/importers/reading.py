"""A weights file -> named arrays, by what the file begins with and not by its ending."""

import pathlib
import zipfile

import numpy as np

from zoo.importers import Arrays, ImportFailed, caffemodel, hdf5, onnx_graph, pth, shards


def read(path, source, entry=None):
    """The arrays of one file, or of its shards: path, --source -> {name: array}.

    `entry` names one of several dictionaries of tensors in it. ImportFailed for a file of another
    source, or a damaged one; OSError if it cannot be opened.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise ImportFailed(f"{path} is no file: expected one with weights")
    if path.stat().st_size > LARGEST:
        raise ImportFailed(
            f"{path} has {path.stat().st_size:,} bytes, expected {LARGEST:,} at most: save the "
            "weights alone"
        )
    with open(path, "rb") as file:
        start = file.read(64)
    try:
        return _reader(path, start, source)(path, entry)
    except ImportFailed:
        raise
    except Exception as error:  # there is nothing that a damaged file cannot raise
        words = " ".join(str(error).split())[:120]
        raise ImportFailed(f"{path} is damaged: {type(error).__name__}, {words}") from error


def _reader(path, start, source):
    if start.startswith(LFS):
        raise ImportFailed(
            f"{path} is a git-lfs pointer and not the weights: run git lfs pull where it came "
            "from, or download the file itself"
        )
    kind = kind_of(path, start)
    if (kind, source) not in READERS:
        others = [known for found, known in READERS if found == kind and kind != "unknown"]
        hint = f": --source={others[0]} reads it" if others else ""
        raise ImportFailed(f"{path} is no file of --source={source}; it looks {kind}{hint}")
    return READERS[kind, source]


def kind_of(path, start):
    """What wrote it, by its first bytes: "hdf5", "keras", "torch zip", ... or "unknown"."""
    if start.startswith(b"\x89HDF\r\n\x1a\n"):
        return "hdf5"
    if start.startswith(b"PK"):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        if "model.weights.h5" in names:
            return "keras"
        if any(name.endswith("data.pkl") for name in names):
            return "torch zip"
    if shards.is_index(path) or shards.SHARD.search(path.name):
        return "shards"
    if start.startswith(pth.MAGIC_BYTES):
        return "torch stream"
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < path.stat().st_size:
        return "safetensors"
    return "unknown"


def _safetensors(path, entry=None):
    try:
        from safetensors.numpy import load_file
    except ModuleNotFoundError:
        raise ImportFailed(
            "reading .safetensors needs the package safetensors: pip install -e '.[import]'"
        ) from None
    import ml_dtypes  # noqa: F401 comes with TensorFlow; teaches numpy what bfloat16 is

    with open(path, "rb") as file:
        header = int.from_bytes(file.read(8), "little")
    if header > LARGEST_HEADER:
        raise ImportFailed(f"{path} claims a header of {header:,} bytes: no weights have that")
    return Arrays({name: np.asarray(array) for name, array in load_file(path).items()})


def _shards(path, entry=None):
    arrays = Arrays()
    for part in shards.parts(path):
        with open(part, "rb") as file:
            start = file.read(64)
        if start.startswith(LFS):
            raise ImportFailed(f"{part} is a git-lfs pointer and not the weights: run git lfs pull")
        reader = pth.read_zip if start.startswith(b"PK") else _safetensors
        arrays |= reader(part)
    return Arrays(arrays)


LARGEST = 2**31  # bytes, as protobuf's; resnet152 with its optimizer and average has 2**30
LFS = b"version https://git-lfs"
LARGEST_HEADER = 8 * 2**20  # bytes; a resnet1202's has 0.7 MB
READERS = {
    ("hdf5", "keras_applications"): hdf5.read_h5,
    ("keras", "keras_applications"): hdf5.read_keras,
    ("torch zip", "torch"): pth.read_zip,
    ("torch stream", "torch"): pth.read_stream,
    ("safetensors", "torch"): _safetensors,
    ("shards", "torch"): _shards,
    ("unknown", "onnx"): onnx_graph.read_onnx,
    ("unknown", "caffe"): caffemodel.read_caffemodel,  # protobuf has no mark of its own
}
