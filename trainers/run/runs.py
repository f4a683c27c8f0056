"""A run directory, from its flags to its trained network."""

import dataclasses
import os
import pathlib

import keras
import tensorflow as tf

import zoo
from trainers.data import pipelines
from trainers.engine import averaged, checkpoints, distribute, loop, optim, policies, steps
from trainers.engine.state import State
from trainers.plan import images, transfer
from trainers.plan.flags import as_text, differing
from trainers.run import failures, records
from trainers.watching.console import Console, Interrupt
from trainers.watching.profiling import Profile
from trainers.watching.tensorboard import HyperParameters, Writer
from zoo import archive, files


class RunError(ValueError):
    """A run that cannot start here: what was expected, what is there, what to do."""


@dataclasses.dataclass(frozen=True)
class Place:
    """Where and how a run happens; none of it changes what is computed, but for rounding."""

    run_dir: pathlib.Path
    data_dir: str | None
    strategy: object
    checkpoint_steps: int = 0
    call_steps: int = 0
    engine: steps.Engine = steps.Engine()
    max_skipped: float = 0.001
    data_service: str | None = None
    profile_steps: tuple[int, int] | None = None
    pictures: bool = True

    @property
    def chief(self):
        return distribute.is_chief(self.strategy)


def claim(run, run_dir):
    """Writes `flags.txt`, or checks that it says the same: RunError names the flags that differ."""
    path = pathlib.Path(run_dir) / "flags.txt"
    text = as_text(run)
    if path.exists():
        names = differing(text, path.read_text(encoding="utf-8"))
        if names:
            raise RunError(
                f"{run_dir} belongs to a run with other flags: --{', --'.join(names)} differ "
                f"from {path}; take another --run_dir, or the flags that are there"
            )
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(path, text)


def build(run, data, strategy):
    """A State at step 0: weights from the seed, the mean from the training images."""
    keras.utils.set_random_seed(run.seed)
    keras.config.set_dtype_policy(run.precision)
    with strategy.scope():
        model = zoo.build_network(network(run, data))
        transfer.freeze(model, run.recipe)
        # Gives Keras' callbacks their optimizer, and float16 its loss scale.
        rates = transfer.rates(model, run.recipe)
        model.compile(optimizer=optim.momentum_sgd(run.recipe, rates))
        model.optimizer.build(model.trainable_variables)
        return State(model, model.optimizer)


def network(run, data):
    """What the archive's manifest calls the network."""
    if run.init_from:
        return transfer.network(run, data.train.num_classes, data.input.image_size)
    return zoo.Network(
        name=run.model,
        num_classes=data.train.num_classes,
        image_size=data.input.image_size,
        shortcut=run.shortcut,
        stride=run.stride,
        batch_norm=run.recipe.batch_norm,
        mean=run.recipe.mean,
    )


def begin(state, data, run):
    """What step 0 takes from elsewhere: a source's weights, or the training images' mean."""
    if run.init_from:
        transfer.begin(state.model, run, data.train.class_names)
    else:
        set_mean(state, data, run.recipe)


def set_mean(state, data, recipe):
    """The mean of the training images becomes the first layer's (Sec. 3.4 and 4.2)."""
    mean = pipelines.mean(data.train, data.input, recipe.mean)
    state.model.get_layer("pixels").mean.assign(mean)


def train(run, place, data, state):
    """Trains from the state's step to the recipe's last; returns the signal that stopped it."""
    recipe, strategy = run.recipe, place.strategy
    rhythm = loop.Rhythm(
        recipe.steps,
        recipe.round_steps,
        place.checkpoint_steps,
        place.call_steps,
        recipe.warmup_steps if recipe.warmup == "error" else 0,
        place.profile_steps or (),
    )
    random_half = images.augmentation(recipe, data.input, state.model)

    def batches(start, stop):
        return distribute.feed(
            strategy,
            lambda part: pipelines.train(
                data.train,
                data.input,
                random_half,
                batch_size=recipe.batch_size,
                seed=run.seed,
                steps=(start, stop),
                part=part,
                service=place.data_service,
            ),
        )

    interrupt = Interrupt(strategy)
    alone = strategy is tf.distribute.get_strategy()
    saver = checkpoints.Saver(state, place.run_dir, rhythm, background=alone)
    evaluate = averaged.judged(
        evaluation(state.model, data.validation, data.input, recipe.batch_size, strategy),
        state.model,
        state.optimizer,
    )
    device = (
        steps.trainer(state.model, state.optimizer, strategy, place.engine, recipe.label_smoothing),
        steps.averager(state.model, strategy),
    )
    writing = writers(run, place, data, state, rhythm, saver) if place.chief else []
    callbacks = [*policies.of(recipe, state), *writing, interrupt]
    try:
        loop.train(state, batches, evaluate, rhythm, device, callbacks)
    except loop.LossNotFinite as error:
        saver.finish()
        raise RunError(failures.bad_batch(error, run, place, data, state)) from None
    except (OSError, tf.errors.ResourceExhaustedError) as error:
        raise RunError(failures.exhausted(error, place.run_dir)) from error
    return interrupt.received


def writers(run, place, data, state, rhythm, saver):
    """What the chief alone does at the ends of rounds, in this order: callbacks."""
    sometimes = []
    if place.pictures:
        from trainers.watching.pictures import Pictures  # Matplotlib: a third of a second

        sometimes.append(Pictures(run, data, state, network(run, data), place.run_dir))
    if place.profile_steps:
        sometimes.append(Profile(state, place.run_dir, place.profile_steps))
    return [
        records.Skips(data, place.run_dir, place.max_skipped),
        *sometimes,
        # Before the checkpoint: killed between the two, the round is done and written again.
        records.Archivist(state, place.run_dir, manifest(run, place, data, state)),
        saver,
        records.Metrics(state, place.run_dir),
        Writer(state, place.run_dir),
        HyperParameters(run, state, place.run_dir),
        Console(state, rhythm, data.train.length / run.recipe.batch_size),
    ]


def evaluation(model, source, contract, batch_size, strategy, limit=None):
    """A function () -> {"loss", "error", "error_top5"} over every image of the source, once."""
    evaluate = steps.evaluator(model, strategy)
    count = -(-min(limit or source.length, source.length) // batch_size)

    def over_all():
        def batches(part):
            return pipelines.evaluate(
                source, contract, batch_size=batch_size, part=part, limit=limit
            )

        return evaluate(distribute.feed(strategy, batches), count).means()

    return over_all


def manifest(run, place, data, state):
    """What the archive says of the run; its step and metrics are filled in at each save."""
    data_dir = os.path.abspath(place.data_dir) if place.data_dir else None
    return archive.Manifest(
        network=network(run, data),
        input=data.input,
        class_names=data.train.class_names,
        data={
            "name": run.data,
            "data_dir": data_dir,
            "seed": run.seed,
            "train_images": data.train.length,
            "validation_images": data.validation.length,
        }
        | ({"init_from": transfer.origin(run, data.train.class_names)} if run.init_from else {}),
        recipe=dataclasses.asdict(run.recipe) | {"precision": run.precision},
        seed=run.seed,
    )
