"""Files that are whole or absent: written under a temporary name, flushed, renamed."""

import contextlib
import hashlib
import json
import os
import pathlib


@contextlib.contextmanager
def replacing(path):
    """Yields a temporary path of the same ending; renamed to `path` if the block ends well.

    The temporary name starts with a dot, so that a reader of the folder passes over it, and is
    removed if the block raises.
    """
    path = pathlib.Path(path)
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path, text):
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path, value):
    """Readable JSON; ValueError on NaN or infinity, which JSON does not have."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
