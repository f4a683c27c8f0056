"""What scores say of a network: errors, confusions, calibration, the worst mistakes. By numpy."""

import numpy as np

BINS = 15  # of confidence, as in Guo et al. 2017, "On Calibration of Modern Neural Networks"
WORST = 30


def judge(scores, class_names):
    """What `evaluation.json` says of the images: Scores -> dict; errors are fractions."""
    probabilities, labels = scores.probabilities, scores.labels
    ranks = rank(probabilities, labels)
    own = probabilities[np.arange(len(labels)), labels]
    return {
        "images": len(labels),
        "error": float(np.mean(ranks >= 1)),
        "error_top5": float(np.mean(ranks >= 5)),
        "loss": float(np.mean(-np.log(np.maximum(own, np.finfo(np.float64).tiny)))),
        "calibration_error": calibration_error(probabilities, labels),
        "classes": per_class(ranks, labels, class_names),
        "confusion": by_class(confusion(probabilities, labels)),
    }


def rank(probabilities, labels):
    """How many classes come before the right one: (N, C) and (N,) -> (N,); ties by class number."""
    own = probabilities[np.arange(len(labels)), labels][:, None]
    classes = np.arange(probabilities.shape[1])[None]
    before = (probabilities > own) | ((probabilities == own) & (classes < labels[:, None]))
    return before.sum(axis=1)


def per_class(ranks, labels, class_names):
    """A list in the order of the classes: name, images and top-1 error, None without an image."""
    images = np.bincount(labels, minlength=len(class_names))
    wrong = np.bincount(labels, weights=ranks >= 1, minlength=len(class_names))
    return [
        {"name": name, "images": int(n), "error": float(w / n) if n else None}
        for name, n, w in zip(class_names, images, wrong, strict=True)
    ]


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
