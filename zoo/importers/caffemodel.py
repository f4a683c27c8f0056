"""Caffe's .caffemodel and .binaryproto, read from protobuf's wire format without Caffe.

The numbers are those of `caffe.proto`: NetParameter.layer = 100; LayerParameter.name = 1 and
.blobs = 7; BlobProto.num, channels, height, width = 1 to 4, .data = 5, .shape = 7.
"""

import math

import numpy as np

from zoo.importers import ImportFailed

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
OLD_LAYERS = 2  # NetParameter.layers, before 2015: older than these nets
MOST_FIELDS = 1_000_000  # of a file; resnet152 has 466 layers, of a few each


class _Source:
    """A file by its path, and how many fields may still be read of it."""

    def __init__(self, path):
        self.path, self.left = path, MOST_FIELDS

    def __str__(self):
        return str(self.path)

    def count(self):
        self.left -= 1
        if self.left < 0:
            raise ImportFailed(f"{self} has more than {MOST_FIELDS:,} fields: no Caffe file has")


def read_caffemodel(path, entry=None):
    """Blobs by layer and number, statistics unscaled: path -> {"conv1/0": array, ...}."""
    content, source = memoryview(path.read_bytes()), _Source(path)
    arrays = {}
    for number, kind, value in _fields(content, source):
        if (number, kind) == (OLD_LAYERS, BYTES):
            raise ImportFailed(f"{path} is of Caffe's old format: expected one of 2015 or later")
        if (number, kind) == (100, BYTES):
            arrays |= _layer(value, source)
    if not arrays:
        raise ImportFailed(f"{path} holds no Caffe layers with weights")
    return _unscaled(arrays, path)


def read_mean(path):
    """The mean image of a .binaryproto, RGB: path -> (H, W, 3) in pixel units."""
    blob = _blob(memoryview(path.read_bytes()), _Source(path))
    image = blob[0] if blob.ndim == 4 else blob
    if image.ndim != 3 or image.shape[0] != 3:
        raise ImportFailed(f"{path}: expected a mean of shape (3, H, W), got {image.shape}")
    return image[::-1].transpose(1, 2, 0)  # Caffe's images are BGR, channels first


def _unscaled(arrays, path):
    """BatchNorm keeps sums: its first two blobs are divided by the third, the total weight."""
    for name in [name for name in arrays if name.startswith("bn") and name.endswith("/2")]:
        layer = name.removesuffix("/2")
        total = arrays.pop(name)
        if total.size != 1 or not {f"{layer}/0", f"{layer}/1"} <= arrays.keys():
            raise ImportFailed(f"{path}: {layer} is no batch normalisation of Caffe's")
        factor = np.float32(0 if total.item() == 0 else 1 / total.item())
        for blob in (f"{layer}/0", f"{layer}/1"):
            arrays[blob] = arrays[blob] * factor
    return arrays


def _layer(content, source):
    name, blobs = None, []
    for number, kind, value in _fields(content, source):
        if (number, kind) == (1, BYTES):
            name = bytes(value).decode("utf-8", "replace")
        elif (number, kind) == (7, BYTES):
            blobs.append(_blob(value, source))
    return {f"{name}/{i}": blob for i, blob in enumerate(blobs)}


def _blob(content, source):
    """One BlobProto as a float32 array; the four old sizes lose their leading ones."""
    old, shape, data = {}, None, []
    for number, kind, value in _fields(content, source):
        if kind == VARINT and 1 <= number <= 4:
            old[number] = value
        elif number == 7 and kind == BYTES:
            shape = _shape(value, source)
        elif number == 5 and kind in (BYTES, FIXED32):  # packed, or one by one
            data.append(np.frombuffer(value, "<f4"))
    flat = np.concatenate(data) if data else np.zeros(0, "f4")
    if shape is None:
        sizes = [old.get(number, 1) for number in (1, 2, 3, 4)]
        while len(sizes) > 1 and sizes[0] == 1:
            sizes.pop(0)
        shape = tuple(sizes)
    if math.prod(shape) != flat.size:
        raise ImportFailed(f"{source}: a blob of shape {str(shape)[:60]} has {flat.size} numbers")
    return flat.reshape(shape)


def _shape(content, source):
    """BlobShape.dim = 1: packed or not."""
    sizes = []
    for number, kind, value in _fields(content, source):
        if number == 1 and kind == VARINT:
            sizes.append(value)
        elif number == 1 and kind == BYTES:
            position = 0
            while position < len(value):
                size, position = _varint(value, position, source)
                sizes.append(size)
    return tuple(sizes)


def _fields(content, source):
    """The fields of one message in order: memoryview -> iterator of (number, kind, value)."""
    position = 0
    while position < len(content):
        key, position = _varint(content, position, source)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, position = _varint(content, position, source)
        elif kind in (BYTES, FIXED32, FIXED64):
            if kind == BYTES:
                size, position = _varint(content, position, source)
            else:
                size = 4 if kind == FIXED32 else 8
            value, position = content[position : position + size], position + size
            if len(value) != size:
                raise ImportFailed(f"{source} is cut short, or not a Caffe file")
        else:
            raise ImportFailed(f"{source} is not a Caffe file: wire type {kind} in it")
        yield number, kind, value


def _varint(content, position, source):
    """Seven bits a byte, low ones first: -> (number, next position)."""
    source.count()
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(content):
            break
        byte = content[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ImportFailed(f"{source} is cut short, or not a Caffe file")
