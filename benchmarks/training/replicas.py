"""What replication costs: steps of resnet20 under MirroredStrategy, beside none.

One replica, and two on the divided CPU, the global batch always the same; by turns in one process.
"""

from absl import flags

from benchmarks import clock, harness, noise

STEPS, BATCH = 3, 128
PEER = "no_strategy"
GOALS = [harness.Goal("one_replica", "no_strategy", "seconds_a_step", 0.98)]


def rounds():
    return 2 if flags.FLAGS.quick else 30


def by_turns():
    import tensorflow as tf

    from trainers.engine import distribute

    two = distribute.strategy("mirrored", 2)  # first: it divides the CPU
    strategies = {
        "no_strategy": distribute.strategy("none"),
        "one_replica": tf.distribute.MirroredStrategy(["/cpu:0"]),
        "two_replicas": two,
    }
    source = noise.source(10 * BATCH)
    return harness.by_turns({name: steps(x, source) for name, x in strategies.items()}, rounds())


def steps(strategy, source):
    """A contender of STEPS steps, traced and warm."""
    import zoo
    from trainers.data import pipelines
    from trainers.data.augment import Augmentation
    from trainers.engine import distribute, optim
    from trainers.engine import steps as training
    from trainers.plan.recipes import RECIPES
    from zoo.preprocess import InputContract

    with strategy.scope():
        model = zoo.build("resnet20", image_size=noise.SIZE)
        optimizer = optim.momentum_sgd(RECIPES["cifar10"])
        optimizer.build(model.trainable_variables)

    def batches(part):
        return pipelines.train(
            source,
            InputContract(noise.SIZE, noise.SIZE),
            Augmentation(),
            batch_size=BATCH,
            seed=0,
            steps=(0, (rounds() + 1) * STEPS),
            part=part,
        )

    advance = training.trainer(model, optimizer, strategy)
    iterator = distribute.feed(strategy, batches)
    advance(iterator, STEPS)

    def contender():
        start = clock.now()
        advance(iterator, STEPS)
        return {"seconds_a_step": clock.since(start) / STEPS}

    return contender
