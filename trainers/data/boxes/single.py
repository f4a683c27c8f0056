"""Pictures that show objects of one class, as ImageNet's localisation has them (App. C)."""

import dataclasses

import numpy as np
import tensorflow as tf

from trainers.data import sources
from trainers.data.sources.listing import short


def classes(source):
    """The class of each picture's objects: a Source with annotations -> (length,) int32.

    DataError names a picture without an object to be learned, or with those of several classes.
    """
    labelled = source.annotations
    kept = ~labelled.ignore
    picture, kinds = labelled.picture[kept], labelled.classes[kept]
    least = np.full(source.length, source.num_classes, np.int32)
    most = np.full(source.length, -1, np.int32)
    np.minimum.at(least, picture, kinds)
    np.maximum.at(most, picture, kinds)
    wrong = np.flatnonzero(least != most)
    if len(wrong):
        number = wrong[0]
        shown = "no object"
        if most[number] >= 0:
            several = (source.class_names[kind] for kind in (least[number], most[number]))
            shown = " and ".join(f"{name:.30}" for name in several)
        raise sources.DataError(
            f"{source.name}: {short(labelled.names[number])} shows {shown}, one of {len(wrong):,} "
            "such pictures: expected objects of one class on each, as ImageNet's localisation has"
        )
    return most


def classified(source):
    """The same pictures, each with its class for a label: Source -> Source of `sources`' kind."""
    labels = classes(source)
    with tf.device("cpu"):
        labels = tf.constant(labels)

    def fetch(indices):
        images, _ = source.fetch(indices)
        return images, tf.gather(labels, indices)

    return dataclasses.replace(source, fetch=fetch, annotations=None)
