"""What lies beside an artifact as proof: checked before it is unpacked, and of some worth."""

import dataclasses
import io
import json
import zipfile

import numpy as np
import pytest

from export import parity, recheck, samples
from export.detection import samples as of_detectors
from export.detection.parity import Answer
from export.detection.pictures import Picture
from export.errors import ExportError
from export.samples import REFERENCE

RNG = np.random.default_rng(0)
GOOD = samples.Samples(
    pixels=RNG.integers(0, 256, (3, 8, 6, 3), np.uint8),
    logits=RNG.normal(size=(3, 5)).astype("f4"),
    encoded=(b"\x89P1", b"\x89P2"),
    encoded_logits=RNG.normal(size=(2, 5)).astype("f4"),
)


def test_what_was_written_is_read(tmp_path):
    samples.write(tmp_path, GOOD)
    found = samples.read(tmp_path, (8, 6))
    np.testing.assert_array_equal(found.pixels, GOOD.pixels)
    np.testing.assert_array_equal(found.encoded_logits, GOOD.encoded_logits)
    assert found.encoded == GOOD.encoded


def alike(x):
    return np.repeat(x[:1], len(x), axis=0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"pixels": GOOD.pixels[:0], "logits": GOOD.logits[:0]},
            "expected unsigned integers, 1 to",
        ),
        ({"pixels": alike(GOOD.pixels)}, "its 3 pictures are all alike"),
        ({"encoded": (b"\x89P1",) * 2}, "its 2 pictures are all alike"),
        (
            {"pixels": np.float32(GOOD.pixels)},
            "pixels holds float32, .*, expected unsigned integers",
        ),
        ({"pixels": GOOD.pixels[:, :7]}, r"\(3, 7, 6, 3\), expected .*, 1 to 64 x 8 x 6 x 3"),
        ({"logits": GOOD.logits[:2]}, "has answers to 2 of its 3 pictures"),
        ({"logits": GOOD.logits[0]}, "logits holds float32, .5,., expected floats, 1 to 64 x"),
        ({"logits": GOOD.logits * np.nan}, "logits holds numbers that are not finite"),
        ({"encoded": (b"\x89P1",)}, "encoded_logits holds .*, expected floats, 1 x 1 to"),
        ({"logits": np.array([[{}]])}, "logits holds object"),
    ],
)
def test_what_proves_nothing_is_refused(changes, words, tmp_path):
    samples.write(tmp_path, dataclasses.replace(GOOD, **changes))
    with pytest.raises(ExportError, match=words) as failure:
        samples.read(tmp_path, (8, 6))
    assert len(str(failure.value).replace(str(tmp_path), "")) < 250


def header(shape, kind="<f4"):
    stream = io.BytesIO()
    fields = {"descr": kind, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, fields)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("logits.npy", header((64, 10**6)), "logits claims 256,000,000 bytes, and has 128"),
        ("logits.npy", b"\x93NUMPY\x01", "is damaged"),
        ("more.npy", header((1,)), "has an unknown more"),
        (None, b"", "lacks logits"),
    ],
)
def test_claims_are_checked_before_anything_is_unpacked(name, content, words, tmp_path):
    samples.write(tmp_path, GOOD)
    with np.load(tmp_path / REFERENCE) as stored:
        kept = {key: stored[key] for key in stored if name == "more.npy" or key != "logits"}
    np.savez(tmp_path / REFERENCE, **kept)
    if name:
        with zipfile.ZipFile(tmp_path / REFERENCE, "a") as archive:
            archive.writestr(name, content)
    with pytest.raises(ExportError, match=words):
        samples.read(tmp_path, (8, 6))
    (tmp_path / REFERENCE).write_bytes(b"text")
    with pytest.raises(ExportError, match="is damaged: BadZipFile"):
        samples.read(tmp_path, (8, 6))


def stored_detections(directory, pictures, boxes=2):
    rows = [Picture(np.float32(x), b"\x89P%d" % i, (9, 9)) for i, x in enumerate(pictures)]
    answer = Answer(np.zeros((boxes, 4), "f4"), np.ones(2, "f4"), np.zeros(2, "i4"))
    asked = {way: [answer] * len(rows) for way in of_detectors.WAYS}
    of_detectors.store(directory, rows, asked)
    return of_detectors.read(directory)


def test_a_detectors_proof_likewise(tmp_path):
    for name in "abcd":
        (tmp_path / name).mkdir()
    found = stored_detections(tmp_path / "a", GOOD.pixels)
    assert len(found.pictures) == 3 and found.asked["bytes"][2].scores.tolist() == [1, 1]
    with pytest.raises(ExportError, match="its 3 pictures are all alike"):
        stored_detections(tmp_path / "b", alike(GOOD.pixels))
    with pytest.raises(ExportError, match="picture 0 has boxes without scores or classes"):
        stored_detections(tmp_path / "c", GOOD.pixels, boxes=3)
    with pytest.raises(ExportError, match="has 0 pictures, expected 1 to 8"):
        stored_detections(tmp_path / "d", GOOD.pixels[:0])


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        (
            {"top1": "1", "reason": ""},
            "expected a whole number or a number at 'gate.top1', got '1'",
        ),
        ({"top1": 1, "reason": "", "x": 1}, "unexpected keyword argument 'x'"),
        ({}, "missing 2 required"),
    ],
)
def test_a_gate_that_is_none(gate, words, tmp_path):
    with pytest.raises(ExportError, match=words):
        recheck.gate_of(parity.Gate, gate)
    metadata = {"format": 1, "artifact": "onnx", "network": "a", "interface": {}, "files": {}}
    (tmp_path / "metadata.json").write_text(json.dumps(metadata | {"gate": gate}))
    (sentence,) = recheck.wrong_answers(tmp_path)
    assert "metadata.json is not an artifact's" in sentence
