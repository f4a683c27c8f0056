"""The loop: state x data x callbacks -> trained state, for one device and for many.

It drives Keras' own callbacks, so that policy is a visible list. For them a round (the steps
between two evaluations) is the epoch, and a batch is a call to the device.
"""

import dataclasses
import math
import time

import keras

from trainers.engine import optim
from trainers.engine.task import Sums


class LossNotFinite(ArithmeticError):
    """Training went wrong at a step; the checkpoints before it are whole."""


CALL_SECONDS = 0.5  # a person waits no longer for the bar to move, or for Ctrl-C to be heard
MOST_STEPS_A_CALL = 100


@dataclasses.dataclass(frozen=True)
class Rhythm:
    """When the host takes over, all in steps: `checkpoint_steps` 0 means at round ends alone.

    `call_steps` are those of one call to the device; 0 takes as many as fit half a second.
    `policy_steps` is how often a policy wants to look at the errors inside a round; 0: never.
    `marks` are single steps at which something begins or ends.
    """

    steps: int
    round_steps: int
    checkpoint_steps: int = 0
    call_steps: int = 0
    policy_steps: int = 0
    marks: tuple[int, ...] = ()

    def round_end(self, step):
        """The end of the round that the next step belongs to."""
        return min(self.steps, (step // self.round_steps + 1) * self.round_steps)

    def is_checkpoint(self, step):
        return self.checkpoint_steps > 0 and step % self.checkpoint_steps == 0

    def pause(self, step):
        """The next step at which control must be with the host."""
        every = [n for n in (self.checkpoint_steps, self.policy_steps) if n]
        marks = [mark for mark in self.marks if mark > step]
        return min([self.round_end(step), *marks, *((step // n + 1) * n for n in every)])


class Speed:
    """Images a second, and how many steps fit a call. The first call, which traces, is left out."""

    def __init__(self):
        self.images = self.seconds = self.wait = 0.0
        self.steps_a_call, self.traced = 1, False

    def add(self, steps, images, wait, seconds):
        """One call's."""
        if self.traced:
            self.images += images
            self.wait += wait
            self.seconds += seconds
            fitting = round(steps * CALL_SECONDS / max(seconds, 1e-6))
            self.steps_a_call = max(1, min(MOST_STEPS_A_CALL, fitting))
        self.traced = True

    def take(self):
        """What a record says of the time since the last take; None where nothing was timed.

        `input_wait` is the share of the time in which the devices waited for images.
        """
        figures = {"images_per_second": self.images, "input_wait": self.wait}
        rates = {k: v / self.seconds if self.seconds else None for k, v in figures.items()}
        self.images = self.seconds = self.wait = 0.0
        return rates


def train(state, batches, evaluate, rhythm, device, callbacks):
    """Trains `state` up to `rhythm.steps`, or until a callback sets `model.stop_training`.

    `batches(start, stop)` gives an iterator of what `steps.trainer` eats, `evaluate()` a dict of
    figures, `device` is the pair of `steps.trainer` and `steps.averager`. Each finished round adds
    a record to `state.history`. Raises LossNotFinite after the step at which that happens.
    """
    advance, settle = device
    listeners = keras.callbacks.CallbackList(callbacks, model=state.model)
    iterator = batches(state.step, rhythm.steps)
    speed = Speed()
    state.model.stop_training = False  # a callback may find at once that nothing is left to do
    listeners.on_train_begin()
    while state.step < rhythm.steps and not state.model.stop_training:
        end = rhythm.round_end(state.step)
        number = state.step // rhythm.round_steps
        listeners.on_epoch_begin(number)
        while state.step < end and not state.model.stop_training:
            count = min(
                rhythm.call_steps or speed.steps_a_call, rhythm.pause(state.step) - state.step
            )
            listeners.on_train_batch_begin(state.step)
            timed_call(state, advance, iterator, count, speed)
            if state.step == end or rhythm.is_checkpoint(state.step):
                settle()
            listeners.on_train_batch_end(state.step - 1, state.task.means(state.sums))
        if state.step < end:
            settle()
            break
        listeners.on_epoch_end(number, finish_round(state, evaluate(), speed))
    listeners.on_train_end()


def timed_call(state, advance, iterator, count, speed):
    """`count` steps on the devices, their sums on the host."""
    start, before = time.perf_counter(), state.sums
    sums, done = advance(iterator, count, before)
    speed.add(done, sums.examples - before.examples, sums.wait, time.perf_counter() - start)
    state.sums = dataclasses.replace(sums, wait=0.0)  # a clock's number, no part of the state
    state.step += done
    loss = sums.totals[0]
    if not math.isfinite(loss):
        raise LossNotFinite(f"the loss of step {state.step:,} is {loss}")


def finish_round(state, validation, speed):
    """Turns the round's sums into a record of `state.history`; returns Keras' logs of it.

    What is not finite, such as the validation loss of a net that has hardly begun, is None there:
    JSON has no NaN.
    """
    train_means = state.task.means(state.sums)
    state.sums = Sums()
    record = {
        "step": state.step,
        "learning_rate": float(state.optimizer.learning_rate),
        **train_means,
        **{f"validation_{name}": value for name, value in validation.items()},
        "gradient_norm": optim.gradient_norm(state.optimizer),
        "weight_norm": optim.weight_norm(state.model),
        **speed.take(),
    }
    state.history.append(
        {k: v if v is None or math.isfinite(v) else None for k, v in record.items()}
    )
    return {**train_means, **{f"val_{name}": value for name, value in validation.items()}}
