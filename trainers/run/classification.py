"""A classifier's run: its images, its network at step 0, and what the loop is given of both."""

import dataclasses
import functools
import os

import zoo
from trainers.data import pipelines, service, stream
from trainers.engine import distribute, metrics, optim, steps
from trainers.engine.state import State
from trainers.plan import images, selection, transfer, weighting
from trainers.plan.flags import other_batch
from trainers.run import alike, directory, reproducible, sense, training
from zoo import archive, complexity, precision, sizes


def train(run, place):
    """Images, then a state, new or taken up again, then training: -> training.Trained."""
    with precision.policy(run.precision), stream.unreadable_named():
        directory.check(run, place.run_dir)
        asked, (run, data) = run, images_of(run, place, directory.begun(place.run_dir))
        alike.check(asked, place, data)
        sense.check(run, place, data)
        note = directory.prolonged(run, asked, place.run_dir)
        with directory.held(place):
            state = build(run, data, place.strategy)
            directory.take_up(state, place, lambda: begin(state, data, run))
            alike.check_step(state, place)
            directory.claim(asked, place, data)
            place.say(headline(run, data, state, place.devices))
            for sentence in filter(None, (note, other_batch(run), selection.warned(run, data))):
                place.warn(sentence)
            if told := selection.told(run, data):
                place.say(told)
            if data.class_weights:
                place.say(weighting.describe(data))
            return training.train(run, place, work(run, place, data, state), state)


def images_of(run, place, resumed=False):
    """The run, settled by its images, and those, found where the place says: -> (Run, Data).

    Unreadable ones are passed over. A run that is `resumed` has those that it began with.
    """
    begun = place.run_dir if resumed else None
    run, data = images.settled(run, place.data_dir, begun, place.accept_changed_data)
    if place.data_service:
        service.check(place.data_service, data.train)
        return run, data
    return run, images.tolerant(data)


def build(run, data, strategy):
    """A State at step 0: weights from the seed."""
    with (
        precision.policy(run.precision),
        reproducible.weights_of(run.seed),
        strategy.scope(),
    ):
        model = zoo.build_network(network(run, data))
        transfer.freeze(model, run.recipe)
        # Gives Keras' callbacks their optimizer, and float16 its loss scale.
        rates = transfer.rates(model, run.recipe)
        model.compile(optimizer=optim.momentum_sgd(run.recipe, rates))
        model.optimizer.build(model.trainable_variables)
        task = metrics.classification(run.recipe.label_smoothing, data.class_weights)
        return State(model, model.optimizer, task)


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


def headline(run, data, state, devices):
    """What begins here, in a sentence: network, images, devices, recipe, from where."""
    start = f"resuming at step {state.step:,}" if state.step else "starting"
    if run.init_from and not state.step:
        start = transfer.describe(run, data.train.class_names)
    counted = "parameters to train" if run.init_from else "parameters"
    epochs = run.recipe.steps * run.recipe.batch_size / data.train.length
    size = sizes.shown(data.input.image_size)
    listed = f"{data.train.listing}; " if data.train.listing else ""
    return (
        f"{run.model} ({complexity.parameters(state.model):,} {counted}) on {run.data}: {listed}"
        f"{data.train.length:,} images to train, {data.validation.length:,} to validate, "
        f"{data.train.num_classes} classes; {devices}; recipe {run.recipe.name}; {start}; "
        f"{run.recipe.steps:,} steps, {epochs:,.1f} epochs at {size} px"
    )


def work(run, place, data, state):
    """What the loop is given: batches, evaluation, manifest, pictures."""
    recipe, strategy = run.recipe, place.strategy
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

    def showing():
        from trainers.watching.pictures import Pictures  # Matplotlib: a third of a second

        return [Pictures(run, data, state, network(run, data), place.run_dir)]

    return training.Work(
        data,
        batches,
        evaluation(state.model, data.validation, data.input, recipe.batch_size, strategy),
        manifest(run, place, data),
        showing,
    )


def evaluation(model, source, contract, batch_size, strategy, limit=None):
    """A function () -> {"loss", "error", "error_top5"} over every image of the source, once."""
    evaluate = steps.evaluator(model, strategy)
    count = -(-min(limit or source.length, source.length) // batch_size)

    @functools.cache
    def judged():
        def batches(part):
            return pipelines.evaluate(
                source, contract, batch_size=batch_size, part=part, limit=limit
            )

        return distribute.shared_out(strategy, batches)

    def over_all():
        return metrics.CLASSIFICATION.means(evaluate(iter(judged()), count))

    return over_all


def manifest(run, place, data):
    """What the archive says of the run; its step and metrics are filled in at each save."""
    data_dir = os.path.abspath(place.data_dir) if place.data_dir else None
    weights = dict(zip(data.train.class_names, data.class_weights or ()))
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
        | ({"drawing": data.drawing} if run.data == "folder" else {})
        | ({"class_weights": weights} if weights else {})
        | ({"hold_out": data.hold_out} if data.hold_out else {})
        | ({"init_from": transfer.origin(run, data.train.class_names)} if run.init_from else {}),
        recipe=dataclasses.asdict(run.recipe)
        | {"model": run.model, "data": run.data, "precision": run.precision},
        seed=run.seed,
    )
