"""A run on boxes: its pictures, its network at step 0, and what the loop is given of both.

A detector's, unless another `Kind` is named: all that differs is in it.
"""

import dataclasses
import os
import typing
from collections.abc import Callable

import zoo
from trainers.data import stream
from trainers.data.boxes import coverage, pipelines
from trainers.engine import distribute, optim
from trainers.engine.detection.task import detection
from trainers.engine.state import State
from trainers.judging.detection import rounds
from trainers.plan.detection import images, transfer
from trainers.run import alike, directory, reproducible, training
from zoo import archive, complexity, precision
from zoo.detection.network import build_detector


@dataclasses.dataclass(frozen=True)
class Kind:
    """What a run on boxes trains; `name` is the manifest's kind, `title` what a person reads.

    `check(data)` raises what is wrong with pictures for it. `described(run, network, classes)` is
    what `build` makes a model of and the manifest keeps. `task(model, described, recipe)` is the
    engine's, `rounds(model, described, source, contract, batch_size)` judges.
    """

    name: str
    title: str
    described: Callable
    build: Callable
    task: Callable
    rounds: Callable
    augmentation: Callable
    check: Callable = lambda data: None


DETECTOR = Kind(
    "detector",
    "Faster R-CNN",
    images.detector,
    build_detector,
    detection,
    rounds.Rounds,
    images.augmentation,
)


def train(run, place, kind=DETECTOR):
    """Pictures, then a state, new or taken up again, then training: -> training.Trained."""
    with precision.policy(run.precision), stream.unreadable_named():
        directory.check(run, place.run_dir)
        begun = place.run_dir if directory.begun(place.run_dir) else None
        asked, (run, data) = run, images.load(run, place.data_dir, begun, place.accept_changed_data)
        kind.check(data)
        alike.check(asked, place, data)
        note = directory.prolonged(run, asked, place.run_dir)
        with directory.held(place):
            described = kind.described(run, network(run), data.train.num_classes)
            state = build(
                run,
                place.strategy,
                lambda: kind.build(described),
                lambda model: kind.task(model, described, run.recipe),
            )
            came = []
            directory.take_up(state, place, lambda: came.append(begin(state, data, run)))
            alike.check_step(state, place)
            directory.claim(asked, place, data)
            place.say(f"{kind.title} on {headline(run, data, state, place.devices, came)}")
            place.say(covered(data, described))
            if note:
                place.warn(note)
            made = Made(kind, described, data, state)
            return training.train(run, place, work(run, place, made), state)


class Made(typing.NamedTuple):
    """A run's network, its pictures, and what learns of them."""

    kind: Kind
    described: object
    data: object
    state: State


def network(run):
    """The classifier that it stands on: -> zoo.Network."""
    if run.init_from:
        network = transfer.source_network(run.init_from)
    else:
        network = zoo.Network(run.model, 1, None, run.shortcut, stride=run.stride)
    return dataclasses.replace(network, num_classes=1, batch_norm=run.recipe.batch_norm)


def build(run, strategy, make, task):
    """A State at step 0, weights from the seed, of the model that is made and its task."""
    with precision.policy(run.precision), reproducible.weights_of(run.seed), strategy.scope():
        model = make()
        transfer.freeze(model, run.recipe)
        model.compile(optimizer=optim.momentum_sgd(run.recipe))
        model.optimizer.build(model.trainable_variables)
        return State(model, model.optimizer, task(model))


def begin(state, data, run):
    """What step 0 takes from elsewhere: a source's weights, or the mean of training pictures."""
    if run.init_from:
        return transfer.begin(state.model, run.init_from)
    mean = pipelines.mean(data.train, data.input)
    state.model.get_layer("pixels").mean.assign(mean)
    return None


def covered(data, described):
    """How many of the objects an anchor reaches, and what to do where they are few."""
    found = coverage.coverage(
        data.train.annotations, data.input, described.stride, described.sizes, described.ratios
    )
    if not found.suggested:
        return str(found)
    return f"WARNING: {found}; try --anchor_sizes={','.join(map(str, found.suggested))}"


def headline(run, data, state, devices, came):
    """What begins here, in a sentence: network, pictures, devices, recipe, from where."""
    start = f"resuming at step {state.step:,}" if state.step else "starting"
    if run.init_from and not state.step:
        start = transfer.describe(run, state.model, came[0])
    listed = f"{data.train.listing}; " if data.train.listing else ""
    epochs = run.recipe.steps * run.recipe.batch_size / data.train.length
    return (
        f"{run.model} ({complexity.parameters(state.model):,} parameters to train) "
        f"on {run.data}: {listed}{data.train.length:,} pictures to train, "
        f"{data.validation.length:,} to validate, {data.train.num_classes} classes; {devices}; "
        f"recipe {run.recipe.name}; {start}; {run.recipe.steps:,} steps, {epochs:,.1f} epochs"
    )


def work(run, place, made):
    """What the loop is given: batches, evaluation, manifest, pictures."""
    recipe, strategy = run.recipe, place.strategy
    kind, described, data, state = made
    random_half = kind.augmentation(recipe)

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

    evaluate = kind.rounds(state.model, described, data.validation, data.input, recipe.batch_size)

    def showing():
        from trainers.watching.detections import Detections  # Matplotlib: a third of a second

        return [Detections(run.recipe, state, evaluate, place.run_dir)]

    return training.Work(
        data, batches, evaluate, manifest(run, place, kind.name, described, data), showing
    )


def manifest(run, place, kind, described, data):
    """What the archive says of the run; its step and metrics are filled in at each save."""
    data_dir = os.path.abspath(place.data_dir) if place.data_dir else None
    return archive.Manifest(
        kind=kind,
        network=described,
        input=data.input,
        class_names=data.train.class_names,
        data={
            "name": run.data,
            "data_dir": data_dir,
            "seed": run.seed,
            "train_images": data.train.length,
            "validation_images": data.validation.length,
            "category_ids": [int(number) for number in data.train.annotations.category_ids],
        }
        | ({"init_from": {"run_dir": str(run.init_from)}} if run.init_from else {}),
        recipe=dataclasses.asdict(run.recipe)
        | {"model": run.model, "data": run.data, "precision": run.precision},
        seed=run.seed,
    )
