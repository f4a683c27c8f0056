"""A task that is no classification goes through the same loop, policies, console and checkpoint."""

import dataclasses
import io
from contextlib import redirect_stdout

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainers.engine import checkpoints, loop, optim, policies, steps
from trainers.engine.state import State
from trainers.engine.task import Sums, Task
from trainers.plan.recipes import RECIPES
from trainers.watching.console import Console

RECIPE = dataclasses.replace(RECIPES["digits"], steps=6, round_steps=2, learning_rate=0.01)
ONE = tf.distribute.get_strategy()


def learn(model, inputs, targets):
    """Squares of a line's misses, and how many of a picture's padded places hold a box."""
    misses = tf.square(model(inputs)[:, 0] - targets["height"])
    boxes = tf.reduce_sum(targets["present"], axis=1)
    columns = tf.stack([tf.ones_like(misses), misses, boxes])
    return misses, tf.reduce_sum(tf.cast(columns, tf.float64), axis=1)


LINE = Task(
    name="line",
    sums=("loss", "boxes"),
    watched="ap",
    shown={"loss": ".2f", "boxes": ".1f", "ap": ".3f"},
    learn=learn,
    highest=True,
)


def batches(start, stop):
    """8 examples a step, of which the first has two boxes and the others one."""
    inputs = np.arange(8, dtype=np.float32)[:, None] / 8
    present = np.float32([[1, 1]] + [[1, 0]] * 7)
    targets = {"height": 3 * inputs[:, 0], "present": present}
    data = tf.data.Dataset.from_tensors((inputs, targets, np.arange(8)))
    return iter(data.repeat(stop - start))


def state_of_a_line():
    image = keras.Input((1,))
    model = keras.Model(
        image, keras.layers.Dense(1, kernel_initializer="zeros", name="line")(image)
    )
    model.compile(optimizer=optim.momentum_sgd(RECIPE))
    model.optimizer.build(model.trainable_variables)
    return State(model, model.optimizer, LINE)


def trained(state, callbacks=(), ap=(0.1, 0.3, 0.2)):
    found = iter(ap)
    device = steps.trainer(state.model, state.optimizer, ONE, task=LINE), lambda: None
    rhythm = loop.Rhythm(RECIPE.steps, RECIPE.round_steps)
    loop.train(state, batches, lambda: {"ap": next(found)}, rhythm, device, callbacks)
    return state.history


def test_its_sums_are_means_under_its_own_names():
    first = trained(state_of_a_line())[0]
    # The first step's weights are 0, so its loss is the mean of (3 i / 8)^2; the second's is less.
    assert first["loss"] < np.mean((3 * np.arange(8) / 8) ** 2)
    assert first["boxes"] == 9 / 8 and first["validation_ap"] == 0.1


def test_a_dict_of_targets_is_split_into_parts():
    parts = steps.parts_of([tf.range(4), {"a": tf.range(8)}], 2)
    assert [p[0].numpy().tolist() for p in parts] == [[0, 1], [2, 3]]
    assert [p[1]["a"].numpy().tolist() for p in parts] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    whole, halves = state_of_a_line(), state_of_a_line()
    for state, engine in ((whole, steps.Engine()), (halves, steps.Engine(accumulate=2))):
        steps.trainer(state.model, state.optimizer, ONE, engine, LINE)(batches(0, 3), 3)
    for ours, theirs in zip(halves.model.variables, whole.model.variables, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_its_highest_figure_is_its_best():
    history = [{"validation_ap": ap} for ap in (0.1, 0.3, 0.2, 0.3)]
    assert policies.best(history, LINE) == 1
    assert policies.plateaus(LINE.costs(history), patience=2) == 1
    averaged = [{**r, "validation_ema_ap": ap} for r, ap in zip(history, (0.1, 0.2, 0.3, 0.2))]
    assert policies.best(averaged, LINE) == 2


def test_a_rising_figure_keeps_training_and_a_falling_one_ends_it():
    recipe = dataclasses.replace(RECIPE, early_stop_rounds=1)
    rising, falling = state_of_a_line(), state_of_a_line()
    assert len(trained(rising, policies.of(recipe, rising), ap=(0.1, 0.2, 0.3))) == 3
    assert len(trained(falling, policies.of(recipe, falling), ap=(0.3, 0.2, 0.1))) == 2


def test_the_console_prints_what_the_task_shows():
    state = state_of_a_line()
    out = io.StringIO()
    with redirect_stdout(out):
        trained(state, [Console(state, loop.Rhythm(6, 2), 1.0)])
    first = out.getvalue().splitlines()[0]
    assert "  boxes 1.1  validation ap 0.100  learning rate" in first


@pytest.mark.parametrize("totals", [(), (1.5, 2.25)])
def test_a_checkpoint_brings_its_sums_back(tmp_path, totals):
    state = state_of_a_line()
    state.step, state.sums = 3, Sums(8.0 * len(totals), totals)
    checkpoints.save(state, tmp_path)
    again = state_of_a_line()
    assert checkpoints.restore(again, tmp_path)
    assert (again.step, again.sums) == (3, state.sums)


def test_sums_add_up_whatever_was_there_before():
    total = Sums() + Sums(2.0, (1.0, 4.0), wait=0.5) + Sums(6.0, (3.0, 0.0))
    assert total == Sums(8.0, (4.0, 4.0), wait=0.5)
    assert LINE.means(total) == {"loss": 0.5, "boxes": 0.5}
    assert (total - Sums(2.0, (1.0, 4.0))).totals == (3.0, 0.0)
