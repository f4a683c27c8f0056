"""Some of many images, of every class as far as they go."""

import numpy as np


def stratified(images, count):
    """`count` of the images, class by class in turn, in the order that they had."""
    return images.take(np.sort(by_turns(images)[:count]))


def spread(images, count):
    """`count` of the images to show: the first of each class, then the second of each ...

    Of more classes than that, some from the first to the last; the same without labels.
    """
    turns = by_turns(images)
    classes = len(images) if images.labels is None else len(np.unique(images.labels))
    if classes > count:
        turns = turns[np.linspace(0, classes - 1, count).astype(int)]
    return images.take(turns[:count])


def by_turns(images):
    """The images' numbers, class by class in turn; as they are where nobody knows the classes."""
    if images.labels is None:
        return np.arange(len(images))
    rank = np.zeros(len(images), np.int64)  # the how-many-eth of its class an image is
    for label in np.unique(images.labels):
        rank[images.labels == label] = np.arange(np.sum(images.labels == label))
    return np.lexsort((images.labels, rank))
