"""n training or evaluation steps on every replica, in one call to the device."""

import dataclasses
import math

import keras
import tensorflow as tf

from trainers.engine.metrics import Sums, batch_sums, cross_entropy


@dataclasses.dataclass(frozen=True)
class Engine:
    """How a step is computed: `accumulate` parts of the batch one after another, XLA or not."""

    accumulate: int = 1
    xla: bool = False


def trainer(model, optimizer, strategy, engine=Engine(), label_smoothing=0.0):
    """A function (iterator, n) -> Sums, steps done; updates weights once a step.

    Elements are (images, labels, index); labels (B,) or, of mixed images, shares (B, C).

    The loss is the mean over the global batch, so gradients add up over parts and replicas to
    those of one device. It stops after a step whose loss is not finite. n may change without a
    new trace.
    """
    variables = model.trainable_variables
    scaled = isinstance(optimizer, keras.mixed_precision.LossScaleOptimizer)

    def part_step(images, labels, share):
        with tf.GradientTape() as tape:
            logits = model(images, training=True)
            losses = cross_entropy(logits, labels, label_smoothing)
            loss = tf.reduce_mean(losses) * share
            loss = optimizer.scale_loss(loss) if scaled else loss
        gradients = tape.gradient(loss, [v.value for v in variables])
        ones = tf.ones_like(losses)
        return gradients, batch_sums(tf.stop_gradient(logits), labels, ones, losses)

    part_step = tf.function(part_step, jit_compile=True) if engine.xla else part_step

    def replica_step(images, labels, index):
        del index
        context = tf.distribute.get_replica_context()
        share = 1.0 / (context.num_replicas_in_sync * engine.accumulate)
        parts = zip(
            tf.split(images, engine.accumulate), tf.split(labels, engine.accumulate), strict=True
        )
        gradients, sums = zip(*(part_step(*part, share) for part in parts), strict=True)
        gradients = [tf.add_n(of_parts) for of_parts in zip(*gradients, strict=True)]
        if scaled:
            gradients = agreed(gradients, context)
        optimizer.apply(gradients, variables)
        return tf.add_n(sums)

    return _many(replica_step, strategy, until=lambda total: ~tf.math.is_finite(total[1]))


def agreed(gradients, context):
    """The gradients, or NaN for all of them where any replica has one that is not finite.

    Keras' LossScaleOptimizer decides on each replica by itself whether to skip a step; one that
    skips alone leaves the others with infinite weights, or waiting for ever.
    """
    finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(g)) for g in gradients])
    bad = context.all_reduce(tf.distribute.ReduceOp.SUM, tf.cast(~finite, tf.float32))
    return [tf.where(bad > 0, tf.cast(math.nan, g.dtype), g) for g in gradients]


def evaluator(model, strategy):
    """A function (iterator, n) -> Sums of the n batches, weights of the images applied."""

    def replica_step(images, labels, weights, index):
        del index
        return batch_sums(model(images, training=False), labels, weights)

    many = _many(replica_step, strategy, until=lambda total: False)
    return lambda iterator, n: many(iterator, n)[0]


def _many(replica_step, strategy, until):
    # The loop alone is AutoGraph's: converting what is in it would take a while and change nothing.
    replica_step = tf.autograph.experimental.do_not_convert(replica_step)

    @tf.function
    def steps(iterator, n):
        total, wait = tf.zeros(4, tf.float64), tf.zeros((), tf.float64)
        done = tf.zeros((), tf.int64)
        while done < n and not until(total):
            asked = tf.timestamp()
            batch = next(iterator)
            wait += tf.timestamp() - asked
            sums = strategy.run(replica_step, args=batch)
            total += strategy.reduce(tf.distribute.ReduceOp.SUM, sums, axis=None)
            done += 1
        return total, wait, done

    def call(iterator, n):
        total, wait, done = steps(iterator, tf.constant(n, tf.int64))
        return Sums(*total.numpy().tolist(), wait=float(wait)), int(done)

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
