"""What lies beside an artifact, and that `export.verify` notices when it is no longer true."""

import base64
import contextlib
import hashlib
import io
import json
import os
import pathlib
import shutil
import socket

import export_networks
import numpy as np
import PIL.Image
import programs
import pytest

from export import by_class, card, check, formats, images, publish, recheck
from export.errors import ExportError

ROOT = pathlib.Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory):
    """A SavedModel and an int8 TFLite file of the digits network."""
    folder = tmp_path_factory.mktemp("artifacts")
    source = export_networks.digits_classifier()
    training = images.of_run(source, "train", 400)
    evidence = images.Evidence(
        images.of_run(source, "validation", 100), by_class.stratified(training, 100)
    )
    return {
        name: publish.publish(source, formats.find(name), evidence, folder / name)[0]
        for name in ("saved_model", "tflite-int8")
    }


@pytest.fixture
def artifact(artifacts, tmp_path):
    """A copy of the SavedModel to spoil."""
    return pathlib.Path(shutil.copytree(artifacts["saved_model"], tmp_path / "copy"))


def test_hashes_are_of_the_files(artifacts):
    for directory in artifacts.values():
        recorded = json.loads((directory / "metadata.json").read_text())["files"]
        present = {p.relative_to(directory).as_posix() for p in directory.rglob("*") if p.is_file()}
        assert recorded.keys() == present - {"metadata.json"}
        for name, entry in recorded.items():
            content = (directory / name).read_bytes()
            assert entry == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def test_card_tells_what_a_user_asks(artifacts):
    for name, directory in artifacts.items():
        text = (directory / "MODEL_CARD.md").read_text()
        metadata = json.loads((directory / "metadata.json").read_text())
        right = round(metadata["parity"]["pixels"]["artifact_accuracy"] * 100)
        assert f"({right} of 100)" in text
        assert "100 of the 355 validation images of digits" in text
        assert "resizing its shorter side to 8" in text
        assert f"{metadata['latency']['batch_1_ms']:g} ms for a batch of 1" in text
        for file in metadata["files"]:
            listed = f"`{file}`" in text
            assert listed or file.startswith("samples/0") or file == "MODEL_CARD.md"
        assert ("uint8 (B, 8, 8, 3), scale 1, zero 0" in text) == (name == "tflite-int8")


def test_example_request_holds_an_image_of_the_data(artifacts):
    """In TensorFlow Serving's REST protocol, and in KServe's second one."""
    folder = artifacts["saved_model"] / "samples"
    first = (folder / "000.png").read_bytes()
    body = json.loads((folder / "request.json").read_text())
    assert body["signature_name"] == "serve_bytes"
    assert base64.b64decode(body["instances"][0]["image_bytes"]["b64"]) == first
    body = json.loads((folder / "request.v2.json").read_text())
    assert base64.b64decode(body["inputs"][0]["data"][0]) == first
    source = export_networks.digits_classifier()
    held_out = images.of_run(source, "validation", 100)
    zero = held_out.pixels[np.argmax(held_out.labels == 0)]  # samples begin with the first class
    np.testing.assert_array_equal(PIL.Image.open(io.BytesIO(first)), zero)


def test_picture_shows_each_sample_and_its_verdict(artifacts):
    """Eight a row, 144 pixels wide; green ink under right answers, red under wrong ones."""
    for directory in artifacts.values():
        picture = np.asarray(PIL.Image.open(directory / "predictions.png"))
        assert picture.shape == (2 * (144 + 44), 8 * 144, 3)
        source = export_networks.digits_classifier()
        held_out = by_class.spread(images.of_run(source, "validation", 100), 16)
        right = np.array(source.model(held_out.pixels)).argmax(axis=1) == held_out.labels
        assert 0 < right.sum() < 16 or right.all()
        for number in range(16):
            row, column = divmod(number, 8)
            top, left = row * 188, column * 144
            middle = picture[top + 4 + 8, left + 4 + 8]  # of the top left pixel of 8 x 8
            assert (middle == held_out.pixels[number, 0, 0]).all()
            under = np.int32(picture[top + 144 : top + 188, left : left + 144]).reshape(-1, 3)
            greener = (under[:, 1] > under[:, 0] + 60).any()
            redder = (under[:, 0] > under[:, 1] + 60).any()
            assert (greener, redder) == (right[number], not right[number])


def verify(*directories):
    return programs.run("export.verify", *directories, cwd=ROOT)


def test_verify_passes_what_was_published(artifacts, tmp_path):
    """By the files alone; by the answers too if told so, or told the hashes, or a file of them."""
    done = verify(*artifacts.values())
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("is as published") == done.stdout.count("its model not run") == 2
    done = verify("--run", artifacts["tflite-int8"])
    assert (done.returncode, done.stderr) == (0, "")
    assert "files, signatures and answers" in done.stdout
    hashes = [digest(directory / check.METADATA) for directory in artifacts.values()]
    (tmp_path / "sums").write_text(f"{hashes[0]}  a/metadata.json\n\n")
    done = verify(f"--sha256={tmp_path / 'sums'}", f"--sha256={hashes[1]}", *artifacts.values())
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("the hash you gave and signatures and answers") == 2


def test_verify_runs_nothing_of_whose_origin_it_is_not_sure(artifact):
    """A model that somebody changed, with its hashes: no program loads it unasked."""
    (artifact / "saved_model.pb").write_bytes(b"no model at all")
    rehash(artifact)
    done = verify(artifact)
    assert done.returncode == 0 and "its model not run" in done.stdout
    done = verify("--run", f"--sha256={'0' * 64}", artifact)
    assert done.returncode == 1
    found = digest(artifact / check.METADATA)
    assert f"metadata.json has sha256 {found}, expected {'0' * 64}" in done.stdout


def test_a_hash_that_cannot_be_meant(tmp_path):
    (tmp_path / "text").write_text("text")
    for word in ("abc", tmp_path / "text", tmp_path, tmp_path / "missing"):
        done = verify(f"--sha256={word}", tmp_path)
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
        assert "expected 64 hexadecimal digits or a file of them" in done.stderr


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_verify_names_what_is_no_file(artifact):
    """Links, even to the same bytes, pipes, which would keep a reader waiting, empty folders."""
    elsewhere = artifact.parent / "labels.txt"
    (artifact / "labels.txt").rename(elsewhere)
    (artifact / "labels.txt").symlink_to(elsewhere)
    (artifact / "samples" / "more").symlink_to(artifact.parent, target_is_directory=True)
    os.mkfifo(artifact / "pipe")
    (artifact / "metadata.json").unlink()
    os.mkfifo(artifact / "metadata.json")
    (artifact / "empty" / "inner").mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as listener, contextlib.chdir(artifact):
        listener.bind("socket")  # by a short name: an address has 108 bytes at most
    assert check.problems(artifact) == [
        "empty/inner is an empty folder",
        "labels.txt is a link, not a file",
        "metadata.json is a pipe, not a file",
        "pipe is a pipe, not a file",
        "samples/more is a link, not a file",
        "socket is a socket, not a file",
    ]


def test_verify_goes_where_a_link_to_the_artifact_leads(artifact):
    (artifact.parent / "latest").symlink_to(artifact)
    assert check.problems(artifact.parent / "latest") == []


def test_an_exporter_prints_the_hash(tmp_path):
    run = export_networks.save_run(tmp_path / "run")
    arguments = [f"--run_dir={run}", f"--output_dir={tmp_path / 'out'}", "--images=20"]
    done = programs.run("export.onnx", *arguments, cwd=ROOT)
    found = digest(tmp_path / "out" / "1" / check.METADATA)
    assert done.stdout.splitlines()[-1].endswith(f"{tmp_path}/out/1 --sha256={found}")


def test_verify_notices(artifact):
    """A changed byte of the model, a file that is gone and one that was added."""
    content = bytearray((artifact / "saved_model.pb").read_bytes())
    content[len(content) // 2] ^= 1
    (artifact / "saved_model.pb").write_bytes(content)
    (artifact / "labels.txt").unlink()
    (artifact / "extra").write_text("x")
    found = check.problems(artifact)
    assert [line.split()[0] for line in found] == ["extra", "labels.txt", "saved_model.pb"]
    done = verify(artifact)
    assert done.returncode == 1 and done.stdout.count("\n") == 3


def rehash(artifact):
    """As someone would who changes a file and its hash with it."""
    path = artifact / check.METADATA
    metadata = json.loads(path.read_text())
    metadata["files"] = card.inventory(artifact)
    path.write_text(json.dumps(metadata))


def test_verify_compares_answers_too(artifact, tmp_path):
    """The hashes are right, the network behind them is another."""
    source = export_networks.digits_classifier()
    other = export_networks.randomised(
        source.model.__class__.from_config(source.model.get_config())
    )
    wrong = type(source)(other, source.contract, source.class_names)
    evidence = images.Evidence(images.of_run(source, "validation", 20))
    for path in (artifact / "saved_model.pb", artifact / "assets.extra"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (tmp_path / "other").mkdir()
    formats.find("saved_model").write(wrong, tmp_path / "other", evidence)
    shutil.copytree(tmp_path / "other", artifact, dirs_exist_ok=True)
    rehash(artifact)
    assert check.problems(artifact) == []
    found = recheck.wrong_answers(artifact)
    assert {line.split(":")[0] for line in found} == {"pixels", "bytes"}


def test_verify_compares_signatures(artifact):
    metadata = json.loads((artifact / check.METADATA).read_text())
    del metadata["interface"]["serve_bytes"]["outputs"]["ok"]
    (artifact / check.METADATA).write_text(json.dumps(metadata))
    assert recheck.wrong_answers(artifact) == ["its signatures are not those that were recorded"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "holds no artifact: expected metadata.json"),
        ("{", "is not an artifact's metadata"),
        ("[]", "is not an artifact's metadata"),
        ('{"format": 99}', "has format 99, this program reads 1"),
    ],
)
def test_verify_says_what_it_cannot_read(content, sentence, tmp_path):
    if content is not None:
        (tmp_path / "metadata.json").write_text(content)
    with pytest.raises(ExportError, match=sentence):
        check.problems(tmp_path)


def test_a_card_keeps_the_place_of_the_data_to_itself():
    facts = {"data": {"name": "folder", "data_dir": "/home/me/photos"}, "step": 3}
    assert card.shareable(facts) == {"data": {"name": "folder"}, "step": 3}
    assert card.shareable({}) == {}
