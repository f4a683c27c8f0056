"""What a detector's contract makes of pictures, beside Pillow and arithmetic by hand."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageOps

from zoo import headers
from zoo.detection import preprocess
from zoo.detection.preprocess import DetectionInput

SIZES = [  # of a picture, and what 600 / 1000 makes of it
    ((480, 640), (600, 800)),  # by 1.25
    ((640, 480), (800, 600)),
    ((375, 500), (600, 800)),  # VOC's commonest, by 1.6
    ((333, 500), (600, 901)),  # 900.9 upwards
    ((300, 1000), (300, 1000)),  # the longer side bounds: 600 would make it 2,000
    ((100, 801), (125, 1000)),  # 124.84
    ((1, 65_535), (1, 1000)),  # never nothing
    ((600, 1000), (600, 1000)),
    ((7, 7), (600, 600)),
    ((1200, 1201), (600, 601)),  # 600.5: halves go up, as in detectron2's int(x + 0.5)
]


@pytest.mark.parametrize(("size", "expected"), SIZES)
def test_the_shorter_side_is_resized_unless_the_longer_forbids_it(size, expected):
    contract = DetectionInput()
    assert tuple(preprocess.scaled_size(size, contract).numpy()) == expected
    inside = tf.function(lambda sides: preprocess.scaled_size(sides, contract))
    assert tuple(inside(tf.constant(size)).numpy()) == expected


def test_many_sizes_at_once_each_with_its_own_shorter_side():
    sizes = tf.constant([size for size, _ in SIZES])
    together = preprocess.fitted(sizes, tf.fill([len(SIZES)], 600), 1000)
    np.testing.assert_array_equal(together, [expected for _, expected in SIZES])
    two = preprocess.fitted([(50, 80), (50, 80)], tf.constant([100, 25]), 200)
    np.testing.assert_array_equal(two, [(100, 160), (25, 40)])


def picture(height=40, width=56):
    rng = np.random.default_rng(0)
    small = Image.fromarray(rng.integers(0, 256, (5, 7, 3), dtype=np.uint8))
    return small.resize((width, height), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("shorter", [20, 61])
def test_resized_as_pillow_does(shorter):
    contract = DetectionInput(shorter, 200)
    pixels = np.array(picture())
    made = preprocess.resize(pixels, contract).numpy()
    size = made.shape[1], made.shape[0]
    channels = [Image.fromarray(pixels[..., c].astype("float32")) for c in range(3)]
    expected = [np.array(channel.resize(size, Image.Resampling.BILINEAR)) for channel in channels]
    np.testing.assert_allclose(made, np.stack(expected, -1), atol=1e-3)


@pytest.mark.parametrize("turn", [1, 3, 6, 8])
def test_a_picture_is_prepared_as_it_is_seen(turn):
    stream, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = turn
    picture().save(stream, "JPEG", quality=95, subsampling=0, exif=exif)
    seen = np.array(ImageOps.exif_transpose(Image.open(stream)))
    contract = DetectionInput(40, 56)
    pixels, size = preprocess.prepare(stream.getvalue(), contract)
    assert tuple(size.numpy()) == seen.shape[:2] == tuple(pixels.shape[:2])
    assert np.abs(pixels - seen).mean() < 3  # decoders round differently; turned it is > 50


def test_what_claims_too_much_is_refused(monkeypatch):
    content = tf.io.encode_png(np.zeros((9, 9, 3), np.uint8))
    preprocess.prepare(content, DetectionInput(4, 8))
    monkeypatch.setattr(headers, "MAX_PIXELS", 80)
    with pytest.raises(tf.errors.InvalidArgumentError):
        preprocess.prepare(content, DetectionInput(4, 8))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"shorter_px": 800, "longer_px": 600}, "shorter_px <= longer_px.*800 and 600"),
        ({"shorter_px": 3}, "from 4 to 8192"),
        ({"longer_px": 9000}, "from 4 to 8192"),
        ({"shorter_px": 600.0}, "whole number"),
        ({"method": "area"}, "bilinear.*'area'"),
        ({"orientation": "ignored"}, "'exif' for boxes, got 'ignored'"),
    ],
)
def test_what_cannot_be_meant_is_said(fields, told):
    with pytest.raises(ValueError, match=told):
        DetectionInput(**fields)
