"""What a localiser proposes on pictures: boxes in whole pixels of each, to be refined (App. C)."""

import dataclasses

import numpy as np
import tensorflow as tf

from zoo import archive, progress
from zoo.detection.contract import DetectionInput
from zoo.localisation.propose import proposing
from zoo.localisation.regions import snapped
from zoo.localisation.specs import Localiser


@dataclasses.dataclass(frozen=True)
class Proposer:
    """A trained localiser and, compiled, what it proposes: `zoo.localisation.propose`."""

    model: object
    localiser: Localiser
    input: DetectionInput
    propose: object


@dataclasses.dataclass(frozen=True)
class Proposed:
    """Of `pictures` (P,), ascending, regions (P, G, N, 4) int32 of each kind, and counts (P, G)."""

    pictures: np.ndarray
    regions: np.ndarray
    counts: np.ndarray

    def flat(self):
        """All that count, those of a picture together: pictures (R,) int64, boxes (R, 4) int32."""
        there = np.arange(self.regions.shape[2]) < self.counts[..., None]
        return np.repeat(self.pictures, there.sum(axis=(1, 2))), self.regions[there]


def load(run_dir, asked):
    """A run's localiser, asked by `zoo.detection.proposals.Proposing`: -> Proposer, Manifest."""
    model, manifest = archive.load(run_dir, kind="localiser")
    propose = tf.function(proposing(model, manifest.network, asked), reduce_retracing=True)
    return Proposer(model, manifest.network, manifest.input, propose), manifest


def proposed(proposer, batches, kinds, count):
    """What is proposed on `guessing.batches`, of `count` pictures: -> Proposed.

    `kinds` (length, G) int32 are asked of the source's pictures.
    """
    found = {}
    for images, targets, weights, index in progress.over(
        batches, "proposing regions", count, batches.element_spec[3].shape[0]
    ):
        asked = tf.constant(kinds[index.numpy()])
        boxes, counts = proposer.propose(tf.cast(images, tf.float32), targets["size"], asked)
        original = targets["original"]
        scale = tf.cast(original / targets["size"], tf.float32)
        boxes = boxes * tf.tile(scale, (1, 2))[:, None, None]
        regions = snapped(boxes, original[:, None]).numpy()
        for row in np.flatnonzero(weights.numpy() > 0):
            found[int(index[row])] = regions[row], counts[row].numpy()
    numbers = np.array(sorted(found), np.int64)
    columns = zip(*(found[number] for number in numbers.tolist()), strict=True)
    return Proposed(numbers, *map(np.stack, columns))
