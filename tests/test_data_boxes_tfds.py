"""TFDS' real builders of VOC and COCO on small archives in the real format."""

import io
import json
import tarfile
import zipfile

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from pictures_with_boxes import drawn, encoded, voc
from tensorflow_datasets.core.download import checksums

from trainers.data import boxes, sources
from trainers.data.boxes import tfds as boxes_tfds
from trainers.data.sources import builders, tfds_source

GREY = drawn(40, 60, (0, 0, 0, 0))


def prepared(root, name, archives):
    """The set prepared by its builder, from {file name: bytes} in place of its downloads."""
    manual = root / "downloads" / "manual"
    manual.mkdir(parents=True)
    url_infos = tfds.builder_cls(name.partition("/")[0]).url_infos
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builders, "reachable", lambda urls: pytest.fail("asked the network"))
        patch.setattr(builders, "missing", lambda *_: [])
        for file, content in archives.items():
            (manual / file).write_bytes(content)
            url = next(url for url in url_infos if url.endswith(f"/{file}"))
            patch.setitem(url_infos, url, checksums.compute_url_info(manual / file))
        builders.prepare(name, str(root))
    return str(root)


def tar_of(folder):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        tar.add(folder, "VOCdevkit")
    return out.getvalue()


def zip_of(contents):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return out.getvalue()


def test_voc(tmp_path):
    """As the folders that it was made of are read."""
    root = tmp_path / "trainval" / "VOCdevkit" / "VOC2007"
    box = ("dog", (5, 6, 17, 38), 0)
    for split in ("train", "val"):
        voc(root, f"a{split}", GREY, [box, ("cat", (1, 1, 60, 40), 1)], split)
    voc(tmp_path / "test" / "VOC2007", "c", GREY, [box], "test")
    for place in (root, tmp_path / "test" / "VOC2007"):
        for path in place.glob("Annotations/*"):  # TFDS asks for what the real ones have
            filled = "<pose>Left</pose><truncated>0</truncated><difficult>"
            path.write_text(path.read_text().replace("<difficult>", filled))
    archives = {
        "VOCtrainval_06-Nov-2007.tar": tar_of(root.parent),
        "VOCtest_06-Nov-2007.tar": tar_of(tmp_path / "test"),
    }
    data_dir = prepared(tmp_path / "tfds", "voc/2007", archives)
    source = boxes.load("voc/2007", "trainval", data_dir=data_dir)
    folders = boxes.load("voc", "trainval", data_dir=str(tmp_path / "trainval"))
    assert source.length == 2 and source.class_names[11] == "dog" and source.num_classes == 20
    for number in (0, 1):
        ours, theirs = (each.annotations.of(number) for each in (source, folders))
        np.testing.assert_array_equal(ours.boxes, theirs.boxes)
        np.testing.assert_array_equal(ours.ignore, theirs.ignore)
    assert source.annotations.of(0).classes.tolist() == [11, 7]
    images, labels = source.fetch(np.array([1, 0]))
    assert tf.io.decode_jpeg(images[0]).shape == (40, 60, 3)
    assert labels["boxes"][0, 0].numpy().tolist() == [5, 4, 38, 17]
    assert source.fingerprint == boxes.load("voc/2007", "test", data_dir=data_dir).fingerprint


def test_coco(tmp_path, monkeypatch):
    content = encoded(GREY)
    image = {"file_name": "1.jpg", "id": 9, "height": 40, "width": 60}
    rows = [
        {"id": 1, "image_id": 9, "category_id": 90, "bbox": [1.25, 2, 10.5, 20], "area": 55.75},
        {"id": 2, "image_id": 9, "category_id": 1, "bbox": [0, 0, 60, 40], "area": 2400},
    ]
    rows = [{**row, "iscrowd": n} for n, row in enumerate(rows)]
    categories = [{"id": n, "name": f"kind {n}"} for n in (*range(1, 80), 90)]
    table = json.dumps({"images": [image], "annotations": rows, "categories": categories})
    info = json.dumps({"images": [image], "categories": categories})
    archives = {f"{part}2017.zip": {f"{part}2017/1.jpg": content} for part in ("val", "test")}
    archives["train2017.zip"] = {"train2017/1.jpg": content}
    archives["annotations_trainval2017.zip"] = {
        f"annotations/instances_{part}2017.json": table for part in ("train", "val")
    }
    archives["image_info_test2017.zip"] = {"annotations/image_info_test2017.json": info}
    archives = {name: zip_of(contents) for name, contents in archives.items()}
    data_dir = prepared(tmp_path, "coco/2017", archives)
    held = boxes.load("coco/2017", "train", data_dir=data_dir)
    monkeypatch.setattr(tfds_source, "MEMORY_BYTES", 0)
    by_record = boxes.load("coco/2017", "train", data_dir=data_dir)
    assert (held.portable, by_record.portable) == (True, False)
    for source in (held, by_record):
        found = source.annotations
        np.testing.assert_array_equal(found.boxes, [(2, 1.25, 22, 11.75), (0, 0, 40, 60)])
        assert found.image_ids.tolist() == [9] and found.area.tolist() == [55, 2400]
        assert found.classes.tolist() == [79, 0] and found.ignore.tolist() == [False, True]
        images, labels = source.fetch(np.array([0]))
        assert images[0].numpy() == content and labels["classes"].numpy().tolist() == [[79, 0]]
    with pytest.raises(sources.DataError, match="coco/2017: expected boxes in test, found none"):
        boxes.load("coco/2017", "test", data_dir=data_dir)


def test_an_unprepared_set_names_its_command(tmp_path):
    with pytest.raises(sources.DataError, match="prepare --data=voc/2007 --data_dir="):
        boxes.load("voc/2007", "train", data_dir=str(tmp_path))


def test_columns_are_read_as_rows_are():
    """tf.data gives a dict of arrays where array_record gives a list of dicts."""
    things = {
        "label": np.array([3, 4]),
        "bbox": np.float32([(0.1, 0.2, 0.5, 1.0), (0, 0, 1, 1)]),
        "is_crowd": np.array([False, True]),
        "area": np.array([7, 8]),
    }
    record = {"image": encoded(GREY), "image/filename": b"1.jpg", "image/id": 5, "objects": things}
    rows = [{key: column[n] for key, column in things.items()} for n in range(2)]
    ours = boxes_tfds.annotated("coco/2017", 1, record)
    assert ours == boxes_tfds.annotated("coco/2017", 1, record | {"objects": rows})
    assert ours.objects[0] == ("object 1", 3, (4.0, 12.0, 20.0, 60.0), False, 7.0)
