"""TensorBoard scalars, as a view of the run's history."""

import pathlib

import keras
import tensorflow as tf

FOLDERS = ("train", "validation")
PREFIX = "validation_"


class Writer(keras.callbacks.Callback):
    """Writes `train/` and `validation/` event files, the optimizer's step on the x axis.

    A resumed run writes its whole history anew and drops the old files, so the curve is one and
    unbroken, whatever was written after the checkpoint that it resumed from.
    """

    def __init__(self, state, run_dir):
        super().__init__()
        self.state, self.run_dir = state, pathlib.Path(run_dir)

    def on_train_begin(self, logs=None):
        old = [path for name in FOLDERS for path in (self.run_dir / name).glob("events.out.*")]
        self.writers = {
            name: tf.summary.create_file_writer(str(self.run_dir / name)) for name in FOLDERS
        }
        for record in self.state.history:
            self.write(record)
        for path in old:
            path.unlink()

    def on_epoch_end(self, epoch, logs=None):
        self.write(self.state.history[-1])

    def on_train_end(self, logs=None):
        for writer in self.writers.values():
            writer.close()

    def write(self, record):
        """One record of the history: scalars of the same name overlay in TensorBoard."""
        for name, value in record.items():
            if name == "step" or value is None:
                continue
            folder = FOLDERS[name.startswith(PREFIX)]
            with self.writers[folder].as_default():
                tf.summary.scalar(name.removeprefix(PREFIX), value, step=record["step"])
        for writer in self.writers.values():
            writer.flush()
