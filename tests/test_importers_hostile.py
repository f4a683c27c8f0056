"""Files from strangers: one sentence, no code run, little memory, no waiting."""

import io
import json
import pickle
import struct
import subprocess
import sys
import tracemalloc
import zipfile

import h5py
import numpy as np
import pytest

from zoo.importers import ImportFailed, caffemodel, labels, pickles, reading

MEMORY = 100e6  # bytes, far under the half gigabyte that is promised


def refused(path, source, words):
    tracemalloc.start()
    try:
        with pytest.raises(ImportFailed, match=words) as failure:
            reading.read(path, source)
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()
    assert len(str(failure.value).replace(str(path), "")) < 260


def zipped(path, name, content):
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(name, "w") as file,
    ):
        for _ in range(200):
            file.write(content)
    return path


def test_zip_files_that_unpack_to_much_more(tmp_path):
    megabyte = bytes(2**20)
    refused(zipped(tmp_path / "a.pth", "a/data.pkl", megabyte), "torch", "claim to unpack to 209")
    keras = zipped(tmp_path / "a.keras", "model.weights.h5", megabyte)
    refused(keras, "keras_applications", "claim to unpack to 209")


def test_a_zip_file_that_lies_about_what_it_unpacks_to(tmp_path):
    """The size of the one entry in the directory at the end (APPNOTE 4.3.12), forged."""
    path = zipped(tmp_path / "a.keras", "model.weights.h5", bytes(2**20))
    content = bytearray(path.read_bytes())
    entry = content.rindex(b"PK\x01\x02")
    assert struct.unpack_from("<I", content, entry + 24) == (200 * 2**20,)
    struct.pack_into("<I", content, entry + 24, 1000)
    path.write_bytes(content)
    refused(path, "keras_applications", "is damaged")


def test_a_file_larger_than_any_network_is_not_read(tmp_path):
    with open(tmp_path / "a.onnx", "wb") as file:
        file.truncate(3 * 2**30)  # a hole
    refused(tmp_path / "a.onnx", "onnx", "has 3,221,225,472 bytes, expected 2,147,483,648 at most")


def test_an_onnx_file_that_points_elsewhere(tmp_path, monkeypatch):
    """In the value of a node too, which the library would look for in the working directory."""
    onnx = pytest.importorskip("onnx")
    (tmp_path / "secret.bin").write_bytes(bytes(12))
    monkeypatch.chdir(tmp_path)
    tensor = onnx.helper.make_tensor("w", onnx.TensorProto.FLOAT, [3], [0.0] * 3)
    tensor.ClearField("float_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="secret.bin")
    node = onnx.helper.make_node("Constant", [], ["c"], value=tensor)
    for nodes, weights in (([node], []), ([], [tensor])):
        graph = onnx.helper.make_graph(nodes, "g", [], [], weights)
        path = tmp_path / "a.onnx"
        path.write_bytes(onnx.helper.make_model(graph).SerializeToString())
        refused(path, "onnx", "keeps its weights in another file")


def test_an_onnx_tensor_that_claims_more_than_it_has(tmp_path):
    onnx = pytest.importorskip("onnx")
    tensor = onnx.TensorProto(name="w", data_type=1, dims=[10**9, 10**9], raw_data=bytes(4))
    graph = onnx.helper.make_graph([], "g", [], [], [tensor])
    (tmp_path / "a.onnx").write_bytes(onnx.helper.make_model(graph).SerializeToString())
    refused(tmp_path / "a.onnx", "onnx", "is damaged")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x08\x01" * 3000, "more than 1,000 fields"),  # wire format: field 1 is 1
        (b"\xa2\x06\x04\x3a\x02\x20\x07", r"shape \(7,\) has 0 numbers"),
        (b"\xa2\x06\x0c\x3a\x0a\x3a\x08\x0a\x06" + b"\xff\xff\x7f" * 2, "has 0 numbers"),
    ],
)
def test_caffe_files_that_claim_more_than_they_have(content, words, tmp_path, monkeypatch):
    monkeypatch.setattr(caffemodel, "MOST_FIELDS", 1000)  # a million take seconds to count
    (tmp_path / "a.caffemodel").write_bytes(content)
    refused(tmp_path / "a.caffemodel", "caffe", words)


def pth(path, content):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", content)
    return path


def test_a_nested_key_is_not_hashed(tmp_path):
    """((), ()), (((), ()), ((), ())), ...: a hundred levels take 2^100 steps to hash."""
    nested = b"\x80\x02})" + b"2\x86" * 100 + b"K\x01s."
    with pytest.raises(ImportFailed, match="expected one dictionary of tensors, found none"):
        reading.read(pth(tmp_path / "a.pth", nested), "torch")
    in_a_set = b"\x80\x04\x8f()" + b"2\x86" * 100 + b"\x90."
    with pytest.raises(ImportFailed, match="found none"):
        reading.read(pth(tmp_path / "a.pth", in_a_set), "torch")
    reference = b"\x80\x02(X\x07\x00\x00\x00storage)" + b"2\x86" * 100 + b"K\x00K\x00K\x01tQ."
    with pytest.raises(ImportFailed, match="a reference that is not a plain tensor"):
        reading.read(pth(tmp_path / "a.pth", reference), "torch")


def test_a_pickle_that_is_too_long(tmp_path):
    content = b"\x80\x02(" + b"]" * (pickles.LARGEST + 10)
    path = tmp_path / "a.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", content)
    with pytest.raises(ImportFailed, match="its pickle has more than 8,388,608 bytes"):
        pickles.load(io.BytesIO(b"\x80\x02X\xff\xff\xff\x00" + bytes(2**24)), path)


def test_a_storage_that_a_thousand_tensors_share(tmp_path):
    torch = pytest.importorskip("torch")
    path, one = tmp_path / "a.pth", torch.zeros(1000)
    torch.save({f"x{i}": one for i in range(1000)}, path)
    refused(path, "torch", "claims tensors of 4,000,000 bytes")


def test_names_that_a_checkpoint_brings_are_never_called(tmp_path):
    class Evil:
        def __reduce__(self):
            return open, (str(tmp_path / "made"), "w")

    value = pickles.load(pickle.dumps({"args": Evil(), "x": {1, 2}, "y": 1.5}, 2), "f")
    assert isinstance(value["args"], pickles.Foreign) and value["y"] == 1.5
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("kind", ["link", "external", "group", "loop", "sparse"])
def test_hdf5_that_points_elsewhere(kind, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = np.ones(3)
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        layer = file.create_group("layers/dense/vars")
        if kind == "link":
            layer["0"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "x")
        elif kind == "external":
            layer.create_dataset("0", (3,), "u1", external=[("/etc/passwd", 0, 3)])
        elif kind == "group":
            layer.create_group("0/1/vars")
            layer["1"] = h5py.SoftLink("/layers")
        elif kind == "loop":
            layer["0"] = file["layers"]
        else:
            layer.create_dataset("0", (2**40,), "f4")
    words = "is a link|in another file|there twice|claims 4,398,046,511,104 bytes, and has 0"
    refused(path, "keras_applications", words)


def test_a_safetensors_header_that_is_too_long(tmp_path):
    path = tmp_path / "w.safetensors"
    path.write_bytes(struct.pack("<Q", 2**24) + b"{" + b" " * 2**24 + b"}")
    refused(path, "torch", "claims a header of 16,777,216 bytes")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", b"caf\xe9\n", "is no text in UTF-8"),
        ("a.json", b"\xff\xfe[", "is no text in UTF-8"),
        ("a.json", b"[" * 100_000, "nested more than 32 deep"),
        ("a.json", b'["a", {"b": 1}]', "expected a JSON list"),
        ("a.txt", b"a\n" * 5_000_000, "more than 8,388,608 bytes"),
    ],
)
def test_labels_that_are_none(name, content, words, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ImportFailed, match=words):
        labels.read(tmp_path / name)


def test_a_label_is_one_line(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(["great\nauk", " dodo"]))
    assert labels.read(tmp_path / "a.json") == ("great auk", "dodo")


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ("[" * 100_000, "nested more than 32 deep"),
        ('{"format": 1}', "expected a text at 'artifact', got None"),
        ('{"format": [1]}', r"has format \[1\], this program reads 1"),
        ("[1]", "expected an object at 'the whole'"),
        (" " * 9_000_000, "more than 8,388,608 bytes"),
    ],
)
def test_an_artifacts_metadata_that_nobody_writes(metadata, words, tmp_path):
    from export import check
    from export.errors import ExportError

    (tmp_path / "metadata.json").write_text(metadata)
    with pytest.raises(ExportError, match=words):
        check.problems(tmp_path)


def test_what_cannot_be_an_artifact_is_refused_without_tensorflow(tmp_path):
    """As a program, in half a gigabyte of memory and address space."""
    (tmp_path / "metadata.json").write_text("[" * 100_000)
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (500_000_000,) * 2); "
        "from zoo import program; from export import verify; program.run(verify.main, '')"
    )
    words = [sys.executable, "-c", program, tmp_path, "--run"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "nested more than 32 deep" in done.stderr


def test_a_file_of_another_size_is_not_read(tmp_path):
    from export import check

    with open(tmp_path / "model.tflite", "wb") as file:
        file.truncate(2**42)  # a hole of four terabytes
    recorded = {"model.tflite": {"sha256": "0" * 64, "bytes": 7}}
    assert check.changed_files(tmp_path, recorded) == [
        "model.tflite was changed: 4,398,046,511,104 bytes, recorded 7"
    ]
