"""JSON bodies, whichever the protocol: a request is a signature and a list of images.

What cannot be meant is a Refusal with a sentence.
"""

import base64
import dataclasses
import json

import numpy as np

# numpy's name -> TensorFlow's, the Open Inference Protocol's
TYPES = {
    "float32": ("DT_FLOAT", "FP32"),
    "int64": ("DT_INT64", "INT64"),
    "bool": ("DT_BOOL", "BOOL"),
    "string": ("DT_STRING", "BYTES"),
}
NUMBERS = {f"{kind}{bits}" for kind in ("INT", "UINT") for bits in (8, 16, 32, 64)}
NUMBERS |= {"FP32", "FP64"}
DEFAULT = "serving_default"
# A list takes sixty bytes and more for two characters, so those are counted before they are read.
MOST_LISTS = 4 * 10**6


class Refusal(Exception):
    """What was expected of a request and what came, with HTTP's status."""

    def __init__(self, sentence, status=400):
        super().__init__(sentence)
        self.status = status


@dataclasses.dataclass(frozen=True)
class Call:
    """`images`, each bytes or an array, for a signature; `wanted` is how the answer is to look."""

    signature: str
    images: list
    wanted: dict


def read(body):
    """The object that a JSON body is: bytes -> dict. Refusal."""
    if body.count(b"[") + body.count(b"{") > MOST_LISTS:
        raise Refusal("the JSON has too many lists: send encoded images, or fewer", 413)
    try:
        found = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Refusal(f"the body is not JSON: {str(error)[:100]}") from None
    if not isinstance(found, dict):
        raise Refusal("expected a JSON object")
    return found


def _no_number(name):
    raise ValueError(f"{name} is no number")


def images(values, spec, name):
    """JSON values as the signature takes them, checked: -> list of bytes, or of float32 arrays."""
    if spec["dtype"] == "string":
        return [encoded(value, name) for value in values]
    array = numbers(values, name)
    expected = spec["shape"][1:]
    if list(array.shape[1:]) != expected or not len(array):
        raise Refusal(
            f"{name}: expected images of {' x '.join(map(str, expected))}, "
            f"got {' x '.join(map(str, array.shape[1:])) or 'numbers'}"
        )
    with np.errstate(over="ignore"):
        array = np.float32(array)
    if not np.isfinite(array).all():
        raise Refusal(f"{name}: expected finite pixels, 0-255")
    return list(array)


def numbers(values, name):
    try:
        array = np.asarray(values)
    except ValueError:
        raise Refusal(f"{name}: the lists are of unequal lengths") from None
    if array.dtype.kind not in "iuf":
        raise Refusal(f"{name}: expected numbers in lists of equal lengths")
    return array


def encoded(value, name):
    text = value.get("b64") if isinstance(value, dict) else None
    if not isinstance(text, str):
        raise Refusal(f'{name}: expected {{"b64": "..."}}, an encoded image in base64')
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise Refusal(f"{name}: the image is not base64") from None


def as_plain(array):
    """An array as JSON has it: bytes are text."""
    if array.dtype != object:
        return array.tolist()
    if array.ndim > 1:
        return [as_plain(row) for row in array]
    return [value.decode("utf-8", "replace") for value in array]
