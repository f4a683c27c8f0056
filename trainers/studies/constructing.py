"""A run that starts from the construction: a deepened network as the checkpoint of step 0."""

import dataclasses

import tensorflow as tf

from trainers.data import pipelines
from trainers.engine import checkpoints
from trainers.plan import images as run_images
from trainers.plan.flags import Run
from trainers.plan.recipes import Recipe
from trainers.run import classification
from trainers.studies import states
from zoo import archive
from zoo.surgery.deepen import deepen

STATISTICS_IMAGES = 512  # what passes the new layers is measured on so many training images


def deepened(shallow_dir, name, data_dir=None):
    """The trained network of a run, made deeper: -> (keras.Model, its Manifest)."""
    model, manifest = archive.load(shallow_dir)
    source = states.source(manifest, "train", shallow_dir, data_dir)
    images = views_of(source, manifest.input)
    deeper, network = deepen(model, manifest.network, name, images)
    return deeper, dataclasses.replace(manifest, network=network)


def views_of(source, contract):
    """The first training images in evaluation's order, as the network eats them."""
    batches = pipelines.evaluate(source, contract, batch_size=64, limit=STATISTICS_IMAGES)
    return tf.concat([tf.cast(images, tf.float32) for images, *_ in batches], axis=0)


def begin(shallow_dir, run_dir, name, data_dir=None):
    """Leaves in `run_dir` what `trainers.classify` goes on from, unless it has begun already."""
    if checkpoints.steps_saved(run_dir):
        return
    deeper, manifest = deepened(shallow_dir, name, data_dir)
    recipe = {key: value for key, value in manifest.recipe.items() if key != "precision"}
    run = Run(
        model=name,
        shortcut=manifest.network.shortcut,
        stride=manifest.network.stride,
        data=manifest.data["name"],
        seed=manifest.seed,
        precision=manifest.recipe["precision"],
        recipe=Recipe(**recipe),
    )
    data = run_images.load(run, data_dir)
    state = classification.build(run, data, tf.distribute.get_strategy())
    state.model.set_weights(deeper.get_weights())
    checkpoints.save(state, run_dir)
