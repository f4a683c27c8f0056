"""VOC and COCO as TensorFlow Datasets has them, for those who have prepared one.

It loses what the folders and the JSON have: COCO's category ids, and the fractions of its areas.
What it keeps as shares of the sides is brought back to hundredths of a pixel, as COCO writes them.
"""

import dataclasses
import pathlib

import numpy as np
import tensorflow as tf
import tensorflow_datasets

from trainers.data import sources
from trainers.data.boxes import files, heads
from trainers.data.boxes.annotations import gather
from trainers.data.sources import tfds_source

PARTS = ("train", "validation", "test")
JOINED = {"trainval": PARTS[:2], "all": PARTS}
CHUNK = 256  # records read at once
DECODERS = {"image": tensorflow_datasets.decode.SkipDecoding()}


def load(name, split, *, data_dir=None, seed: int = 0) -> sources.Source:
    """A prepared set; pictures of one beyond memory are read by the record."""
    builder = tfds_source.find(name, data_dir)
    tfds_source.require_prepared(builder, data_dir)
    part = "+".join(JOINED.get(split, (split,)))
    kept = builder.info.splits[part].num_bytes <= tfds_source.MEMORY_BYTES
    pictures, contents = [], []
    for number, record in enumerate(records(builder, part), start=1):
        pictures.append(annotated(name, number, record))
        contents += [record["image"]] if kept else []
    if not any(picture.objects for picture in pictures):
        raise sources.DataError(f"{name}: expected boxes in {split}, found none")
    labels = builder.info.features["objects"]["label"].names
    classes = {label: place for place, label in enumerate(labels, start=1)}
    facts = tfds_source.fingerprint(builder)
    plain = files.source_of(name, split, pathlib.Path(), classes, pictures, facts)
    images = in_memory(contents) if kept else by_record(builder, part)
    labelled = gather(plain.annotations)

    def fetch(indices):
        indices = tf.convert_to_tensor(indices)
        return images(indices), labelled(indices)

    return dataclasses.replace(plain, fetch=fetch, portable=kept, pictures=(), files=())


def records(builder, part):
    """Every record in the order on disk, pictures encoded."""
    if builder.info.file_format == tensorflow_datasets.core.FileFormat.ARRAY_RECORD:
        found = builder.as_data_source(part, decoders=DECODERS)
        for start in range(0, len(found), CHUNK):
            yield from found.__getitems__(list(range(start, min(start + CHUNK, len(found)))))
    else:
        config = tensorflow_datasets.ReadConfig(interleave_cycle_length=1, try_autocache=False)
        options = {"shuffle_files": False, "decoders": DECODERS, "read_config": config}
        yield from builder.as_dataset(split=part, **options).as_numpy_iterator()


def annotated(name, number, record):
    """A record as files' Annotated; VOC's corners are counted from 1, as in its folders."""
    size, turn = heads.of_bytes(record["image"])
    height, width = size[::-1] if turn > 4 else size
    things = record["objects"]
    if isinstance(things, dict):  # of columns, as tf.data has it
        things = [dict(zip(things, row, strict=True)) for row in zip(*things.values())]
    sides, objects = (height, width, height, width), []
    for place, thing in enumerate(things, start=1):
        y1, x1, y2, x2 = np.round(np.float64(thing["bbox"]) * sides, 2).tolist()
        corner = (y1 - 1, x1 - 1) if name.startswith("voc") else (y1, x1)
        hard = thing.get("is_difficult", thing.get("is_crowd"))
        area = float(thing["area"]) if "area" in thing else None
        box = (*corner, y2, x2)
        objects.append(files.Object(f"object {place}", int(thing["label"]), box, bool(hard), area))
    path = record["image/filename"]
    path = path.decode() if isinstance(path, bytes) else str(path)
    return files.Annotated(path, None, int(record.get("image/id", number)), objects, (size, turn))


def in_memory(contents):
    """Encoded pictures by their indices."""
    with tf.device("cpu"):
        images = tf.constant(contents)
    return lambda indices: tf.gather(images, indices)


def by_record(builder, part):
    """The same, read when they are asked for; needs the array_record format."""
    if builder.info.file_format != tensorflow_datasets.core.FileFormat.ARRAY_RECORD:
        raise sources.DataError(
            f"{builder.name}: expected at most {tfds_source.MEMORY_BYTES >> 30} GiB or a set "
            "prepared as array_record: prepare it again with trainers.data.prepare in another "
            "--data_dir"
        )
    found = builder.as_data_source(part, decoders=DECODERS)

    def read(indices):
        return np.array([r["image"] for r in found.__getitems__(indices.tolist())], object)

    def images(indices):
        return tf.ensure_shape(tf.numpy_function(read, [indices], tf.string), indices.shape)

    return images
