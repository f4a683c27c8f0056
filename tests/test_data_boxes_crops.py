"""Random crops of pictures with boxes: by hand, and boxes that stay on their pixels."""

import numpy as np
import pytest
import tensorflow as tf
from pictures_with_boxes import RED, coco, drawn

from trainers.data import boxes
from trainers.data.boxes import crops, pipelines
from trainers.data.boxes.pipelines import BoxAugmentation
from trainers.data.pipelines import WHOLE, Slice
from zoo.detection.preprocess import DetectionInput


def test_corners_reach_both_ends_and_no_further():
    """Of 40 x 60 px a crop of 30 begins in rows 0 .. 10; of 20 rows there is but one."""
    found = crops.corners(
        tf.constant([[0.0, 0.9999], [0.9999, 0.5]]), tf.constant([[40, 60], [20, 60]]), 30
    )
    assert found.numpy().tolist() == [[0, 30], [0, 15]]


def test_boxes_move_end_at_the_border_or_are_gone():
    """A crop of 30 px at (5, 20) of 40 x 60: moved; cut; left out; as ignored as before."""
    known = [[10, 25, 20, 35], [0, 0, 10, 25], [0, 0, 40, 20], [30, 45, 40, 60], [0, 0, 0, 0]]
    targets = {
        "boxes": tf.constant([known], tf.float32),
        "classes": tf.constant([[1, 2, 3, 4, -1]]),
        "ignore": tf.constant([[False, False, True, True, False]]),
        "size": tf.constant([[40, 60]]),
    }
    moved = crops.moved(targets, tf.constant([[5, 20]]), 30)
    expected = [[5, 5, 15, 15], [0, 0, 5, 5], [0] * 4, [25, 25, 30, 30], [0] * 4]
    assert moved["boxes"].numpy().tolist() == [expected]
    assert moved["classes"].numpy().tolist() == [[1, 2, -1, 4, -1]]
    assert moved["ignore"].numpy().tolist() == [[False, False, False, True, False]]
    assert moved["size"].numpy().tolist() == [[30, 30]]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Four pictures of 48 x 64, a red rectangle on each."""
    root, images, objects = tmp_path_factory.mktemp("coco"), {}, []
    for number in range(4):
        y, x = 4 + 6 * number, 8 + 8 * number
        images[f"{number}.png"] = (number, drawn(48, 64, (y, x, y + 14, x + 12)))
        box = {"bbox": [x, y, 12, 14], "area": 168}
        objects.append({"image_id": number, "category_id": 3, **box})
    coco(root, images, objects, {3: "red"})
    return boxes.load("coco", "train", data_dir=str(root))


def batches(source, part, steps=6):
    augmentation, contract = BoxAugmentation(True, (48, 96), 32), DetectionInput(48, 64)
    asked = dict(batch_size=4, seed=1, steps=(0, steps), part=part)
    return list(pipelines.train(source, contract, augmentation, **asked))


def test_boxes_stay_at_their_pixels(source):
    """At 48 and at 96 px, whole factors, so that edges stay sharp but for a pixel; mirrored too."""
    seen = 0
    for images, targets, _ in batches(source, WHOLE):
        assert images.shape[1:] == (32, 32, 3)
        assert targets["size"].numpy().tolist() == [[32, 32]] * 4
        for image, box, kind in zip(images, targets["boxes"][:, 0], targets["classes"][:, 0]):
            red = np.abs(image.numpy() - RED).max(axis=-1) < 60
            if kind < 0:
                assert red.sum() <= 32 and not box.numpy().any()  # an edge's blur at most
                continue
            seen += 1
            rows, columns = (np.flatnonzero(red.any(axis=axis)) for axis in (1, 0))
            if len(rows) and len(columns):
                found = rows[0], columns[0], rows[-1] + 1, columns[-1] + 1
                np.testing.assert_allclose(found, box, atol=1.01)
    assert seen > 8


def test_a_crop_is_the_same_in_parts_of_the_batch(source):
    whole, *halves = (batches(source, part, 2) for part in (WHOLE, Slice(2, 0), Slice(2, 1)))
    for step, (images, targets, _) in enumerate(whole):
        for place in (0, 1):
            ours, theirs, _ = halves[place][step]
            np.testing.assert_array_equal(ours, images[2 * place : 2 * place + 2])
            np.testing.assert_array_equal(theirs["boxes"], targets["boxes"][2 * place :][:2])


def test_a_picture_smaller_than_the_crop_is_whole(source):
    """16 px of 48 x 64 are 16 x 21."""
    small = DetectionInput(16, 24)
    augmentation = BoxAugmentation(False, (), 32)
    asked = dict(batch_size=2, seed=0, steps=(0, 1))
    ((images, targets, _),) = pipelines.train(source, small, augmentation, **asked)
    assert images.shape[1:3] == (16, 21)
    assert targets["size"].numpy().tolist() == [[16, 21]] * 2
