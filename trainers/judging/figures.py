"""What scores say of a network: errors, confusions, calibration, the worst mistakes. By numpy."""

import numpy as np

BINS = 15  # of confidence, as in Guo et al. 2017, "On Calibration of Modern Neural Networks"
WORST = 30
PER_CLASS = ("precision", "recall", "f1")


def judge(scores, class_names):
    """What `evaluation.json` says of the images: Scores -> dict; errors are fractions."""
    probabilities, labels = scores.probabilities, scores.labels
    ranks = rank(probabilities, labels)
    own = probabilities[np.arange(len(labels)), labels]
    counts = confusion(probabilities, labels)
    classes = per_class(counts, class_names)
    return {
        "images": len(labels),
        "error": float(np.mean(ranks >= 1)),
        "error_top5": float(np.mean(ranks >= 5)),
        "loss": float(np.mean(-np.log(np.maximum(own, np.finfo(np.float64).tiny)))),
        "calibration_error": calibration_error(probabilities, labels),
        "means": means_of(classes),
        "classes": classes,
        "confusion": by_class(counts),
    }


def rank(probabilities, labels):
    """How many classes come before the right one: (N, C) and (N,) -> (N,); ties by class number."""
    own = probabilities[np.arange(len(labels)), labels][:, None]
    classes = np.arange(probabilities.shape[1])[None]
    before = (probabilities > own) | ((probabilities == own) & (classes < labels[:, None]))
    return before.sum(axis=1)


def per_class(counts, class_names):
    """A list in the order of the classes: name, images, top-1 error, precision, recall, F1.

    `counts` are `confusion`'s. As in scikit-learn with zero_division=0, a precision of no answers
    and a recall of no images are 0, and so is F1 of two zeros; of a class that neither has an image
    nor is any answer all three are None. The error of a class without an image is None.
    """
    true, called, images = counts.T
    size = len(class_names)
    have, got = (np.bincount(x, weights=images, minlength=size) for x in (true, called))
    right = np.bincount(true, weights=images * (true == called), minlength=size)
    precision, recall = right / np.maximum(got, 1), right / np.maximum(have, 1)
    f1 = 2 * right / np.maximum(have + got, 1)  # the harmonic mean of the two
    return [
        {
            "name": name,
            "images": int(have[i]),
            "error": float((have[i] - right[i]) / have[i]) if have[i] else None,
            **{
                figure: float(value[i]) if have[i] or got[i] else None
                for figure, value in zip(PER_CLASS, (precision, recall, f1), strict=True)
            },
        }
        for i, name in enumerate(class_names)
    ]


def means_of(classes):
    """{"macro": ..., "weighted": ...} of PER_CLASS: all classes alike, or each by its images.

    Classes that neither have an image nor are any answer are left out, as scikit-learn does.
    """
    there = [c for c in classes if c["recall"] is not None]
    values = np.array([[c[figure] for figure in PER_CLASS] for c in there])
    weights = {"macro": None, "weighted": [c["images"] for c in there]}
    return {
        name: dict(zip(PER_CLASS, np.average(values, axis=0, weights=w).tolist()))
        for name, w in weights.items()
    }


def confusion(probabilities, labels):
    """How many images of each class were called what: (P, 3), rows of true class, called, images.

    Pairs that there are, by their numbers: a matrix of 5,000 classes would have 25 million cells.
    """
    classes = probabilities.shape[1]
    pairs, images = np.unique(
        labels.astype(np.int64) * classes + probabilities.argmax(axis=1), return_counts=True
    )
    return np.stack([pairs // classes, pairs % classes, images], axis=1)


def by_class(counts):
    """Counts as {true class: {called: images}}, classes by their number, as JSON wants keys."""
    found = {}
    for true, called, images in counts.tolist():
        found.setdefault(str(true), {})[str(called)] = images
    return found


def bins(probabilities, labels):
    """Images by the confidence of their answer: (images, mean confidence, accuracy), (BINS,) each.

    Bins of equal width, their upper ends included; an empty one has 0 and 0.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    place = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    images = np.bincount(place, minlength=BINS)
    full = np.maximum(images, 1)
    confidences = np.bincount(place, weights=confidence, minlength=BINS) / full
    return images, confidences, np.bincount(place, weights=right, minlength=BINS) / full


def calibration_error(probabilities, labels):
    """Expected calibration error: the mean over images of |accuracy - confidence| of their bin."""
    images, confidences, accuracies = bins(probabilities, labels)
    return float(np.sum(images * np.abs(accuracies - confidences)) / images.sum())


def worst(scores, source):
    """The wrong answers whose right class got least, worst first: a list of dicts."""
    probabilities, labels = scores.probabilities, scores.labels
    called = probabilities.argmax(axis=1)
    rows = np.arange(len(labels))
    own = probabilities[rows, labels]
    order = [i for i in np.argsort(own, kind="stable") if called[i] != labels[i]][:WORST]
    return [
        {
            "index": int(scores.index[i]),
            "file": source.files[scores.index[i]] if source.files else None,
            "label": source.class_names[labels[i]],
            "called": source.class_names[called[i]],
            "probability": float(probabilities[i, called[i]]),
            "probability_of_label": float(own[i]),
        }
        for i in order
    ]
