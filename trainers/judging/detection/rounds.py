"""How good a detector is at the end of a training round: AP and the recall of its proposals."""

import functools

from trainers.judging.detection import coco, evaluation, look, recall

FIGURES = {"AP": "ap", "AP50": "ap50", "AP75": "ap75"}


class Rounds:
    """Called, it gives {"AP", "AP50", "AP75", "recall"} over every picture of the source, once.

    `recall` is the share of the objects that a proposal covers by an IoU of 0.5; all are None of a
    network whose outputs are not finite. Each process of a cluster computes all of it. `seen` is
    what came of the last call, a verdict.Seen.
    """

    def __init__(self, model, detector, source, contract, batch_size):
        self.detect = look.detecting(model, detector)
        self.source, self.contract, self.batch_size = source, contract, batch_size
        self.seen = None

    @functools.cached_property
    def pictures(self):
        """Traced once, for all rounds."""
        return evaluation.batches(self.source, self.contract, batch_size=self.batch_size)

    def __call__(self):
        self.seen = evaluation.seen_by(self.detect, self.source, self.pictures)
        if self.seen is None:
            return dict.fromkeys((*FIGURES, "recall"))
        figures, _ = coco.judge(self.seen.truth, self.seen.found)
        covered = recall.judge(self.seen.truth, self.seen.overlap)
        named = {name: figures[key] for name, key in FIGURES.items()}
        return {**named, "recall": covered["50"]["all"]}
