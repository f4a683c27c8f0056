"""How fast a run would train here: its own steps, timed, on noise from memory and on its images.

Nothing is written. A step is counted as three forward passes (the backward pass computes two
products for the forward's one) of two operations a multiply-add.
"""

import dataclasses
import time

import numpy as np
import tensorflow as tf

from trainers.data import pipelines, sources
from trainers.engine import distribute, steps
from trainers.plan import images
from trainers.run import alike, classification
from zoo import complexity, sizes

WARM_UP = 3  # steps: the first is traced, the next fill buffers
FLOPS_A_MULTIPLY_ADD = 2 * 3


@dataclasses.dataclass(frozen=True)
class Timing:
    """Seconds of each step, and of all of them those that waited for images."""

    name: str
    images_a_step: int
    seconds: tuple[float, ...]
    wait: float

    @property
    def images_per_second(self):
        return self.images_a_step * len(self.seconds) / sum(self.seconds)


def report(run, place, count):
    """What a person reads of `count` steps of the run: the setting, then `table`."""
    run, data = classification.images_of(run, place)
    alike.check(run, place, data, **{"--benchmark": f"{count} steps"})
    timings, multiply_adds = measure(run, place, data, count)
    setting = f"{run.model} on {run.data}, {run.precision}; {place.devices}"
    return f"{setting}\n{table(timings, multiply_adds, place.devices)}"


def measure(run, place, data, count):
    """Timings of `count` steps each: [noise, the run's images, and one replica alone, if many]."""
    noise = dataclasses.replace(data, train=noise_like(data.train, data.input.image_size))
    state = classification.build(run, data, place.strategy)
    timings = [
        timed("synthetic", run, place, noise, state, count),
        timed(run.data, run, place, data, state, count),
    ]
    replicas = place.strategy.num_replicas_in_sync
    if replicas > 1 and not distribute.is_cluster(place.strategy):
        timings.append(alone(run, place, noise, replicas, count))
    return timings, complexity.multiply_adds(state.model)


def alone(run, place, noise, replicas, count):
    """One replica with its own part of the batch, on the first device, without a strategy."""
    part = dataclasses.replace(run.recipe, batch_size=run.recipe.batch_size // replicas)
    run = dataclasses.replace(run, recipe=part)
    place = dataclasses.replace(place, strategy=tf.distribute.get_strategy())
    state = classification.build(run, noise, place.strategy)
    return timed("synthetic, one replica alone", run, place, noise, state, count)


def noise_like(source, size):
    """Random pixels of the network's size, in the source's place."""
    return sources.load(
        "synthetic", "train", image_size=size, num_classes=source.num_classes, length=source.length
    )


def timed(name, run, place, data, state, count):
    """Single steps, timed one by one after WARM_UP of them."""
    recipe = run.recipe
    contract = data.input
    random_half = images.augmentation(recipe, contract, state.model)
    if data.train.name == "synthetic":  # of the network's size: nothing is done to it
        contract = dataclasses.replace(contract, resize_px=sizes.shorter(contract.image_size))
        random_half = dataclasses.replace(random_half, kind="none", color=False, policy="none")

    def batches(part):
        return pipelines.train(
            data.train,
            contract,
            random_half,
            batch_size=recipe.batch_size,
            seed=run.seed,
            steps=(0, WARM_UP + count),
            part=part,
            service=place.data_service if name == run.data else None,
        )

    advance = steps.trainer(state.model, state.optimizer, place.strategy, place.engine, state.task)
    iterator = distribute.feed(place.strategy, batches)
    advance(iterator, WARM_UP)
    seconds, wait = [], 0.0
    for _ in range(count):
        start = time.perf_counter()
        sums, _ = advance(iterator, 1)
        seconds.append(time.perf_counter() - start)
        wait += sums.wait
    return Timing(name, recipe.batch_size, tuple(seconds), wait)


def table(timings, multiply_adds, devices):
    """What a person reads: a line for each timing, then what several devices gain."""
    lines = [f"{'images':<30} images/s  step ms: p50     p90     p99  input wait   GFLOP/s"]
    for timing in timings:
        p50, p90, p99 = 1000 * np.percentile(timing.seconds, (50, 90, 99))
        flops = timing.images_per_second * multiply_adds * FLOPS_A_MULTIPLY_ADD
        lines.append(
            f"{timing.name:<30} {timing.images_per_second:8.1f}  {p50:12.2f} {p90:7.2f} {p99:7.2f}"
            f"  {timing.wait / sum(timing.seconds):10.1%}  {flops / 1e9:8.2f}"
        )
    if len(timings) > 2:
        replicas = timings[0].images_a_step // timings[2].images_a_step
        gain = timings[0].images_per_second / timings[2].images_per_second
        lines.append(
            f"scaling: {devices} give {gain:.2f} times one replica alone, "
            f"an efficiency of {gain / replicas:.0%}"
        )
    lines.append(
        f"a step of {timings[0].images_a_step} images; {multiply_adds / 1e6:,.1f} million "
        "multiply-adds an image forward, times 2 x 3 operations for a step of training"
    )
    return "\n".join(lines)
