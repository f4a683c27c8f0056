"""What a person sees while a network trains: a bar inside a round, a line a round."""

import contextlib
import signal
import sys
import threading
import time

import keras

from trainers.engine import distribute


class Console(keras.callbacks.Callback):
    """A progress bar on a terminal, and on any output a line a round."""

    def __init__(self, state, rhythm, epoch_steps):
        super().__init__()
        self.state, self.rhythm, self.epoch_steps = state, rhythm, epoch_steps
        self.bar_metrics = [name for name in state.task.shown if name in state.task.sums]
        self.began = None

    def on_epoch_begin(self, epoch, logs=None):
        self.bar = None
        if sys.stdout.isatty():
            self.first = epoch * self.rhythm.round_steps
            length = self.rhythm.round_end(self.state.step) - self.first
            names = self.bar_metrics
            self.bar = keras.utils.Progbar(length, unit_name="step", stateful_metrics=names)

    def on_train_batch_end(self, batch, logs=None):
        now = time.monotonic(), self.state.step
        self.began = self.began or now  # the first call, which traces, says nothing of others
        done = self.state.step - self.first if self.bar else 0
        if self.bar and done < self.bar.target:
            self.bar.update(done, [(name, logs[name]) for name in self.bar_metrics])
            sys.stdout.write(f"{left(self.began, now, self.rhythm.steps)}\033[K")
            sys.stdout.flush()

    def on_epoch_end(self, epoch, logs=None):
        if self.bar:
            sys.stdout.write("\r\033[K")  # the line takes the bar's place
        print(self.line(self.state.history[-1]), flush=True)

    def line(self, record):
        speed, wait, task = record["images_per_second"], record["input_wait"], self.state.task
        averaged = record.get(f"validation_ema_{task.watched}")
        ema = "" if averaged is None else f" (ema {task.format(task.watched, averaged).strip()})"
        return (
            f"step {record['step']:>6,} / {self.rhythm.steps:,}"
            f"  epoch {record['step'] / self.epoch_steps:6.1f}"
            f"  {task.show(record)}  validation {task.show(record, 'validation_')}{ema}"
            f"  learning rate {record['learning_rate']:.2g}"
            + (f"  {speed:,.0f} images/s, input wait {wait:.0%}" if speed else "")
        )


def left(began, now, steps):
    """How long all that is left takes, judged by what was done: of (seconds, step), for a person.

    Evaluations are in the time of what was done as soon as there was one.
    """
    (first_seconds, first), (seconds, step) = began, now
    if step <= first:
        return ""
    minutes, rest = divmod(round((seconds - first_seconds) / (step - first) * (steps - step)), 60)
    hours, minutes = divmod(minutes, 60)
    return f" - {hours}:{minutes:02}:{rest:02} left" if hours else f" - {minutes}:{rest:02} left"


class Interrupt(keras.callbacks.Callback):
    """Ctrl-C or SIGTERM ends training after the call to the device that is under way.

    `received` is the signal's number then, else None. A second Ctrl-C ends it at once. Workers of a
    cluster stop at the same step, whichever was told.
    """

    received = None

    def __init__(self, strategy):
        super().__init__()
        self.strategy = strategy

    @contextlib.contextmanager
    def heard(self):
        """Inside, signals come here; Python lets the main thread alone ask for that."""
        numbers = (signal.SIGINT, signal.SIGTERM)
        if threading.current_thread() is not threading.main_thread():
            numbers = ()
        earlier = {number: signal.signal(number, self.note) for number in numbers}
        try:
            yield
        finally:
            for number, handler in earlier.items():
                signal.signal(number, handler)

    def note(self, number, frame):
        if self.received:
            raise KeyboardInterrupt
        self.received = number
        print("\nstopping after the steps under way ...", file=sys.stderr, flush=True)

    def on_train_batch_end(self, batch, logs=None):
        if distribute.any_worker(self.strategy, self.received is not None):
            self.received = self.received or signal.SIGTERM
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        self.on_train_batch_end(epoch)
