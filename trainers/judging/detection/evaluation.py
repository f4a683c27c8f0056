"""A trained detector judged: every picture once, then figures, files."""

import importlib

import numpy as np

from trainers.data import stream
from trainers.data.boxes import pipelines
from trainers.judging import scores
from trainers.judging.detection import look, objects, recall, scales, verdict
from trainers.plan.detection import images
from zoo import archive


def evaluate(judging):
    """Judges a run's detector and writes `verdict.WRITTEN`: -> what evaluation.json says."""
    if judging.metric == "coco":
        importlib.import_module("pycocotools")  # before the pictures, which take their time
    model, manifest = archive.load(judging.run_dir, judging.weights, kind="detector")
    source = images.source_of(manifest, judging.split, judging.data, judging.data_dir)
    how = look.Look(judging.refine, judging.vote, judging.scales)
    with stream.unreadable_named():
        seen = see(model, manifest, source, how, judging.batch_size, judging.limit)
    head = {
        "network": manifest.network.network.name,
        "run_dir": str(judging.run_dir),
        "step": manifest.step,
        "weights": judging.weights,
        "data": source.name,
        "split": source.split,
        "how": how.words(),
    }
    return verdict.write(judging.output_dir, head, seen, judging.metric, source, manifest.input)


def see(model, manifest, source, how=look.ONCE, batch_size=1, limit=None):
    """What a detector finds on each picture of a source, or `limit` of them: -> verdict.Seen."""
    detect = look.detecting(model, manifest.network, how)
    pictures = batches(source, manifest.input, how, batch_size, limit)
    seen = seen_by(detect, source, pictures, limit)
    if seen is None:
        raise scores.ScoreError(
            f"{manifest.network.network.name}: its outputs are not finite: its training has "
            "diverged, take an earlier state or a lower learning rate"
        )
    return seen


def seen_by(detect, source, pictures, limit=None):
    """The same by a function `look.detecting` on `batches`; None if its outputs are not finite."""
    length = min(limit or source.length, source.length)
    rows, overlap = [], {}
    for pixels, targets, weights, index, *others in pictures:
        found = detect(pixels, targets["size"], *others)
        if not found.finite:
            return None
        for i in np.flatnonzero(weights.numpy() > 0):
            picture = int(index[i])
            back = (targets["original"][i] / targets["size"][i]).numpy().astype(np.float32)
            row, proposed = of_picture(found, i, np.tile(back, 2))
            rows.append((picture, *row))
            overlap[picture] = recall.best(proposed, source.annotations.of(picture).boxes)
    numbers = np.array(sorted(overlap), np.int64)
    if len(rows) != length or len(numbers) != length:
        raise RuntimeError(f"expected each of {length} pictures once, got {len(rows)}")
    overlap = np.concatenate([np.zeros(0, np.float32), *(overlap[n] for n in numbers.tolist())])
    return verdict.Seen(truth_of(source, numbers), objects.found(rows), overlap)


def of_picture(found, i, back):
    """Row i: (boxes, scores, classes), proposals; `back` makes pixels the original's."""
    count, proposed = int(found.count[i]), int(found.proposed[i])
    boxes = found.boxes[i, :count].numpy() * back
    columns = boxes, found.scores[i, :count].numpy(), found.classes[i, :count].numpy()
    return columns, found.proposals[i, :proposed].numpy() * back


def batches(source, contract, how=look.ONCE, batch_size=1, limit=None):
    """`pipelines.evaluate`'s; with scales (pictures, sizes) of each stand in a list at the end."""
    if how.scales or not source.image_shape:
        batch_size = 1  # the zeros around a smaller picture would have a say at its border
    sizes = [contract, *scales.contracts(contract, how.scales)]
    own, *others = [
        pipelines.evaluate(source, size, batch_size=batch_size, limit=limit) for size in sizes
    ]
    return together(own, others) if how.scales else own


def together(own, others):
    for batch, *scaled in zip(own, *others, strict=True):
        yield *batch, [(pictures, targets["size"]) for pictures, targets, *_ in scaled]


def truth_of(source, pictures):
    """The annotations of some pictures, ascending, as Truth."""
    labelled = source.annotations
    kept = np.isin(labelled.picture, pictures)
    return objects.Truth(
        pictures,
        *(
            column[kept]
            for column in (
                labelled.picture,
                labelled.boxes,
                labelled.classes,
                labelled.ignore,
                labelled.area,
            )
        ),
        tuple(source.class_names),
        labelled.category_ids,
        labelled.image_ids[pictures],
    )
