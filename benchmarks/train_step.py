"""python -m benchmarks.train_step: a training step of ours beside Keras' own fit.

The peer is the same network in Keras' stock layers, compiled with SGD and trained by `fit`. Each
contender runs in its own process, in turn A B A B ...; images are uint8 noise from memory.
"""

import json
import statistics
import subprocess
import sys
import time

from absl import flags

from zoo import program

_MODEL = flags.DEFINE_string("model", "resnet20", "a network of `python -m zoo`")
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 128, "images a step", lower_bound=1)
_IMAGE_SIZE = flags.DEFINE_integer("image_size", 32, "px", lower_bound=1)
_STEPS = flags.DEFINE_integer("steps", 30, "timed steps a round", lower_bound=1)
_ROUNDS = flags.DEFINE_integer("rounds", 5, "rounds of each contender", lower_bound=1)
_CONTENDER = flags.DEFINE_string("contender", None, "run this one alone, print its seconds a step")

WARM_UP = 5


def main(arguments):
    if arguments:
        program.usage_error(f"unexpected arguments: {' '.join(arguments)}")
    if _CONTENDER.value:
        if _CONTENDER.value not in CONTENDERS:
            program.usage_error(f"--contender: expected one of {', '.join(CONTENDERS)}")
        with program.quiet_start():
            seconds = CONTENDERS[_CONTENDER.value]()
        print(json.dumps(seconds))
        return
    times = {name: [] for name in CONTENDERS}
    for number in range(_ROUNDS.value):
        for name in CONTENDERS:
            times[name].append(alone(name))
            print(f"round {number + 1}: {name} {times[name][-1] * 1000:.1f} ms", flush=True)
    print(report(times))


def alone(name):
    """Seconds a step of one contender, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.train_step", f"--contender={name}"]
    command += [f"--{flag}={flags.FLAGS[flag].value}" for flag in ("model", "batch_size", "steps")]
    result = subprocess.run(
        [*command, f"--image_size={_IMAGE_SIZE.value}"], stdout=subprocess.PIPE, check=True
    )
    return json.loads(result.stdout.splitlines()[-1])


def report(times):
    """A Markdown table: medians, spreads, and the ratio of each pair of neighbouring rounds."""
    lines = [
        "",
        "| contender | ms a step, median (least-most) | times Keras fit |",
        "|---|---|---|",
    ]
    for name, seconds in times.items():
        ratios = [peer / own for own, peer in zip(seconds, times["keras_fit"], strict=True)]
        middle, least, most = (1000 * f(seconds) for f in (statistics.median, min, max))
        lines.append(
            f"| {name} | {middle:.1f} ({least:.1f}-{most:.1f}) | {statistics.median(ratios):.2f} |"
        )
    return "\n".join(lines)


def noise():
    """An endless stream of the same few batches: uint8 images and int32 labels."""
    import numpy as np
    import tensorflow as tf

    rng = np.random.default_rng(0)
    shape = (4, _BATCH_SIZE.value, _IMAGE_SIZE.value, _IMAGE_SIZE.value, 3)
    images = rng.integers(0, 256, shape).astype("uint8")
    labels = rng.integers(0, 10, shape[:2]).astype("int32")
    return tf.data.Dataset.from_tensor_slices((images, labels)).repeat()


def ours():
    """Fused normalisation, decay in the optimizer, steps in one call."""
    import tensorflow as tf

    import zoo
    from trainers import optim, steps
    from trainers.recipes import RECIPES

    model = zoo.build(_MODEL.value, image_size=_IMAGE_SIZE.value)
    optimizer = optim.momentum_sgd(RECIPES["cifar10"])
    optimizer.build(model.trainable_variables)
    advance = steps.trainer(model, optimizer, tf.distribute.get_strategy())
    iterator = iter(noise().map(lambda images, labels: (images, labels, labels)))
    advance(iterator, WARM_UP)
    start = time.perf_counter()
    advance(iterator, _STEPS.value)
    return (time.perf_counter() - start) / _STEPS.value


def keras_fit():
    """The same network with Keras' BatchNormalization, compiled and fitted as in Keras' guides."""
    import keras

    from zoo import blocks

    blocks.FusedBatchNormalization = keras.layers.BatchNormalization
    import zoo

    model = zoo.build(_MODEL.value, image_size=_IMAGE_SIZE.value)
    model.compile(
        optimizer=keras.optimizers.SGD(0.1, momentum=0.9, weight_decay=1e-4),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    data = noise()
    model.fit(data, steps_per_epoch=WARM_UP, verbose=0, shuffle=False)
    start = time.perf_counter()
    model.fit(data, steps_per_epoch=_STEPS.value, verbose=0, shuffle=False)
    return (time.perf_counter() - start) / _STEPS.value


CONTENDERS = {"ours": ours, "keras_fit": keras_fit}

if __name__ == "__main__":
    program.run(main, __doc__)
