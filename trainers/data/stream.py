"""Which examples, and with which random numbers -> batches of tensors, by tf.data.

Parallelism is fixed, because an autotuned tf.data iterator of TensorFlow 2.21 blocks when it is
destroyed, up to as long as it lived.
"""

import contextlib
import os
import re

import tensorflow as tf

from trainers.data import sources
from zoo import headers

WORKERS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
PREFETCH = 2  # batches ahead: one being copied to the device, one ready
PIECE = 8  # encoded images made together: one call of Python, one dataset for their failures
PIECES_AHEAD = 2  # open for each core
TRIES = 16  # examples in the place of one that cannot be read


def stream(source, prepare, plan, numbers: range):
    """`plan(number)`, which example and which randomness in each row, made into batches.

    `prepare(rows)` gets the plan's dict with `images`, (n, H, W, 3) pixels or (n,) encoded, and
    `labels`, a tensor or a dict of them, and returns it with what the network eats: all n images of
    one size, which may be another in the next batch. Arrays are worked on by the batch, 4-5 times
    as fast as by the example; encoded images one by one, on all cores, a few of them in each core's
    piece. Where a side is not known beforehand, pieces are filled up with zeros to the longest.
    """
    if source.length < 1:
        raise ValueError(f"{source.name}: expected examples in {source.split}, got none")
    plans = tf.data.Dataset.range(numbers.start, numbers.stop).map(plan)

    def filled(rows):
        images, labels = source.fetch(rows["index"])
        return prepare({**rows, "images": images, "labels": labels})

    if source.image_shape:
        return plans.map(filled, num_parallel_calls=WORKERS)
    per_batch = plans.element_spec["index"].shape[0]
    size = max(n for n in range(1, PIECE + 1) if per_batch % n == 0)
    pieces = plans.map(lambda rows: each_tensor(lambda x: split(x, size), rows)).unbatch()
    made = pieces.interleave(
        lambda rows: piece(rows, filled, source),
        cycle_length=PIECES_AHEAD * WORKERS,
        num_parallel_calls=WORKERS,
        deterministic=True,
    )
    return gathered(made, per_batch // size).map(lambda rows: each_tensor(join, rows))


each_tensor = tf.nest.map_structure


def gathered(elements, count):
    """Batches of `count` elements; zeros fill up sides that are not known beforehand."""
    shapes = [spec.shape for spec in tf.nest.flatten(elements.element_spec)]
    if all(shape.is_fully_defined() for shape in shapes):
        return elements.batch(count, drop_remainder=True)
    return elements.padded_batch(count, drop_remainder=True)


def split(values, size: int):
    """(n, ...) -> (n / size, size, ...)."""
    return tf.reshape(values, (-1, size, *values.shape[1:]))


def join(values):
    """(pieces, size, ...) -> (pieces * size, ...)."""
    pieces, size, *inner = values.shape
    joined = tf.reshape(values, tf.concat([[pieces * size], tf.shape(values)[2:]], axis=0))
    return tf.ensure_shape(joined, (pieces * size, *inner))


def piece(rows, filled, source):
    """A dataset of one element, `filled(rows)`; row by row if one of them cannot be made."""

    def single(row):
        made = filled(each_tensor(lambda x: x[None], row))
        return each_tensor(lambda x: x[0], made)

    together = tf.data.Dataset.from_tensors(rows).map(filled)
    singly = tf.data.Dataset.from_tensor_slices(rows).flat_map(
        lambda row: readable(row, single, source)
    )
    count = rows["index"].shape[0]
    return together.ignore_errors().concatenate(gathered(singly, count)).take(1)


def readable(row, single, source):
    """A dataset of one element, `single(row)`, or what stands in for it if that cannot be made.

    In training another example does, and the batch stays full: the next of a fixed sequence that
    can be read. In evaluation, whose rows have a weight, nothing does: the weight becomes 0.
    """
    judging = "weights" in row
    tries = 1 if judging or source.skipped is None else TRIES
    stride = source.length // TRIES + 1  # far apart: bad files come in clusters

    def attempt(number):
        index = (row["index"] + number * stride) % source.length
        if tries > 1:
            before = (index - stride) % source.length
            tf.cond(number > 0, lambda: noted(before, source), lambda: before)
        return single({**row, "index": index})

    attempts = tf.data.Dataset.range(tries).map(attempt)
    zeros = tf.nest.map_structure(
        lambda spec: tf.zeros([side or 0 for side in spec.shape], spec.dtype), attempts.element_spec
    )

    def give_up(_):
        if judging and source.skipped is not None:
            return {**zeros, "index": noted(row["index"], source)}
        with tf.control_dependencies([named_failure(row["index"], source)]):
            return tf.nest.map_structure(tf.identity, zeros)

    last = tf.data.Dataset.range(1).map(give_up)
    return attempts.ignore_errors(log_warning=True).concatenate(last).take(1)


def noted(index, source):
    """The index, written down as unreadable. Python runs for these examples alone."""
    index = tf.numpy_function(source.skipped.add, [index], tf.int64)
    return tf.ensure_shape(index, ())


def named_failure(index, source):
    """An operation that fails with the example's name, which TensorFlow's own error lacks."""
    name = tf.gather(source.names, index) if source.files else tf.strings.as_string(index)
    most = f"of at most {headers.MAX_PIXELS:,} pixels"
    message = [f"expected a readable image {most}, replace or remove it:", name]
    return tf.debugging.Assert(False, [source.name, *message])


@contextlib.contextmanager
def unreadable_named():
    """Inside, an image that cannot be read is a DataError which names it, not TensorFlow's."""
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        told = re.search(r"assertion failed: (.*)", error.message)
        if not told or "expected a readable image" not in told[1]:
            raise
        raise sources.DataError(" ".join(re.findall(r"\[([^\[\]]+)\]", told[1]))) from None


def finish(batches, *keys, service=None):
    """Tuples of `keys`, in order, computed ahead by a fixed number of threads.

    `service` is the address of a tf.data service that computes them in this process' place.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False  # none fits: time alone
    options.deterministic = True
    options.threading.private_threadpool_size = WORKERS
    # Each process makes its own part; sharding once more would lose examples.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    chosen = batches.map(lambda rows: tuple(rows[key] for key in keys))
    if service:
        chosen = chosen.with_options(options).apply(
            tf.data.experimental.service.distribute(
                tf.data.experimental.service.ShardingPolicy.OFF, service
            )
        )
    return chosen.prefetch(PREFETCH).with_options(options)
