"""What went wrong while training, in words that a person can act on."""

import pathlib

import tensorflow as tf

from trainers.data import pipelines
from trainers.engine import checkpoints
from zoo import files


def exhausted(error, run_dir):
    """What ran out, and the way on, for the user."""
    if "No space left" not in str(error):
        if isinstance(error, OSError):
            raise error
        return (
            "the device's memory is too small for a step: take a smaller --batch_size, or compute "
            "it in parts with --accumulate"
        )
    saved = checkpoints.steps_saved(run_dir)
    return (
        f"No space left on the disk of {run_dir}: free some and repeat the command, which resumes "
        f"at step {saved[0] if saved else 0:,}"
    )


def examples(run, source, step):
    """Which examples a step of `trainers.data.pipelines` has: a list of indices."""
    rows = range(step * run.recipe.batch_size, (step + 1) * run.recipe.batch_size)
    positions = tf.constant(list(rows), tf.int64)
    return pipelines.example_indices(positions, source.length, run.seed).numpy().tolist()


def bad_batch(error, run, place, data, state, examples=examples):
    """Writes `not_finite.json`, which batch it was; returns the sentence for the user."""
    found = examples(run, data.train, state.step - 1)
    names = [data.train.files[i] for i in found] if data.train.files else found
    path = pathlib.Path(place.run_dir) / "not_finite.json"
    if place.chief:
        files.write_json(path, {"step": state.step, "examples": names})
    saved = checkpoints.steps_saved(place.run_dir)
    return (
        f"{error}: stopped; the batch is in {path}, the last checkpoint is of step "
        f"{saved[0] if saved else 'none'}; lower --learning_rate or look at those images"
    )
