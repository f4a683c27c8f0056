"""Photographs in folders, one folder a class, or named by a CSV file."""

import dataclasses
import hashlib
import os
import pathlib
import unicodedata

import tensorflow as tf

from trainers.data import sources
from trainers.data.sources import before, table
from trainers.data.sources import listing as listings
from zoo import limits, texts

SPLITS = (*sources.SPLITS, "test", "all")
HELD_OUT = 0.2


def load(name, split, *, data_dir=None, seed=0, drawing="hash", listing=None) -> sources.Source:
    """The pictures under `data_dir`, encoded, classes in alphabetical order.

    Splits are the directory's own; where it has none for validation, `seed` and each file's name
    draw a fifth of what there is to train on. `test` is judged only where it is there, `all` is
    every picture. `drawing` "sample" is that of runs before the hash. `listing` is what
    `listed(data_dir, ...)` found, if that is known.
    """
    listing = listing or listed(data_dir, seed, drawing)
    pictures = chosen(listing, split, seed)
    return of_pictures(name, split, listing, pictures, classes_of(listing))


def listed(data_dir, seed=0, drawing="hash") -> listings.Listing:
    """Every picture of a directory, or of a CSV file."""
    if not data_dir:
        raise sources.DataError("folder: expected --data_dir with a folder a class, got none")
    root = pathlib.Path(data_dir).expanduser()
    if root.is_file() and root.suffix.lower() == table.SUFFIX:
        return table.read(root)
    if not root.is_dir():
        raise sources.DataError(f"folder: expected a directory of class folders, got {root}")
    return before.read(root, seed, HELD_OUT) if drawing == "sample" else listings.read(root)


def source(name: str, split: str, class_names, files, labels) -> sources.Source:
    """A Source that reads `files` when they are asked for."""
    with tf.device("cpu"):
        paths = tf.constant([os.fsencode(file) for file in files], tf.string)
        labels = tf.constant(labels, tf.int32)

    def fetch(indices):
        encoded = tf.map_fn(tf.io.read_file, tf.gather(paths, indices))
        return encoded, tf.gather(labels, indices)

    return sources.Source(name, split, class_names, len(files), fetch, None, tuple(files))


def of_pictures(name, split, listing, pictures, class_names) -> sources.Source:
    """A Source of some of a listing's pictures."""
    number = {label: index for index, label in enumerate(class_names)}
    labels = [number[picture.label] for picture in pictures]
    plain = source(name, split, tuple(class_names), list(map(listing.path, pictures)), labels)
    return dataclasses.replace(plain, pictures=tuple(pictures), listing=listing)


def chosen(listing, split: str, seed: int) -> list[listings.Picture]:
    """The pictures of one split."""
    if split == "all":
        return list(listing.pictures)
    there = {picture.split for picture in listing.pictures}
    if split == "test" or {split, "validation"} <= there:
        return require(listing, split, [p for p in listing.pictures if p.split == split])
    to_draw = [p for p in listing.pictures if p.split in (None, "train")]
    held_out = held_out_of(require(listing, "train", to_draw), seed)
    return [p for p in to_draw if (p.name in held_out) == (split == "validation")]


def require(listing, split, found):
    """The pictures, if there are any."""
    if not found:
        there = ", ".join(sorted({p.split for p in listing.pictures if p.split})) or "no splits"
        raise sources.DataError(
            f"folder: expected pictures of the {split} split in {listing.root}, found {there}"
        )
    return found


def classes_of(listing) -> tuple[str, ...]:
    """The classes, sorted: those to train on, which must be those of validation.

    A label must mean the same class in every split; a test split may lack some.
    """
    found = {}
    for picture in listing.pictures:
        found.setdefault(picture.split, set()).add(picture.label)
    train = found.get(None, set()) | found.get("train", set())
    pairs = {name: found[name] for name in ("validation", "test") if name in found and train}
    for other, labels in pairs.items():
        wrong = labels - train if other == "test" else labels ^ train
        for label in sorted(wrong):
            here, there = (other, "train") if label in labels else ("train", other)
            raise sources.DataError(
                f"folder: expected every class in all splits, but {label!r} of {listing.root} is "
                f"in {here} and not in {there}"
            )
    return require_written(sorted(train or set().union(*found.values())))


def require_written(names) -> tuple[str, ...]:
    """The names of classes. DataError for one that no file of names, a line each, can hold."""
    for name in names:
        if texts.UNWRITABLE.search(name):
            raise sources.DataError(
                f"folder: expected classes named by printable UTF-8 text on one line, got "
                f"{limits.shown(name)}: rename it"
            )
    return tuple(names)


def held_out_of(pictures, seed: int) -> set[str]:
    """Names of those to validate on: each by itself, so that no other picture moves one.

    A fifth of each class to chance, and at least one; at least one is left to train on.
    """
    classes = {}
    for picture in pictures:
        classes.setdefault(picture.label, []).append((share_of(picture.name, seed), picture.name))
    held_out = set()
    for label, drawn in classes.items():
        if len(drawn) < 2:
            raise sources.DataError(
                f"folder: expected at least 2 images of {label!r}, to train on one and to hold "
                f"one out, got {listings.short(drawn[0][1])}"
            )
        (_, first), *_, (_, last) = sorted(drawn)
        held_out |= {first} | {name for share, name in drawn if share < HELD_OUT and name != last}
    return held_out


def share_of(name: str, seed: int) -> float:
    """A number in [0, 1) for a name, however the system composes its accents."""
    text = f"{seed}/{unicodedata.normalize('NFC', name)}"
    digest = hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64
