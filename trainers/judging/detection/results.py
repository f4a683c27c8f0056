"""Detections as a file of COCO's results format, written and read again.

An array of {"image_id", "category_id", "bbox": [x, y, width, height], "score"}, a line each, with
COCO's own numbers of pictures and categories: what its server and its tools take.
"""

import json

import numpy as np

from trainers.judging.detection import coco, objects
from zoo import files

KEYS = ("image_id", "category_id", "bbox", "score")
DIGITS = 3  # of a pixel; scores have all of float32's


class ResultsError(ValueError):
    """Why a file holds no results, or those of other pictures."""


def write(path, truth, found):
    """The file, whole or not at all."""
    images = truth.image_ids[np.searchsorted(truth.pictures, found.picture)].tolist()
    categories = truth.category_ids[found.classes].tolist()
    boxes = np.round(coco.as_xywh(found.boxes), DIGITS).tolist()
    rows = zip(images, categories, boxes, found.scores.astype(str).tolist(), strict=True)
    with files.replacing(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        file.write("[")
        for number, (image, category, box, score) in enumerate(rows):
            fields = zip(KEYS, (image, category, box, float(score)))
            file.write(",\n" * bool(number) + json.dumps(dict(fields), allow_nan=False))
        file.write("]\n")


def read(path, truth):
    """The Found that a file of results is, of the pictures and categories of `truth`."""
    try:
        with open(path, encoding="utf-8") as file:
            rows = json.load(file, object_hook=row)
        if not isinstance(rows, list):
            raise ValueError("expected an array")
        columns = list(zip(*rows, strict=True)) or [()] * len(KEYS)
        images, categories, boxes, scores = columns
        return objects.in_order(
            numbers("image_id", images, truth.image_ids, truth.pictures),
            coco.from_xywh(boxes),
            np.array(scores, np.float32),
            numbers("category_id", categories, truth.category_ids).astype(np.int32),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ResultsError(f"{path}: no results in COCO's format: {error}") from None


def row(fields):
    """One object of the file as a tuple, which takes a quarter of a dictionary's memory."""
    missing = [key for key in KEYS if key not in fields]
    if missing or len(fields["bbox"]) != 4:
        raise ValueError(f"expected an object with {', '.join(KEYS)}, got {str(fields):.80}")
    return tuple(fields[key] for key in KEYS)


def numbers(key, ids, known, values=None):
    """COCO's own numbers as ours: their places among `known`, or the values there."""
    places = {own: place for place, own in enumerate(known.tolist())}
    strange = next((own for own in ids if own not in places), None)
    if strange is not None:
        raise ValueError(f"{key} {strange!r:.40} is none of the {len(known):,} that are judged")
    places = np.array([places[own] for own in ids], np.int64)
    return places if values is None else values[places]
