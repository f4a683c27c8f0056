"""A weights file -> named arrays, by what the file begins with and not by its ending."""

import pathlib
import zipfile

import numpy as np

from zoo.importers import ImportFailed, caffemodel, hdf5, pth


def read(path, source):
    """The arrays of one file: path, --source -> {name: array}.

    ImportFailed for a file of another source, or a damaged one; OSError if it cannot be opened.
    """
    path = pathlib.Path(path)
    with open(path, "rb") as file:
        start = file.read(32)
    try:
        arrays = _reader(path, start, source)(path)
    except ImportFailed:
        raise
    except Exception as error:  # there is nothing that a damaged file cannot raise
        raise ImportFailed(f"{path} is damaged: {type(error).__name__}, {error}") from error
    return _without_wrapper(arrays) if source == "torch" else arrays


def _reader(path, start, source):
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
    if start.startswith(pth.MAGIC_BYTES):
        return "torch stream"
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < path.stat().st_size:
        return "safetensors"
    return "unknown"


def _safetensors(path):
    try:
        from safetensors.numpy import load_file
    except ModuleNotFoundError:
        raise ImportFailed(
            "reading .safetensors needs the package safetensors: pip install -e '.[import]'"
        ) from None
    import ml_dtypes  # noqa: F401 comes with TensorFlow; teaches numpy what bfloat16 is

    return {name: np.asarray(array) for name, array in load_file(path).items()}


READERS = {
    ("hdf5", "keras_applications"): hdf5.read_h5,
    ("keras", "keras_applications"): hdf5.read_keras,
    ("torch zip", "torch"): pth.read_zip,
    ("torch stream", "torch"): pth.read_stream,
    ("safetensors", "torch"): _safetensors,
    ("unknown", "caffe"): caffemodel.read_caffemodel,  # protobuf has no mark of its own
}


def _without_wrapper(arrays):
    """Drops what DataParallel ("module.") and torch.compile ("_orig_mod.") put before each name."""
    for wrapper in ("module.", "_orig_mod."):
        if arrays and all(name.startswith(wrapper) for name in arrays):
            arrays = {name.removeprefix(wrapper): array for name, array in arrays.items()}
    return arrays
