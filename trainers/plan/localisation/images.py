"""A localiser's pictures: objects of one class on each, how training changes them."""

from trainers.data.boxes import pipelines, single
from zoo.localisation.specs import Localiser


def check(data):
    """DataError unless each picture shows objects of one class."""
    for source in (data.train, data.validation):
        single.classes(source)


def augmentation(recipe):
    return pipelines.BoxAugmentation(recipe.mirror, recipe.scales, recipe.crop_px)


def localiser(run, network, num_classes):
    """What the manifest calls the network: zoo.Network -> Localiser."""
    recipe = run.recipe
    return Localiser(
        network,
        num_classes,
        recipe.by_class,
        recipe.anchor_sizes,
        recipe.anchor_ratios,
        recipe.rpn_filters,
    )
