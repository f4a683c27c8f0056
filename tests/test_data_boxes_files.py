"""COCO's and VOC's annotations as they are meant, and boxes that stay at their pixels."""

import numpy as np
import pytest
import tensorflow as tf
from pictures_with_boxes import BLUE, RED, coco, drawn, encoded, voc
from PIL import Image, ImageOps

from trainers.data import boxes, skipped, sources
from trainers.data import split as splits
from trainers.data.boxes import pipelines
from trainers.data.boxes.pipelines import BoxAugmentation
from trainers.data.pipelines import Slice
from zoo.detection.preprocess import DetectionInput

GREY = drawn(40, 60, (0, 0, 0, 0))
CATEGORIES = {3: "cat", 90: "dog"}  # ids with gaps, as COCO's


def of_coco(tmp_path, annotations, images=None, **options):
    images = images or {"a.png": (7, GREY)}
    coco(tmp_path, images, annotations, CATEGORIES, **options)
    return boxes.load("coco", "train", data_dir=str(tmp_path))


def test_coco_is_read_as_it_is_meant(tmp_path):
    """x, y, width, height; fractions of area; ids with gaps; crowds; pictures without boxes."""
    annotations = [
        {"image_id": 900, "category_id": 90, "bbox": [1.5, 2, 10, 20.25], "area": 55.75},
        {"image_id": 7, "category_id": 3, "bbox": [0, 0, 60, 40], "area": 9, "iscrowd": 1},
        {"image_id": 900, "category_id": 3, "bbox": [50, 30, 20, 20]},  # leaves the picture
        {"image_id": 900, "category_id": 3, "bbox": [5, 5, 0, 4]},  # no area
        {"image_id": 900, "category_id": 3, "bbox": [70, 5, 4, 4]},  # outside
    ]
    images = {"a.png": (7, GREY), "b.png": (8, GREY), "c.png": (900, GREY)}
    source = of_coco(tmp_path, annotations, images)
    found = source.annotations
    assert source.class_names == ("cat", "dog") and found.category_ids.tolist() == [3, 90]
    assert found.image_ids.tolist() == [7, 8, 900] and found.names[2] == "train2017/c.png"
    assert found.sizes.tolist() == [[40, 60]] * 3 and found.most == 2
    np.testing.assert_array_equal(found.of(2).boxes, [(2, 1.5, 22.25, 11.5), (30, 50, 40, 60)])
    assert found.of(2).area.tolist() == [55.75, 100] and found.of(2).classes.tolist() == [1, 0]
    assert found.of(0).ignore.tolist() == [True] and not len(found.of(1).boxes)
    assert str(source.listing) == "3 pictures; 2 boxes without area in the picture left out"
    _, labels = source.fetch(np.array([1, 0]))
    assert labels["classes"].numpy().tolist() == [[-1, -1], [0, -1]]
    assert labels["ignore"].numpy().tolist() == [[False, False], [True, False]]


GOOD = {"image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 4]}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"category_id": 4}, "annotation 10: no category has its category_id 4; expected one of 2"),
        ({"image_id": 6}, "annotation 10: no image has its image_id 6"),
        ({"bbox": [1, 2, 3]}, r"annotation 10: expected bbox: \[x, y, width, height\]"),
        ({"bbox": [1, 2, float("nan"), 4]}, "annotation 10 of .*a.png: expected four finite"),
    ],
)
def test_an_annotation_that_cannot_be_meant_is_named(tmp_path, change, told):
    with pytest.raises(sources.DataError, match=told) as error:
        of_coco(tmp_path, [GOOD | change])
    assert len(str(error.value)) <= 300


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(sources.DataError, match=r"expected annotations/instances_train\*.json"):
        boxes.load("coco", "train", data_dir=str(tmp_path))
    of_coco(tmp_path, [GOOD])
    (tmp_path / "train2017" / "a.png").unlink()
    with pytest.raises(sources.DataError, match="image 7: no file a.png in .*train2017"):
        boxes.load("coco", "train", data_dir=str(tmp_path))
    with pytest.raises(sources.DataError, match="scenes, scenes_single, coco, voc.*'cocoa'"):
        boxes.load("cocoa", "train")
    (tmp_path / "annotations" / "instances_train2017.json").write_text("[]")
    with pytest.raises(sources.DataError, match="instances_train2017.json: expected COCO's images"):
        boxes.load("coco", "train", data_dir=str(tmp_path))


def test_both_splits_tell_the_same_fingerprint_and_a_changed_annotation_another(tmp_path):
    def both():
        return [boxes.load("coco", s, data_dir=str(tmp_path)) for s in sources.SPLITS]

    coco(tmp_path, {"a.png": (7, GREY)}, [GOOD], CATEGORIES, split="val2017")
    of_coco(tmp_path, [GOOD])
    train, held_out = both()
    assert train.fingerprint == held_out.fingerprint
    record = splits.of({"train": train, "validation": held_out}, tmp_path, 0)
    assert record.files["train"][0].name == "train2017/a.png"
    of_coco(tmp_path, [GOOD | {"bbox": [1, 2, 3, 5]}])
    assert both()[1].fingerprint != held_out.fingerprint
    everything = boxes.load("coco", "trainval", data_dir=str(tmp_path))
    assert everything.annotations.names == ("train2017/a.png", "val2017/a.png")


def test_voc_counts_from_one_and_its_corners_are_within(tmp_path):
    """One pixel at the left upper corner is 1, 1, 1, 1; all of 60 x 40 is 1, 1, 60, 40."""
    year = tmp_path / "VOCdevkit" / "VOC2007"
    voc(year, "a", GREY, [("dog", (1, 1, 1, 1), 0), ("cat", (1, 1, 60, 40), 1)], "train")
    voc(year, "b", GREY, [("dog", (5, 6, 7.5, 8), 0), ("dog", (9, 9, 4, 12), 0)], "val")
    voc(tmp_path / "VOCdevkit" / "VOC2012", "c", GREY, [("ant", (2, 2, 3, 3), 0)], "train")
    source = boxes.load("voc", "train", data_dir=str(tmp_path))
    assert source.class_names == ("ant", "cat", "dog") and source.length == 2
    first = source.annotations.of(0)
    np.testing.assert_array_equal(first.boxes, [(0, 0, 1, 1), (0, 0, 40, 60)])
    assert first.ignore.tolist() == [False, True] and first.classes.tolist() == [2, 1]
    held_out = boxes.load("voc", "validation", data_dir=str(tmp_path))
    np.testing.assert_array_equal(held_out.annotations.boxes, [(5, 4, 8, 7.5)])
    assert "1 boxes without area" in str(held_out.listing)
    assert boxes.load("voc", "trainval", data_dir=str(tmp_path)).length == 3
    with pytest.raises(sources.DataError, match="of test in .*found those of train, validation"):
        boxes.load("voc", "test", data_dir=str(tmp_path))


def test_a_voc_folder_without_lists_is_divided_and_bad_documents_named(tmp_path):
    for number in range(10):
        voc(tmp_path, f"p{number}", GREY, [("dog", (1, 1, 9, 9), 0)])
    train, held_out = (boxes.load("voc", s, data_dir=str(tmp_path)) for s in sources.SPLITS)
    assert train.length + held_out.length == 10 and held_out.length >= 1
    document = tmp_path / "Annotations" / "p3.xml"
    document.write_text(document.read_text().replace("<xmax>9</xmax>", ""))
    with pytest.raises(sources.DataError, match="p3.xml: .*object 1 lacks its name or a corner"):
        boxes.load("voc", "train", data_dir=str(tmp_path))
    document.write_text("no xml")
    with pytest.raises(sources.DataError, match="p3.xml: expected VOC's XML"):
        boxes.load("voc", "train", data_dir=str(tmp_path))
    voc(tmp_path, "p3", GREY, [("dog", (1, 1, 9, 9), 0)], size=(50, 60))
    with pytest.raises(sources.DataError, match="p3.jpg is 40 x 60 pixels.*annotated as 50 x 60"):
        boxes.load("voc", "all", data_dir=str(tmp_path))


STORED = drawn(48, 80, (8, 16, 24, 56))  # a rectangle of 16 x 40
CONTRACT = DetectionInput(32, 200)


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("noted_as", ["seen", "stored"])
def test_a_rectangle_and_its_box_stay_together(tmp_path, turn, noted_as):
    """Through Exif's turns, a scale, mirrors and a batch with a larger picture.

    Where an annotation's size is that as stored, its boxes are; the turns to be told by it are
    those that swap the sides.
    """
    content = encoded(STORED, turn)
    path = tmp_path / "turned.jpg"
    path.write_bytes(content)
    seen = np.array(ImageOps.exif_transpose(Image.open(path)))
    as_stored = noted_as == "stored" and turn > 4
    y1, x1, y2, x2 = extent(STORED if as_stored else seen, RED)
    size = STORED.shape[:2] if as_stored else seen.shape[:2]
    voc(tmp_path, "a", content, [("box", (x1 + 1, y1 + 1, x2, y2), 0)], "train", size)
    voc(tmp_path, "b", drawn(64, 200, (0, 8, 64, 40), BLUE), [("box", (9, 1, 40, 64), 0)], "train")
    source = boxes.load("voc", "train", data_dir=str(tmp_path))
    np.testing.assert_array_equal(source.annotations.of(0).boxes[0], extent(seen, RED))
    if turn not in (3, 6):  # the way of the pixels is one for all
        return
    augmentation = BoxAugmentation(shorter_px=(24, 48))
    options = {"batch_size": 2, "seed": 0, "steps": (0, 3)}
    for images, targets, index in pipelines.train(source, CONTRACT, augmentation, **options):
        for image, box, size, number in zip(
            images, targets["boxes"], targets["size"], index, strict=True
        ):
            height, width = size.numpy()
            assert not image[height:].numpy().any() and not image[:, width:].numpy().any()
            drawn_at = extent(image[:height, :width].numpy(), BLUE if number else RED)
            assert np.abs(np.array(drawn_at) - box[0]).max() <= 1.0  # half a pixel blurs


def extent(pixels, colour):
    """Where a colour is: y1, x1, y2, x2."""
    near = np.abs(pixels.astype(float) - colour).max(axis=-1) < 70
    rows, columns = (np.flatnonzero(near.any(axis)) for axis in (1, 0))
    return rows[0], columns[0], rows[-1] + 1, columns[-1] + 1


@pytest.fixture
def mixed(tmp_path):
    for number in range(6):
        pixels = drawn(30 + 4 * number, 50, (4, 5, 20, 30))
        voc(tmp_path, f"p{number}", pixels, [("box", (6, 5, 30, 20), 0)], "train")
    return tmp_path


def test_encoded_pictures_are_padded_alike_for_any_replicas(mixed):
    source = boxes.load("voc", "train", data_dir=str(mixed))
    options = {"batch_size": 4, "seed": 1, "steps": (2, 4)}
    augmentation = BoxAugmentation(shorter_px=(24, 32))
    whole = list(pipelines.train(source, CONTRACT, augmentation, **options))
    parts = pipelines.train(source, CONTRACT, augmentation, part=Slice(2, 0, 2), **options)
    parts = list(parts)
    for step, both in enumerate(zip(parts[::2], parts[1::2], strict=True)):
        joined = tf.nest.map_structure(lambda *rows: np.concatenate(rows), *both)
        for ours, theirs in zip(*map(tf.nest.flatten, (joined, whole[step])), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_unreadable_pictures_are_passed_over_and_noted(mixed):
    broken = mixed / "JPEGImages" / "p5.jpg"
    broken.write_bytes(broken.read_bytes()[:300])
    source = skipped.tolerant(boxes.load("voc", "train", data_dir=str(mixed)))
    options = {"batch_size": 3, "seed": 1, "steps": (0, 2)}
    batches = list(pipelines.train(source, CONTRACT, BoxAugmentation(), **options))
    assert 5 not in np.concatenate([index for *_, index in batches])
    weights = {}
    for *_, weight, index in pipelines.evaluate(source, CONTRACT, batch_size=4):
        weights.update(zip(index.numpy().tolist(), weight.numpy().tolist(), strict=True))
    assert weights[5] == 0 and weights[4] == 1
    assert source.skipped.names(source) == [f"train\t{broken}"]
