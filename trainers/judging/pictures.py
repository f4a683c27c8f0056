"""Picture files of a user's own: found, prepared as evaluation does, and named by a network."""

import collections
import dataclasses
import os
import pathlib

import numpy as np
import tensorflow as tf

from trainers.data import split
from trainers.data.sources import listing
from zoo import headers, preprocess

KNOWN = " ".join(listing.SUFFIXES)


class PictureError(ValueError):
    """Why a file cannot be looked at."""


@dataclasses.dataclass(frozen=True)
class Guess:
    """The answer to one file: (class name, probability), likeliest first, or why there is none."""

    file: str
    top: tuple[tuple[str, float], ...] = ()
    error: str | None = None


def find(paths):
    """Files as given, and for a folder the pictures in it at any depth, sorted: yields paths.

    A folder's other files are passed over; one without a picture yields a Guess that says so.
    """
    for path in map(pathlib.Path, paths):
        if not path.is_dir():
            yield str(path)
            continue
        left_out = collections.Counter()
        inside = sorted(listing.walk(path, left_out))
        if not inside:
            found = listing.as_text(left_out) or "none"
            yield Guess(str(path), error=f"expected pictures ({KNOWN}) in it, found {found}")
        yield from map(str, inside)


def notes(paths, run_dir):
    """What a person should know of the pictures besides: yields sentences.

    How many files of folders are of kinds that cannot be decoded, and how many pictures the network
    was trained on, by their contents: of those its answers prove nothing.
    """
    paths = list(map(pathlib.Path, paths))
    for path in filter(pathlib.Path.is_dir, paths):
        left_out = collections.Counter()
        if listing.walk(path, left_out) and left_out:
            yield f"{path}: {listing.as_text(left_out)} left out"
    kept = split.read(run_dir)
    trained_on = {file[2:] for file in kept.files["train"]} if kept else set()
    given = [item for item in find(paths) if isinstance(item, str) and readable(item)]
    seen = sum(split.facts_of(file) in trained_on for file in given) if trained_on else 0
    if seen:
        yield (
            f"{seen:,} of the {len(given):,} pictures given are among those that {run_dir} was "
            "trained on: what it says of them is no proof"
        )


def readable(file):
    return os.path.isfile(file) and os.access(file, os.R_OK)


def read(file, contract):
    """One file as the network eats it: -> (S, S, 3) float32; PictureError says what it is not."""
    return opened(file, contract.bound_px, lambda x: preprocess.prepare(x, contract))


def opened(file, resize_px, prepare):
    """What `prepare` makes of a file's bytes; PictureError for what is no picture, or is too large.

    Too large in itself, or once its shorter side is `resize_px`.
    """
    try:
        encoded = tf.io.read_file(os.fsencode(file))
        check_size(encoded, resize_px)
        return prepare(encoded)
    except tf.errors.NotFoundError:
        raise PictureError("no such file") from None
    except tf.errors.InvalidArgumentError:
        raise PictureError(
            "no picture that can be read: expected a whole JPEG, PNG, BMP, GIF or WebP file"
        ) from None
    except tf.errors.OpError as error:
        raise PictureError(f"cannot be read: {error.message}") from None


def check_size(encoded, resize_px):
    """PictureError where decoding or resizing would take too much memory."""
    size = headers.claimed_size(encoded)
    if headers.exceeds(size, resize_px):
        height, width, pixels = size.numpy()
        resized = f", also with the shorter side at {resize_px}"
        raise PictureError(
            f"expected at most {headers.MAX_PIXELS:,} pixels"
            f"{resized if pixels <= headers.MAX_PIXELS else ''}, got {width}x{height}"
            f"{' in several frames' if pixels > height * width else ''}"
        )


def guess(model, manifest, paths, *, top=5, batch_size=32):
    """A Guess for every file of `paths`, in their order, as they become known."""

    @tf.function(reduce_retracing=True)
    def probabilities(images):
        return tf.nn.softmax(tf.cast(model(images, training=False), tf.float32))

    waiting, images = [], []
    for item in find(paths):
        if isinstance(item, str):
            try:
                images.append(read(item, manifest.input))
            except PictureError as error:
                item = Guess(item, error=str(error))
        waiting.append(item)
        if len(images) == batch_size:
            yield from answers(waiting, probabilities(tf.stack(images)), manifest, top)
            waiting, images = [], []
    rows = probabilities(tf.stack(images)) if images else ()
    yield from answers(waiting, rows, manifest, top)


def answers(waiting, rows, manifest, top):
    """Guesses that are there stay; each name of a file takes the next row of probabilities."""
    rows = iter(np.asarray(rows))
    for item in waiting:
        yield item if isinstance(item, Guess) else named(item, next(rows), manifest, top)


def named(file, row, manifest, top):
    """The likeliest classes of one picture; ties by class number: (C,) -> Guess."""
    if not np.isfinite(row).all():
        return Guess(file, error="the network's answer is not finite: its training has diverged")
    best = np.argsort(-row, kind="stable")[:top]
    return Guess(file, tuple((manifest.class_names[i], float(row[i])) for i in best))


def as_text(guess, width=30):
    """The file's name, then a line and a bar for each class."""
    length = max(len(name) for name, _ in guess.top)
    lines = [
        f"  {name:<{length}}  {probability:7.2%}  {'█' * round(width * probability)}".rstrip()
        for name, probability in guess.top
    ]
    return "\n".join([guess.file, *lines])


def as_fields(guess):
    """For JSON: the file with `top`, or with `error`."""
    if guess.error:
        return {"file": guess.file, "error": guess.error}
    top = [{"class": name, "probability": probability} for name, probability in guess.top]
    return {"file": guess.file, "top": top}


def columns(top):
    """The header of a table of guesses, the error last."""
    numbers = ["", *(f"_{i}" for i in range(2, top + 1))]
    return ["file", *(f"{name}{i}" for i in numbers for name in ("class", "probability")), "error"]


def as_row(guess, top):
    """One guess under `columns`."""
    known = [value for pair in guess.top for value in pair]
    return [guess.file, *known, *[None] * (2 * top - len(known)), guess.error]
