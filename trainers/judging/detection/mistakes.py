"""What a detector does wrong: objects that nothing found, detections of what is not there.

The kinds are Hoiem's (ECCV 2012, "Diagnosing Error in Object Detectors"): of the right class but
badly placed, of another class, on the background, or once more what was found already.
"""

import dataclasses

import numpy as np

from trainers.judging.detection import objects, voc

SHOWN = 24
SURE = 0.5  # the score from which a false alarm is counted: of each hundred on a picture most are 0
TOUCHED = 0.1  # the overlap below which an object has nothing to do with it
ALARMS = ("background", "misplaced", "other class", "twice")
MISSES = ("not found", "misplaced", "other class")


@dataclasses.dataclass(frozen=True)
class Mistake:
    """One miss or false alarm: `row` of Truth or Found, and the nearest `other` of the other side.

    `kind` is one of MISSES or ALARMS, `overlap` is theirs; other is NOBODY where nothing is near.
    """

    row: int
    kind: str
    other: int
    overlap: float


def misses(truth, found, verdicts, whose):
    """Counted objects that nothing found, largest first: -> [Mistake]; `voc.match` has verdicts."""
    seen = np.zeros(len(truth.classes), bool)
    seen[whose[verdicts == voc.RIGHT]] = True
    rows = np.flatnonzero(~seen & ~truth.ignore)
    rows = rows[np.argsort(-truth.area[rows], kind="stable")]
    return [explained(truth, int(row), found, MISSES[0]) for row in rows]


def false_alarms(truth, found, verdicts, whose):
    """Wrong detections from SURE on, best score first: -> [Mistake]."""
    rows = np.flatnonzero((verdicts == voc.WRONG) & (found.scores >= SURE))
    rows = rows[np.argsort(-found.scores[rows], kind="stable")]
    alarms = [explained(found, int(row), truth, ALARMS[0]) for row in rows]
    return [
        dataclasses.replace(one, kind="twice") if whose[one.row] != voc.NOBODY else one
        for one in alarms
    ]


def explained(them, row, others, alone):
    """The Mistake of one row, by what overlaps it most among the others there; else `alone`."""
    there = objects.on_picture(others, them.picture[row])
    shared = objects.overlaps(them.boxes[row : row + 1], others.boxes[there])[0]
    same = others.classes[there] == them.classes[row]
    # One of another class explains it only where it lies as a right box would.
    near = np.where(same, shared >= TOUCHED, shared >= voc.IOU_LEAST)
    if not near.any():
        return Mistake(row, alone, voc.NOBODY, 0.0)
    most = int(np.where(near, shared, -1).argmax())
    kind = "misplaced" if same[most] else "other class"
    return Mistake(row, kind, int(there.start) + most, float(shared[most]))


def counted(mistakes, kinds):
    """How many of each kind: -> dict."""
    return {kind: sum(one.kind == kind for one in mistakes) for kind in kinds}


def as_fields(mistake, truth, found, them, source):
    """For JSON: one of `them`, which is truth or found, with what is there on the other side."""
    others = found if them is truth else truth
    row, other = mistake.row, mistake.other
    picture = int(them.picture[row])
    fields = {
        "index": picture,
        "file": source.files[picture] if source.files else None,
        "class": truth.class_names[them.classes[row]],
        "box": [round(float(x), 2) for x in them.boxes[row]],
        "kind": mistake.kind,
    }
    if them is found:
        fields["score"] = float(found.scores[row])
    if other != voc.NOBODY:
        fields["other"] = truth.class_names[others.classes[other]]
        fields["overlap"] = mistake.overlap
        if others is found:
            fields["score"] = float(found.scores[other])
    return fields
