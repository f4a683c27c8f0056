"""Checkpoints that are whole or absent, and the way back from the newest that can be read."""

import contextlib
import os
import pathlib
import re
import shutil
import sys

import keras
import tensorflow as tf
from absl import logging

from zoo import files

KEEP = 3
WRITING = "writing-"  # before the names of files that are not whole yet


class CheckpointError(ValueError):
    """Checkpoints are there, and none of them can be read."""


def folder(run_dir):
    return pathlib.Path(run_dir) / "checkpoints"


def steps_saved(run_dir):
    """The steps of the complete checkpoints, newest first. The index file gets its name last."""
    names = (re.fullmatch(r"ckpt-(\d+)\.index", p.name) for p in folder(run_dir).glob("*.index"))
    return sorted((int(name[1]) for name in names if name), reverse=True)


def save(state, run_dir):
    """Writes the state as of its step and drops all but the newest KEEP."""
    if state.step not in steps_saved(run_dir):
        write(state.checkpoint(), state.step, run_dir)
    drop_oldest(run_dir)


def write(checkpoint, step, run_dir, background=False):
    """Under another name until it is whole: TensorFlow itself writes the index in its place."""
    files.make_directory(folder(run_dir))
    options = tf.train.CheckpointOptions(
        experimental_enable_async_checkpoint=background, experimental_write_callbacks=[commit]
    )
    settle(checkpoint)  # the write before this one still needs what it noted
    checkpoint.host.note()
    checkpoint.write(str(folder(run_dir) / f"{WRITING}ckpt-{step}"), options=options)


def settle(checkpoint):
    """Waits for a write in the background; raises, once, what went wrong in it."""
    verbosity = logging.get_verbosity()
    logging.set_verbosity(logging.FATAL)  # TensorFlow would print the error beside raising it
    try:
        checkpoint.sync()
        writer = getattr(checkpoint, "_async_checkpointer_impl", None)
        if writer is not None:  # `sync` of TensorFlow 2.21 waits, and keeps the error for `atexit`
            writer._check_async_thread_error()
    finally:
        logging.set_verbosity(verbosity)


def commit(prefix):
    """Gives the files of a whole checkpoint their names, the index last, each safe on the disk."""
    written = pathlib.Path(os.fsdecode(prefix))
    for path in sorted(written.parent.glob(f"{written.name}.*")):  # data before index
        files.settle(path, path.with_name(path.name.removeprefix(WRITING)))


def drop_oldest(run_dir):
    """All whole ones but the newest KEEP; one that is being written is not whole yet."""
    for step in steps_saved(run_dir)[KEEP:]:
        for part in sorted(folder(run_dir).glob(f"ckpt-{step}.*"), reverse=True):  # index first
            part.unlink()


@contextlib.contextmanager
def plainly_named(directory):
    """Yields a name of the directory in which TensorFlow's readers find no pattern.

    They take `[ ] * ?` and the backslash for one, and then see no file; its writers do not.
    """
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        yield pathlib.Path(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)


def restore(state, run_dir):
    """Puts the newest readable checkpoint into `state`; returns whether there was one.

    A broken one is named on standard error and the one before it is taken. TensorFlow's own
    `latest_checkpoint` would start from scratch in silence.
    """
    steps = steps_saved(run_dir)
    for step in steps:
        path = folder(run_dir) / f"ckpt-{step}"
        try:
            with plainly_named(path.parent) as plain:
                state.checkpoint().read(str(plain / path.name)).assert_consumed()
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
    for left in folder(run_dir).glob(f"{WRITING}*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    whole = set(steps_saved(run_dir))
    for data in folder(run_dir).glob("ckpt-*.data-*"):
        if int(data.name.split("-")[1].split(".")[0]) not in whole:
            data.unlink()


class Saver(keras.callbacks.Callback):
    """Saves at the rhythm's checkpoint steps, at the end of each round and when training stops.

    In the `background` training goes on as soon as the state is copied: 0.04 s in place of 0.6 s
    for 200 MB. TensorFlow can do that with plain variables, those of one device. The last write is
    waited for; what went wrong in one is raised by the next, or by `finish`.
    """

    def __init__(self, state, run_dir, rhythm, background=False):
        super().__init__()
        self.state, self.run_dir, self.rhythm = state, run_dir, rhythm
        self.checkpoint, self.step = state.checkpoint(), state.step
        self.background = background

    def on_train_begin(self, logs=None):
        self.step = self.state.step  # read from there, or the start; a broken one is written anew

    def on_train_batch_end(self, batch, logs=None):
        # The end of a round has its own save, which holds the round's record too.
        at_end = self.state.step == self.rhythm.round_end(self.state.step - 1)
        if self.rhythm.is_checkpoint(self.state.step) and not at_end:
            self.save()

    def on_epoch_end(self, epoch, logs=None):
        self.save()

    def on_train_end(self, logs=None):
        self.save()
        self.finish()

    def save(self):
        """Begins to write the state as of its step, unless that was saved before."""
        if self.state.step != self.step:
            write(self.checkpoint, self.state.step, self.run_dir, self.background)
            self.step = self.state.step
        drop_oldest(self.run_dir)

    def finish(self):
        """Waits for the last write."""
        if self.background:
            settle(self.checkpoint)
            drop_oldest(self.run_dir)

    def give_up(self):
        """Waits and clears up, whatever comes of it: training has failed already."""
        with contextlib.suppress(Exception):
            self.finish()
        with contextlib.suppress(OSError):
            sweep(self.run_dir)
