"""Exif's eight orientations wherever bytes become pixels, against Pillow's `exif_transpose`."""

import dataclasses
import io
import struct

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageOps

from export import requests
from trainers.data import pipelines
from trainers.data.augment import Augmentation, windows
from trainers.data.sources import folder
from zoo import orientation, preprocess
from zoo.preprocess import InputContract

TURNS = range(1, 9)
EXIF = InputContract(16, 20, orientation="exif")
IGNORED = dataclasses.replace(EXIF, orientation="ignored")
SEGMENT = {"ICC": b"\xff\xe2", "XMP": b"\xff\xe1", "JFIF": b"\xff\xe0", "note": b"\xff\xfe"}


def photograph(height=43, width=59):
    rng = np.random.default_rng(0)
    small = Image.fromarray(rng.integers(0, 256, (5, 7, 3), dtype=np.uint8))
    return small.resize((width, height), Image.Resampling.BICUBIC)


def jpeg(turn=None, endian=None, before=(), subsampling=0):
    """A JPEG with the tag as Pillow writes it, or with a directory of ours in a byte order."""
    stream, options = io.BytesIO(), {"quality": 95, "subsampling": subsampling}
    if turn is not None and endian is None:
        exif = Image.Exif()
        exif[0x010F] = "a maker's name, which is longer than the four bytes of its entry"
        exif[orientation.TAG] = turn
        options["exif"] = exif
    photograph().save(stream, "JPEG", **options)
    content = stream.getvalue()
    if endian:
        tiff = {"<": b"II", ">": b"MM"}[endian] + struct.pack(
            f"{endian}HIHHHIHHHHIHH", 42, 8, 2, 256, 3, 1, 59, 0, 274, 3, 1, turn, 0
        )
        content = content[:2] + segment(b"\xff\xe1", b"Exif\0\0" + tiff) + content[2:]
    return content[:2] + b"".join(before) + content[2:]


def segment(marker, content):
    return marker + struct.pack(">H", len(content) + 2) + content


def upright(content):
    """Pillow's: the stored pixels as TensorFlow decodes them, turned by Pillow."""
    stored = Image.fromarray(tf.io.decode_image(content, channels=3).numpy())
    stored.getexif()[orientation.TAG] = Image.open(io.BytesIO(content)).getexif().get(274, 1)
    return np.asarray(ImageOps.exif_transpose(stored))


in_graph = tf.function(orientation.orientation, input_signature=[tf.TensorSpec((), tf.string)])


@pytest.mark.parametrize("read", [orientation.orientation, in_graph])
@pytest.mark.parametrize("turn", TURNS)
def test_the_tag_is_read(turn, read):
    assert read(jpeg(turn)) == turn
    for endian in "<>":
        assert read(jpeg(turn, endian)) == turn
        others = [segment(marker, b"http://ns.adobe.com" * 99) for marker in SEGMENT.values()]
        assert read(jpeg(turn, endian, others)) == turn


def test_what_says_nothing_is_upright():
    tagged = jpeg(6)
    at = tagged.index(b"Exif\0\0")
    rng = np.random.default_rng(0)
    broken = [
        *(jpeg(), jpeg(0), jpeg(9), jpeg(0, ">"), jpeg(65535, "<"), b"", b"\xff\xd8\xff"),
        *(tagged[:length] for length in range(0, at + 12)),
        *(tagged[: at + 6] + rng.bytes(8) + bytes(999) for _ in range(9)),
        jpeg(before=[segment(SEGMENT["note"], b"")] * 40),
        b"\xff\xd8" + b"\xff\xe1\0\0" * 999,  # segments that claim no length
    ]
    for content in broken:
        assert in_graph(content) == 1
    for form in ("PNG", "GIF", "BMP", "WEBP"):
        stream = io.BytesIO()
        photograph().save(stream, form)
        assert in_graph(stream.getvalue()) == 1


@pytest.mark.parametrize("turn", TURNS)
def test_pixels_are_turned_as_pillow_turns_them(turn):
    content = jpeg(turn)
    expected = upright(content)
    assert expected.shape == ((59, 43, 3) if turn > 4 else (43, 59, 3))
    np.testing.assert_array_equal(preprocess.read(content, EXIF), expected)
    np.testing.assert_array_equal(preprocess.read(content, IGNORED), preprocess.decode(content))
    prepared = preprocess.resize_crop(expected, EXIF)
    np.testing.assert_array_equal(preprocess.prepare(content, EXIF), prepared)
    served, ok = requests.prepare(tf.constant([content, b"none"]), EXIF)
    assert ok.numpy().tolist() == [True, False]
    np.testing.assert_array_equal(served[0], prepared)


def other(form, turn):
    """A lossless PNG or WebP with the tag, as Pillow writes it."""
    stream, exif = io.BytesIO(), Image.Exif()
    exif[0x010F], exif[orientation.TAG] = "a maker's name of some length", turn
    photograph().save(stream, form, exif=exif, **({"lossless": True} if form == "WEBP" else {}))
    return stream.getvalue()


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_other_formats_are_turned_as_pillow_turns_them(form, turn):
    content = other(form, turn)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content)).convert("RGB")))
    np.testing.assert_array_equal(preprocess.read(content, EXIF), expected)
    np.testing.assert_array_equal(preprocess.read(content, IGNORED), preprocess.decode(content))
    assert in_graph(content) == turn
    box = (2, 3, 20, 8)
    window = cut(tf.constant(content), tf.constant(box))
    np.testing.assert_array_equal(window, expected[2:22, 3:11])
    if form == "WEBP":  # some writers begin as in a JPEG
        at = content.index(b"EXIF")
        size = int.from_bytes(content[at + 4 : at + 8], "little") + 6
        named = content[: at + 4] + size.to_bytes(4, "little") + b"Exif\0\0" + content[at + 8 :]
        assert in_graph(named) == turn


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_broken_chunks_say_nothing(form):
    content, rng = other(form, 6), np.random.default_rng(0)
    at = content.index(b"eXIf" if form == "PNG" else b"EXIF")
    for end in range(0, at + 4):
        assert in_graph(content[:end]) == 1
    head = content[: 8 if form == "PNG" else 12]
    for chunk in (b"\xff" * 8, bytes(8), b"\x7f\xff\xff\xff" * 2, b"\x80\0\0\0" * 2):
        assert in_graph(head + chunk * 200) == 1
    for _ in range(9):
        assert 1 <= in_graph(head + rng.bytes(999)) <= 8


cut = tf.function(lambda image, box: windows.cut(image, lambda _: box, "exif"))


def test_an_artifact_turns_them_by_itself(tmp_path):
    """As `serve_bytes` prepares its images, saved and loaded; without a tag the bits stay."""
    module = tf.Module()
    spec = tf.TensorSpec((None,), tf.string)
    module.prepare = tf.function(lambda x: requests.prepare(x, EXIF), input_signature=[spec])
    tf.saved_model.save(module, str(tmp_path))
    images, ok = tf.saved_model.load(str(tmp_path)).prepare([jpeg(), *map(jpeg, TURNS)])
    assert ok.numpy().all()
    np.testing.assert_array_equal(images[0], preprocess.prepare(jpeg(), IGNORED))
    for turn in TURNS:
        expected = preprocess.resize_crop(upright(jpeg(turn)), EXIF)
        np.testing.assert_array_equal(images[turn], expected)


@pytest.mark.parametrize("subsampling", [0, 2])
@pytest.mark.parametrize("turn", TURNS)
def test_windows_are_those_of_the_turned_picture(turn, subsampling):
    """No more of the JPEG is decoded, and not a pixel differs, at any edge."""
    content = jpeg(turn, subsampling=subsampling)
    whole = preprocess.read(content, EXIF)
    height, width, _ = whole.shape
    for box in [(0, 0, height, width), (0, 0, 7, 9), (height - 5, width - 3, 5, 3), (11, 4, 20, 8)]:
        expected = windows.sliced(whole, tf.constant(box))
        np.testing.assert_array_equal(cut(tf.constant(content), tf.constant(box)), expected)


def middle(images):
    return tf.cast(images[:, 1:41, 1:41], tf.float32)


@pytest.mark.parametrize("kind", ["scale_jitter", "random_resized_crop", "evaluation", "views"])
def test_training_and_evaluation_see_them_upright(tmp_path, kind):
    """Each orientation beside its turned pixels in a PNG: the same batch, and not without Exif."""
    for turn in TURNS:
        content = jpeg(turn)
        (tmp_path / f"{turn}.jpg").write_bytes(content)
        Image.fromarray(upright(content)).save(tmp_path / f"{turn}.png")

    def batch(suffix, contract):
        paths = [str(tmp_path / f"{turn}{suffix}") for turn in TURNS]
        source = folder.source("folder", "train", ("a",), paths, [0] * len(paths))
        if kind == "evaluation":
            made = pipelines.evaluate(source, contract, batch_size=8)
        elif kind == "views":
            made = pipelines.evaluate(source, contract, batch_size=8, look=middle)
        else:
            random_half = Augmentation(kind, scale_range=(18, 30))
            steps = dict(batch_size=8, seed=1, steps=(0, 1))
            made = pipelines.train(source, contract, random_half, **steps)
        return next(iter(made))[0].numpy()

    ours, turned = batch(".jpg", EXIF), batch(".png", EXIF)
    np.testing.assert_array_equal(ours, turned)
    assert np.abs(batch(".jpg", IGNORED) - np.float32(turned)).max() > 50


def test_contracts_of_before_do_not_turn():
    assert InputContract(8, 8).orientation == "ignored"
    with pytest.raises(ValueError, match="orientation: expected one of"):
        InputContract(8, 8, orientation="up")
