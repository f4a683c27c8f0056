"""How a detector looks at a picture: proposals, then the head, once or more often (App. B).

With `refine` the boxes that it found are pooled and judged again, and both rounds are taken
together; with `vote` a kept box becomes the mean of those near it; with `scales` regions are read
from pictures of several sizes: `scales.py`.
"""

import collections
import dataclasses

import tensorflow as tf

from trainers.engine.detection import fast
from trainers.judging.detection import scales
from zoo.detection import decide, detect, network

# Of a batch, in the pixels of its pictures: boxes (b, M, 4), scores (b, M), classes (b, M), -1 from
# `count` (b,) on, proposals (b, P, 4), which are zeros from `proposed` (b,) on. `finite` () is
# false of a network that has diverged.
Looked = collections.namedtuple("Looked", "boxes scores classes count proposals proposed finite")


@dataclasses.dataclass(frozen=True)
class Look:
    """Which of the paper's improvements are asked for; `scales` are pictures' shorter sides, px."""

    refine: bool = False
    vote: bool = False
    scales: tuple[int, ...] = ()

    def words(self):
        """For a person: -> list."""
        asked = {"refine": self.refine, "vote": self.vote}
        pyramid = [f"scales {', '.join(map(str, self.scales))}"] if self.scales else []
        return [word for word, there in asked.items() if there] + pyramid


ONCE = Look()


def detecting(model, detector, look=ONCE):
    """A function of a batch: pictures (b, H, W, 3), sizes (b, 2) -> Looked.

    A size is the picture's height and width within the batch's. With `look.scales` b is 1, and the
    function also takes [(pictures, sizes), ...], the same picture at each of the scales.
    """
    parts = fast.parts(model, detector)

    @tf.function(reduce_retracing=True)
    def proposed(pictures, sizes):
        return detect.proposed(parts, detector, tf.cast(pictures, tf.float32), sizes)

    def ended(regions, sizes, boxes, counts):
        """The rest, picture by picture; `regions` is what the head says of one's boxes."""
        found, finite = [], []
        for i in range(sizes.shape[0]):

            def head(asked, number=i):
                seen = asked[None]
                if detector.context:
                    seen = network.with_whole(seen, sizes[number][None])
                probabilities, deltas = regions(number, seen)
                finite.append(tf.reduce_all(tf.math.is_finite(probabilities)))
                return probabilities[0], deltas[0]

            deciding = detect.deciding(detector)
            found.append(of_picture(head, boxes[i], counts[i], sizes[i], look, deciding))
        columns = (tf.stack(column) for column in zip(*found))
        return Looked(*columns, boxes, counts, tf.reduce_all(finite))

    @tf.function(reduce_retracing=True)
    def decided(maps, sizes, boxes, counts):
        def regions(number, seen):
            return detect.judged(parts, maps[number : number + 1], seen)

        return ended(regions, sizes, boxes, counts)

    def once(pictures, sizes):
        boxes, counts, maps = proposed(pictures, sizes)
        return decided(maps, sizes, boxes, counts)

    if not look.scales:
        return once
    read = scales.reading(model, detector)

    def pyramid(pictures, sizes, others):
        boxes, counts, _ = proposed(pictures, sizes)
        regions = read(sizes[0], others)
        return ended(lambda _, seen: regions(seen), sizes, boxes, counts)

    return pyramid


def of_picture(head, boxes, count, height_width, look, deciding):
    """One picture's Detections: proposals (P, 4), of which `count` count, through the head.

    `head` is (R, 4) -> probabilities (R, K + 1), offsets (R, K, 4).
    """
    if look.refine:
        found = decide.refine(head, boxes, count, height_width)
    else:
        found = decide.candidates(boxes, *head(boxes), count, height_width)
    kept = decide.suppress(found, height_width, deciding)
    return decide.vote(kept, found) if look.vote else kept
