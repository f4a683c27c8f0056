"""n training or evaluation steps on every replica, in one call to the device."""

import dataclasses
import math

import keras
import tensorflow as tf

from trainers.engine.metrics import CLASSIFICATION
from trainers.engine.task import Sums

NONE_YET = Sums()


@dataclasses.dataclass(frozen=True)
class Engine:
    """How a step is computed: `accumulate` parts of the batch one after another, XLA or not."""

    accumulate: int = 1
    xla: bool = False


def trainer(model, optimizer, strategy, engine=Engine(), task=CLASSIFICATION):
    """A function (iterator, n, start) -> Sums, steps done; updates weights once a step.

    Elements are what the task learns from, then index: for classification (images, labels, index),
    labels (B,) or, of mixed images, shares (B, C).

    The sums are those of the n steps added to `start`, one step after another, so they are the same
    bits however the steps are grouped into calls; `wait` is the call's own.

    The loss is the mean over the global batch, so gradients add up over parts and replicas to
    those of one device. It stops after a step whose loss is not finite. n may change without a
    new trace.
    """
    variables = model.trainable_variables
    scaled = isinstance(optimizer, keras.mixed_precision.LossScaleOptimizer)

    def part_step(batch, share):
        with tf.GradientTape() as tape:
            losses, sums = task.learn(model, *batch)
            loss = tf.reduce_mean(losses) * share
            loss = optimizer.scale_loss(loss) if scaled else loss
        return tape.gradient(loss, [v.value for v in variables]), sums

    part_step = tf.function(part_step, jit_compile=True) if engine.xla else part_step

    def replica_step(*batch_and_index):
        *batch, _ = batch_and_index
        context = tf.distribute.get_replica_context()
        share = 1.0 / (context.num_replicas_in_sync * engine.accumulate)
        parts = parts_of(batch, engine.accumulate)
        gradients, sums = zip(*(part_step(part, share) for part in parts), strict=True)
        gradients = [tf.add_n(of_parts) for of_parts in zip(*gradients, strict=True)]
        if scaled:
            gradients = agreed(gradients, context)
        optimizer.apply(gradients, variables)
        return tf.add_n(sums)

    return _many(replica_step, strategy, task, until=lambda total: ~tf.math.is_finite(total[1]))


def parts_of(batch, count):
    """The batch, tensors or dicts of them, in so many parts of equally many examples: a list."""
    split = [tf.split(tensor, count) for tensor in tf.nest.flatten(batch)]
    return [tf.nest.pack_sequence_as(batch, part) for part in zip(*split, strict=True)]


def agreed(gradients, context):
    """The gradients, or NaN for all of them where any replica has one that is not finite.

    Keras' LossScaleOptimizer decides on each replica by itself whether to skip a step; one that
    skips alone leaves the others with infinite weights, or waiting for ever.
    """
    finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(g)) for g in gradients])
    bad = context.all_reduce(tf.distribute.ReduceOp.SUM, tf.cast(~finite, tf.float32))
    return [tf.where(bad > 0, tf.cast(math.nan, g.dtype), g) for g in gradients]


def evaluator(model, strategy, task=CLASSIFICATION):
    """A function (iterator, n) -> Sums of the n batches, weights of the examples applied."""

    def replica_step(*batch_and_index):
        return task.judge(model, *batch_and_index[:-1])

    many = _many(replica_step, strategy, task, until=lambda total: False)
    return lambda iterator, n: many(iterator, n)[0]


def _many(replica_step, strategy, task, until):
    # The loop alone is AutoGraph's: converting what is in it would take a while and change nothing.
    replica_step = tf.autograph.experimental.do_not_convert(replica_step)

    @tf.function
    def steps(iterator, n, total):
        wait, done = tf.zeros((), tf.float64), tf.zeros((), tf.int64)
        while done < n and not until(total):
            asked = tf.timestamp()
            batch = next(iterator)
            wait += tf.timestamp() - asked
            sums = strategy.run(replica_step, args=batch)
            total += strategy.reduce(tf.distribute.ReduceOp.SUM, sums, axis=None)
            done += 1
        return total, wait, done

    def call(iterator, n, start=NONE_YET):
        before = start.totals or (0.0,) * len(task.sums)
        before = tf.constant((start.examples, *before), tf.float64)
        total, wait, done = steps(iterator, tf.constant(n, tf.int64), before)
        examples, *totals = total.numpy().tolist()
        return Sums(examples, tuple(totals), float(wait)), int(done)

    return call


def averager(model, strategy):
    """A function () that averages what replicas keep of their own, the moving statistics.

    Each replica moves its statistics by its own images (Sec. 3.4: BN is not synchronised); without
    this, only the first replica's would be evaluated and saved.
    """
    # Not those of frozen layers: equal on all, and a third of three times a number may differ.
    learning = [x for x in model.layers if x.trainable]
    moving = [v.value for x in learning for v in x.weights if "/moving_" in f"/{v.path}"]
    if strategy.num_replicas_in_sync == 1 or not moving:
        return lambda: None

    def replica_step():
        context = tf.distribute.get_replica_context()
        means = context.all_reduce(tf.distribute.ReduceOp.MEAN, [v.read_value() for v in moving])
        for variable, mean in zip(moving, means, strict=True):
            variable.assign(mean)

    return tf.function(lambda: strategy.run(replica_step))
