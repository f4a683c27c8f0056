"""Annotated picture files -> a Source: sizes looked at, boxes turned, clipped and counted."""

import collections
import hashlib
import os
import pathlib
import typing

import numpy as np
import tensorflow as tf

from trainers.data import sources
from trainers.data.boxes import heads
from trainers.data.boxes.annotations import Annotations, gather
from trainers.data.sources.listing import Listing, Picture, short
from zoo import orientation


class Object(typing.NamedTuple):
    """A box (y1, x1, y2, x2) of continuous edges; `where` names it in a sentence."""

    where: str
    label: int
    box: tuple[float, float, float, float]
    ignore: bool = False
    area: float | None = None


class Annotated(typing.NamedTuple):
    """A picture's path, its annotated (height, width) if it has one, its number and objects.

    `head` is the ((height, width), orientation) of one that is no file.
    """

    path: str
    size: tuple[int, int] | None
    image_id: int
    objects: list[Object]
    head: tuple | None = None


def source_of(name, split, root, classes, pictures, fingerprint) -> sources.Source:
    """A Source; `classes` is {name: COCO's category id}. DataError names what cannot be meant.

    Boxes end at the picture's edges. Those without area, there or from the beginning, are passed
    over and counted in `listing`; pictures without boxes stay: there is nothing on them.
    """
    if not pictures:
        raise sources.DataError(f"{name}: expected pictures of {split} in {root}, found none")
    paths = tuple(picture.path for picture in pictures)
    told = all(picture.head for picture in pictures)
    found = [picture.head for picture in pictures] if told else heads.of_files(paths)
    sizes = np.zeros((len(pictures), 2), np.int32)
    left_out, rows = collections.Counter(), []
    for number, picture in enumerate(pictures):
        seen, turn = seen_size(name, picture, *found[number])
        sizes[number] = seen
        for thing in picture.objects:
            box = clipped(name, picture, thing, seen, turn)
            if box is None:
                left_out["boxes without area in the picture"] += 1
            else:
                area = thing.area
                area = (box[2] - box[0]) * (box[3] - box[1]) if area is None else area
                rows.append((number, box, thing.label, thing.ignore, area))
    annotations = annotated(rows, sizes, pictures, root, classes)
    names = [Picture(file, "", split) for file in annotations.names]
    return sources.Source(
        *(name, split, tuple(classes), len(pictures), fetcher(paths, annotations), None, paths),
        pictures=tuple(names),
        listing=Listing(pathlib.Path(root), tuple(names), dict(+left_out)),
        fingerprint=fingerprint,
        annotations=annotations,
    )


def annotated(rows, sizes, pictures, root, classes) -> Annotations:
    """Rows of (picture, box, class, ignore, area) as Annotations."""
    picture, boxes, labels, ignore, area = zip(*rows) if rows else ((),) * 5
    return Annotations(
        np.array(picture, np.int64),
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(labels, np.int32),
        np.array(ignore, bool),
        np.array(area, np.float64),
        sizes,
        np.array([each.image_id for each in pictures], np.int64),
        tuple(pathlib.PurePath(os.path.relpath(p.path, root)).as_posix() for p in pictures),
        np.array(list(classes.values()), np.int64),
    )


def fetcher(paths, annotations):
    """The Source's `fetch`: files are read when they are asked for."""
    labelled = gather(annotations)
    with tf.device("cpu"):
        files = tf.constant([os.fsencode(path) for path in paths], tf.string)

    def fetch(indices):
        indices = tf.convert_to_tensor(indices)
        return tf.map_fn(tf.io.read_file, tf.gather(files, indices)), labelled(indices)

    return fetch


def seen_size(name, picture, stored, turn):
    """The size as seen, and how its boxes must be turned to be of that picture: (h, w), 1 to 8.

    Boxes are of the picture as it is seen unless the annotated size is that as stored alone.
    """
    seen = stored[::-1] if turn > 4 else stored
    told = picture.size
    if not min(stored):  # unreadable, which is said when it is read
        return told or (1, 1), orientation.UPRIGHT
    if told in (None, seen):
        return seen, orientation.UPRIGHT
    if told == stored:
        return seen, turn
    raise sources.DataError(
        f"{name}: {short(picture.path)} is {seen[0]} x {seen[1]} pixels (height x width), but was "
        f"annotated as {told[0]} x {told[1]}: expected the picture that the boxes were drawn on"
    )


def clipped(name, picture, thing, seen, turn):
    """A box turned and ended at the picture's edges; None where nothing is left of it."""
    if not np.isfinite(thing.box).all():
        raise sources.DataError(
            f"{name}: {thing.where} of {short(picture.path)}: expected four finite numbers for a "
            f"box, got {thing.box}"
        )
    y1, x1, y2, x2 = turned(thing.box, seen, turn)
    y1, x1 = max(y1, 0.0), max(x1, 0.0)
    y2, x2 = min(y2, float(seen[0])), min(x2, float(seen[1]))
    return (y1, x1, y2, x2) if y2 > y1 and x2 > x1 else None


def turned(box, seen, turn):
    """A box of the picture as stored -> of that as seen, as `orientation.upright` turns pixels."""
    y1, x1, y2, x2 = box if turn <= 4 else (box[1], box[0], box[3], box[2])
    rows, columns = orientation.flips(turn)
    if rows:
        y1, y2 = seen[0] - y2, seen[0] - y1
    if columns:
        x1, x2 = seen[1] - x2, seen[1] - x1
    return y1, x1, y2, x2


def digest(path) -> str:
    """BLAKE2b, 64 bits, of a whole file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=8)).hexdigest()
