"""A learning-rate range test (Smith 2015, Sec. 3.3): one short training, its rate rising each step.

The loss at each rate tells from where on the network learns, and where it breaks up.
"""

import dataclasses
import math

import numpy as np

from trainers.engine import optim, steps
from trainers.run import alike, classification
from zoo import precision, progress

SMOOTHING = 0.9  # of the loss: weighs the old value, bias corrected as Adam's
BROKEN = 4.0  # times the lowest smoothed loss: what comes after tells nothing more
LEAST_STEPS = 10  # before the test may end by that, or the lowest loss be believed
RULE = "a tenth of the rate at which the smoothed loss is lowest"


class RangeError(ValueError):
    """Rates that are no range, or of which none teaches the network anything."""


@dataclasses.dataclass(frozen=True)
class Sweep:
    """The rates, from `lowest` to `highest` in `steps` equal factors."""

    steps: int
    lowest: float
    highest: float

    def __post_init__(self):
        if self.lowest >= self.highest:
            raise RangeError(
                "expected --lowest_rate below --highest_rate, got "
                f"{self.lowest:g} and {self.highest:g}"
            )

    def rate(self, step):
        return self.lowest * (self.highest / self.lowest) ** (step / (self.steps - 1))


@dataclasses.dataclass(frozen=True)
class Curve:
    """The rates that were tried and the loss of each step, as it was and smoothed."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]

    @property
    def lowest(self):
        """The step whose smoothed loss is lowest."""
        return int(np.argmin(self.smoothed))

    @property
    def suggestion(self):
        """RULE's rate; None where the loss never fell, so that no rate is better than another."""
        first = self.smoothed[: self.lowest + 1]
        if self.lowest < LEAST_STEPS or first[-1] > 0.99 * max(first):
            return None
        return self.rates[self.lowest] / 10


def find(run, place, sweep):
    """Trains at rising rates until the loss breaks up: -> Curve. Nothing is written."""
    with precision.policy(run.precision):
        run, data = classification.images_of(run, place)
        alike.check(run, place, data, **{"the sweep": sweep})
        recipe = dataclasses.replace(
            run.recipe,
            **dict(steps=sweep.steps, round_steps=sweep.steps, epochs=None, ema=0.0),
            **dict(schedule="plateau", learning_rate=1.0, warmup="constant", warmup_steps=0),
        )
        run = dataclasses.replace(run, recipe=recipe)
        state = classification.build(run, data, place.strategy)
        classification.begin(state, data, run)
        batches = classification.work(run, place, data, state).batches(0, sweep.steps)
        losses = losses_of(state, place, batches, sweep)
    rates = [sweep.rate(step) for step in range(len(losses))]
    return Curve(tuple(rates), tuple(losses), tuple(smooth(losses)))


def losses_of(state, place, batches, sweep):
    """The loss of each step; the last one is that which was too high, unless it is not finite."""
    # The schedule is 1 at every step, times this factor.
    factor = optim.innermost(state.optimizer).schedule.factor
    advance = steps.trainer(state.model, state.optimizer, place.strategy, place.engine, state.task)
    losses = []
    for step in progress.over(range(sweep.steps), "trying rates", sweep.steps):
        factor.assign(sweep.rate(step))
        sums, _ = advance(batches, 1)
        loss = sums.totals[0] / sums.examples
        if not math.isfinite(loss):
            break
        losses.append(loss)
        smoothed = smooth(losses)
        if step >= LEAST_STEPS and smoothed[-1] > BROKEN * min(smoothed):
            break
    if len(losses) <= LEAST_STEPS:
        raise RangeError(
            f"the loss is not finite after {len(losses)} steps, at the rate "
            f"{sweep.rate(len(losses)):.2g}: take a lower --lowest_rate"
        )
    return losses


def smooth(losses):
    """Their exponential mean, free of what it began with."""
    found, mean = [], 0.0
    for count, loss in enumerate(losses, start=1):
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
        found.append(mean / (1 - SMOOTHING**count))
    return found
