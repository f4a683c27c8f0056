"""Random images that cost nothing to make: to time a training step, or to test one."""

import numpy as np
import tensorflow as tf

from trainers.data import sources
from zoo import sizes

BANK = 64  # images held in memory: 9.6 MB at 224 x 224


def load(
    name: str,
    split: str,
    *,
    data_dir=None,
    seed: int = 0,
    image_size: int | tuple[int, int] = 224,
    num_classes: int = 1000,
    length: int | None = None,
) -> sources.Source:
    """Noise: example i is image i mod BANK, (S, S, 3) uint8, with label i mod num_classes.

    As long as ImageNet unless `length` says otherwise. The splits differ in their pixels.
    """
    length = length or {"train": 1_281_167, "validation": 50_000}[split]
    random = np.random.default_rng((seed, sources.SPLITS.index(split)))
    pixels = random.integers(0, 256, (BANK, *sizes.of(image_size), 3), np.uint8)
    with tf.device("cpu"):
        bank = tf.constant(pixels)

    def fetch(indices):
        indices = tf.convert_to_tensor(indices)
        return tf.gather(bank, indices % BANK), tf.cast(indices % num_classes, tf.int32)

    class_names = tuple(f"class {label}" for label in range(num_classes))
    shape = (*sizes.of(image_size), 3)
    return sources.Source(name, split, class_names, length, fetch, shape)
