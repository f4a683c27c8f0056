"""A Source: a numbered set of labelled images, found by name.

Loaders are imported by name when asked for, so a run on one set never pays for the libraries of
another.
"""

import dataclasses
import functools
import importlib
import os
from collections.abc import Callable

SPLITS = ("train", "validation")
_LOADERS = {
    "digits": "digits",
    "fashion_mnist": "tfds_source",
    "cifar10": "tfds_source",
    "cifar100": "tfds_source",
    "folder": "folder",
    "scenes_single": "scenes_single",
    "synthetic": "synthetic",
}
KNOWN = tuple(_LOADERS)
BUILT_IN = ("digits", "scenes_single", "synthetic")  # which need no directory


class DataError(ValueError):
    """Data that cannot be used: one sentence with what was expected, what came and what to do."""


@dataclasses.dataclass(frozen=True)
class Source:
    """Labelled images, addressed by index 0 .. length - 1.

    `fetch` maps indices (B,) int64 -> images, labels (B,) int32, eagerly and inside `Dataset.map`;
    of a task that has more to tell, such as boxes, labels are a dict of tensors (B, ...).
    Images are (B, H, W, 3) uint8 where `image_shape` is known, else (B,) encoded strings.
    `files` has a path per index where there is one, for messages, and `pictures` what `listing`
    tells of it; `fingerprint` tells one state of a set without files from another. With `skipped`,
    a Skipped, an example that cannot be read is noted there and passed over; else it is an error.
    """

    name: str
    split: str
    class_names: tuple[str, ...]
    length: int
    fetch: Callable
    image_shape: tuple[int, int, int] | None
    files: tuple[str, ...] = ()
    skipped: object = None
    portable: bool = True  # whether `fetch` is TensorFlow's operations alone
    pictures: tuple = ()
    listing: object = None
    fingerprint: dict | None = None
    is_test: bool = False  # the set's own test images, by which nothing may be chosen
    annotations: object = None  # of pictures with boxes: `trainers.data.boxes.Annotations`

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    @functools.cached_property
    def names(self):
        """`files` as a tensor, made once: in each graph a million of them would take seconds."""
        import tensorflow as tf

        with tf.init_scope(), tf.device("cpu"):
            return tf.constant([os.fsencode(file) for file in self.files])


def load(name: str, split: str, *, data_dir: str | None = None, seed: int = 0, **options) -> Source:
    """The set called `name`: one of KNOWN, or any image-classification set of TFDS (`tfds:NAME`).

    `seed` draws the held-out part where a set has none of its own. `options` are the loader's:
    `synthetic` takes image_size, num_classes and length. A loader may have more than the two
    SPLITS: `test` and `all`. Raises DataError, a ValueError.
    """
    loader = importlib.import_module(f"{__package__}.{_LOADERS.get(name, 'tfds_source')}")
    known = getattr(loader, "SPLITS", SPLITS)
    if split not in known:
        raise DataError(f"{name}: expected one of its splits {known}, got {split!r}")
    return loader.load(name, split, data_dir=data_dir, seed=seed, **options)


def lacks_validation(name: str, data_dir: str | None = None) -> int:
    """How many images a set has to train on whose validation images are its test set; else 0."""
    loader = importlib.import_module(f"{__package__}.{_LOADERS.get(name, 'tfds_source')}")
    asked = getattr(loader, "lacks_validation", None)
    return asked(name, data_dir) if asked else 0


def in_memory(name: str, split: str, class_names, images, labels) -> Source:
    """A Source over arrays: images (N, H, W, 3) uint8 or (N,) encoded strings, labels (N,)."""
    import tensorflow as tf  # here, so that programs learn KNOWN before they wait for TensorFlow

    with tf.device("cpu"):  # the input pipeline runs there; a GPU would copy each batch back
        images, labels = tf.constant(images), tf.constant(labels, tf.int32)

    def fetch(indices):
        return tf.gather(images, indices), tf.gather(labels, indices)

    shape = tuple(images.shape[1:]) or None
    return Source(name, split, tuple(class_names), len(labels), fetch, shape)
