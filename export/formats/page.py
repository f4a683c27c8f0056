"""A static page: a TFLite file, LiteRT.js to run it in a browser, and what a person sees.

LiteRT.js was chosen over onnxruntime-web 1.30, both with one thread in headless Chromium on the
same two busy cores: 9.7 MB to load against 14.3 (2.9 and 3.7 compressed), resnet18 answers in 94
to 158 ms against 134 to 248, resnet50 in 245 to 373 against 509 to 609.
"""

import dataclasses
import functools
import pathlib
import shutil

from export import npm
from export.formats import litert, tflite

WEB = pathlib.Path(__file__).parents[1] / "web"
PAGE = ("index.html", "page.js", "pixels.js", "prepare.js")
RUNTIME = pathlib.Path("litert")

CORE = npm.Package(
    "@litertjs/core",
    "2.5.3",
    "PlGmbMOq9WitX7FO0jhbdJw9GthatsyuCQXjTt/wJZo0FLaw48q4tz8IwqgqCIkviYGr9OFDL1kCnN4nzWoyJQ==",
)
UTILS = npm.Package(
    "@litertjs/wasm-utils",
    "2.5.3",
    "4fJiw6tBQnIs+0jH/OQ16nYOiSl8/+zZnn5h2ul8aTKHi05sVqZW580Tmk78pC2kT39A9OYBVdFawteZ/sI1kQ==",
)
# Built for browsers with relaxed SIMD and without; a page loads one. The others need threads or
# stack switching, which a static server, or most browsers, do not give.
BUILDS = [
    f"litert_wasm{kind}_internal.{ending}" for kind in ("", "_compat") for ending in ("js", "wasm")
]
LICENCES = f"""\
The page itself is Residual Zoo's. {RUNTIME}/ is LiteRT.js, Copyright Google LLC, unchanged from the
npm packages {CORE} and {UTILS}; its source is https://github.com/google-ai-edge/LiteRT.
All of it is under the following licence. The network's weights are their owner's.

"""


def fetch():
    """Has LiteRT.js in the cache. ExportError."""
    for package in (CORE, UTILS):
        npm.tarball(package)


def write(classifier, directory, evidence, *, quantize):
    """Writes `index.html`, its scripts and `model.tflite`, which takes one image at a time."""
    directory = pathlib.Path(directory)
    model = tflite.convert(classifier, evidence.measured, quantize=quantize)
    # LiteRT.js refuses an input whose batch size is left open.
    tflite.store(litert.of_fixed_batch(model), classifier, directory)
    for name in PAGE:
        shutil.copyfile(WEB / name, directory / name)
    (directory / RUNTIME).mkdir()
    npm.copy(UTILS, {"dist/index.js": "wasm-utils.js"}, directory / RUNTIME)
    npm.copy(CORE, {"dist/index.js": "core.js"}, directory / RUNTIME)
    npm.copy(CORE, {f"wasm/{name}": name for name in BUILDS}, directory / RUNTIME)
    licence = (WEB / "LICENSE").read_text(encoding="utf-8")
    (directory / "licences.txt").write_text(LICENCES + licence, encoding="utf-8")


def variant(name):
    form = tflite.variant(name)
    return dataclasses.replace(
        form, name=f"page-{name}", write=functools.partial(write, quantize=name)
    )
