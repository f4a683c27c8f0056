"""Checkpoints that are whole or absent, and the way back from the newest that can be read."""

import pathlib
import re
import shutil
import sys

import keras

KEEP = 3


class CheckpointError(ValueError):
    """Checkpoints are there, and none of them can be read."""


def folder(run_dir):
    return pathlib.Path(run_dir) / "checkpoints"


def steps_saved(run_dir):
    """The steps of the complete checkpoints, newest first. The index file is written last."""
    names = (re.fullmatch(r"ckpt-(\d+)\.index", p.name) for p in folder(run_dir).glob("*.index"))
    return sorted((int(name[1]) for name in names if name), reverse=True)


def save(state, run_dir):
    """Writes the state as of its step and drops all but the newest KEEP."""
    folder(run_dir).mkdir(parents=True, exist_ok=True)
    if state.step not in steps_saved(run_dir):
        state.checkpoint().write(str(folder(run_dir) / f"ckpt-{state.step}"))
    for step in steps_saved(run_dir)[KEEP:]:
        for part in sorted(folder(run_dir).glob(f"ckpt-{step}.*"), reverse=True):  # index first
            part.unlink()


def restore(state, run_dir):
    """Puts the newest readable checkpoint into `state`; returns whether there was one.

    A broken one is named on standard error and the one before it is taken. TensorFlow's own
    `latest_checkpoint` would start from scratch in silence.
    """
    steps = steps_saved(run_dir)
    for step in steps:
        path = folder(run_dir) / f"ckpt-{step}"
        try:
            state.checkpoint().read(str(path)).assert_consumed()
            return True
        except Exception as error:  # a cut or changed file raises anything from IndexError on
            reason = str(error).strip().splitlines() or [type(error).__name__]
            print(f"warning: {path} cannot be read ({reason[0]:.120})", file=sys.stderr)
    if steps:
        raise CheckpointError(
            f"none of the {len(steps)} checkpoints in {folder(run_dir)} can be read: restore them "
            "from a copy, or take another --run_dir to start again"
        )
    return False


def sweep(run_dir):
    """Removes what a killed writer left behind."""
    for left in [*folder(run_dir).glob("ckpt-*_temp"), *folder(run_dir).glob("*.tmp*")]:
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    whole = set(steps_saved(run_dir))
    for data in folder(run_dir).glob("ckpt-*.data-*"):
        if int(data.name.split("-")[1].split(".")[0]) not in whole:
            data.unlink()


class Saver(keras.callbacks.Callback):
    """Saves at the rhythm's checkpoint steps, at the end of each round and when training stops."""

    def __init__(self, state, run_dir, rhythm):
        super().__init__()
        self.state, self.run_dir, self.rhythm = state, run_dir, rhythm

    def on_train_batch_end(self, batch, logs=None):
        # The end of a round has its own save, which holds the round's record too.
        at_end = self.state.step == self.rhythm.round_end(self.state.step - 1)
        if self.rhythm.is_checkpoint(self.state.step) and not at_end:
            save(self.state, self.run_dir)

    def on_epoch_end(self, epoch, logs=None):
        save(self.state, self.run_dir)

    def on_train_end(self, logs=None):
        save(self.state, self.run_dir)
