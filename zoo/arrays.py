"""Arrays in an HDF5 file from a stranger: nothing is read that is not in the file itself.

HDF5 can point elsewhere: by soft and external links, by external storage, by virtual arrays. It can
point at itself, and claim arrays for which there are no bytes. None of that is in a file of
weights, so each is a ValueError of a few words before any array is read.
"""

import contextlib

import h5py

DEEPEST = 16  # Keras nests a model in a model in a model, with three groups for each
MOST = 100_000  # groups and arrays; a resnet1202 has 14,500
PACKED = 16  # times that compressed weights may grow: trained numbers hardly shrink


@contextlib.contextmanager
def opened(file):
    """The h5py.File of a path, or of bytes, once all that it holds is known to be in it."""
    with h5py.File(file, "r") as opened_file:
        for _ in walk(opened_file):
            pass
        yield opened_file


def walk(group, place="", seen=None):
    """(path, Group or Dataset) of all that is in a group. ValueError for what points elsewhere."""
    seen = set() if seen is None else seen
    for name in group:
        path = f"{place}/{name}" if place else name
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ValueError(f"{path[:80]} is a link: expected arrays in the file itself")
        item = group[name]
        # An object has one address, however many names it has been given.
        address = h5py.h5o.get_info(item.id).addr
        if address in seen or len(seen) >= MOST or path.count("/") > 3 * DEEPEST:
            raise ValueError(f"{path[:80]} is there twice, too deep, or one of too many")
        seen.add(address)
        if isinstance(item, h5py.Dataset):
            _check(item, path[:80])
        elif not isinstance(item, h5py.Group):
            raise ValueError(f"{path[:80]} is neither a group nor an array")
        yield path, item
        if isinstance(item, h5py.Group):
            yield from walk(item, path, seen)


def layers(file, path):
    """(layer's name, arrays) of a Keras 3 file, optimizer left out; groups with other things too.

    ValueError where a layer's variables are not 0, 1, ...
    """
    for place, group in walk(file):
        if not isinstance(group, h5py.Group) or place.split("/")[0] == "optimizer":
            continue
        inside = {name: group[name] for name in group}
        found = {name: x for name, x in inside.items() if isinstance(x, h5py.Dataset)}
        if not found:
            continue
        if sorted(found) != sorted(map(str, range(len(inside)))):
            raise ValueError(f"{place[:80]} holds other things than arrays numbered from 0")
        yield text(group, "name") or place, [found[str(i)] for i in range(len(found))]


def text(group, name):
    """A text among a group's attributes, or None."""
    if name not in group.attrs or group.attrs.get_id(name).shape != ():
        return None
    value = group.attrs[name]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _check(dataset, path):
    """ValueError unless the bytes of an array of numbers are in the file."""
    if dataset.external or dataset.is_virtual:
        raise ValueError(f"{path} has its numbers in another file")
    if dataset.dtype.kind not in "fiub" and dataset.shape != ():
        raise ValueError(f"{path} holds no numbers, but {str(dataset.dtype)[:40]}")
    stored, claimed = dataset.id.get_storage_size(), dataset.nbytes if dataset.shape else 0
    if claimed > PACKED * stored or (claimed > stored and not dataset.compression):
        raise ValueError(f"{path} claims {claimed:,} bytes, and has {stored:,}")
