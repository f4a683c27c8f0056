"""COCO's twelve figures, of each class and of all, by pycocotools.

A class at a time: no figure of COCO's looks at two, and of 80 the results then need an eightieth
of the memory that pycocotools takes for its dictionaries.
"""

import contextlib
import io

import numpy as np

from trainers.judging.detection import objects

ALL, SMALL, MEDIUM, LARGE = range(4)  # pycocotools' areas: below 32^2, to 96^2, above
IOU = {None: slice(None), 0.5: 0, 0.75: 5}  # of its ten, .50 to .95
MOST = {1: 0, 10: 1, 100: 2}  # detections on a picture, of the class
PRECISIONS = {
    "ap": (None, ALL),
    "ap50": (0.5, ALL),
    "ap75": (0.75, ALL),
    "ap_small": (None, SMALL),
    "ap_medium": (None, MEDIUM),
    "ap_large": (None, LARGE),
}
RECALLS = {
    "ar1": (1, ALL),
    "ar10": (10, ALL),
    "ar100": (100, ALL),
    "ar_small": (100, SMALL),
    "ar_medium": (100, MEDIUM),
    "ar_large": (100, LARGE),
}
FIGURES = (*PRECISIONS, *RECALLS)


def judge(truth, found):
    """(figures of all, [figures of each class]): dicts of FIGURES as fractions.

    None where nothing was to be found, of which a mean over the classes takes no notice. An ignored
    object is a crowd to pycocotools: whatever lies in it by the IoU asked for is passed over.
    """
    classes = [of_class(truth, found, number) for number in range(len(truth.class_names))]
    return {name: mean([one[name] for one in classes]) for name in FIGURES}, classes


def mean(values):
    """Of those that are there; None of none."""
    there = [value for value in values if value is not None]
    return float(np.mean(there)) if there else None


def of_class(truth, found, number):
    """The figures of one class: -> dict of FIGURES."""
    if not truth.counted[number]:
        return dict.fromkeys(FIGURES)
    evaluation = evaluated(truth, found, number)
    precision, recall = evaluation["precision"][:, :, 0], evaluation["recall"][:, 0]
    figures = {
        name: of_known(precision[IOU[iou], ..., area, MOST[100]])
        for name, (iou, area) in PRECISIONS.items()
    }
    for name, (most, area) in RECALLS.items():
        figures[name] = of_known(recall[:, area, MOST[most]])
    return figures


def of_known(values):
    """The mean; None where pycocotools says -1, for there is no object of that size."""
    return None if np.any(values < 0) else float(np.mean(values))


def evaluated(truth, found, number):
    """What COCOeval accumulates over the pictures that have the class, labelled or found."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    there, seen = objects.of_class(truth, number), objects.of_class(found, number)
    images = [{"id": int(n)} for n in np.union1d(truth.picture[there], found.picture[seen])]

    def index(annotations):
        coco = COCO()
        categories = [{"id": number}]
        coco.dataset = {"images": images, "annotations": annotations, "categories": categories}
        coco.createIndex()
        return coco

    with contextlib.redirect_stdout(io.StringIO()):
        labelled, results = index(labels(truth, there)), index(detections(found, seen))
        # The results are indexed by ourselves: its loadRes fails on an empty list.
        evaluation = COCOeval(labelled, results, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation.eval


def labels(truth, rows):
    """Labelled objects as pycocotools wants them: dicts, whose number 0 would mean no match."""
    columns = truth.ignore[rows].tolist(), truth.area[rows].tolist()
    shared = annotations(truth, rows)
    return [one | {"iscrowd": int(i), "area": a} for one, i, a in zip(shared, *columns)]


def detections(found, rows):
    scores, area = found.scores[rows].tolist(), objects.areas(found.boxes[rows]).tolist()
    shared = annotations(found, rows)
    return [one | {"score": s, "area": a} for one, s, a in zip(shared, scores, area)]


def annotations(them, rows):
    """What both have: a number from 1 on, picture, class, the box as x, y, width, height."""
    columns = them.picture[rows].tolist(), them.classes[rows].tolist()
    boxes = as_xywh(them.boxes[rows]).tolist()
    return [
        {"id": i, "image_id": picture, "category_id": number, "bbox": box}
        for i, (picture, number, box) in enumerate(zip(*columns, boxes), start=1)
    ]


def as_xywh(boxes):
    """COCO's way to write a box: (N, 4) -> (N, 4) float64, x and y of its corner, width, height."""
    y1, x1, y2, x2 = boxes.astype(np.float64).T
    return np.stack([x1, y1, x2 - x1, y2 - y1], axis=1)


def from_xywh(boxes):
    x, y, width, height = np.asarray(boxes, np.float64).reshape(-1, 4).T
    return np.stack([y, x, y + height, x + width], axis=1).astype(np.float32)
