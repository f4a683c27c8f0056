"""The real images that artifacts are compared on, against PIL and the files on disk."""

import io
import shutil

import export_networks
import numpy as np
import PIL.Image
import programs
import pytest

import zoo
from export import images
from export.classifier import Classifier
from export.errors import ExportError
from zoo import archive
from zoo.preprocess import InputContract


@pytest.fixture
def folder(tmp_path):
    """Two classes of JPEG and PNG files, 12 by 12 pixels: {path: label}."""
    rng = np.random.default_rng(0)
    found = {}
    for split in ("train", "validation"):
        for label, name in enumerate(("cat", "dog")):
            place = tmp_path / split / name
            place.mkdir(parents=True)
            for number, suffix in enumerate(("jpg", "png", "png")):
                path = place / f"{number}.{suffix}"
                PIL.Image.fromarray(rng.integers(0, 256, (12, 12, 3), np.uint8)).save(path)
                found[path] = label
    return tmp_path, found


def classifier(folder):
    facts = {"data": {"name": "folder", "data_dir": str(folder)}}
    model = zoo.build("resnet8", num_classes=2, image_size=8)
    return Classifier(model, InputContract(8, 12), ("cat", "dog"), facts)


def test_a_client_would_send_the_files_themselves(folder):
    place, labels = folder
    found = images.of_run(classifier(place), "validation", 100)
    expected = {path.read_bytes(): label for path, label in labels.items() if "valid" in str(path)}
    assert dict(zip(found.encoded, found.labels, strict=True)) == expected
    assert found.origin == "6 of the 6 validation images of folder"
    for content, pixels in zip(found.encoded, found.pixels, strict=True):
        decoded = np.asarray(PIL.Image.open(io.BytesIO(content)), np.float32)
        # 12 pixels are the resized size already, so only the centre is cut out; JPEG decoders
        # differ by a few grey levels.
        assert np.abs(decoded[2:10, 2:10] - pixels).max() <= (content[:2] == b"\xff\xd8") * 4


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda root: (root / "owl").mkdir(), "2 classes, got 3, with 'owl'"),
        (lambda root: (root / "cat").rename(root / "ant"), "got 2, without 'cat', with 'ant'"),
        (lambda root: shutil.rmtree(root / "cat"), "2 classes, got 1, without 'cat'"),
    ],
)
def test_images_of_other_classes_are_refused(folder, change, sentence):
    place, _ = folder
    for split in ("train", "validation"):
        change(place / split)
        if (place / split / "owl").exists():
            PIL.Image.new("RGB", (12, 12)).save(place / split / "owl" / "0.png")
    with pytest.raises(ExportError, match=sentence):
        images.of_run(classifier(place), "validation", 100)


def test_what_cannot_be_read_or_claims_too_much_is_passed_over(folder):
    place, labels = folder
    ours = [path for path in sorted(labels) if "valid" in str(path)]
    ours[0].write_bytes(b"")
    large = bytearray(ours[1].read_bytes())
    large[16:24] = (20_000).to_bytes(4, "big") * 2
    ours[1].write_bytes(large)
    found = images.of_run(classifier(place), "validation", 100)
    assert found.encoded == tuple(path.read_bytes() for path in ours[2:])
    assert found.labels.tolist() == [labels[path] for path in ours[2:]]
    assert found.origin.endswith(
        "4 of the 6 validation images of folder, 2 passed over that cannot be read"
    )
    for path in ours:
        path.write_bytes(b"")
    with pytest.raises(ExportError, match="expected validation images that can be read"):
        images.of_run(classifier(place), "validation", 100)


def test_an_export_on_other_classes_publishes_nothing(folder, tmp_path):
    place, _ = folder
    source = classifier(place)
    network = zoo.Network("resnet8", 2, 8, "A")
    facts = source.facts["data"]
    manifest = archive.Manifest(network, source.contract, ("cat", "dog"), data=facts)
    archive.save(source.model, manifest, tmp_path / "run")
    for split in ("train", "validation"):
        shutil.rmtree(place / split / "cat")
    arguments = [f"--run_dir={tmp_path / 'run'}", f"--output_dir={tmp_path / 'out'}"]
    done = programs.run("export.saved_model", *arguments)
    assert done.returncode == 1 and "without 'cat'" in done.stderr
    assert len(done.stderr.splitlines()) == 1 and not (tmp_path / "out").exists()


def test_pixels_in_memory_are_sent_as_lossless_files():
    found = images.of_run(export_networks.digits_classifier(), "validation", 37)
    assert len(found) == 37 and found.pixels.shape == (37, 8, 8, 3)
    decoded = [np.asarray(PIL.Image.open(io.BytesIO(content))) for content in found.encoded]
    np.testing.assert_array_equal(decoded, found.pixels)


def test_a_network_without_data_is_tried_on_photographs():
    model = zoo.build("resnet8", image_size=32)
    nameless = Classifier(model, InputContract(32, 36), export_networks.NAMES)
    found = images.of_run(nameless, "validation", 20)
    assert found.pixels.shape == (20, 32, 32, 3) and found.labels is None
    assert np.std(found.pixels, axis=(1, 2, 3)).min() > 5  # no blank walls
    again = images.of_run(nameless, "validation", 20)
    assert again.encoded == found.encoded


def test_an_exporter_names_the_picture_that_it_passed_over(folder, tmp_path):
    """By command: a file that is cut short does not end it; `export.command` is every format's."""
    place, labels = folder
    broken = next(path for path in sorted(labels) if "valid" in str(path))
    broken.write_bytes(broken.read_bytes()[:50])
    source = classifier(place)
    network = zoo.Network("resnet8", 2, 8, "A")
    archive.save(source.model, archive.Manifest(network, source.contract, ("cat", "dog")), place)
    arguments = [f"--run_dir={place}", f"--data_dir={place}", f"--output_dir={tmp_path / 'out'}"]
    done = programs.run("export.onnx", *arguments)
    assert done.returncode == 0, done.stderr
    assert "compared on 5 of the 6 validation images" in done.stdout
    notes = [line for line in done.stderr.splitlines() if line.startswith("NOTE: ")]
    assert notes[0].endswith(f"1 of the pictures cannot be read and were passed over: {broken}")
