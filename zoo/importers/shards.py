"""Weights in several files beside each other, and the index that names them."""

import pathlib
import re

from zoo import records
from zoo.importers import ImportFailed

SHARD = re.compile(r"-(\d{5})-of-(\d{5})\.")
INDEX = ".index.json"


def is_index(path):
    return path.name.endswith(INDEX)


def parts(path):
    """The files of an index, or of the shard's own number, in order. ImportFailed names a gap."""
    names = _named(path) if is_index(path) else _numbered(path.name)
    found = [path.with_name(name) for name in names]
    missing = [
        part.name for part in found if not part.is_file() or part.is_symlink() != _link(path)
    ]
    if missing:
        raise ImportFailed(
            f"{path}: {len(missing)} of {len(found)} parts are missing: {missing[0]}"
        )
    return found


def _link(path):
    """Whether links may be: where the file that was given is one, as in Hugging Face's cache."""
    return path.is_symlink()


def _named(path):
    try:
        index = records.of_type(records.read(path), dict, "the whole")
        named = records.of_type(index.get("weight_map"), dict, "weight_map")
        names = sorted({records.of_type(name, str, "weight_map") for name in named.values()})
    except ValueError as error:
        raise ImportFailed(f"{path} is no index of weights: {error}") from None
    for name in names:
        if pathlib.PurePath(name).name != name:
            raise ImportFailed(f"{path} names {name[:60]!r}: expected files beside it")
    return names


def _numbered(name):
    total = SHARD.search(name)[2]
    return [SHARD.sub(f"-{i:05d}-of-{total}.", name) for i in range(1, int(total) + 1)]
