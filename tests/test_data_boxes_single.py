"""Pictures of one class each: scenes of one digit, ImageNet's folders, and what is none."""

import dataclasses

import numpy as np
import pytest
from pictures_with_boxes import coco, drawn, encoded, write

from trainers.data import boxes, sources
from trainers.data.boxes import single


def test_a_single_scene_has_one_digit_24_to_72_px_tall():
    source = boxes.load("scenes_single", "train", length=400)
    found = source.annotations
    np.testing.assert_array_equal(found.picture, np.arange(400))
    tall = found.boxes[:, 2] - found.boxes[:, 0]
    assert 24 <= tall.min() < 26 and 69 < tall.max() <= 72 and found.boxes.max() <= 96
    images, _ = source.fetch(np.array([7, 3]))
    alone, _ = boxes.load("scenes_single", "train", length=5).fetch(np.array([3]))
    np.testing.assert_array_equal(images[1], alone[0])  # a function of seed and index
    assert (boxes.load("scenes", "train", length=5).fetch(np.array([3]))[0] != alone).numpy().any()


def test_the_same_scenes_are_classified_by_their_digit():
    """Where the box is, ink of the digit's own class lies: the label is the annotation's."""
    source = sources.load("scenes_single", "validation")
    labelled = boxes.load("scenes_single", "validation")
    images, labels = source.fetch(np.array([2, 299]))
    np.testing.assert_array_equal(labels, labelled.annotations.classes[[2, 299]])
    np.testing.assert_array_equal(images, labelled.fetch(np.array([2, 299]))[0])
    assert source.length == 300 and source.annotations is None


def test_pictures_of_several_classes_or_of_none_are_named(tmp_path):
    box = {"bbox": [1, 2, 9, 8], "area": 72}
    objects = [{"image_id": 0, "category_id": kind, **box} for kind in (3, 90)]
    objects += [{"image_id": 1, "category_id": 3, **box}] * 2
    images = {"a.png": (0, drawn(20, 30, (0, 0, 0, 0))), "b.png": (1, drawn(20, 30, (0, 0, 0, 0)))}
    coco(tmp_path, images, objects, {3: "cat", 90: "dog"})
    source = boxes.load("coco", "train", data_dir=str(tmp_path))
    with pytest.raises(sources.DataError, match="a.png shows cat and dog, one of 1 such pictures"):
        single.classes(source)
    lone = dataclasses.replace(source.annotations, ignore=np.array([True, True, False, False]))
    with pytest.raises(sources.DataError, match="a.png shows no object"):
        single.classes(dataclasses.replace(source, annotations=lone))


FOX, DOG = "n02119022", "n02085620"


def document(noted, things):
    """As the challenge's: no depth of importance, sizes that may be those of another copy."""
    objects = "".join(
        f"<object><name>{name}</name><pose>Unspecified</pose><truncated>0</truncated><difficult>0"
        f"</difficult><bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax>"
        "</bndbox></object>"
        for name, (x1, y1, x2, y2) in things
    )
    height, width = noted
    size = f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
    return f"<annotation><folder>x</folder><filename>y</filename>{size}{objects}</annotation>"


def archive(root, rows):
    """{"train/WNID/STEM": (turn, noted size, objects)}: pictures are stored 40 x 60."""
    for inner, (turn, noted, things) in rows.items():
        picture = encoded(drawn(40, 60, (0, 0, 0, 0)), turn)
        write(root / "ILSVRC" / "Data" / "CLS-LOC" / f"{inner}.JPEG", picture)
        path = root / "ILSVRC" / "Annotations" / "CLS-LOC" / f"{inner}.xml"
        write(path, document(noted, things))
    return str(root)


ROWS = {
    f"train/{FOX}/{FOX}_1": (None, (40, 60), [(FOX, (11, 5, 30, 20))]),
    f"train/{FOX}/{FOX}_2": (None, (20, 30), [("red fox", (6, 3, 15, 10)), (DOG, (1, 1, 9, 9))]),
    f"train/{DOG}/{DOG}_9": (6, (40, 60), [(DOG, (1, 1, 60, 10)), (DOG, (1, 1, 6, 40))]),
    "val/ILSVRC2012_val_00000001": (None, (40, 60), [(FOX, (1, 1, 60, 40))]),
}


def test_the_challenges_archive_is_read_as_it_is_meant(tmp_path):
    """Corners count from 1, both within: 11 .. 30 are the edges 10 and 30."""
    data_dir = archive(tmp_path, ROWS)
    train, held_out = (boxes.load("imagenet", part, data_dir=data_dir) for part in sources.SPLITS)
    assert train.class_names == held_out.class_names == (DOG, FOX)
    found = train.annotations
    assert found.names[1] == f"Data/CLS-LOC/train/{FOX}/{FOX}_1.JPEG" and train.length == 3
    assert found.of(1).boxes.tolist() == [[4, 10, 20, 30]] and found.of(1).classes.tolist() == [1]
    # Noted at half the size: shares of the sides; a name in words is the folder's, the dog is not.
    assert found.of(2).boxes.tolist() == [[4, 10, 20, 30]] and found.of(2).classes.tolist() == [1]
    # Stored on its side and seen 60 x 40: rows become columns from the right.
    assert found.sizes[0].tolist() == [60, 40]
    assert found.of(0).boxes.tolist() == [[0, 30, 60, 40], [0, 0, 6, 40]]
    assert held_out.annotations.of(0).boxes.tolist() == [[0, 0, 40, 60]]
    assert single.classes(train).tolist() == [0, 1, 1]
    assert train.fingerprint == held_out.fingerprint
    both = boxes.load("imagenet", "all", data_dir=f"{data_dir}/ILSVRC")
    assert both.length == 4


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({f"train/{FOX}/{FOX}_3": (None, (40, 60), "gone")}, "_3.xml: no picture .*_3.JPEG"),
        ({"val/a": (None, (40, 60), [("fox", (1, 1, 9, 9))])}, "one of 2 classes, got fox"),
        ({"val/a": (None, (40, 60), [])}, "expected an object of one of 2 classes, got none"),
    ],
)
def test_what_cannot_be_meant_is_named(tmp_path, change, told):
    (inner, row), gone = *change.items(), [FOX, (1, 1, 9, 9)]
    things = [gone] if row[2] == "gone" else row[2]
    data_dir = archive(tmp_path, {**ROWS, inner: (*row[:2], things)})
    if row[2] == "gone":
        (tmp_path / "ILSVRC" / "Data" / "CLS-LOC" / f"{inner}.JPEG").unlink()
    with pytest.raises(sources.DataError, match=told) as error:
        boxes.load("imagenet", "all", data_dir=data_dir)
    assert len(str(error.value)) < 280


def test_a_directory_of_something_else_is_refused(tmp_path):
    with pytest.raises(sources.DataError, match="expected Annotations/CLS-LOC and Data/CLS-LOC"):
        boxes.load("imagenet", "train", data_dir=str(tmp_path))
    with pytest.raises(sources.DataError, match="expected annotations of test"):
        boxes.load("imagenet", "test", data_dir=archive(tmp_path, ROWS))
