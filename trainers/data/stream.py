"""Which examples, and with which random numbers -> batches of tensors, by tf.data.

Parallelism is fixed, because an autotuned tf.data iterator of TensorFlow 2.21 blocks when it is
destroyed, up to as long as it lived.
"""

import contextlib
import os
import re

import tensorflow as tf

from trainers.data import sources
from zoo import preprocess

WORKERS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
PREFETCH = 2  # batches ahead: one being copied to the device, one ready


def stream(source, prepare, plan, numbers: range):
    """`plan(number)`, which example and which randomness in each row, made into batches.

    `prepare(images, rows)` makes (n, H, W, 3) pixels what the network eats, all n of one size.
    Elements are the plan's dict with `images` and `labels`. Arrays are worked on by the batch, 4-5
    times as fast as by the example; encoded images one by one, on all cores.
    """
    if source.length < 1:
        raise ValueError(f"{source.name}: expected examples in {source.split}, got none")
    plans = tf.data.Dataset.range(numbers.start, numbers.stop).map(plan)

    def filled(rows):
        images, labels = source.fetch(rows["index"])
        if source.image_shape is None:
            images = preprocess.decode(images[0])[None]
        images = prepare(images, rows)
        return {**rows, "images": images, "labels": labels}

    if source.image_shape:
        return plans.map(filled, num_parallel_calls=WORKERS)

    per_batch = plans.element_spec["index"].shape[0]

    def name(row):
        index = plan(row // per_batch)["index"][row % per_batch]
        return tf.gather(source.files, index) if source.files else tf.strings.as_string(index)

    def single(row, one):
        made = filled({k: v[None] for k, v in one.items()})
        return row, {k: v[0] for k, v in made.items()}

    total = range(numbers.start * per_batch, numbers.stop * per_batch)
    rows = plans.unbatch().enumerate(total.start).map(single, num_parallel_calls=WORKERS)
    return named_failures(rows, total, name, source.name).batch(per_batch, drop_remainder=True)


def named_failures(rows, total: range, name, source_name: str):
    """(number, row) elements -> rows; a row that could not be made raises with its name.

    TensorFlow's message does not tell which file failed. So failed rows are dropped, the gap in
    the numbers is noticed, and the name worked out from the number. The cause is in the log.
    """

    def zeros(spec):
        return tf.zeros([side or 0 for side in spec.shape], spec.dtype)

    end = tf.nest.map_structure(zeros, rows.element_spec[1])
    rows = rows.ignore_errors(log_warning=True)
    rows = rows.concatenate(tf.data.Dataset.from_tensors((tf.constant(total.stop, tf.int64), end)))

    def check(expected, element):
        number, row = element

        def fail():
            message = ["expected a readable image, replace or remove it:", name(expected)]
            return tf.debugging.Assert(False, [source_name, *message])

        with tf.control_dependencies([tf.cond(number == expected, tf.no_op, fail)]):
            return expected + 1, tf.nest.map_structure(tf.identity, row)

    return rows.scan(tf.constant(total.start, tf.int64), check).take(len(total))


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


def finish(batches, *keys):
    """Tuples of `keys`, in order, computed ahead by a fixed number of threads."""
    options = tf.data.Options()
    options.autotune.enabled = False
    options.deterministic = True
    options.threading.private_threadpool_size = WORKERS
    # Each process makes its own part; sharding once more would lose examples.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    chosen = batches.map(lambda rows: tuple(rows[key] for key in keys))
    return chosen.prefetch(PREFETCH).with_options(options)
