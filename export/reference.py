"""reference.npz of an artifact: nothing of it is unpacked before its claims are checked."""

import math
import zipfile

import numpy as np

from export.errors import ExportError

KINDS = {"u": "unsigned integers", "i": "integers", "f": "floats"}  # numpy's letters


def read(path, wanted, most=2**31):
    """Its arrays: path, {name: (shape, kind of numbers)} -> {name: array}. ExportError.

    Of a shape a number must be the same, a range have the number in it; kinds are those of KINDS.
    `most` bounds the bytes of all.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.removesuffix(".npy") for name in archive.namelist()}
            if different := sorted(wanted.keys() ^ names):
                state = "lacks" if different[0] in wanted else "has an unknown"
                raise ExportError(f"{path} {state} {different[0][:60]}")
            left = most
            for name, (shape, kind) in wanted.items():
                left -= _claimed(archive, name, shape, kind, path)
            if left < 0:
                raise ExportError(f"{path} claims {most - left:,} bytes, expected {most:,} at most")
            return {name: _array(archive, name, path) for name in wanted}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, ExportError):
            raise
        words = " ".join(str(error).split())[:100]
        raise ExportError(f"{path} is damaged: {type(error).__name__}, {words}") from None


def _claimed(archive, name, shape, kind, path):
    """Bytes of an array, by its header alone, which is compared with the zip file's own claim."""
    entry = archive.getinfo(f"{name}.npy")
    with archive.open(entry) as file:
        np.lib.format.read_magic(file)
        found, _, dtype = np.lib.format.read_array_header_1_0(file)
        header = file.tell()
    fits = len(found) == len(shape) and all(
        size in limit if isinstance(limit, range) else size == limit
        for size, limit in zip(found, shape, strict=True)
    )
    if dtype.kind != kind or not fits:
        expected = " x ".join(_words(limit) for limit in shape) or "one number"
        raise ExportError(
            f"{path}: {name} holds {str(dtype)[:20]}, {str(found)[:60]}, expected {KINDS[kind]}, "
            f"{expected}"
        )
    size = math.prod(found) * dtype.itemsize
    if entry.file_size != header + size:
        raise ExportError(f"{path}: {name} claims {size:,} bytes, and has {entry.file_size:,}")
    return size


def _words(limit):
    if not isinstance(limit, range):
        return str(limit)
    return f"{limit.start}" if len(limit) == 1 else f"{limit.start} to {limit.stop - 1}"


def _array(archive, name, path):
    with archive.open(f"{name}.npy") as file:
        array = np.lib.format.read_array(file, allow_pickle=False)
    if not np.isfinite(array).all():
        raise ExportError(f"{path}: {name} holds numbers that are not finite")
    return array


def check_unlike(pictures, path):
    """ExportError where several pictures are one and the same, of which one answer is enough."""
    if len(pictures) > 1 and all(np.array_equal(x, pictures[0]) for x in pictures[1:]):
        raise ExportError(f"{path}: its {len(pictures)} pictures are all alike: they prove nothing")
