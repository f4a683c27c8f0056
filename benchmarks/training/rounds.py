"""python -m benchmarks.training.rounds: short rounds with validation, and what replication costs.

resnet20, the faster of two rounds of ten steps and ten validation batches of 128, beside Keras' fit
with the pipeline of its guides; then steps under MirroredStrategy (`replicas`). Writes
reports/speed/rounds.json.
"""

import itertools

from absl import flags

from benchmarks import clock, harness, noise
from benchmarks.training import replicas
from zoo import program

harness.define()

MODULE = "benchmarks.training.rounds"
BATCH = 128
PEER = {"rounds": "keras_fit", "replicas": replicas.PEER}
GOALS = {
    "rounds": [harness.Goal("ours", "keras_fit", "seconds_a_round", 1.5)],
    "replicas": replicas.GOALS,
}


def main(arguments):
    if arguments:
        program.usage_error(f"unexpected arguments: {' '.join(arguments)}")
    if flags.FLAGS.contender:
        harness.run_one({**CONTENDERS, "replicas": replicas.by_turns})
        return
    quick = flags.FLAGS.quick
    found = {
        "rounds": harness.compete(MODULE, CONTENDERS, flags.FLAGS.rounds, quick=quick),
        "replicas": harness.compete_by_turns(MODULE, "replicas", quick=quick),
    }
    harness.write("rounds", found, peer=PEER, goals=GOALS)


def rounds_timed():
    return 1 if flags.FLAGS.quick else 2


def steps_a_round():
    return 3 if flags.FLAGS.quick else 10


def ours_rounds():
    """The trainer's own loop, its pipelines and evaluation; the first round is not timed."""
    import dataclasses

    import tensorflow as tf

    from trainers.data import pipelines
    from trainers.engine import distribute, loop, steps
    from trainers.plan import images as run_images
    from trainers.plan.flags import Run
    from trainers.plan.recipes import RECIPES
    from trainers.run import classification
    from zoo.preprocess import InputContract

    round_steps = steps_a_round()
    source = noise.source(round_steps * BATCH)
    data = run_images.Data(source, source, InputContract(32, 32))
    total = round_steps * (rounds_timed() + 1)
    recipe = dataclasses.replace(RECIPES["cifar10"], steps=total, round_steps=round_steps)
    run = Run("resnet20", "A", "1x1", "noise", 0, "float32", recipe)
    strategy = tf.distribute.get_strategy()
    state = classification.build(run, data, strategy)
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

    evaluate = classification.evaluation(state.model, source, data.input, BATCH, strategy)
    device = steps.trainer(state.model, state.optimizer, strategy), lambda: None
    ends = Ends()
    rhythm = loop.Rhythm(total, round_steps, call_steps=round_steps)
    loop.train(state, batches, evaluate, rhythm, device, [ends.callback()])
    return {"seconds_a_round": ends.fastest()}


def fit_rounds():
    """Keras' stock layers, fit, and the pipeline that Keras' and TensorFlow's guides advise."""
    import keras
    import tensorflow as tf

    from benchmarks.training import stock

    count = steps_a_round() * BATCH
    images, labels = noise.images(count), noise.labels(count)

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
    ends = Ends()
    model.fit(
        train,
        epochs=rounds_timed() + 1,
        validation_data=held_out,
        verbose=0,
        shuffle=False,
        callbacks=[ends.callback()],
    )
    return {"seconds_a_round": ends.fastest()}


class Ends:
    """When rounds ended: the first, which traces, is the start of the next."""

    def __init__(self):
        self.ends = []

    def callback(self):
        import keras

        return keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: self.ends.append(clock.now())
        )

    def fastest(self):
        """Seconds of the fastest round."""
        return min(clock.between(*each) for each in itertools.pairwise(self.ends))


CONTENDERS = {"ours": ours_rounds, "keras_fit": fit_rounds}

if __name__ == "__main__":
    program.run(main, __doc__)
