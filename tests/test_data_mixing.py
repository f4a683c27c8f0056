"""Mixtures, rectangles, RandAugment's operations: against numpy by hand and against Pillow."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageEnhance, ImageOps

from trainers.data import augment, pipelines, sources
from trainers.data.augment import Augmentation, mix, randaugment, regions, windows
from trainers.data.pipelines import Slice
from trainers.engine.metrics import cross_entropy
from zoo.preprocess import InputContract

RANDOM = np.random.default_rng(0)
BOTH = Augmentation("pad_crop", pad_px=1, mixup=0.2, cutmix=1.0)


def picture(height=24, width=24):
    """Something with edges, flat parts and a narrow range, as photographs have."""
    y, x = np.mgrid[:height, :width]
    image = np.stack([40 + 6 * x, 200 - 5 * y, 90 + 3 * (x + y) // 2], axis=2)
    image[5:12, 7:15] = (30, 220, 120)
    return np.clip(image + RANDOM.integers(-9, 9, image.shape), 20, 235).astype(np.uint8)


def pillows(name, image, strength):
    """The same by Pillow: -> (H, W, 3) uint8."""
    pil, size = Image.fromarray(image), image.shape[1::-1]
    affine = {
        "shear_x": (1, strength, 0, 0, 1, 0),
        "shear_y": (1, 0, 0, strength, 1, 0),
        "translate_x": (1, 0, -round(strength * size[0]), 0, 1, 0),
        "translate_y": (1, 0, 0, 0, 1, -round(strength * size[1])),
    }
    enhance = {
        "brightness": ImageEnhance.Brightness,
        "color": ImageEnhance.Color,
        "contrast": ImageEnhance.Contrast,
        "sharpness": ImageEnhance.Sharpness,
    }
    if name in affine:
        made = pil.transform(size, Image.Transform.AFFINE, affine[name], Image.Resampling.NEAREST)
    elif name in enhance:
        made = enhance[name](pil).enhance(1 + strength)
    else:
        made = {
            "identity": lambda: pil,
            "rotate": lambda: pil.rotate(strength),
            "posterize": lambda: ImageOps.posterize(pil, 8 - int(strength)),
            "solarize": lambda: ImageOps.solarize(pil, 255 - strength),
            "autocontrast": lambda: ImageOps.autocontrast(pil),
            "equalize": lambda: ImageOps.equalize(pil),
        }[name]()
    return np.asarray(made)


STRENGTHS = {
    **dict.fromkeys(("shear_x", "shear_y"), (0.3, -0.99)),
    **dict.fromkeys(("translate_x", "translate_y"), (1 / 8, -1 / 3)),
    **dict.fromkeys(("brightness", "color", "contrast", "sharpness"), (0.5, -0.9)),
    "rotate": (30.0, -135.0, 90.0),
    "posterize": (2.0, 6.0),
    "solarize": (100.0, 255.0),
    **dict.fromkeys(("identity", "autocontrast", "equalize"), (0.0,)),
}


@pytest.mark.parametrize("name", randaugment.OPERATIONS)
def test_operations_are_pillows(name):
    image = picture()
    for strength in STRENGTHS[name]:
        apply = randaugment.OPERATIONS[name].apply
        ours = apply(tf.constant(image, tf.float32), strength).numpy()
        theirs = pillows(name, image, strength).astype(float)
        away = np.abs(ours - theirs)
        if name in ("rotate", "shear_x", "shear_y"):  # the nearest of two pixels, if both are near
            assert (away > 0).mean() < 0.03
        else:
            assert away.max() <= 1  # Pillow blends in whole numbers here and there
            assert (away > 0).mean() < 0.05
        np.testing.assert_array_equal(ours, np.round(ours))


def test_every_operation_is_drawn_equally_often():
    image = tf.constant(picture(8, 8), tf.float32)
    found = [
        randaugment.augment(image, tf.constant([(i + 0.5) / 14, 0.99, 0, 0, 0, 0.0]), "trivial")
        for i in range(14)
    ]
    expected = [
        operation.apply(image, operation.wide) for operation in randaugment.OPERATIONS.values()
    ]
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_randaugment_is_two_operations_of_strength_9_of_30():
    image = tf.constant(picture(8, 8), tf.float32)
    uniforms = tf.constant([6.5 / 14, 0, 0.1, 11.5 / 14, 0, 0.9])  # brightness, then solarize
    ours = randaugment.augment(image, uniforms, "rand").numpy()
    brighter = pillows("brightness", image.numpy().astype(np.uint8), 0.9 * 9 / 30)
    expected = pillows("solarize", brighter, 255 * 9 / 30)
    assert np.abs(ours - expected).max() <= 1


def test_mixup_and_cutmix_by_hand():
    images = RANDOM.integers(0, 256, (4, 10, 10, 3)).astype(np.uint8)
    labels = np.array([0, 1, 2, 2], np.int32)
    partners, others = images[[1, 0, 3, 2]], labels[[1, 0, 3, 2]]
    numbers = tf.constant([0.7, 0.75, 0.4, 0.5, 0.1])  # shares, mixup below a half, centre
    mixed, shares = mix.mix(images, labels, numbers, 3, (True, True))
    np.testing.assert_allclose(mixed, 0.7 * images + 0.3 * partners, rtol=1e-5)
    np.testing.assert_allclose(shares, 0.7 * np.eye(3)[labels] + 0.3 * np.eye(3)[others], rtol=1e-5)
    # Half the side of a quarter of the area is 2.5, cut to 2: rows 3 to 6, columns -1 to 2.
    cut, shares = mix.mix(images, labels, numbers + [0, 0, 0.2, 0, 0], 3, (True, True))
    expected = images.copy()
    expected[:, 3:7, :3] = partners[:, 3:7, :3]
    np.testing.assert_array_equal(cut, expected)
    np.testing.assert_allclose(shares, 0.88 * np.eye(3)[labels] + 0.12 * np.eye(3)[others])


def test_shares_follow_the_beta_distribution():
    """Beta(1, 1) is even; Beta(0.2, 0.2) has deviation 0.5 / sqrt(1.4)."""
    drawn = np.array([mix.draws(0, tf.constant(s, tf.int64), 0.2, 1.0) for s in range(800)])
    assert drawn[:, 0].std() == pytest.approx(0.5 / np.sqrt(1.4), abs=0.02)
    assert drawn[:, 1].std() == pytest.approx(1 / np.sqrt(12), abs=0.02)
    assert np.abs(drawn[:, :2].mean(axis=0) - 0.5).max() < 0.05
    assert abs((drawn[:, 2] < 0.5).mean() - 0.5) < 0.06


def test_replicas_share_one_mixed_batch():
    source = sources.load("digits", "train")
    contract = InputContract(8, 8)

    def batches(part):
        return pipelines.train(
            source, contract, BOTH, batch_size=8, seed=3, steps=(5, 8), part=part
        )

    whole = list(batches(Slice()))
    halves = [list(batches(Slice(2, first, 1))) for first in (0, 1)]
    for step, (images, labels, index) in enumerate(whole):
        assert labels.shape == (8, 10)
        np.testing.assert_allclose(labels.numpy().sum(axis=1), 1, rtol=1e-6)
        for column, expected in enumerate((images, labels, index)):
            parts = [half[step][column] for half in halves]
            np.testing.assert_array_equal(np.concatenate(parts), expected)


def test_an_odd_part_cannot_be_mixed():
    source = sources.load("digits", "train")
    with pytest.raises(ValueError, match="3 images a replica are odd"):
        pipelines.train(
            source, InputContract(8, 8), BOTH, batch_size=6, seed=0, steps=(0, 1), part=Slice(2)
        )


def test_label_smoothing_is_its_definition():
    logits, labels = RANDOM.normal(size=(5, 4)).astype("float32"), np.array([0, 3, 1, 1, 2])
    log = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    target = 0.9 * np.eye(4)[labels] + 0.1 / 4
    ours = cross_entropy(tf.constant(logits), tf.constant(labels, tf.int32), 0.1)
    np.testing.assert_allclose(ours, -(target * log).sum(axis=1), rtol=1e-5)
    shared = cross_entropy(tf.constant(logits), tf.constant(target, tf.float32))
    np.testing.assert_allclose(shared, ours, rtol=1e-5)


def resized_crop(image, place, uniforms, size):
    """The rectangle that is chosen, resized as the trainer does it."""
    window = regions.resized_crop(tf.constant(image.shape[:2]), tf.constant(place), uniforms)
    return windows.resized(windows.sliced(tf.constant(image), window), size, antialias=True).numpy()


def test_the_crop_is_the_first_that_fits():
    """Tries: too wide, then 4 by 9 of a picture 12 high and 16 wide, by hand."""
    image = np.arange(12 * 16 * 3, dtype=np.float32).reshape(12, 16, 3)
    area, ratio = np.full(10, 0.5), np.full(10, 0.5)
    area[0], ratio[0] = 1.0, 1.0  # 192 pixels at 4:3 are 16 by 12: it fits exactly
    uniforms = tf.constant(np.concatenate([area, ratio]), tf.float32)
    crop = resized_crop(image, [0.9, 0.9], uniforms, 12)
    whole = tf.image.resize(image, (12, 12), antialias=True)
    np.testing.assert_allclose(crop, whole, rtol=1e-5)
    ratio[0] = 0.0  # 12 wide would be 16 high; then sqrt(0.54 * 192) = 10.2 both ways
    uniforms = tf.constant(np.concatenate([area, ratio]), tf.float32)
    crop = resized_crop(image, [0.9, 0.0], uniforms, 10)
    np.testing.assert_allclose(crop, image[2:12, :10], rtol=1e-5)


def test_a_crop_that_cannot_fit_is_the_central_one():
    image = np.arange(4 * 40 * 3, dtype=np.float32).reshape(4, 40, 3)
    uniforms = tf.ones(regions.CROP_DRAWS) * 0.999
    crop = resized_crop(image, [0.0, 0.0], uniforms, 4)
    expected = tf.image.resize(image[:, 18:23], (4, 4), antialias=True)  # 4 by 5, 4 * 4 / 3
    np.testing.assert_allclose(crop, expected, rtol=1e-5)


def test_an_erased_rectangle_is_filled_and_rare_enough():
    image, fill = tf.constant(picture(20, 20), tf.float32), (1.0, 2.0, 3.0)
    shares = []
    for _ in range(300):
        uniforms = tf.constant(RANDOM.random(regions.ERASE_DRAWS), tf.float32)
        erased = regions.erase(image, uniforms, 0.5, fill).numpy()
        gone = (erased == fill).all(axis=2)
        np.testing.assert_array_equal(erased[~gone], image.numpy()[~gone])
        rows, columns = gone.any(axis=1), gone.any(axis=0)
        assert gone.sum() == rows.sum() * columns.sum()  # one rectangle
        shares.append(gone.mean())
    shares = np.array(shares)
    assert abs((shares > 0).mean() - 0.5) < 0.1
    assert shares[shares > 0].min() > 0.01 and shares.max() < 0.36


def test_the_stream_is_the_same_eagerly_and_in_a_dataset():
    kinds = Augmentation("random_resized_crop", policy="trivial", erase=0.3, fill=(9, 9, 9))
    images = RANDOM.integers(0, 256, (4, 9, 9, 3)).astype(np.uint8)
    rows = {
        "uniforms": RANDOM.random((4, 4)).astype("float32"),
        "more": RANDOM.random((4, augment.MORE_DRAWS)).astype("float32"),
    }
    contract = InputContract(8, 8)
    eager = augment.apply(tf.constant(images), rows, contract, kinds)
    dataset = tf.data.Dataset.from_tensors((images, rows))
    (mapped,) = dataset.map(lambda i, r: augment.apply(i, r, contract, kinds))
    np.testing.assert_array_equal(mapped, eager)
    assert mapped.shape == (4, 8, 8, 3)
