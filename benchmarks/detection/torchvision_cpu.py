"""torchvision as PyPI has it, with CUDA, beside a PyTorch without: a peer that trains on CPUs.

PyPI's wheels link CUDA libraries that a PyTorch for CPUs does not bring, and call nothing of them
there. Three empty ones take their places for as long as the process lives. Kept in a folder of its
own, for `import torchvision` alone fails in such an environment:

    python -m pip install --no-deps --target=FOLDER torchvision==0.28.0
    PYTHONPATH=FOLDER python -m benchmarks.detection
"""

import ctypes
import importlib.util
import pathlib
import subprocess
import sys
import tempfile

MISSING = (
    "torchvision is not there: python -m pip install --no-deps --target=FOLDER torchvision==0.28.0,"
    " then PYTHONPATH=FOLDER"
)
RUNTIME = "libcudart.so.13"


def load():
    """The module, its C++ operators at work; SystemExit with a sentence where that cannot be."""
    found = importlib.util.find_spec("torchvision")
    if found is None:
        sys.exit(MISSING)
    import torch  # its libraries first, which torchvision's look into

    library = pathlib.Path(found.submodule_search_locations[0]) / "_C.so"
    if torch.version.cuda is None and b"libc10_cuda.so" in library.read_bytes():
        stand_in(library)
    import torchvision

    return torchvision


def stand_in(library):
    """Loads empty libraries for those of CUDA that this one links."""
    try:
        listed = _run(["nm", "-D", "--undefined-only", library])
        asked = [line.split()[-1].partition("@") for line in listed.splitlines()]
        asked = [(name, version) for name, _, version in asked if "cuda" in name.lower()]
        with tempfile.TemporaryDirectory() as folder:
            for soname in (RUNTIME, "libc10_cuda.so", "libtorch_cuda.so"):
                names = [
                    name for name, version in asked if (version == RUNTIME) == (soname == RUNTIME)
                ]
                ctypes.CDLL(compiled(folder, soname, names), mode=ctypes.RTLD_GLOBAL)
    except FileNotFoundError as error:
        sys.exit(f"torchvision without CUDA: expected gcc and nm, {error.filename} is not there")


def compiled(folder, soname, names):
    """A library of functions that return 0: -> its path. Versions as the CUDA runtime's are."""
    folder = pathlib.Path(folder)
    source, versions, library = folder / "empty.c", folder / "versions", folder / soname
    source.write_text("".join(f"void *{name}(void) {{ return 0; }}\n" for name in names))
    versions.write_text(f"{soname} {{ *; }};\n")
    link = [f"-Wl,-soname,{soname}", f"-Wl,--version-script,{versions}"]
    _run(["gcc", "-shared", "-fPIC", "-w", *link, source, "-o", library])
    return str(library)


def _run(command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
