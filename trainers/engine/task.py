"""What the loop, and those who watch it, must know of what is learned: plain data."""

import dataclasses
import itertools
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Task:
    """One kind of learning: classification is one, detection another.

    `learn(model, *batch)` gives the loss of each example (B,) and the step's sums (1 + k,) float64:
    the number of examples, then those that `sums` names. The first of these is the loss, and the
    step after which it is not finite is the last. `judge(model, *batch)` gives such sums of an
    evaluation's batch. A record holds their means per example, an evaluation's figures behind
    "validation_".

    `watched` is the evaluation's figure that policies go by and `best` weights are chosen by; the
    lowest is the best, unless `highest`. `shown` are the figures a person sees, with their formats.
    """

    name: str
    sums: tuple[str, ...]
    watched: str
    shown: dict[str, str]
    learn: Callable
    judge: Callable | None = None
    highest: bool = False

    @property
    def columns(self):
        """How many numbers a step sums."""
        return 1 + len(self.sums)

    def means(self, sums):
        """Sums -> {name: mean per example}."""
        return {name: total / sums.examples for name, total in zip(self.sums, sums.totals)}

    def costs(self, history):
        """The watched figure of each round, lower for better; of averaged weights, if any."""
        names = f"validation_ema_{self.watched}", f"validation_{self.watched}"
        figures = [record.get(names[0], record[names[1]]) for record in history]
        return [-figure for figure in figures] if self.highest else figures

    def show(self, figures, prefix=""):
        """Those of `shown` that are there, in its order: "loss 0.1234  error  1.23%"."""
        names = [name for name in self.shown if f"{prefix}{name}" in figures]
        return "  ".join(f"{n} {self.format(n, figures[f'{prefix}{n}'])}" for n in names)

    def format(self, name, value):
        """One figure as a person reads it."""
        return "not finite" if value is None else format(value, self.shown[name])


@dataclasses.dataclass(frozen=True)
class Sums:
    """Sums over examples, on the host in float64: they add up, whatever the batches were.

    `totals` are in the order of a task's `sums`; none yet are as good as zeros. `wait` is no sum
    over examples but the seconds that the devices waited for them.
    """

    examples: float = 0.0
    totals: tuple[float, ...] = ()
    wait: float = 0.0

    def __add__(self, other):
        totals = itertools.zip_longest(self.totals, other.totals, fillvalue=0.0)
        return Sums(
            self.examples + other.examples, tuple(a + b for a, b in totals), self.wait + other.wait
        )

    def __neg__(self):
        return Sums(-self.examples, tuple(-total for total in self.totals), -self.wait)

    def __sub__(self, other):
        return self + -other
