"""CIFAR-like images and labels of noise, for what is timed from memory."""

SIZE, CLASSES = 32, 10


def images(count):
    """(count, 32, 32, 3) uint8."""
    import numpy as np

    return np.random.default_rng(0).integers(0, 256, (count, SIZE, SIZE, 3)).astype("uint8")


def labels(count):
    """(count,) int32."""
    import numpy as np

    return np.random.default_rng(1).integers(0, CLASSES, count).astype("int32")


def source(count):
    """Both as the trainers' pipelines read them."""
    from trainers.data import sources

    names = [str(number) for number in range(CLASSES)]
    return sources.in_memory("noise", "train", names, images(count), labels(count))
