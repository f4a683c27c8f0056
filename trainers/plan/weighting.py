"""Class weights: how much an image's class counts in the training loss, where classes are unequal.

An image's loss is multiplied by its class' weight, and the mean over all images of the batch is
what is minimised, as Keras' `class_weight` has it (PyTorch divides by the sum of the weights). The
weights of `balanced` are n / (k n_c), as scikit-learn's: n training images, k classes, n_c of the
class; so their mean over the training images is 1 and the learning rate keeps its meaning.
"""

import csv
import json
import os

import numpy as np

from zoo import limits, progress
from zoo.limits import LimitError, shown

BALANCED = "balanced"
EXPECTED = "expected balanced, or a JSON or CSV file (class,weight)"
CHUNK = 4096  # labels read together


class WeightingError(ValueError):
    """Class weights that are not those of the images' classes."""


def read(text):
    """`balanced`, or the weights as one line of JSON: of a file's path, or of such a line.

    So that a run's flags hold the weights themselves, whatever becomes of the file. LimitError.
    """
    if text == BALANCED:
        return text
    if not text.startswith("{"):
        text = _content(text)
    try:
        weights = json.loads(text) if text.lstrip().startswith("{") else _table(text)
    except ValueError as error:
        raise LimitError(f"--class_weights: {EXPECTED}, got {str(error):.100}") from None
    checked = {name: _weight(name, value) for name, value in weights.items()}
    if not any(checked.values()):
        raise LimitError("--class_weights: expected a weight above 0, got none")
    return json.dumps(checked)


def _content(path):
    try:
        with open(os.path.expanduser(path), encoding="utf-8-sig") as file:
            return file.read()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise LimitError(f"--class_weights: {EXPECTED}, got {shown(path)}: {why}") from None


def _table(text):
    """{class: weight} of rows `class,weight`, which may stand as a header before them."""
    rows = [row for row in csv.reader(text.splitlines()) if row]
    found = {}
    for row in rows[rows[:1] == [["class", "weight"]] :]:
        if len(row) != 2 or row[0] in found:
            raise ValueError(f"the row {shown(','.join(row))}")
        found[row[0]] = float(row[1])
    return found


def _weight(name, value):
    flag = f"class_weights of {name[:40]!r}"
    return float(limits.check("class weight", value, flag))


def of(recipe, source):
    """The weight of each class in the order of the source's, or None: Recipe, Source -> tuple.

    WeightingError names a class that has none, or that is not there.
    """
    if recipe.class_weights is None:
        return None
    if recipe.class_weights == BALANCED:
        return balanced(counts(source))
    weights, known = json.loads(recipe.class_weights), source.class_names
    wrong = {"no weight": [n for n in known if n not in weights]}
    wrong["no images, is no class"] = [n for n in weights if n not in known]
    for what, names in wrong.items():
        if names:
            more = f", nor have {len(names) - 1:,} more" if len(names) > 1 else ""
            raise WeightingError(
                f"--class_weights: {names[0]!r:.40} has {what} of {source.name}{more}: expected a "
                f"weight for each of its {len(known):,} classes"
            )
    return tuple(weights[name] for name in known)


def balanced(images):
    """n / (k n_c) of each class; of one without images 0: counts -> floats."""
    there = sum(n > 0 for n in images)
    return tuple(sum(images) / (there * n) if n else 0.0 for n in images)


def counts(source):
    """How many images of each class there are."""
    if source.pictures:
        number = {name: i for i, name in enumerate(source.class_names)}
        labels = np.array([number[picture.label] for picture in source.pictures])
        return np.bincount(labels, minlength=source.num_classes).tolist()
    import tensorflow as tf  # here, so that flags are read without it

    # In a graph, which leaves the images where they are.
    labels_of = tf.function(lambda index: source.fetch(index)[1], reduce_retracing=True)
    total = np.zeros(source.num_classes, int)
    starts = range(0, source.length, CHUNK)
    for start in progress.over(starts, "counting labels", source.length, CHUNK):
        index = tf.range(start, min(start + CHUNK, source.length), dtype=tf.int64)
        total += np.bincount(labels_of(index), minlength=source.num_classes)
    return total.tolist()


def describe(data):
    """For a person: the lightest and the heaviest class."""
    ordered = sorted(zip(data.class_weights, data.train.class_names, strict=True))
    (low, lightest), *_, (high, heaviest) = ordered if len(ordered) > 1 else ordered * 2
    return f"class weights from {low:.3g} ({lightest:.40}) to {high:.3g} ({heaviest:.40})"
