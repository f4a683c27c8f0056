"""From a state to a trained state: the loop, and who listens to it, for any task."""

import dataclasses
import pathlib
from collections.abc import Callable

import tensorflow as tf

from trainers.engine import averaged, checkpoints, loop, policies, steps
from trainers.engine.task import Task
from trainers.plan.images import Data
from trainers.run import failures, records
from trainers.run.directory import RunError
from trainers.watching.console import Console, Interrupt
from trainers.watching.profiling import Profile
from trainers.watching.tensorboard import HyperParameters, Writer
from zoo import archive


@dataclasses.dataclass(frozen=True)
class Work:
    """What a task puts into the loop's hands, made of a run, its images and its network.

    `batches(start, stop)` is an iterator of what `steps.trainer` eats, `evaluate()` gives a dict of
    figures, `manifest` says what the archive is. `showing()` makes the callbacks of the chief that
    show what the network does. `examples(run, source, step)` are the images of a step.
    """

    data: Data
    batches: Callable
    evaluate: Callable
    manifest: archive.Manifest
    showing: Callable = tuple
    examples: Callable = failures.examples


@dataclasses.dataclass(frozen=True)
class Trained:
    """How a run ended: its records of every round, and the signal that stopped it, if one did."""

    run_dir: pathlib.Path
    step: int
    history: tuple[dict, ...] = dataclasses.field(repr=False)
    task: Task = dataclasses.field(repr=False)
    stopped_by: int | None = None

    @property
    def last(self):
        """The last round's record, as in `metrics.jsonl`; None before there is one."""
        return self.history[-1] if self.history else None


def train(run, place, work, state):
    """Trains from the state's step to the recipe's last, or until a signal: -> Trained."""
    recipe, strategy = run.recipe, place.strategy
    rhythm = loop.Rhythm(
        recipe.steps,
        recipe.round_steps,
        place.checkpoint_steps,
        place.call_steps,
        recipe.warmup_steps if recipe.warmup == "error" else 0,
        place.profile_steps or (),
    )
    interrupt = Interrupt(strategy)
    alone = strategy is tf.distribute.get_strategy()
    saver = checkpoints.Saver(state, place.run_dir, rhythm, background=alone)
    evaluate = averaged.judged(work.evaluate, state.model, state.optimizer)
    device = (
        steps.trainer(state.model, state.optimizer, strategy, place.engine, state.task),
        steps.averager(state.model, strategy),
    )
    writing = writers(run, place, work, state, rhythm, saver) if place.chief else []
    callbacks = [*policies.of(recipe, state), *writing, interrupt]
    try:
        with interrupt.heard():
            loop.train(state, work.batches, evaluate, rhythm, device, callbacks)
    except loop.LossNotFinite as error:
        saver.finish()
        raise RunError(
            failures.bad_batch(error, run, place, work.data, state, work.examples)
        ) from None
    except (OSError, tf.errors.ResourceExhaustedError) as error:
        saver.give_up()
        raise RunError(failures.exhausted(error, place.run_dir)) from error
    history = tuple(state.history)
    return Trained(place.run_dir, state.step, history, state.task, interrupt.received)


def writers(run, place, work, state, rhythm, saver):
    """What the chief alone does at the ends of rounds, in this order: callbacks."""
    sometimes = [*work.showing()] if place.pictures else []
    if place.profile_steps:
        sometimes.append(Profile(state, place.run_dir, place.profile_steps))
    epoch_steps = work.data.train.length / run.recipe.batch_size
    return [
        records.Skips(work.data, place.run_dir, place.max_skipped),
        *sometimes,
        # Before the checkpoint: killed between the two, the round is done and written again.
        records.Archivist(state, place.run_dir, work.manifest, not work.data.validation.is_test),
        saver,
        records.Metrics(state, place.run_dir),
        Writer(state, place.run_dir),
        HyperParameters(run, state, place.run_dir),
        *([Console(state, rhythm, epoch_steps)] if place.verbose else []),
    ]
