"""Fashion-MNIST's archives out of a Debian package, for machines that reach a package mirror only.

Debian gzipped the authors' four files again, which changed nothing but the header: the name went
and the time is another. With the authors' header back the files are theirs byte for byte, so TFDS'
own checksums hold.
"""

import pathlib
import struct
import subprocess
import tempfile

from trainers.data import sources
from zoo import files

PACKAGE = "dataset-fashion-mnist"
INSTALLED = "usr/share/datasets/fashion-mnist"
# When the authors gzipped each file (2017-08-31, UTC). Found by search: with any other second the
# archive's SHA-256 is not the one in TFDS' url_checksums/fashion_mnist.txt.
GZIPPED_AT = {
    "train-images-idx3-ubyte": 1504176606,
    "train-labels-idx1-ubyte": 1504176606,
    "t10k-images-idx3-ubyte": 1504176627,
    "t10k-labels-idx1-ubyte": 1504176627,
}


def write_archives(directory: pathlib.Path) -> None:
    """The authors' four .gz files into `directory`. DataError where Debian's are not to be had."""
    with tempfile.TemporaryDirectory(prefix="fashion-mnist-") as scratch:
        package = find_package(pathlib.Path(scratch))
        directory.mkdir(parents=True, exist_ok=True)
        for name, seconds in GZIPPED_AT.items():
            archive = (package / f"{name}.gz").read_bytes()
            with files.replacing(directory / f"{name}.gz") as temporary:
                temporary.write_bytes(with_header(archive, name, seconds))


def with_header(archive: bytes, name: str, seconds: int) -> bytes:
    """A nameless gzip file with a header that has a name and a time (RFC 1952, 2.3)."""
    magic_deflate, flags, fixed_header = b"\x1f\x8b\x08", archive[3], 10
    if not archive.startswith(magic_deflate) or flags != 0:
        raise sources.DataError(f"fashion_mnist: expected a gzip file without a name for {name}")
    header = magic_deflate + b"\x08" + struct.pack("<I", seconds) + archive[8:fixed_header]
    return header + name.encode() + b"\0" + archive[fixed_header:]


def find_package(scratch: pathlib.Path) -> pathlib.Path:
    """The folder with the four files: of the installed package, or of one fetched to `scratch`."""
    installed = pathlib.Path("/") / INSTALLED
    if installed.is_dir():
        return installed
    run(["apt-get", "download", PACKAGE], scratch)
    for archive in scratch.glob("*.deb"):
        run(["dpkg-deb", "-x", archive.name, "."], scratch)
    return scratch / INSTALLED


def run(command: list[str], directory: pathlib.Path) -> None:
    """Runs `command` in `directory`; DataError with its last line if it fails."""
    try:
        subprocess.run(command, cwd=directory, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = (getattr(error, "stderr", None) or str(error)).strip().splitlines()[-1]
        raise sources.DataError(
            f"fashion_mnist: neither its own host nor Debian's package {PACKAGE} can be had "
            f"({reason}): connect to the network or install that package"
        ) from error
