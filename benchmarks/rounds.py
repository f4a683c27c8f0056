"""python -m benchmarks.rounds: short rounds with validation, and what replication costs.

resnet20, three rounds of ten steps and ten validation batches of 128, beside Keras' fit with the
pipeline of its guides. Then steps under MirroredStrategy with one replica, and with two on the
divided CPU, beside none. Writes reports/speed/rounds.json.
"""

import time

from absl import flags

from benchmarks import harness
from zoo import program

harness.define()

STEPS, ROUNDS, BATCH = 10, 3, 128
PEER = {"rounds": "keras_fit", "replicas": "no_strategy"}
GOALS = {
    "rounds": [harness.Goal("ours", "keras_fit", "seconds_a_round", 1.5)],
    "replicas": [harness.Goal("one_replica", "no_strategy", "seconds_a_step", 0.98)],
}


def main(arguments):
    if arguments:
        program.usage_error(f"unexpected arguments: {' '.join(arguments)}")
    if flags.FLAGS.contender:
        harness.run_one({**CONTENDERS["rounds"], **CONTENDERS["replicas"]}, program.quiet_start)
        return
    results, failures = {}, {}
    for part, contenders in CONTENDERS.items():
        results[part], failures[part] = harness.compete(
            "benchmarks.rounds", contenders, flags.FLAGS.rounds
        )
    harness.write("rounds", results, failures, peer=PEER, goals=GOALS)


def images_and_labels():
    import numpy as np

    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (STEPS * BATCH, 32, 32, 3)).astype("uint8")
    return images, rng.integers(0, 10, len(images)).astype("int32")


def ours_rounds():
    """The trainer's own loop, its pipelines and evaluation; the first round is not timed."""
    import dataclasses

    import tensorflow as tf

    from trainers import distribute, loop, run_images, runs, steps
    from trainers.data import pipelines, sources
    from trainers.flags import Run
    from trainers.recipes import RECIPES
    from zoo.preprocess import InputContract

    images, labels = images_and_labels()
    names = [str(i) for i in range(10)]
    source = sources.in_memory("noise", "train", names, images, labels)
    data = run_images.Data(source, source, InputContract(32, 32))
    total = STEPS * (ROUNDS + 1)
    recipe = dataclasses.replace(RECIPES["cifar10"], steps=total, round_steps=STEPS)
    run = Run("resnet20", "A", "1x1", "noise", 0, "float32", recipe)
    strategy = tf.distribute.get_strategy()
    state = runs.build(run, data, strategy)
    random_half = run_images.augmentation(recipe, data.input, state.model)

    def batches(start, stop):
        def of(part):
            return pipelines.train(
                source,
                data.input,
                random_half,
                batch_size=BATCH,
                seed=0,
                steps=(start, stop),
                part=part,
            )

        return distribute.feed(strategy, of)

    evaluate = runs.evaluation(state.model, source, data.input, BATCH, strategy)
    device = steps.trainer(state.model, state.optimizer, strategy), lambda: None
    clock = Clock()
    rhythm = loop.Rhythm(total, STEPS, call_steps=STEPS)
    loop.train(state, batches, evaluate, rhythm, device, [clock.callback()])
    return {"seconds_a_round": clock.seconds() / ROUNDS}


def fit_rounds():
    """Keras' stock layers, fit, and the pipeline that Keras' and TensorFlow's guides advise."""
    import keras
    import tensorflow as tf

    from benchmarks import stock

    images, labels = images_and_labels()

    def augment(image, label):
        image = tf.pad(image, ((4, 4), (4, 4), (0, 0)))
        image = tf.image.random_crop(image, (32, 32, 3))
        return tf.image.random_flip_left_right(image), label

    data = tf.data.Dataset.from_tensor_slices((images, labels))
    train = data.shuffle(len(images)).map(augment, tf.data.AUTOTUNE)
    train = train.batch(BATCH).prefetch(tf.data.AUTOTUNE)
    held_out = data.batch(BATCH).prefetch(tf.data.AUTOTUNE)
    model = stock.network("resnet20", 32)
    model.compile(
        optimizer=keras.optimizers.SGD(0.1, momentum=0.9, weight_decay=1e-4),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    clock = Clock()
    model.fit(
        train,
        epochs=ROUNDS + 1,
        validation_data=held_out,
        verbose=0,
        shuffle=False,
        callbacks=[clock.callback()],
    )
    return {"seconds_a_round": clock.seconds() / ROUNDS}


class Clock:
    """Seconds from the end of the first round to the end of the last."""

    def __init__(self):
        self.ends = []

    def callback(self):
        import keras

        return keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: self.ends.append(time.perf_counter())
        )

    def seconds(self):
        return self.ends[-1] - self.ends[0]


def steps_under(name, logical_devices=1):
    """Seconds a step of resnet20 under a strategy, the global batch always the same."""
    import zoo
    from trainers import distribute, optim, steps
    from trainers.data import pipelines, sources
    from trainers.data.augment import Augmentation
    from trainers.recipes import RECIPES
    from zoo.preprocess import InputContract

    strategy = distribute.strategy(name, logical_devices)
    images, labels = images_and_labels()
    source = sources.in_memory("noise", "train", [str(i) for i in range(10)], images, labels)
    with strategy.scope():
        model = zoo.build("resnet20", image_size=32)
        optimizer = optim.momentum_sgd(RECIPES["cifar10"])
        optimizer.build(model.trainable_variables)
    advance = steps.trainer(model, optimizer, strategy)
    iterator = distribute.feed(
        strategy,
        lambda part: pipelines.train(
            source,
            InputContract(32, 32),
            Augmentation(),
            batch_size=BATCH,
            seed=0,
            steps=(0, 1000),
            part=part,
        ),
    )
    advance(iterator, 5)
    start = time.perf_counter()
    advance(iterator, 40)
    return {"seconds_a_step": (time.perf_counter() - start) / 40}


CONTENDERS = {
    "rounds": {"ours": ours_rounds, "keras_fit": fit_rounds},
    "replicas": {
        "no_strategy": lambda: steps_under("none"),
        "one_replica": lambda: steps_under("mirrored"),
        "two_replicas": lambda: steps_under("mirrored", 2),
    },
}

if __name__ == "__main__":
    program.run(main, __doc__)
