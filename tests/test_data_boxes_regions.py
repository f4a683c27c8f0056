"""Batches of regions: a quarter at objects, in permutations, the same for any replicas."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from pictures_with_boxes import coco, drawn

from trainers.data import boxes, skipped, sources
from trainers.data.boxes import regions
from trainers.data.pipelines import Slice
from zoo import preprocess
from zoo.preprocess import InputContract

CONTRACT = InputContract(8, 8, orientation="exif")
ASKED = {"batch_size": 8, "foreground": 0.25, "mirror": True, "seed": 3}
RED = (220, 30, 30)


def samples(at_objects=3, elsewhere=5):
    """Regions one above the other, those at objects first, on pictures 0 and 1 in turn."""
    count = at_objects + elsewhere
    tops = np.arange(count, dtype=np.int32)
    found = np.stack([tops, 2 + 0 * tops, tops + 8, 12 + 0 * tops], axis=1)
    classes = np.where(tops < at_objects, tops % 2, -1).astype(np.int32)
    deltas = np.tile(np.float32([0.1, 0.2, 0.3, 0.4]), (count, 1))
    rows = np.arange(count)
    return regions.Samples(rows % 2, found, classes, deltas, rows[:at_objects], rows[at_objects:])


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two pictures of 20 x 16: red above in the first, to the left in the second."""
    root = tmp_path_factory.mktemp("coco")
    images = {
        "a.png": (0, drawn(20, 16, (0, 0, 10, 16))),
        "b.png": (1, drawn(20, 16, (0, 0, 20, 7))),
    }
    objects = [{"image_id": n, "category_id": 3, "bbox": [0, 0, 9, 9], "area": 81} for n in (0, 1)]
    coco(root, images, objects, {3: "a", 9: "b"})
    return boxes.load("coco", "train", data_dir=str(root))


@pytest.fixture(scope="module")
def source(files):
    """The same as arrays, whose pipelines take a third of the time to trace."""
    pixels = tf.stack([preprocess.decode(tf.io.read_file(file)) for file in files.files])
    return sources.in_memory("x", "train", ("a", "b"), pixels, [0, 0])


def rows_of(found, steps, **more):
    asked = {**ASKED, **more}
    asked = asked["batch_size"], asked["foreground"], asked["seed"]
    return np.stack([regions.chosen(found, step, *asked).numpy() for step in range(steps)])


def test_a_quarter_of_a_batch_lies_at_objects():
    """Rows 3 and 7 of 8. Three batches draw six times from three regions, each twice.

    Of the others five are drawn eighteen times, each three or four.
    """
    rows = rows_of(samples(), 3)
    at_objects = rows < 3
    assert np.flatnonzero(at_objects[0]).tolist() == [3, 7] and (at_objects == at_objects[0]).all()
    assert np.bincount(rows[at_objects]).tolist() == [2, 2, 2]
    assert set(np.bincount(rows[~at_objects])[3:].tolist()) == {3, 4}
    np.testing.assert_array_equal(rows, rows_of(samples(), 3))
    assert (rows != rows_of(samples(), 3, seed=4)).any()


def test_where_all_lie_at_objects_so_do_all_that_are_drawn():
    assert np.bincount(rows_of(samples(3, 0), 3).ravel()).tolist() == [8, 8, 8]


def batches(source, found, start, stop, **more):
    made = regions.train(source, found, CONTRACT, **{**ASKED, **more}, steps=(start, stop))
    return [tf.nest.map_structure(lambda x: x.numpy(), batch) for batch in made]


def test_a_batch_has_the_regions_pixels_labels_and_mirrors(source):
    """A region of 8 x 10 px at (top, 2): in the second picture red to the left, 5 of its 10 px."""
    found = samples()
    seen_all = batches(source, found, 0, 2)
    for images, targets, index in seen_all:
        assert images.shape == (8, 8, 8, 3) and images.dtype == np.float32
        np.testing.assert_array_equal(targets["classes"], found.classes[index])
        for image, deltas, row in zip(images, targets["deltas"], index):
            mirrored = deltas[1] < 0
            np.testing.assert_allclose(deltas, [0.1, -0.2 if mirrored else 0.2, 0.3, 0.4])
            seen = image[:, ::-1] if mirrored else image
            if row % 2:
                assert seen[0, 1, 0] > 200 and seen[0, -2, 0] == 128 and seen[-1, 1, 0] > 200
            else:  # red reaches down to 10, the region from `row` to row + 8
                assert seen[1, 1, 0] > 200 and seen[1, -2, 0] > 200
                assert seen[-1, 4, 0] == (128 if row > 3 else pytest.approx(seen[-1, 1, 0]))
    mirrored = [deltas[1] < 0 for _, targets, _ in seen_all for deltas in targets["deltas"]]
    assert 0 < sum(mirrored) < 16
    plain = batches(source, found, 0, 1, mirror=False)[0]
    assert (plain[1]["deltas"] > 0).all()


def test_steps_and_replicas_see_the_same_batches(source):
    whole = batches(source, samples(), 0, 3)
    resumed = batches(source, samples(), 2, 3)
    np.testing.assert_array_equal(whole[2][0], resumed[0][0])
    parts = [batches(source, samples(), 1, 2, part=Slice(2, i, 1))[0] for i in (0, 1)]
    np.testing.assert_array_equal(np.concatenate([p[0] for p in parts]), whole[1][0])


def test_what_cannot_be_read_gives_way_to_another_region(files, tmp_path):
    """With that one's labels; noted is the picture."""
    found = samples()
    broken = tmp_path / "b.png"
    broken.write_bytes(b"no picture")
    paths = (files.files[0], str(broken))

    def fetch(indices):
        contents = tf.stack([tf.io.read_file(path) for path in paths])
        return tf.gather(contents, indices), files.fetch(indices)[1]

    spoilt = skipped.tolerant(dataclasses.replace(files, fetch=fetch, files=paths))
    for images, targets, index in batches(spoilt, found, 0, 2):
        assert (index % 2 == 0).all() and (images[:, 1, 1, 0] > 100).all()
        np.testing.assert_array_equal(targets["classes"], found.classes[index])
    assert spoilt.skipped.indices == {1}
    seen = list(regions.pictures(spoilt, CONTRACT, np.array([0, 1])))
    assert [float(weights[0]) for _, weights, _ in seen] == [1, 0]
    assert seen[0][0].shape == (1, 20, 16, 3)
