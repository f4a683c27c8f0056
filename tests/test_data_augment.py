"""The random half against brute force in numpy and against TensorFlow's plain resize."""

import io
import itertools

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from sklearn.datasets import load_sample_image

from trainers.data import augment
from trainers.data.augment import regions, windows
from zoo import preprocess

RANDOM = np.random.default_rng(0)


def twice(function, *arrays):
    """`function` eagerly and inside Dataset.map, which must agree bit for bit."""
    eager = function(*map(tf.constant, arrays)).numpy()
    dataset = tf.data.Dataset.from_tensors(arrays).map(lambda *row: function(*row))
    np.testing.assert_array_equal(next(dataset.as_numpy_iterator()), eager)
    return eager


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_pad_crop_mirror_gives_every_legal_crop(dtype):
    pad_px, fill = 2, (7, 100, 201)
    choices = list(itertools.product(range(5), range(5), (True, False)))
    images = RANDOM.integers(0, 256, (len(choices), 6, 8, 3)).astype(dtype)
    uniforms = [((t + 0.5) / 5, (left + 0.5) / 5, 0.2 if m else 0.7) for t, left, m in choices]
    got = twice(
        lambda i, u: augment.pad_crop_mirror(i, u, pad_px, fill),
        images,
        np.array(uniforms, np.float32),
    )
    assert got.dtype == dtype
    for image, (top, left, mirror), crop in zip(images, choices, got, strict=True):
        padded = np.empty((10, 12, 3), dtype)
        padded[:] = fill
        padded[2:8, 2:10] = image
        expected = padded[top : top + 6, left : left + 8]
        np.testing.assert_array_equal(crop, expected[:, ::-1] if mirror else expected)


def test_pad_crop_offsets_are_uniform():
    """The offsets of 9,000 images, read off a picture of its own coordinates."""
    rows, columns = np.meshgrid(np.arange(20), np.arange(20), indexing="ij")
    image = np.stack([rows, columns, columns], axis=-1).astype(np.int32)
    uniforms = RANDOM.random((9000, 3), np.float32)
    crops = augment.pad_crop_mirror(np.stack([image] * 9000), uniforms, 4, (-1, -1, -1)).numpy()
    top_left = crops[:, 10, 10, :2] - 10  # where the centre came from
    mirrored = crops[:, 10, 10, 1] > crops[:, 10, 11, 1]
    top_left[mirrored, 1] += 1
    for axis in (0, 1):
        values, counts = np.unique(top_left[:, axis], return_counts=True)
        assert values.tolist() == list(range(-4, 5))
        assert np.abs(counts - 1000).max() < 150  # 5 standard deviations
    assert abs(mirrored.mean() - 0.5) < 0.03


def test_the_mean_colour_is_rounded_for_whole_pixels():
    image = np.zeros((1, 2, 2, 3), np.uint8)
    uniforms = np.array([[0.0, 0.0, 0.9]], np.float32)
    crop = augment.pad_crop_mirror(image, uniforms, 2, (125.3, 122.95, 113.87)).numpy()
    assert crop[0, 0, 0].tolist() == [125, 123, 114]


def bilinear(image, length):
    """Rows at pixel centres, clamped at the border: (H, W, 3) -> (length, W, 3) float64."""
    place = (np.arange(length) + 0.5) * (len(image) / length) - 0.5
    lower = np.floor(place).astype(int)
    weight = (place - lower)[:, None, None]
    low, high = (np.take(image, lower + i, axis=0, mode="clip").astype(float) for i in (0, 1))
    return low * (1 - weight) + high * weight


def window_by_hand(shape, draw, size, scale_range):
    """Top, left and side of scale jitter's window in the picture's own pixels."""
    shorter = scale_range[0] + int(draw[3] * (scale_range[1] - scale_range[0] + 1))
    pixels = min(shape) / shorter  # of the picture for one of the resized
    scaled = np.round(np.array(shape) / pixels)
    side = max(1, min(round(size * pixels), min(shape)))
    places = np.round((draw[:2] * (scaled - size + 1)).astype(int) * pixels).astype(int)
    return *np.minimum(places, np.array(shape) - side), side


# Landscape, portrait and square; shrunk and enlarged; every corner of the random numbers.
@pytest.mark.parametrize("shape", [(60, 97), (97, 60), (32, 32), (20, 31), (150, 143)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_scale_jitter_is_a_window_then_a_mirror_then_a_resize(shape, dtype):
    size, scale_range = 24, (32, 60)
    image = RANDOM.integers(0, 256, (*shape, 3)).astype(dtype)
    draws = [np.full(4, 0.0), np.full(4, 1 - 2**-24), *RANDOM.random((6, 4))]
    for draw in np.array(draws, np.float32):
        got = twice(lambda i, u: windows.scale_jitter(i, u, size, scale_range), image, draw)
        top, left, side = window_by_hand(shape, draw, size, scale_range)
        window = image[top : top + side, left : left + side]
        window = window[:, ::-1] if draw[2] < 0.5 else window
        expected = bilinear(bilinear(window, size).swapaxes(0, 1), size).swapaxes(0, 1)
        assert got.dtype == np.float32
        # Sampling places are float32: off by 1e-5 of a pixel, times steps of 255 in this noise.
        np.testing.assert_allclose(got, expected, atol=0.01)


def photograph(**options):
    """400 x 500 px of a real one, as a JPEG."""
    out = io.BytesIO()
    Image.fromarray(load_sample_image("china.jpg")[:400, :500]).save(out, "JPEG", **options)
    return tf.constant(out.getvalue())


@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"progressive": True}], ids=str)
def test_of_a_jpeg_the_window_alone_is_decoded_to_the_same_pixels(options):
    """By the whole picture, decoded and cut; windows at its borders and inside."""
    encoded = photograph(quality=85, **options)
    whole = tf.io.decode_jpeg(encoded, channels=3)
    corners = [np.full(4, 0.0), np.full(4, 1 - 2**-24), np.array([0, 1 - 2**-24, 0.7, 0.5])]
    for draw in np.array([*corners, *RANDOM.random((12, 4))], np.float32):
        from_bytes = windows.scale_jitter(encoded, draw, 224)
        np.testing.assert_array_equal(from_bytes, windows.scale_jitter(whole, draw, 224))
        more = RANDOM.random(regions.CROP_DRAWS).astype(np.float32)
        from_bytes = windows.random_resized_crop(encoded, draw, more, 224)
        from_pixels = windows.random_resized_crop(whole, draw, more, 224)
        np.testing.assert_array_equal(from_bytes, from_pixels)


def test_the_window_is_the_papers_crop_but_for_rounding():
    """Where each pixel comes from, beside the whole picture resized and then cropped."""
    rows, columns = np.mgrid[:400, :500].astype(np.float32)
    places = np.stack([rows, columns, columns], axis=2)
    for draw in RANDOM.random((20, 4)).astype(np.float32):
        draw[2] = 0.9  # not mirrored
        scaled = np.round(np.array([400, 500]) * (256 + int(draw[3] * 225)) / 400).astype(int)
        top, left = (draw[:2] * (scaled - 224 + 1)).astype(int)
        plain = tf.image.resize(places, scaled)[top : top + 224, left : left + 224]
        off = np.abs(windows.scale_jitter(places, draw, 224) - plain)
        # Half a pixel each: the window's corner, its side, and the resized picture's longer side.
        assert off.max() <= 1.5


def test_scale_jitter_reaches_both_ends_and_refuses_a_crop_larger_than_the_image():
    image = np.zeros((300, 400, 3), np.uint8)
    for draw, shorter in ((0.0, 256), (1 - 2**-24, 480)):
        side = 256 + windows.integers(tf.constant(draw), 480 - 256 + 1)
        assert int(side) == shorter
    with pytest.raises(ValueError, match="crop size"):
        windows.scale_jitter(image, np.zeros(4), 257)


def test_pca_color_against_numpy():
    """AlexNet, Sec. 4.1: add [p1 p2 p3] [a1 l1, a2 l2, a3 l3]', eigenvectors as columns."""
    vectors = np.array(augment.PCA_EIGENVECTORS)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(3), atol=5e-4)  # four printed digits
    images = RANDOM.integers(0, 256, (4, 5, 6, 3)).astype(np.uint8)
    normals = RANDOM.standard_normal((4, 3)).astype(np.float32)
    shift = (0.1 * normals * np.array([55.46, 4.794, 1.148])) @ vectors.T
    expected = images + shift[:, None, None, :]
    got = twice(augment.pca_color, images, normals)
    np.testing.assert_allclose(got, expected, atol=1e-4)  # float32 at 255
    np.testing.assert_array_equal(twice(augment.pca_color, images[1], normals[1]), got[1])


def test_the_largest_component_is_brightness():
    """One positive or negative shift of all three colours: it fails if R, G, B were mixed up."""
    grey = np.zeros((1, 1, 3), np.uint8)
    shift = augment.pca_color(grey, np.array([1.0, 0, 0], np.float32)).numpy()[0, 0]
    np.testing.assert_allclose(shift, [-3.147, -3.221, -3.237], atol=1e-3)  # 5.546 * column 1


def test_augmentation_names_what_it_knows():
    with pytest.raises(ValueError, match="scale_jitter"):
        augment.Augmentation("rotate")


@pytest.mark.parametrize("kind", augment.KINDS)
def test_apply_gives_the_networks_size(kind):
    contract = preprocess.InputContract(image_size=8, resize_px=10)
    augmentation = augment.Augmentation(kind, pad_px=1, scale_range=(9, 12), color=True)
    images = RANDOM.integers(0, 256, (3, 12, 14, 3)).astype(np.uint8)
    rows = {
        "uniforms": RANDOM.random((3, 4), np.float32),
        "normals": RANDOM.standard_normal((3, 3)).astype(np.float32),
        "more": RANDOM.random((3, augment.MORE_DRAWS), np.float32),
    }
    batch = augment.apply(tf.constant(images), rows, contract, augmentation).numpy()
    assert batch.shape == (3, 8, 8, 3)
    for i in range(3):  # a batch is its examples one by one
        row = {k: v[i : i + 1] for k, v in rows.items()}
        one = augment.apply(tf.constant(images[i : i + 1]), row, contract, augmentation).numpy()
        np.testing.assert_array_equal(batch[i], one[0])


@pytest.mark.parametrize("kind", ["pad_crop", "scale_jitter"])
def test_digits_are_never_mirrored(kind):
    """A picture that brightens to the right still does, and half the time not, if mirrored."""
    contract = preprocess.InputContract(image_size=8, resize_px=8)
    ramp = np.broadcast_to(np.arange(8, dtype=np.uint8)[None, :, None] * 30, (50, 8, 8, 3))
    rows = {"uniforms": RANDOM.random((50, 4), np.float32)}

    def rising(mirror):
        augmentation = augment.Augmentation(kind, pad_px=1, scale_range=(9, 12), mirror=mirror)
        batch = augment.apply(tf.constant(ramp), rows, contract, augmentation).numpy()
        return [one[4, 5, 0] > one[4, 2, 0] for one in batch.astype(int)]

    assert all(rising(mirror=False))
    assert 10 < sum(rising(mirror=True)) < 40
