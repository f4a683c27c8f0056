"""n training or evaluation steps on every replica, in one call to the device."""

import tensorflow as tf

from trainers.metrics import Sums, batch_sums, cross_entropy


def trainer(model, optimizer, strategy):
    """A function (iterator, n) -> Sums of the n batches; updates weights n times.

    The loss is the mean over the global batch, so gradients add up over replicas to those of one
    device. n may change without a new trace.
    """

    def replica_step(images, labels, index):
        del index
        replicas = tf.distribute.get_replica_context().num_replicas_in_sync
        with tf.GradientTape() as tape:
            logits = model(images, training=True)
            losses = cross_entropy(logits, labels)
            loss = tf.reduce_mean(losses) / tf.cast(replicas, losses.dtype)
        variables = model.trainable_variables
        optimizer.apply(tape.gradient(loss, [v.value for v in variables]), variables)
        return batch_sums(tf.stop_gradient(logits), labels, tf.ones_like(losses))

    return _many(replica_step, strategy)


def evaluator(model, strategy):
    """A function (iterator, n) -> Sums of the n batches, weights of the images applied."""

    def replica_step(images, labels, weights, index):
        del index
        return batch_sums(model(images, training=False), labels, weights)

    return _many(replica_step, strategy)


def _many(replica_step, strategy):
    @tf.function
    def steps(iterator, n):
        total = tf.zeros(4, tf.float64)
        for _ in tf.range(n):
            sums = strategy.run(replica_step, args=next(iterator))
            total += strategy.reduce(tf.distribute.ReduceOp.SUM, sums, axis=None)
        return total

    def call(iterator, n):
        return Sums(*steps(iterator, tf.constant(n)).numpy().tolist())

    return call


def averager(model, strategy):
    """A function () that averages what replicas keep of their own, the moving statistics.

    Each replica moves its statistics by its own images (Sec. 3.4: BN is not synchronised); without
    this, only the first replica's would be evaluated and saved.
    """
    moving = [v.value for v in model.non_trainable_variables if "/moving_" in f"/{v.path}"]
    if strategy.num_replicas_in_sync == 1 or not moving:
        return lambda: None

    def replica_step():
        context = tf.distribute.get_replica_context()
        means = context.all_reduce(tf.distribute.ReduceOp.MEAN, [v.read_value() for v in moving])
        for variable, mean in zip(moving, means, strict=True):
            variable.assign(mean)

    return tf.function(lambda: strategy.run(replica_step))
