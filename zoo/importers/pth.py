"""PyTorch's .pth, .pt, .th and .bin without PyTorch, and without running what is in them.

A pickle is a program: it may call anything that it can name. `torch.load(weights_only=True)`
keeps to a list of names, but is PyTorch, half a gigabyte, and its list is long and has been got
round before (CVE-2025-32434). A state dict needs a handful of names. This unpickler knows those
and turns each into a plain record, so nothing it can name does anything; sizes and strides are
checked against the bytes that are there before an array is made of them.

Both formats of `torch.save` are read: the zip of PyTorch 1.6 on, and the older stream of pickles
in which torchvision's and many CIFAR files were published.
"""

import collections
import io
import math
import pickle
import zipfile

import numpy as np

from zoo.importers import ImportFailed

MAGIC = 0x1950A86A20F9469CFC6C  # the first pickle of the older format
MAGIC_BYTES = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."

_ITEM_BYTES = {"f4": 4, "f8": 8, "f2": 2, "bf2": 2, "i8": 8, "i4": 4, "i2": 2, "i1": 1, "u1": 1}
_STORAGES = {
    "FloatStorage": "f4", "DoubleStorage": "f8", "HalfStorage": "f2", "BFloat16Storage": "bf2",
    "LongStorage": "i8", "IntStorage": "i4", "ShortStorage": "i2", "CharStorage": "i1",
    "ByteStorage": "u1", "BoolStorage": "u1",
}  # fmt: skip

Storage = collections.namedtuple("Storage", ["key", "kind", "count"])
Tensor = collections.namedtuple("Tensor", ["storage", "offset", "size", "stride"])


def read_zip(path):
    """The arrays of a file of PyTorch 1.6 or later: path -> {name: array}."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        folder = next(name for name in names if name.endswith("data.pkl"))[: -len("data.pkl")]
        if any(name.startswith(f"{folder}code/") for name in names):
            raise ImportFailed(f"{path} is a TorchScript program: save its state_dict() instead")
        if f"{folder}byteorder" in names:
            _little(archive.read(f"{folder}byteorder") == b"little", path)
        value = _load(io.BytesIO(archive.read(f"{folder}data.pkl")), path)
        return _arrays(value, lambda storage: archive.read(f"{folder}data/{storage.key}"), path)


def read_stream(path):
    """The arrays of a file of PyTorch before 1.6: path -> {name: array}."""
    with open(path, "rb") as file:
        magic, _, system = (_load(file, path) for _ in range(3))
        if magic != MAGIC:
            raise ImportFailed(f"{path} is a pickle, but not one that torch.save wrote")
        _little(system["little_endian"], path)
        storages = {}
        value = _load(file, path, storages)
        contents = {}
        for key in _load(file, path):
            count = int.from_bytes(file.read(8), "little")
            if key not in storages or storages[key].count != count:
                raise ImportFailed(f"{path} is damaged: storage {key} is not as announced")
            contents[key] = file.read(count * _ITEM_BYTES[storages[key].kind])
        return _arrays(value, lambda storage: contents[storage.key], path)


def _little(is_little, path):
    if not is_little:
        raise ImportFailed(f"{path} was written on a big-endian machine: save it again on another")


# What a state dict may name, and the harmless thing that each becomes.
_KNOWN = {
    "collections.OrderedDict": collections.OrderedDict,
    "torch.Size": lambda sizes: tuple(sizes),
    "torch._utils._rebuild_tensor": lambda *parts: Tensor(*parts),
    "torch._utils._rebuild_tensor_v2": lambda *parts: Tensor(*parts[:4]),
    "torch._utils._rebuild_parameter": lambda data, *_: data,
    **{f"torch.{name}": kind for name, kind in _STORAGES.items()},
}


class _Unpickler(pickle._Unpickler):
    """Knows the names of `_KNOWN`; `storages` collects what the pickle refers to.

    The one written in Python: C's answers a forged memo index with gigabytes of memory. A state
    dict's pickle is some kilobytes, so the time does not matter.
    """

    def __init__(self, file, path, storages):
        super().__init__(file, encoding="utf-8")
        self.path, self.storages = path, storages

    def find_class(self, module, name):
        try:
            return _KNOWN[f"{module}.{name}"]
        except KeyError:
            raise ImportFailed(
                f"{self.path} wants to call {module}.{name}, which no weights need, so it was not "
                "run: save the state_dict() alone, better as .safetensors"
            ) from None

    def persistent_load(self, reference):
        what, kind, key, _, count, *view = reference
        if what != "storage" or kind not in _ITEM_BYTES or any(view):
            raise ImportFailed(f"{self.path} holds {reference!r}, which is not a plain tensor")
        return self.storages.setdefault(key, Storage(key, kind, count))


def _load(file, path, storages=None):
    """The next pickle of the file."""
    return _Unpickler(file, path, {} if storages is None else storages).load()


def _arrays(value, contents, path):
    """The one dictionary of tensors in what was unpickled, as arrays."""
    state = _state_dict(value, path)
    strays = [name for name, tensor in state.items() if not isinstance(tensor, Tensor)]
    if strays:
        raise ImportFailed(f"{path}: {', '.join(map(str, strays))} is not a tensor")
    return {str(name): _array(name, tensor, contents, path) for name, tensor in state.items()}


def _state_dict(value, path):
    """Itself, or the one entry that is a state dict, as in {"epoch": 90, "state_dict": ...}."""
    if _holds_tensors(value):
        return value
    inner = {k: v for k, v in value.items() if _holds_tensors(v)} if _is_dict(value) else {}
    if len(inner) != 1:
        found = f"several: {', '.join(map(str, inner))}" if inner else "none"
        raise ImportFailed(f"{path}: expected one dictionary of tensors, found {found}")
    return next(iter(inner.values()))


def _is_dict(value):
    return isinstance(value, dict)


def _holds_tensors(value):
    return _is_dict(value) and any(isinstance(x, Tensor) for x in value.values())


def _array(name, tensor, contents, path):
    """Bytes and strides as an array, after checking that it stays inside its storage."""
    storage, offset, size, stride = tensor
    if not isinstance(storage, Storage) or len(size) != len(stride):
        raise ImportFailed(f"{path}: {name} is not a plain tensor")
    count, item = math.prod(size), _ITEM_BYTES[storage.kind]
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if min(offset, *size, *stride, 0) < 0 or count > storage.count or last >= storage.count:
        raise ImportFailed(f"{path} is damaged: {name} reaches outside its storage")
    content = contents(storage)
    if len(content) != storage.count * item:
        raise ImportFailed(f"{path} is damaged: {name} has {len(content)} bytes in its storage")
    if storage.kind == "bf2":  # the upper half of a float32
        flat = (np.frombuffer(content, "<u2").astype("<u4") << 16).view("<f4")
    else:
        flat = np.frombuffer(content, f"<{storage.kind}")
    strides = [step * flat.itemsize for step in stride]
    return np.lib.stride_tricks.as_strided(flat[offset:], size, strides).copy()
