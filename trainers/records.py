"""What a run writes of each finished round, besides checkpoints and TensorBoard's files."""

import dataclasses
import json
import pathlib

import keras

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


class Archivist(keras.callbacks.Callback):
    """Keeps the run directory's network and manifest those of the last finished round."""

    def __init__(self, state, run_dir, manifest):
        super().__init__()
        self.state, self.run_dir, self.manifest = state, run_dir, manifest

    def on_epoch_end(self, epoch, logs=None):
        last = self.state.history[-1]
        current = dataclasses.replace(self.manifest, step=self.state.step, metrics=last)
        archive.save(self.state.model, current, self.run_dir)
