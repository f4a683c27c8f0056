"""Networks for the export tests: one trained on digits, others with random statistics."""

import functools
import sys

import keras
import numpy as np

import zoo
from export.classifier import Classifier
from trainers.data import sources
from zoo.preprocess import InputContract

DIGITS = InputContract(image_size=8, resize_px=8)
NAMES = tuple(str(digit) for digit in range(10))


def randomised(model, seed=0, last_gamma=1.0):
    """The model with the statistics and scales of a trained net, not of a new one (0 and 1).

    `last_gamma` scales the last normalisation of a block, or a chain of hundreds overflows.
    """
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            n = layer.gamma.shape[0]
            gamma = rng.uniform(0.5, 1.5, n) * (last_gamma if "_2_bn" in layer.name else 1)
            drawn = [gamma, rng.normal(0, 0.3, n), rng.normal(0, 0.3, n), rng.uniform(0.5, 2, n)]
            layer.set_weights(drawn)
    return model


@functools.cache
def trained_on_digits():
    """resnet8 after six epochs on digits: about 97 % of the held-out images, in 5 seconds."""
    keras.utils.set_random_seed(0)
    source = sources.load("digits", "train")
    images, labels = (np.array(x) for x in source.fetch(np.arange(source.length)))
    model = zoo.build("resnet8", image_size=8, mean="pixel")
    model.get_layer("pixels").mean.assign(np.mean(np.float32(images), axis=0))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.SGD(0.05, momentum=0.9), loss=loss)
    model.fit(np.float32(images), labels, batch_size=64, epochs=6, verbose=0, shuffle=False)
    return model


def digits_classifier():
    facts = {"data": {"name": "digits", "data_dir": None, "seed": 0}}
    return Classifier(trained_on_digits(), DIGITS, NAMES, facts)


def save_run(run_dir):
    """The same as a run directory, which is how a command line meets it."""
    from zoo import archive

    network = zoo.Network("resnet8", 10, 8, "A", mean="pixel")
    manifest = archive.Manifest(network, DIGITS, NAMES, data={"name": "digits", "data_dir": None})
    archive.save(trained_on_digits(), manifest, run_dir)
    return run_dir


def program(name, *arguments):
    """The command line of one of our programs, for subprocess.run."""
    return [sys.executable, "-m", name, *map(str, arguments)]
