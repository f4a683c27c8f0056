"""Scenes of digits: pure in (seed, index), boxes where the ink is, batches the same in parts."""

import numpy as np
import pytest
import tensorflow as tf

from trainers.data import boxes, sources
from trainers.data.boxes import pipelines, scenes
from trainers.data.boxes.pipelines import BoxAugmentation
from trainers.data.pipelines import Slice
from zoo.detection.preprocess import DetectionInput


def fetched(source, index):
    images, labels = source.fetch(np.array(index))
    return images.numpy(), {key: value.numpy() for key, value in labels.items()}


def test_a_scene_is_a_function_of_seed_and_index():
    few, many = (boxes.load("scenes", "train", seed=1, length=n) for n in (9, 40))
    (images, labels), (alone, _) = fetched(many, [7, 2]), fetched(few, [2])
    np.testing.assert_array_equal(alone[0], images[1])
    other = boxes.load("scenes", "train", seed=2, length=9)
    assert (fetched(other, [2])[0] != alone).any()
    held_out = [boxes.load("scenes", "validation", seed=seed, length=3) for seed in (1, 2)]
    np.testing.assert_array_equal(*(fetched(source, [0, 1, 2])[0] for source in held_out))
    objects = many.annotations.of(7)
    there = labels["classes"][0] >= 0
    np.testing.assert_array_equal(objects.boxes, labels["boxes"][0][there])
    np.testing.assert_array_equal(objects.classes, labels["classes"][0][there])
    assert not labels["boxes"][0][~there].any()


def test_as_many_scenes_as_it_says_with_one_to_five_digits_in_each():
    for split, length in (("train", 12_000), ("validation", 300)):
        source = boxes.load("scenes", split)
        found = source.annotations
        assert source.length == length and source.image_shape == (96, 96, 3)
        assert set(np.bincount(found.picture, minlength=length)) == {1, 2, 3, 4, 5}
        assert found.boxes.min() >= 0 and found.boxes.max() <= 96
        sides = found.boxes[:, 2:] - found.boxes[:, :2]
        assert sides.min() == 6 and sides[:, 0].min() == 12 and sides[:, 0].max() == 40
        assert np.bincount(found.classes).min() > 0.8 * len(found.classes) / 10
    with pytest.raises(sources.DataError, match="'train', 'validation'.*'test'"):
        boxes.load("scenes", "test")


@pytest.mark.parametrize("split", ["train", "validation"])
def test_the_ink_fills_its_box_and_nothing_beside_it(split):
    glyphs, _ = scenes.digits(split)
    for number, box in ((0, (10, 20, 50, 45)), (1, (0, 0, 12, 6)), (9, (70, 66, 96, 96))):
        glyph = glyphs[number]
        parts = ([glyph], [scenes.ink(glyph)], [box], [(0.0, 0.0, 0.0)])
        drawn = scenes.painted(tf.zeros((96, 96, 3)), *map(tf.constant, map(np.float32, parts)))
        rows, columns = (np.flatnonzero(drawn.numpy().any(axis=(axis, 2))) for axis in (1, 0))
        assert (rows[0], columns[0], rows[-1] + 1, columns[-1] + 1) == box
        assert drawn.numpy().max() == 255.0  # black 0 makes the digit white


def test_splits_share_neither_digits_nor_places():
    ours, theirs = (scenes.digits(split)[0] for split in sources.SPLITS)
    assert (len(ours), len(theirs)) == (1442, 355)
    (left, sides), (right, others) = (scenes.bank(split) for split in sources.SPLITS)
    assert sides[0][1] + others[0][1] == 640 and sides[0][1] == 448  # 70 % of 640
    assert sides[1].tolist() == [213, 224] and others[3].tolist() == [213, 96]
    assert left.dtype == right.dtype == np.uint8


CONTRACTS = [
    (DetectionInput(96, 96), BoxAugmentation()),
    (DetectionInput(96, 200), BoxAugmentation(shorter_px=(64, 96, 120))),
]


@pytest.mark.parametrize(("contract", "augmentation"), CONTRACTS)
def test_two_replicas_see_the_batch_that_one_sees(contract, augmentation):
    source = boxes.load("scenes", "train", length=20)
    options = {"batch_size": 4, "seed": 3}
    whole = list(pipelines.train(source, contract, augmentation, steps=(3, 7), **options))
    again = list(pipelines.train(source, contract, augmentation, steps=(5, 7), **options))
    parts = pipelines.train(
        source, contract, augmentation, steps=(3, 7), part=Slice(2, 0, 2), **options
    )
    parts = list(parts)
    for step, (one, two) in enumerate(zip(parts[::2], parts[1::2], strict=True)):
        joined = tf.nest.map_structure(lambda *both: np.concatenate(both), one, two)
        assert_same(joined, whole[step])
    for late, early in zip(again, whole[2:], strict=True):
        assert_same(late, early)
    mirrored = [
        not np.array_equal(targets["boxes"], fetched(source, index)[1]["boxes"])
        for _, targets, index in whole
    ]
    assert any(mirrored)


def assert_same(left, right):
    for ours, theirs in zip(tf.nest.flatten(left), tf.nest.flatten(right), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_every_picture_once_with_its_own_size():
    source = boxes.load("scenes", "validation", length=11)
    seen = []
    for part in (Slice(2, 0, 1), Slice(2, 1, 1)):
        for images, targets, weights, index in pipelines.evaluate(
            source, DetectionInput(48, 48), batch_size=4, part=part
        ):
            assert images.shape == (2, 48, 48, 3) and (targets["original"] == 96).numpy().all()
            expected = fetched(source, index)[1]["boxes"] / 2
            np.testing.assert_allclose(targets["boxes"], expected)
            seen += index.numpy()[weights.numpy() > 0].tolist()
    assert sorted(seen) == list(range(11))
