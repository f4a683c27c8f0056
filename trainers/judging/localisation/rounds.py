"""How good a localiser is at the end of a training round: errors of boxes, and of classes too."""

import functools

from trainers.judging.localisation import errors, guessing


class Rounds:
    """Called, it gives `errors.FIGURES` over every picture of the source, whole, once.

    Classes are guessed by the localiser's own scores; without any there is the first figure alone.
    All are None of a network whose outputs are not finite. `seen` is what came of the last call.
    """

    def __init__(self, model, localiser, source, contract, batch_size):
        self.find = guessing.finding(model, localiser)
        self.figures = errors.FIGURES if localiser.by_class else errors.FIGURES[:1]
        self.source, self.contract, self.batch_size = source, contract, batch_size
        self.seen = None

    @functools.cached_property
    def pictures(self):
        """Traced once, for all rounds."""
        return guessing.batches(self.source, self.contract, guessing.Look(self.batch_size))

    def __call__(self):
        self.seen = guessing.guessed(self.source, *guessing.located(self.find, self.pictures))
        if self.seen is None:
            return dict.fromkeys(self.figures)
        return errors.judge(self.seen.truth, self.seen.guesses)
