"""Batch normalisation's statistics as true averages over N batches ("precise BN")."""

import contextlib

import keras
import numpy as np
import tensorflow as tf

from trainers.data import pipelines
from trainers.data.augment import Augmentation
from trainers.plan import images as run_images
from trainers.plan.recipes import Recipe


def recompute(model, batches):
    """Gives every normalisation its statistics over `batches` of images, each once.

    The network runs as in training, so each layer sees its input normalised by the batch's own
    statistics. The mean is the mean of the batch means; the variance is that of all values taken
    together, mean of (batch variance + batch mean squared) less the mean squared, and not the mean
    of the variances, which leaves out how batches differ. Both biased, as Keras' moving ones are.
    Batches count alike: give them one size. Nothing else of the network changes.
    Returns how far each mean moved, in standard deviations: {layer name: largest of the channels}.
    """
    norms = normalisations(model)
    totals = {norm.name: np.zeros((2, norm.moving_mean.shape[0])) for norm in norms}
    before = {norm.name: numbers(norm.moving_mean) for norm in norms}
    count = 0
    with last_batch_only(norms):
        forward = tf.function(lambda images: model(images, training=True), reduce_retracing=True)
        for images in batches:
            forward(images)
            count += 1
            for norm in norms:
                mean, variance = numbers(norm.moving_mean), numbers(norm.moving_variance)
                totals[norm.name] += mean, variance + mean**2
    moved = {}
    for norm in norms:
        mean, square = totals[norm.name] / count
        variance = np.maximum(square - mean**2, 0.0)
        norm.moving_mean.assign(mean)
        norm.moving_variance.assign(variance)
        deviation = np.sqrt(variance + norm.epsilon)
        moved[norm.name] = float(np.max(np.abs(mean - before[norm.name]) / deviation))
    return moved


def normalisations(model):
    return [x for x in model.layers if isinstance(x, keras.layers.BatchNormalization)]


def numbers(variable):
    return keras.ops.convert_to_numpy(variable).astype(np.float64)


@contextlib.contextmanager
def last_batch_only(norms):
    """Inside, a moving average is the last batch's value: momentum weighs the old one."""
    momenta = [norm.momentum for norm in norms]
    try:
        for norm in norms:
            norm.momentum = 0.0
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


def training_batches(model, manifest, source, batch_size, count):
    """The batches that training would take next: an iterable of (images, labels, index)."""
    augmentation = Augmentation("none")  # of a network that was not trained here
    if manifest.recipe:
        recipe = Recipe(**{k: v for k, v in manifest.recipe.items() if k != "precision"})
        augmentation = run_images.augmentation(recipe, manifest.input, model)
    return pipelines.train(
        source,
        manifest.input,
        augmentation,
        batch_size=batch_size,
        seed=manifest.seed,
        steps=(manifest.step, manifest.step + count),
    )
