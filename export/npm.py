"""Packages of the npm registry, pinned by version and hash, kept in the user's cache.

They are fetched by the user's own npm, which knows her registry and proxy; nothing in them is run.
"""

import base64
import dataclasses
import hashlib
import os
import pathlib
import shutil
import subprocess
import tarfile
import tempfile

from export.errors import ExportError
from zoo import files

SECONDS = 600  # for a package, over a slow line


@dataclasses.dataclass(frozen=True)
class Package:
    """`integrity` is the SHA-512 that npm itself records, in base64."""

    name: str
    version: str
    integrity: str

    def __str__(self):
        return f"{self.name}@{self.version}"

    @property
    def file_name(self):
        return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}.tgz"


def cache():
    home = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(home) / "residual-zoo"


def tarball(package):
    """The path of a package's file in the cache, fetched if it is not there. ExportError."""
    path = cache() / package.file_name
    if path.is_file() and integrity(path) == package.integrity:
        return path
    files.make_directory(path.parent)
    with tempfile.TemporaryDirectory() as folder:
        fetched = fetch(package, folder)
        if integrity(fetched) != package.integrity:
            raise ExportError(
                f"{package} as npm fetched it has another sha512 than the one known here: it was "
                "changed on the way, and is not used"
            )
        with files.replacing(path) as temporary:
            shutil.copyfile(fetched, temporary)
    return path


def fetch(package, folder):
    """The path of the package in the folder, as the registry has it. ExportError."""
    npm = shutil.which("npm")
    elsewhere = f"or put {package.file_name} into {cache()}"
    if npm is None:
        raise ExportError(
            f"{package} is fetched once, by npm, which is not here: install Node.js, {elsewhere}"
        )
    command = [npm, "pack", str(package), f"--pack-destination={folder}", "--ignore-scripts"]
    command += ["--fetch-retries=0", "--loglevel=error"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS)
        said = done.stderr.strip().splitlines()
    except subprocess.TimeoutExpired:
        said = [f"no end after {SECONDS} s"]
    path = pathlib.Path(folder) / package.file_name
    if not path.is_file():
        reason = next((line.removeprefix("npm error ")[:100] for line in said), "no reason given")
        raise ExportError(f"npm did not fetch {package} ({reason}): go online once, {elsewhere}")
    return path


def integrity(path):
    with open(path, "rb") as file:
        return base64.b64encode(hashlib.file_digest(file, "sha512").digest()).decode()


def copy(package, members, directory):
    """Writes {path in the package: path in the directory}, which must exist."""
    with tarfile.open(tarball(package)) as archive:
        for name, target in members.items():
            content = archive.extractfile(f"package/{name}").read()
            (pathlib.Path(directory) / target).write_bytes(content)
