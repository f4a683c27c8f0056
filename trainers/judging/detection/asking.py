"""Picture files of a user's own: what a detector finds in each, drawn and in COCO's format."""

import dataclasses
import itertools
import json
import pathlib

import numpy as np
import tensorflow as tf

from trainers.judging import pictures
from trainers.judging.detection import drawing, look, objects, results, sheets
from zoo import disks, files
from zoo.detection import preprocess

DETECTIONS, IMAGES = "detections.json", "images.json"


@dataclasses.dataclass(frozen=True)
class Sight:
    """The answer to one file: what was found in it, best first, or why nothing could be.

    `size` is its height and width as people see it, boxes (n, 4), scores (n,), classes (n,) are in
    its pixels; `drawn` is the picture with its boxes.
    """

    file: str
    size: tuple[int, int] | None = None
    boxes: np.ndarray | None = None
    scores: np.ndarray | None = None
    classes: np.ndarray | None = None
    drawn: pathlib.Path | None = None
    error: str | None = None


def look_at(model, manifest, paths, output_dir, least_score):
    """A Sight of every file of `paths`, in their order, each drawn into `output_dir` as it comes.

    Boxes of `least_score` and more are drawn. DETECTIONS, which has all of them, and IMAGES, which
    says what its numbers are, are written at the end.
    """
    output_dir = files.make_directory(output_dir)
    detect = look.detecting(model, manifest.network)
    found, names = [], set()
    for item in pictures.find(paths):
        sight = item if isinstance(item, pictures.Guess) else seen(detect, manifest, item)
        if not sight.error:
            path = output_dir / own_name(sight.file, names)
            draw(path, sight, manifest, least_score)
            sight = dataclasses.replace(sight, drawn=path)
            found.append(sight)
        yield sight
    write(output_dir, found, manifest)


def seen(detect, manifest, file):
    """One file looked at, as evaluation does: -> Sight."""
    try:
        pixels = upright(file, manifest.input)
    except pictures.PictureError as error:
        return Sight(file, error=str(error))
    image = preprocess.resize(pixels, manifest.input)[tf.newaxis]
    size = tf.shape(image)[tf.newaxis, 1:3]
    answer = detect(image, size)
    if not answer.finite:
        return Sight(file, error="the answer is not finite: the network's training has diverged")
    original, count = pixels.shape[:2], int(answer.count[0])
    scale = np.tile(np.float32(original) / np.float32(image.shape[1:3]), 2)
    return Sight(
        file,
        tuple(original),
        answer.boxes[0, :count].numpy() * scale,
        answer.scores[0, :count].numpy(),
        answer.classes[0, :count].numpy(),
    )


def upright(file, contract):
    """A file's pixels the way they are seen: -> (H, W, 3) uint8 tensor; PictureError."""
    # Its own pixels alone are bounded: the contract bounds those of the resized picture.
    return pictures.opened(file, 1, lambda encoded: preprocess.read(encoded, contract))


def own_name(file, taken):
    """NAME.png, or NAME-2.png, NAME-3.png where others have the name; `taken` is a set of names."""
    stem = pathlib.Path(file).stem
    names = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
    name = next(name for name in names if name not in taken)
    taken.add(name)
    return f"{name}.png"


def draw(path, sight, manifest, least_score):
    sure = sight.scores >= least_score
    columns = sight.boxes[sure], sight.scores[sure], sight.classes[sure]
    boxes = drawing.of_detections(*columns, manifest.class_names)
    with disks.told(path.parent):
        sheets.save(path, drawing.draw(upright(sight.file, manifest.input), boxes))


def write(output_dir, sights, manifest):
    """Everything that was found as COCO's results, and the pictures and classes they speak of."""
    ids = image_ids([sight.file for sight in sights])
    classes = len(manifest.class_names)
    categories = manifest.data.get("category_ids") or list(range(1, classes + 1))
    rows = [(i, x.boxes, x.scores, x.classes) for i, x in enumerate(sights)]
    nothing = objects.found([])
    known = objects.Truth(
        np.arange(len(sights)),
        *(nothing.picture, nothing.boxes, nothing.classes, np.zeros(0, bool), np.zeros(0)),
        manifest.class_names,
        np.array(categories),
        np.array(ids, np.int64),
    )
    images = [
        {"id": number, "file_name": sight.file, "height": sight.size[0], "width": sight.size[1]}
        for number, sight in zip(ids, sights)
    ]
    kinds = [{"id": n, "name": name} for n, name in zip(categories, manifest.class_names)]
    table = json.dumps({"images": images, "categories": kinds}, indent=2)  # names of any bytes
    with disks.told(output_dir):
        results.write(output_dir / DETECTIONS, known, objects.found(rows))
        files.write_text(output_dir / IMAGES, f"{table}\n")


def image_ids(names):
    """COCO's own numbers, 397133 of 000000397133.jpg, if every name is one; else 1, 2, 3 ..."""
    stems = [pathlib.Path(name).stem for name in names]
    if all(stem.isascii() and stem.isdigit() and len(stem) < 19 for stem in stems):
        numbers = list(map(int, stems))
        if len(set(numbers)) == len(numbers):
            return numbers
    return list(range(1, len(names) + 1))


def as_text(sight, class_names, least_score):
    """A line: the file, how many objects of `least_score` and more, which, how sure."""
    sure = [(k, s) for k, s in zip(sight.classes, sight.scores) if s >= least_score]
    listed = ", ".join(f"{class_names[kind]} {score:.0%}" for kind, score in sure)
    counted = f"{len(sure)} object{'s' * (len(sure) != 1)}" if sure else "no object"
    return f"{sight.file}: {counted}{': ' * bool(sure)}{listed}"


def as_fields(sight, class_names, least_score):
    """For JSON: the file with its objects of `least_score` and more, or with `error`."""
    if sight.error:
        return {"file": sight.file, "error": sight.error}
    rows = zip(sight.classes.tolist(), sight.scores.tolist(), sight.boxes.tolist())
    found = [
        {"class": class_names[kind], "score": score, "box": box}
        for kind, score, box in rows
        if score >= least_score
    ]
    return {"file": sight.file, "drawn": str(sight.drawn), "objects": found}
