"""The deterministic way of an image, against PIL and by hand."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from zoo import preprocess
from zoo.preprocess import InputContract


def photograph(height, width):
    """Smooth, coloured, asymmetric: (H, W, 3) uint8."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin(x / 9) + y / height, np.cos(y / 7) + x / width, np.sin((x + 2 * y) / 11)]
    stack = np.stack(waves, axis=-1)
    stack = (stack - stack.min()) / np.ptp(stack)
    return np.round(stack * 255).astype("uint8")


def encoded(image, kind="PNG", **options):
    file = io.BytesIO()
    Image.fromarray(image).save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("method, pil", [("bilinear", Image.BILINEAR), ("bicubic", Image.BICUBIC)])
@pytest.mark.parametrize("height, width", [(100, 160), (161, 90), (40, 56)])
def test_resize_and_crop_agree_with_pil(method, pil, height, width):
    """PIL in floating point, where it rounds nothing; 1e-3 of 255 is float32's own rounding."""
    image = photograph(height, width)
    contract = InputContract(image_size=56, resize_px=64, method=method)
    scale = 64 / min(height, width)
    size = (round(width * scale), round(height * scale))
    channels = [Image.fromarray(image[..., c].astype("float32")) for c in range(3)]
    expected = np.stack([np.array(channel.resize(size, pil)) for channel in channels], axis=-1)
    top, left = (size[1] - 56) // 2, (size[0] - 56) // 2
    expected = np.clip(expected[top : top + 56, left : left + 56], 0, 255)
    np.testing.assert_allclose(preprocess.resize_crop(image, contract), expected, atol=1e-3)
    plain = preprocess.resize_crop(image, InputContract(56, 64, method, antialias=False))
    if min(height, width) > 64:  # the choice matters when shrinking
        assert np.abs(plain - expected).max() > 0.5


def test_an_image_of_the_right_size_is_not_touched():
    image = photograph(32, 32)
    np.testing.assert_array_equal(preprocess.resize_crop(image, InputContract(32, 32)), image)


def test_centre_crop_alone():
    image = photograph(40, 33)
    crop = preprocess.resize_crop(image, InputContract(29, 33))
    np.testing.assert_array_equal(crop, image[5:34, 2:31])


@pytest.mark.parametrize("height, width", [(1, 1), (1, 300), (7, 2)])
def test_tiny_and_thin_images_fill_the_crop(height, width):
    image = np.full((height, width, 3), 77, "uint8")
    ours = preprocess.resize_crop(image, InputContract(24, 24))
    np.testing.assert_allclose(ours, np.full((24, 24, 3), 77.0), atol=1e-4)


def test_bicubic_overshoot_is_cut():
    image = np.zeros((8, 8, 3), "uint8")
    image[:, 4:] = 255
    ours = np.array(preprocess.resize_crop(image, InputContract(32, 32, "bicubic")))
    assert ours.min() == 0.0 and ours.max() == 255.0


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "JPEG"])
def test_decoding_agrees_with_pil(kind):
    data = encoded(photograph(20, 30), kind)
    expected = np.array(Image.open(io.BytesIO(data)).convert("RGB"))
    ours = np.array(preprocess.decode(data)).astype(int)
    # Two JPEG decoders may differ in the last places of their inverse transform.
    assert np.abs(ours - expected).max() <= (4 if kind == "JPEG" else 0)


def test_grey_becomes_rgb_and_text_is_refused():
    grey = photograph(9, 9)[..., 0]
    np.testing.assert_array_equal(preprocess.decode(encoded(grey)), np.stack([grey] * 3, -1))
    with pytest.raises(tf.errors.InvalidArgumentError):
        preprocess.decode(b"not an image")


def test_eager_and_mapped_are_the_same():
    data = encoded(photograph(50, 70))
    contract = InputContract(24, 32)
    mapped = tf.data.Dataset.from_tensors(data).map(lambda x: preprocess.prepare(x, contract))
    np.testing.assert_array_equal(next(iter(mapped)), preprocess.prepare(data, contract))


def test_contract_that_cannot_be_met():
    with pytest.raises(ValueError, match="resize method: expected one of .* got 'nearest'"):
        InputContract(24, 32, "nearest")
    with pytest.raises(ValueError, match="expected 1 <= image_size <= resize_px, got 40 and 32"):
        InputContract(40, 32)
