"""What networks say of every image: class probabilities, averaged over views and over networks."""

import dataclasses

import numpy as np
import tensorflow as tf

from trainers.data import pipelines
from trainers.engine import distribute
from trainers.judging import views
from zoo import progress, sizes
from zoo.surgery.convolutional import convolutional


class ScoreError(ValueError):
    """Scores that cannot be averaged, or are no numbers."""


@dataclasses.dataclass(frozen=True)
class Look:
    """How to look at a source's images: which views, how many images a step, how many in all."""

    views: str = "center"
    mirrors: bool = True
    batch_size: int = 64
    limit: int | None = None


@dataclasses.dataclass(frozen=True)
class Scores:
    """Probabilities (N, C) float64, labels (N,) and the images' numbers in their source (N,)."""

    probabilities: np.ndarray
    labels: np.ndarray
    index: np.ndarray


def of_network(model, manifest, source, look, strategy):
    """The mean of the softmax over an image's views (Sec. 3.4), every image once: -> Scores."""
    size = manifest.input.image_size
    if look.views != "center" and not sizes.is_square(size):
        raise ScoreError(
            f"{manifest.network.name} sees {sizes.shown(size)} px: --views={look.views} is of "
            "squares, as in the paper; take --views=center"
        )
    if look.views == "multi_scale":
        with strategy.scope():
            model = convolutional(model, manifest.network, size)
    images = min(look.limit or source.length, source.length)
    total, views_count = 0.0, 0
    for one in views.passes(look.views, manifest.input, look.mirrors):
        rows = sums_of_pass(model, source, manifest.input, one, look, strategy)
        index, labels, sums = (np.concatenate(column) for column in zip(*rows, strict=True))
        order = np.argsort(index)
        index, labels = index[order], labels[order]
        if len(index) != images or len(np.unique(index)) != images:
            raise RuntimeError(f"expected each of {images} images once, got {len(index)}")
        total, views_count = total + sums[order], views_count + one.count
    bad = int(np.sum(~np.isfinite(total).all(axis=1)))
    if bad:
        raise ScoreError(
            f"{manifest.network.name}: for {bad} of {images} images its outputs are not finite: "
            "its training has diverged, take an earlier state or a lower learning rate"
        )
    return Scores(total / views_count, labels, index)


def sums_of_pass(model, source, contract, one, look, strategy):
    """(index, labels, sum of the softmax over one pass' views) of each batch, padding left out."""
    replicas = strategy.num_replicas_in_sync
    batch_size = look.batch_size
    if not one.fixed_size and source.image_shape is None:
        batch_size = replicas  # images of different sizes make no batch
    length = min(look.limit or source.length, source.length)

    def batches(part):
        return pipelines.evaluate(
            source, one.contract, batch_size=batch_size, part=part, limit=look.limit, look=one.look
        )

    def on_replica(images, labels, weights, index):
        shape = tf.shape(images)
        flat = tf.reshape(images, tf.concat([[shape[0] * shape[1]], shape[2:]], axis=0))
        if one.fixed_size:
            flat = tf.ensure_shape(flat, (None, *images.shape[2:]))
        # In float64 a class that lags far behind is not yet 0, so few classes tie.
        softmax = tf.nn.softmax(tf.cast(model(flat, training=False), tf.float64))
        sums = tf.reduce_sum(tf.reshape(softmax, (shape[0], shape[1], -1)), axis=1)
        return index, labels, sums, weights

    @tf.function(reduce_retracing=True)
    def step(iterator):
        return strategy.run(on_replica, args=next(iterator))

    iterator = distribute.feed(strategy, batches)
    for _ in progress.over(range(-(-length // batch_size)), "evaluating", length, batch_size):
        columns = [strategy.experimental_local_results(x) for x in step(iterator)]
        for index, labels, sums, weights in zip(*columns, strict=True):
            kept = weights.numpy() > 0
            yield index.numpy()[kept], labels.numpy()[kept], sums.numpy()[kept]


def ensemble(members):
    """The mean of several networks' scores of the same images: [Scores] -> Scores."""
    first = members[0]
    for other in members[1:]:
        if not np.array_equal(first.index, other.index):
            raise ScoreError("the networks of an ensemble must be judged on the same images")
    mean = np.mean([member.probabilities for member in members], axis=0)
    return dataclasses.replace(first, probabilities=mean)
