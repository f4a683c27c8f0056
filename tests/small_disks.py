"""File systems of a few hundred kilobytes: what a test writes there soon finds no room."""

import contextlib
import subprocess

import pytest


@contextlib.contextmanager
def small_disk(path, size):
    """`path` as the root of an empty file system of `size`, such as "300k"; skips without root."""
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("needs the right to mount a file system, as root has")
    try:
        yield path
    finally:
        subprocess.run(["umount", str(path)], check=True)


def left(path):
    """Files and folders in it, hidden ones too."""
    return sorted(str(p.relative_to(path)) for p in path.rglob("*"))
