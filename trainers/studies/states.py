"""A run's network, at its first step and its last, and its images, as the studies measure them."""

import functools

import numpy as np
import tensorflow as tf

import zoo
from trainers.data import sources
from trainers.judging import gradients, scores
from trainers.judging import statistics as precise
from trainers.judging.figures import rank
from trainers.plan import images as run_images
from trainers.run import reproducible
from zoo import archive

GRADIENT_BATCHES = 8
ERROR_IMAGES = 5000  # of a split: of 30 % error a deviation of 0.6 %, less of a pair


def both(run_dir):
    """-> ({"start": the network at step 0, "end": the trained one}, Manifest)."""
    trained, manifest = archive.load(run_dir)
    return {"start": untrained(trained, manifest), "end": trained}, manifest


def untrained(trained, manifest):
    """The network that the run's seed began with, made again: its weights and the images' mean."""
    with reproducible.weights_of(manifest.seed):
        model = zoo.build_network(manifest.network)
    model.get_layer("pixels").mean.assign(trained.get_layer("pixels").mean)
    return model


def source(manifest, split, run_dir, data_dir=None):
    """The run's images; a set whose split no seed draws is read once for all runs."""
    if manifest.data["name"] in ("folder", "synthetic"):
        asked = run_images.Images(data_dir=data_dir)
        return run_images.source_of(manifest, split, asked, run_dir)
    found = shared(manifest.data["name"], split, data_dir or manifest.data.get("data_dir"))
    run_images.require_classes(found, manifest.class_names)
    return found


@functools.cache
def shared(name, split, data_dir):
    return sources.load(name, split, data_dir=data_dir)


def gradient_norms(run_dir, data_dir=None):
    """{"start", "end"} of a run: `gradients.of_layers` over the batches that would come next."""
    models, manifest = both(run_dir)
    train = source(manifest, "train", run_dir, data_dir)
    size = manifest.recipe["batch_size"]
    found = {}
    for when, model in models.items():
        batches = precise.training_batches(model, manifest, train, size, GRADIENT_BATCHES)
        found[when] = gradients.of_layers(model, ((x, y) for x, y, *_ in batches))
    return found


def errors(model, manifest, run_dir, data_dir=None):
    """Top-1 error of whole images of each split, as evaluation sees them: {split: fraction}."""
    found = {}
    look = scores.Look(batch_size=250, limit=ERROR_IMAGES)
    for split in ("train", "validation"):
        images = source(manifest, split, run_dir, data_dir)
        answers = scores.of_network(model, manifest, images, look, tf.distribute.get_strategy())
        found[split] = float(np.mean(rank(answers.probabilities, answers.labels) >= 1))
    return found


def facts(run_dir):
    """What a picture says of a run's images: their set, numbers, size and classes."""
    manifest = archive.load_manifest(run_dir)
    names = ("name", "train_images", "validation_images")
    size = manifest.input.image_size
    return {name: manifest.data[name] for name in names} | {
        "size": size if isinstance(size, int) else list(size),
        "classes": manifest.network.num_classes,
    }
