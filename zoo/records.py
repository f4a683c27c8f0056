"""JSON from strangers: no larger and no deeper than anything that we write, whatever it claims."""

import json
import os
import stat

LARGEST = 8 * 2**20  # bytes; the names of 100,000 classes take 3 MB
DEEPEST = 32


def read(path):
    """The value of a JSON file. ValueError, in a few words, for what cannot be ours; OSError."""
    try:
        value = json.loads(text(path))
    except RecursionError:
        raise ValueError(f"it is nested more than {DEEPEST} deep") from None
    _check_depth(value)
    return value


def text(path):
    """A small file as UTF-8. ValueError, in a few words; OSError."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise ValueError("it is no file")
    with open(path, "rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError(f"it has more than {LARGEST:,} bytes")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("it is no text in UTF-8") from None


def of_type(value, kinds, place):
    """The value. ValueError unless it is of one of the types; a bool is no number."""
    kinds = kinds if isinstance(kinds, tuple) else (kinds,)
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        names = " or ".join(NAMES.get(kind, kind.__name__) for kind in kinds)
        raise ValueError(f"expected {names} at {place!r}, got {shown(value)}")
    return value


def shown(value):
    """A value in a sentence, never all of a large one."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:36]}..."


NAMES = {
    dict: "an object",
    list: "a list",
    tuple: "a list",
    str: "a text",
    int: "a whole number",
    float: "a number",
    type(None): "null",
}


def _check_depth(value):
    level = [value]
    for _ in range(DEEPEST):
        inner = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
        if not inner:
            return
        level = inner
    raise ValueError(f"it is nested more than {DEEPEST} deep")
