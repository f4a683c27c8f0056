"""What R-CNN makes of a localiser's boxes (App. C): proposals of a class, scored anew and moved.

Of a localiser with boxes by class the proposals of the guessed classes alone are looked at, as in
the paper. Of one with one box for all classes each proposal is judged for every class at once.
"""

import functools

import numpy as np
import tensorflow as tf

from trainers.data.boxes import regions, single
from trainers.judging.localisation import errors, guessing, proposing
from zoo.localisation.regions import refining

NOT_ASKED = -1.0  # below any probability


def compiled(model, contract):
    """`refining`'s function, compiled."""
    return tf.function(refining(model, contract), reduce_retracing=True)


def refined(refine, pictures, found, kinds, num_classes):
    """Boxes (P, K, 4) and their scores (P, K), NOT_ASKED of classes that were not.

    `pictures` are `regions.pictures`, `found` is a Proposed of them, kinds (length, G) are what was
    asked, None of what has one box for all classes.
    """
    boxes = np.zeros((len(found.pictures), num_classes, 4), np.float32)
    sure = np.full((len(found.pictures), num_classes), NOT_ASKED, np.float32)
    for images, weights, index in pictures:
        row = np.searchsorted(found.pictures, index.numpy()[0])
        if not weights.numpy()[0] > 0:
            continue
        for group, (proposals, count) in enumerate(
            zip(found.regions[row], found.counts[row], strict=True)
        ):
            kind = slice(None) if kinds is None else kinds[index.numpy()[0], group]
            if kinds is not None and sure[row, kind] != NOT_ASKED:
                continue
            moved, scores = refine(images[0], tf.constant(proposals), tf.constant(count))
            boxes[row, kind], sure[row, kind] = moved.numpy()[kind], scores.numpy()[kind]
    return boxes, sure


def see(proposer, refine, source, look, probabilities=None):
    """Every picture once: -> guessing.Seen, or None where an output is not finite.

    Classes are guessed by `probabilities` (P, K), a classifier's of the pictures, ascending; else
    by the localiser's own scores if it knows classes, and put in the order of the refiner's.
    """
    labels, by_class = single.classes(source), proposer.localiser.by_class
    kinds, batches = None, guessing.batches(source, proposer.input, look)
    if by_class:
        numbers, ranked = likeliest(proposer, batches, probabilities)
        if ranked is None:
            return None
        kinds = np.repeat(labels[:, None], ranked.shape[1] + 1, axis=1)
        kinds[numbers, :-1] = ranked  # the class told is looked at too, but no guess for that
    asked = np.zeros((source.length, 1), np.int32) if kinds is None else kinds
    found = proposing.proposed(proposer, batches, asked, look.limit or source.length)
    pictures = regions.pictures(source, proposer.input, found.pictures)
    boxes, sure = refined(refine, pictures, found, kinds, source.num_classes)
    guesses = sure if probabilities is None else probabilities
    if by_class and probabilities is None:
        allowed = np.zeros(sure.shape, bool)
        np.put_along_axis(allowed, kinds[found.pictures, :-1], True, axis=1)
        guesses = np.where(allowed, sure, NOT_ASKED)
    return guessing.guessed(source, found.pictures, boxes, sure, guesses)


def likeliest(proposer, batches, probabilities):
    """Pictures (P,), and the classes to ask for (P, G) int32, None where a score is not finite."""
    find = guessing.finding(proposer.model, proposer.localiser)
    numbers, _, sure = guessing.located(find, batches)
    if not np.isfinite(sure).all():
        return numbers, None
    ranked = sure if probabilities is None else probabilities
    order = np.argsort(-ranked, axis=1, kind="stable")[:, : errors.GUESSES]
    return numbers, order.astype(np.int32)


class Rounds:
    """As the localiser's: `errors.FIGURES` over every picture of the source, once.

    Of a localiser by class its proposals of the class told alone are refined, so there is the first
    figure alone. The localiser does not change: what it proposes is asked for once.
    """

    def __init__(self, proposer, refine, source, batch_size):
        self.proposer, self.refine, self.source = proposer, refine, source
        self.contract, self.look = proposer.input, guessing.Look(batch_size)
        self.figures = errors.FIGURES[:1] if proposer.localiser.by_class else errors.FIGURES
        self.labels = single.classes(source)
        self.kinds = self.labels[:, None] if proposer.localiser.by_class else None
        self.seen = None

    @functools.cached_property
    def found(self):
        asked = np.zeros((self.source.length, 1), np.int32) if self.kinds is None else self.kinds
        batches = guessing.batches(self.source, self.contract, self.look)
        return proposing.proposed(self.proposer, batches, asked, self.source.length)

    @functools.cached_property
    def pictures(self):
        """Traced once, for all rounds."""
        return regions.pictures(self.source, self.contract, self.found.pictures)

    def __call__(self):
        numbers, classes = self.found.pictures, self.source.num_classes
        boxes, sure = refined(self.refine, self.pictures, self.found, self.kinds, classes)
        if self.kinds is not None:
            rows, labels = np.arange(len(numbers)), self.labels[numbers]
            boxes, sure = boxes[rows, labels][:, None], sure[rows, labels][:, None]
        self.seen = guessing.guessed(self.source, numbers, boxes, sure)
        if self.seen is None:
            return dict.fromkeys(self.figures)
        figures = errors.judge(self.seen.truth, self.seen.guesses)
        return {name: figures[name] for name in self.figures}
