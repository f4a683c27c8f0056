"""PyTorch's .pth, .pt, .th and .bin without PyTorch, and without running what is in them.

Both formats of `torch.save` are read: the zip of PyTorch 1.6 on, and the older stream of pickles
in which torchvision's and many CIFAR files were published. Sizes and strides are checked against
the bytes that are there before an array is made of them.
"""

import math
import os

import numpy as np

from zoo.importers import Arrays, ImportFailed, checkpoints, pickles, zips
from zoo.importers.pickles import ITEM_BYTES, Storage, Tensor

MAGIC = 0x1950A86A20F9469CFC6C  # the first pickle of the older format
MAGIC_BYTES = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."

SHARED = 4  # times that tensors may claim the same bytes: tied weights do


def read_zip(path, entry=None):
    """The arrays of a file of PyTorch 1.6 or later: path -> Arrays."""
    with zips.opened(path) as archive:
        names = archive.namelist()
        folder = next(name for name in names if name.endswith("data.pkl"))[: -len("data.pkl")]
        if any(name.startswith(f"{folder}code/") for name in names):
            raise ImportFailed(f"{path} is a TorchScript program: save its state_dict() instead")
        if f"{folder}byteorder" in names:
            _little(zips.content(archive, f"{folder}byteorder") == b"little", path)
        with archive.open(f"{folder}data.pkl") as file:
            value = pickles.load(file, path)

        def contents(storage):
            return zips.content(archive, f"{folder}data/{storage.key}")

        return _arrays(value, contents, path, entry)


def read_stream(path, entry=None):
    """The arrays of a file of PyTorch before 1.6: path -> Arrays."""
    with open(path, "rb") as file:
        magic, _, system = (pickles.load(file, path) for _ in range(3))
        if magic != MAGIC:
            raise ImportFailed(f"{path} is a pickle, but not one that torch.save wrote")
        _little(system["little_endian"], path)
        storages = {}
        value = pickles.load(file, path, storages)
        places = {}
        for key in pickles.load(file, path):
            count = int.from_bytes(file.read(8), "little")
            if key not in storages or storages[key].count != count:
                raise ImportFailed(f"{path} is damaged: a storage is not as announced")
            places[key] = file.tell()
            file.seek(count * ITEM_BYTES[storages[key].kind], os.SEEK_CUR)

        def contents(storage):
            file.seek(places[storage.key])
            left = os.path.getsize(path) - places[storage.key]
            return file.read(min(left, storage.count * ITEM_BYTES[storage.kind]))

        return _arrays(value, contents, path, entry)


def _little(is_little, path):
    if not is_little:
        raise ImportFailed(f"{path} was written on a big-endian machine: save it again on another")


def _arrays(value, contents, path, entry=None):
    """The dictionary of tensors that is meant, as arrays; each storage is read once."""
    name, state, others = checkpoints.choose(value, path, entry)
    tensors = checkpoints.tensors(state, path)
    arrays = Arrays()
    arrays.entry, arrays.others = name, others
    for tensor_name, tensor in tensors.items():
        _check(tensor_name, tensor, path)
    claimed = sum(math.prod(x.size) * ITEM_BYTES[x.storage.kind] for x in tensors.values())
    if claimed > SHARED * sum(
        {x.storage.key: x.storage.count * 8 for x in tensors.values()}.values()
    ):
        raise ImportFailed(f"{path} claims tensors of {claimed:,} bytes, more than it has")
    read = {}
    for tensor_name in sorted(tensors, key=lambda x: str(tensors[x].storage.key)):
        storage = tensors[tensor_name].storage
        if storage.key not in read:
            read = {storage.key: contents(storage)}
        arrays[tensor_name] = _array(tensor_name, tensors[tensor_name], read[storage.key], path)
    return arrays


def _check(name, tensor, path):
    storage, offset, size, stride = tensor
    numbers = (size, stride) if isinstance(size, tuple) and isinstance(stride, tuple) else ("?",)
    whole = all(isinstance(n, int) for n in [offset, *(n for part in numbers for n in part)])
    if not isinstance(storage, Storage) or not whole or len(size) != len(stride):
        raise ImportFailed(f"{path}: {name[:60]} is not a plain tensor")
    count = math.prod(size)
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if min(offset, *size, *stride, 0) < 0 or count > storage.count or last >= storage.count:
        raise ImportFailed(f"{path} is damaged: {name[:60]} reaches outside its storage")


def _array(name, tensor, content, path):
    """Bytes and strides as an array, which `_check` has found to stay inside them."""
    storage, offset, size, stride = tensor
    if len(content) != storage.count * ITEM_BYTES[storage.kind]:
        raise ImportFailed(f"{path} is damaged: {name[:60]} has {len(content)} bytes")
    if storage.kind == "bf2":  # the upper half of a float32
        flat = (np.frombuffer(content, "<u2").astype("<u4") << 16).view("<f4")
    else:
        flat = np.frombuffer(content, f"<{storage.kind}")
    strides = [step * flat.itemsize for step in stride]
    return np.lib.stride_tricks.as_strided(flat[offset:], size, strides).copy()


__all__ = ["MAGIC_BYTES", "Storage", "Tensor", "read_stream", "read_zip"]
