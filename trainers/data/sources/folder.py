"""Photographs in folders, one folder a class."""

import pathlib
import random

import tensorflow as tf

from trainers.data import sources

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp")
HELD_OUT = 0.2
_SPLIT_NAMES = {"train": ("train",), "validation": ("validation", "val")}


def load(name: str, split: str, *, data_dir: str | None = None, seed: int = 0) -> sources.Source:
    """The images under `data_dir`, encoded, classes in alphabetical order.

    `data_dir/train/CLASS/` and `data_dir/validation/CLASS/` (or `val`) if those are there; else
    `data_dir/CLASS/`, of which `seed` draws a fifth of each class, at least one, for validation.
    """
    if not data_dir:
        raise sources.DataError("folder: expected --data_dir with a folder a class, got none")
    root = pathlib.Path(data_dir).expanduser()
    if not root.is_dir():
        raise sources.DataError(f"folder: expected a directory of class folders, got {root}")
    splits = split_dirs(root)
    if splits:
        classes = classes_of(splits[split])
        require_same_classes(classes, splits, split)
    else:
        classes = {c: draw(f, c, split, seed) for c, f in classes_of(root).items()}
    files = [path for paths in classes.values() for path in paths]
    labels = [label for label, paths in enumerate(classes.values()) for _ in paths]
    return source(name, split, tuple(classes), files, labels)


def source(name: str, split: str, class_names, files, labels) -> sources.Source:
    """A Source that reads `files` when they are asked for."""
    with tf.device("cpu"):
        paths, labels = tf.constant(files), tf.constant(labels, tf.int32)

    def fetch(indices):
        encoded = tf.map_fn(tf.io.read_file, tf.gather(paths, indices))
        return encoded, tf.gather(labels, indices)

    return sources.Source(name, split, class_names, len(files), fetch, None, tuple(files))


def split_dirs(root: pathlib.Path) -> dict[str, pathlib.Path]:
    """The directories of both splits, or nothing where `root` holds classes directly."""
    found = {
        split: root / name
        for split, names in _SPLIT_NAMES.items()
        for name in names
        if (root / name).is_dir()
    }
    return found if len(found) == len(_SPLIT_NAMES) else {}


def classes_of(root: pathlib.Path) -> dict[str, list[str]]:
    """The image files of each class folder, sorted: names do not depend on the file system."""
    folders = sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
    if not folders:
        raise sources.DataError(f"folder: expected a folder a class in {root}, found no folder")
    classes = {folder.name: images_in(folder) for folder in folders}
    for class_name, files in classes.items():
        if not files:
            raise sources.DataError(
                f"folder: expected images ({' '.join(SUFFIXES)}) in {root / class_name}, "
                "found none: add some or remove the folder"
            )
    return classes


def images_in(folder: pathlib.Path) -> list[str]:
    """Paths of the images directly in `folder`."""
    return sorted(str(p) for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)


def require_same_classes(classes, splits, split: str) -> None:
    """A label must mean the same class in both splits."""
    other_split = next(s for s in splits if s != split)
    other = classes_of(splits[other_split])
    for class_name in sorted(set(classes) ^ set(other)):
        here, there = (split, other_split) if class_name in classes else (other_split, split)
        raise sources.DataError(
            f"folder: expected every class in both splits, but {class_name!r} is in "
            f"{splits[here]} and not in {splits[there]}"
        )


def draw(files: list[str], class_name: str, split: str, seed: int) -> list[str]:
    """One class' share of a split; drawn per class, so that adding a class moves no other's."""
    if len(files) < 2:
        raise sources.DataError(
            f"folder: expected at least 2 images of {class_name!r}, to train on one and to hold "
            f"one out, got {files[0]}"
        )
    held_out = max(1, round(HELD_OUT * len(files)))
    chosen = set(random.Random(f"{seed}/{class_name}").sample(files, held_out))
    return [path for path in files if (path in chosen) == (split == "validation")]
