"""One network's cost, measured in this process: seconds to make it, to train it and to use it.

Weights are random, images are noise from memory.
"""

import pathlib
import statistics
import tempfile
import time

import keras
import numpy as np
import tensorflow as tf

import zoo
from benchmarks import machine
from export import classifier, formats, graph, images
from trainers.engine import optim, steps
from trainers.plan.recipes import RECIPES
from zoo import archive, complexity
from zoo.preprocess import InputContract

SECONDS_OF_STEPS, SECONDS_OF_CALLS = 1.0, 1.0  # that the timed steps and calls take together
MATMUL_SIDE, MATMULS = 2048, 20


def build(name):
    """The network and what its making costs: -> (keras.Model, figures).

    A small network is built before, so that what Keras does once is not counted.
    """
    zoo.build("resnet8", image_size=32)
    spec = zoo.find(name)
    start = time.perf_counter()
    model = zoo.build(name, image_size=spec.image_size)
    seconds = time.perf_counter() - start
    return model, {
        "layers": spec.layers,
        "multiply_adds": complexity.multiply_adds(model),
        "parameters": complexity.parameters(model),
        "build_seconds": seconds,
    }


def train(model, batch_sizes, already_mib):
    """Seconds of the first step and, of the last batch size, of an image; memory by batch size.

    The batch sizes rise, and the step is traced once for all of them, so that the process' peak
    after each is that batch's.
    """
    optimizer = optim.momentum_sgd(RECIPES["cifar10"])
    optimizer.build(model.trainable_variables)
    advance = steps.trainer(model, optimizer, tf.distribute.get_strategy())
    side, classes = model.input.shape[1], model.output.shape[-1]
    times, memory = [], {}
    for batch_size in batch_sizes:
        batches = iter(noise(batch_size, side, classes))
        start = time.perf_counter()
        advance(batches, 1)
        times.append(time.perf_counter() - start)
        memory[str(batch_size)] = peak_mib() - already_mib
    seconds = typical(lambda: advance(batches, 1), SECONDS_OF_STEPS)
    return {
        "first_step_seconds": times[0],
        "train_batch_size": batch_size,
        "train_seconds_an_image": seconds / batch_size,
        "train_mib": memory,
    }


def noise(batch_size, side, classes):
    """An endless stream of one batch whose size is not in its type."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (batch_size, side, side, 3)).astype("uint8")
    labels = rng.integers(0, classes, batch_size).astype("int32")
    return tf.data.Dataset.from_tensor_slices((pixels, labels, labels)).repeat().batch(batch_size)


def typical(run, seconds_together):
    """Seconds of a call, the median of at least three, after one that is not counted."""
    run()
    times, until = [], time.perf_counter() + seconds_together
    while len(times) < 3 or time.perf_counter() < until:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def serve(model):
    """Seconds of an image, one at a time, through the frozen and folded graph, and of its start."""
    size = model.input.shape[1]
    image = tf.random.stateless_uniform((1, size, size, 3), (0, 0), maxval=255.0)
    start = time.perf_counter()
    network = graph.freeze(model, size)
    network(image)["logits"].numpy()
    first = time.perf_counter() - start
    seconds = typical(lambda: network(image)["logits"].numpy(), SECONDS_OF_CALLS)
    return {"first_answer_seconds": first, "serve_seconds_an_image": seconds}


def store(model):
    """Seconds to write a run's network and to read it back."""
    spec = zoo.find(model.name)
    network = zoo.Network(spec.name, spec.num_classes, spec.image_size, spec.shortcut)
    manifest = archive.Manifest(network, contract(model), class_names(model))
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        archive.save(model, manifest, folder)
        saved = time.perf_counter()
        archive.load(folder)
        return {"save_seconds": saved - start, "load_seconds": time.perf_counter() - saved}


def export(model, folder):
    """Seconds to write the SavedModel that `python -m export.saved_model` makes."""
    source = classifier.Classifier(model, contract(model), class_names(model))
    held_out = images.photographs(source.contract, 2)
    path = pathlib.Path(folder) / model.name
    path.mkdir()
    start = time.perf_counter()
    formats.find("saved_model").write(source, path, images.Evidence(held_out))
    return {"write_saved_model_seconds": time.perf_counter() - start}


def load_saved_model(folder, name):
    """Seconds until its `serving_default` can be called: for a process of its own."""
    start = time.perf_counter()
    tf.saved_model.load(str(pathlib.Path(folder) / name)).signatures["serving_default"]
    return {"load_saved_model_seconds": time.perf_counter() - start}


def contract(model):
    size = model.input.shape[1]
    return InputContract(size, round(size * 8 / 7))


def class_names(model):
    return tuple(f"class {number}" for number in range(model.output.shape[-1]))


def matmul():
    """The machine's best: floating-point operations a second of a float32 matrix product."""
    keras.utils.set_random_seed(0)
    multiply = tf.function(tf.matmul)
    one, other = (tf.random.normal((MATMUL_SIDE, MATMUL_SIDE)) for _ in range(2))
    times = []
    for _ in range(MATMULS):
        start = time.perf_counter()
        multiply(one, other)[0, 0].numpy()
        times.append(time.perf_counter() - start)
    return {"flop_per_second": 2 * MATMUL_SIDE**3 / min(times)}


def peak_mib():
    """The most memory that this process has held."""
    return machine.peak_megabytes() * 1e6 / 2**20
