"""Clients that ask a server all at once for good, broken and oversized things.

Each answer is checked: an artifact keeps the trained network's own answers to its samples. Requests
go to this machine alone, and end with the time that they were given.
"""

import base64
import collections
import dataclasses
import http.client
import json
import pathlib
import random
import threading
import time

import numpy as np

ATOL = 1e-4  # of logits, in units of the largest: five times a float32 artifact's gate
BROKEN = b"\xff\xd8\xff\xe0 cut short"


@dataclasses.dataclass
class Tally:
    """Answers by kind of request; what was wrong in words; what never came; seconds of the good."""

    answers: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    images: int = 0
    wrong: list = dataclasses.field(default_factory=list)
    lost: list = dataclasses.field(default_factory=list)
    seconds: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Request:
    """What is sent, and `check(status, answer)`: a sentence if it is not right, else None."""

    kind: str
    path: str
    body: bytes
    check: object
    images: int = 0


class Maker:
    """Requests to the model `name`, drawn by chance, from an artifact's samples."""

    def __init__(self, artifact, name, max_bytes):
        folder = pathlib.Path(artifact) / "samples"
        with np.load(folder / "reference.npz") as stored:
            self.pixels, self.logits = stored["pixels"], stored["logits"]
            self.encoded_logits = stored["encoded_logits"]
        self.files = [path.read_bytes() for path in sorted(folder.glob("0*.*"))]
        self.v1, self.v2 = f"/v1/models/{name}:predict", f"/v2/models/{name}/infer"
        self.max_bytes = max_bytes
        self.kinds = [self.v1_bytes] * 4 + [self.v2_bytes] * 3 + [self.v1_pixels, self.v2_pixels]
        self.kinds += [self.with_a_broken_one, self.no_json, self.wrong_shape, self.no_model]
        self.kinds += [self.too_large]

    def draw(self, rng):
        return rng.choice(self.kinds)(rng)

    def some(self, rng):
        return [rng.randrange(len(self.files)) for _ in range(rng.choice((1, 1, 1, 2, 5, 8)))]

    def v1_bytes(self, rng):
        ids = self.some(rng)
        instances = [{"image_bytes": b64(self.files[i])} for i in ids]
        body = {"signature_name": "serve_bytes", "instances": instances}
        return self.good("v1 bytes", self.v1, body, self.encoded_logits[ids], v1_logits)

    def v2_bytes(self, rng):
        ids = self.some(rng)
        data = [b64(self.files[i])["b64"] for i in ids]
        body = self.tensor("image_bytes", "BYTES", [len(ids)], data)
        return self.good("v2 bytes", self.v2, body, self.encoded_logits[ids], v2_logits)

    def v1_pixels(self, rng):
        ids = self.some(rng)
        body = {"inputs": self.pixels[ids].tolist()}
        return self.good("v1 pixels", self.v1, body, self.logits[ids], v1_columns)

    def v2_pixels(self, rng):
        ids = self.some(rng)
        pixels = self.pixels[ids]
        body = self.tensor("images", "UINT8", list(pixels.shape), pixels.ravel().tolist())
        return self.good("v2 pixels", self.v2, body, self.logits[ids], v2_logits)

    def tensor(self, name, datatype, shape, data):
        parameters = {"content_type": "base64"} if datatype == "BYTES" else {}
        one = {"name": name, "datatype": datatype, "shape": shape, "data": data}
        return {"inputs": [{**one, "parameters": parameters}]}

    def with_a_broken_one(self, rng):
        i = rng.randrange(len(self.files))
        body = {"signature_name": "serve_bytes", "inputs": [b64(self.files[i]), b64(BROKEN)]}
        expected = np.stack([self.encoded_logits[i], np.zeros_like(self.encoded_logits[i])])
        return self.good("a broken image among good", self.v1, body, expected, v1_columns)

    def good(self, kind, path, body, expected, logits_of):
        def check(status, answer):
            if status != 200:
                return f"{kind}: status {status}: {str(answer)[:200]}"
            found = np.array(logits_of(answer)).reshape(expected.shape)
            difference = np.abs(found - expected).max() / np.abs(expected).max()
            return None if difference < ATOL else f"{kind}: logits off by {difference:.2g}"

        return Request(kind, path, json.dumps(body).encode(), check, len(expected))

    def no_json(self, rng):
        return refused("no JSON", self.v1, rng.randbytes(300), 400)

    def wrong_shape(self, rng):
        return refused("pixels of another shape", self.v1, b'{"instances": [[[[1, 2, 3]]]]}', 400)

    def no_model(self, rng):
        return refused("an unknown model", "/v1/models/another:predict", b"{}", 404)

    def too_large(self, rng):
        return refused("oversized", self.v2, b" " * (self.max_bytes + rng.randrange(10**6)), 413)


def refused(kind, path, body, expected):
    def check(status, answer):
        if status == expected and isinstance(answer.get("error"), str):
            return None
        return f"{kind}: status {status}, expected {expected}: {str(answer)[:200]}"

    return Request(kind, path, body, check)


def b64(content):
    return {"b64": base64.b64encode(content).decode()}


def v1_logits(answer):
    return [one["logits"] for one in answer["predictions"]]


def v1_columns(answer):
    return answer["outputs"]["logits"]


def v2_logits(answer):
    return next(one["data"] for one in answer["outputs"] if one["name"] == "logits")


def rage(address, maker, *, clients, seconds):
    """So many clients for so long, each one request after the other -> Tally."""
    tally, lock = Tally(), threading.Lock()
    end = time.monotonic() + seconds
    threads = [
        threading.Thread(target=client, args=(address, maker, end, random.Random(i), tally, lock))
        for i in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return tally


def client(address, maker, end, rng, tally, lock):
    connection = http.client.HTTPConnection(*address, timeout=60)
    while time.monotonic() < end:
        request = maker.draw(rng)
        begin = time.monotonic()
        try:
            status, answer = ask(connection, request)
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            with lock:
                tally.lost.append(f"{request.kind}: {error!r}")
            continue
        wrong = "busy" if status == 503 else request.check(status, answer)
        with lock:
            tally.answers[request.kind if wrong is None else f"{request.kind}, not right"] += 1
            if wrong is not None:
                tally.wrong.append(wrong)
            elif request.images:
                tally.images += request.images
                tally.seconds.append(time.monotonic() - begin)
    connection.close()


def ask(connection, request):
    """(status, the answer's JSON)."""
    connection.request("POST", request.path, request.body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())
