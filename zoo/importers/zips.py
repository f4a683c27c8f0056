"""Zip files that are as large as they say, and no larger once unpacked."""

import contextlib
import os
import zipfile

from zoo.importers import ImportFailed

PACKED = 16  # times that an entry may grow: trained numbers hardly shrink
SMALL = 2**20  # bytes that any entry may have
MOST = 100_000  # entries


@contextlib.contextmanager
def opened(path):
    """The ZipFile, once what its entries claim has been compared with what is there."""
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        packed = sum(entry.compress_size for entry in entries)
        grown = max((x.file_size - PACKED * x.compress_size for x in entries), default=0)
        if len(entries) > MOST or packed > os.path.getsize(path) or grown > SMALL:
            plain = sum(entry.file_size for entry in entries)
            raise ImportFailed(
                f"{path} has {packed:,} bytes that claim to unpack to {plain:,}, in "
                f"{len(entries):,} entries: no file of weights is like that"
            )
        yield archive


def content(archive, name):
    """The bytes of an entry: no more than it claims, which `ZipFile.read` would unpack first."""
    with archive.open(name) as file:
        return file.read(archive.getinfo(name).file_size)
