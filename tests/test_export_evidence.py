"""What an export is judged by, calibrated on and published with: whose pictures, and no secrets."""

import dataclasses
import io

import export_networks
import numpy as np
import PIL.Image
import programs
import pytest

import zoo
from export import by_class, command_line, formats, images, publish, samples, stripped
from export.classifier import Classifier
from export.errors import ExportError
from trainers.data.sources import DataError
from zoo.preprocess import InputContract

IMPORTED = {"data": {"imported": {"file": "some.pth", "head": "the file's"}}}
CLASSES = ("cat", "dog", "owl")


@pytest.fixture
def folder(tmp_path):
    """Three classes, 20 pictures each to hold out and 4 to train on; one is in both."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 4), ("validation", 20)):
        for name in CLASSES:
            place = tmp_path / "photos" / split / name
            place.mkdir(parents=True)
            for number in range(count):
                noise = rng.integers(0, 256, (8, 8, 3), np.uint8)
                PIL.Image.fromarray(noise).save(place / f"{number:02}.png")
    photos = tmp_path / "photos"
    (photos / "validation/cat/00.png").write_bytes((photos / "train/cat/00.png").read_bytes())
    return photos


def imported(**more):
    model = export_networks.randomised(zoo.build("resnet8", num_classes=3, image_size=8))
    return Classifier(model, InputContract(8, 8), CLASSES, {**IMPORTED, **more})


def test_an_imported_network_is_judged_by_the_pictures_it_is_given(folder):
    asked = images.Asked(data_dir=str(folder))
    evidence = images.gather(imported(), asked, 100, calibrate=9)
    assert len(evidence.held_out) == 59 and len(evidence.calibration) == 9
    assert "1 left out that are copies" in evidence.held_out.origin
    assert not set(evidence.held_out.encoded) & set(evidence.calibration.encoded)
    assert sorted(evidence.calibration.labels) == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert evidence.calibration.origin == "9 of the 12 train images of folder"


def test_a_place_that_is_none_is_refused():
    for asked in (images.Asked(data_dir="/nowhere/at/all"), images.Asked("folder", "/nowhere")):
        with pytest.raises(DataError, match="expected a directory of class folders, got /nowhere"):
            images.gather(imported(), asked, 10)


def test_ranges_are_not_measured_on_pictures_of_anything():
    with pytest.raises(ExportError, match="--data_dir=DIR with a folder a class, or take --quant"):
        images.gather(imported(), images.OWN, 10, calibrate=5)
    evidence = images.gather(imported(), images.OWN, 10)
    assert not evidence.held_out.own and "for want of the network's own" in evidence.held_out.origin


def test_what_is_shown_is_of_every_class(folder):
    """A sorted folder's first sixteen would all be cats."""
    held_out = images.gather(imported(), images.Asked(data_dir=str(folder)), 100).held_out
    assert by_class.spread(held_out, 16).labels.tolist() == [0, 1, 2] * 5 + [0]
    assert by_class.spread(held_out, 2).labels.tolist() == [0, 2]
    shown = samples.of_pictures(held_out, InputContract(8, 8), lambda x: np.zeros((len(x), 3)))
    assert set(shown.shown.labels) == {0, 1, 2} and len(shown.encoded) == 16


def test_what_serve_bytes_would_refuse_is_passed_over_and_named(folder):
    """Also one that is gone, or that evaluation decodes although its header claims no size."""
    place = folder / "validation" / "dog"
    (place / "03.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    source = imported()
    read = images.of_run(source, "validation", 100, images.Asked(data_dir=str(folder)))
    assert [name.partition("\t")[2] for name in read.passed_over] == [str(place / "03.png")]
    assert len(read) == 59 and "1 passed over that cannot be read" in read.origin
    noted = []
    served = images.serves([b"GIF89a", read.encoded[0]], [7, 8], source.contract, Noted(noted))
    assert served.tolist() == [False, True] and noted == [7]


class Noted:
    def __init__(self, found):
        self.add = found.append


def test_none_of_the_pictures_need_be_published(tmp_path):
    """Neither as samples, nor drawn, nor in a server's warm-up; verify still has its requests."""
    from export import check, recheck

    source = export_networks.digits_classifier()
    evidence = images.Evidence(images.of_run(source, "validation", 40))
    form = formats.find("saved_model")
    target, _ = publish.publish(source, form, evidence, tmp_path / "out", pictures=False)
    content = b"".join(path.read_bytes() for path in target.rglob("*") if path.is_file())
    assert not any(file in content for file in evidence.held_out.encoded)
    assert not (target / "predictions.png").exists()
    assert "No pictures are published" in (target / "MODEL_CARD.md").read_text()
    assert check.problems(target) == recheck.wrong_answers(target) == []
    with np.load(target / "samples" / "reference.npz") as stored:
        assert not any((stored["pixels"] == x).all() for x in evidence.held_out.pixels)


# -- what cameras note

SECRET = b"52.3702N 4.8952E"


def noted(kind, **more):
    stream = io.BytesIO()
    gradient = np.uint8(np.add.outer(np.arange(24) * 5, np.arange(40) * 3)[..., None] + [0, 9, 30])
    PIL.Image.fromarray(gradient).save(stream, kind, **more)
    return stream.getvalue()


def with_exif(turn):
    found = PIL.Image.Exif()
    found[0x0112] = turn
    found.get_ifd(0x8825)[29] = SECRET.decode()
    found[0x010E] = SECRET.decode()
    return found.tobytes()


def png_text():
    from PIL import PngImagePlugin

    info = PngImagePlugin.PngInfo()
    info.add_text("place", SECRET.decode())
    return info


PICTURES = {
    "jpeg": lambda: noted("JPEG", exif=with_exif(6), comment=SECRET, progressive=True) + SECRET,
    "png": lambda: noted("PNG", pnginfo=png_text(), exif=with_exif(1)),
    "webp": lambda: noted("WEBP", exif=with_exif(1), xmp=SECRET, lossless=True),
    "gif": lambda: noted("GIF", comment=SECRET),
}


@pytest.mark.parametrize("orientation", ["exif", "ignored"])
@pytest.mark.parametrize("kind", PICTURES)
def test_what_cameras_note_is_not_published(kind, orientation):
    """Read back by Pillow: no secret, the way up where it is heeded, and the same pixels."""
    contract = InputContract(8, 8, orientation=orientation)
    before = PICTURES[kind]()
    assert SECRET in before
    after = stripped.stripped(before, contract)
    assert SECRET not in after and (kind == "gif" or after[:2] == before[:2])
    pictures = [PIL.Image.open(io.BytesIO(content)) for content in (before, after)]
    turn = pictures[1].getexif().get(0x0112, 1)
    assert turn == (6 if (kind, orientation) == ("jpeg", "exif") else 1)
    assert set(pictures[1].getexif()) <= {0x0112}
    np.testing.assert_array_equal(*(np.asarray(picture.convert("RGB")) for picture in pictures))


def test_a_card_does_not_say_where_pictures_are(monkeypatch):
    import sys
    import types

    main = types.SimpleNamespace(__spec__=types.SimpleNamespace(name="export.onnx"))
    monkeypatch.setitem(sys.modules, "__main__", main)
    monkeypatch.setattr(sys, "argv", ["x", "--data_dir=/home/me/children", "--images=3"])
    assert command_line.shown() == "python -m export.onnx --data_dir=... --images=3"


# -- networks without a head


OTHERS = [pytest.param(form, marks=pytest.mark.exhaustive) for form in ("onnx", "tflite-none")]


@pytest.mark.parametrize("form", ["saved_model", "tflite-int8", *OTHERS])
def test_a_network_without_a_head_exports_its_features(form, tmp_path):
    """Zeros for a head, as the importer leaves them: the mean over each last map is what counts."""
    whole = export_networks.digits_classifier()
    model = zoo.build("resnet8", image_size=8, mean="pixel")
    model.set_weights([*whole.model.get_weights()[:-2], np.zeros((64, 10)), np.zeros(10)])
    facts = {"data": {**whole.facts["data"], "imported": {"head": "zeros"}}}
    headless = dataclasses.replace(whole, model=model, facts=facts)
    evidence = images.gather(headless, images.OWN, 20, calibrate=20)
    target, _ = publish.publish(headless, formats.find(form), evidence, tmp_path / "out")
    loaded = formats.find(form).load(target)
    maps = zoo.features(whole.model, ["conv4"])(evidence.held_out.pixels)["conv4"].numpy()
    expected = maps.mean(axis=(1, 2))
    found = loaded.pixels(evidence.held_out.pixels)
    error = np.sqrt(np.mean((found - expected) ** 2) / np.mean(expected**2))
    assert found.shape == (20, 64) and error < (0.1 if form == "tflite-int8" else 1e-5)
    outputs = loaded.interface["serving_default"]["outputs"]
    assert set(outputs) == {"features"} and not (target / "labels.txt").exists()
    assert "without a head" in (target / "MODEL_CARD.md").read_text()


def test_a_network_of_zeros_is_not_compared():
    from export import parity

    with pytest.raises(ValueError, match="answers every image with zeros"):
        parity.compare(np.zeros((3, 5)), np.zeros((3, 5)))


def test_an_int8_file_without_pictures_is_refused_at_the_door(tmp_path):
    from zoo import archive

    source = imported()
    network = zoo.Network("resnet8", 3, 8, "A")
    manifest = archive.Manifest(network, source.contract, CLASSES, data=IMPORTED["data"])
    archive.save(source.model, manifest, tmp_path / "run")
    arguments = [f"--run_dir={tmp_path / 'run'}", "--quantize=int8"]
    done = programs.run("export.tflite", *arguments, cwd=tmp_path)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert "give --data_dir=DIR" in done.stderr and len(done.stderr) <= 300
    assert not (tmp_path / "artifacts").exists()
