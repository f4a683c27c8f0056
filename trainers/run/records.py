"""What a run writes of each finished round, besides checkpoints and TensorBoard's files."""

import dataclasses
import json
import pathlib

import keras

from trainers.data import skipped
from trainers.engine import averaged, policies
from zoo import archive, files


class Metrics(keras.callbacks.Callback):
    """`metrics.jsonl`: the history, an object a round."""

    def __init__(self, state, run_dir):
        super().__init__()
        self.state, self.path = state, pathlib.Path(run_dir) / "metrics.jsonl"

    def write(self):
        lines = (json.dumps(record) + "\n" for record in self.state.history)
        files.write_text(self.path, "".join(lines))

    def on_train_begin(self, logs=None):
        self.write()

    def on_epoch_end(self, epoch, logs=None):
        self.write()


class Skips(keras.callbacks.Callback):
    """`skipped.txt`: the examples that could not be read. DataError where there are too many.

    On many machines it knows those of the chief's own part of each batch.
    """

    def __init__(self, data, run_dir, limit):
        super().__init__()
        self.data, self.run_dir, self.limit = data, run_dir, limit

    def write(self):
        splits = [s for s in (self.data.train, self.data.validation) if s.skipped is not None]
        own = [name for source in splits for name in source.skipped.names(source)]
        if not own:
            return
        lines = skipped.merge(self.run_dir, own)
        for source in splits:
            skipped.check(lines, source, self.limit, self.run_dir)

    def on_train_begin(self, logs=None):
        self.write()

    def on_train_batch_end(self, batch, logs=None):
        self.write()

    def on_epoch_end(self, epoch, logs=None):
        self.write()


class Archivist(keras.callbacks.Callback):
    """Keeps the run directory's network and manifest those of the last finished round.

    Beside its weights: `ema`, if the optimizer averages them, and `best`, those (the averaged ones
    where there are such) of the round whose watched figure is best, unless it is not `choosing`:
    by a test set nothing may be chosen.
    """

    def __init__(self, state, run_dir, manifest, choosing=True):
        super().__init__()
        self.state, self.run_dir, self.manifest = state, run_dir, manifest
        self.choosing = choosing

    def on_epoch_end(self, epoch, logs=None):
        last = self.state.history[-1]
        current = dataclasses.replace(self.manifest, step=self.state.step, metrics=last)
        model, optimizer = self.state.model, self.state.optimizer
        archive.save(model, current, self.run_dir, keep=("best",))
        judged = "model"
        if averaged.exists(optimizer):
            judged = averaged.NAME
            with averaged.weights(model, optimizer):
                archive.add(model, self.run_dir, judged)
        if (
            self.choosing
            and policies.best(self.state.history, self.state.task) == len(self.state.history) - 1
        ):
            archive.copy(self.run_dir, judged, "best")
