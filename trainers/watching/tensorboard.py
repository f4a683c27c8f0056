"""TensorBoard's scalars, as a view of the run's history, and its table of hyper-parameters."""

import dataclasses
import pathlib

import keras
import tensorflow as tf
from tensorboard.plugins.hparams import api

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


class HyperParameters(keras.callbacks.Callback):
    """A line of the HPARAMS tab: what the run was told, and the watched figure that came of it.

    It is written when training ends, whole, in a folder of its own that replaces an earlier one's.
    """

    def __init__(self, run, state, run_dir):
        super().__init__()
        self.run, self.state = run, state
        self.folder = pathlib.Path(run_dir) / "hparams"

    def on_train_end(self, logs=None):
        if not self.state.history:
            return
        old = list(self.folder.glob("events.out.*"))
        writer = tf.summary.create_file_writer(str(self.folder))
        with writer.as_default():
            api.hparams(hyper_parameters(self.run), trial_id=str(self.folder.parent.resolve()))
            last = self.state.history[-1]
            for name in dict.fromkeys((f"validation_{self.state.task.watched}", "validation_loss")):
                if last.get(name) is not None:
                    tf.summary.scalar(f"final/{name}", last[name], step=last["step"])
        writer.close()
        for path in old:
            path.unlink()


def hyper_parameters(run):
    """{name: number, word or truth} of a Run and its recipe; lists as words.

    Model and data are the run's: those that a recipe names are for who names none.
    """
    fields = dataclasses.asdict(run)
    recipe = fields.pop("recipe")
    fields = {**recipe, **fields, "recipe": recipe["name"]}
    del fields["name"], fields["source"]
    plain = {k: ",".join(map(str, v)) if isinstance(v, tuple) else v for k, v in fields.items()}
    return {k: v for k, v in plain.items() if v is not None}
