"""python -m benchmarks.training.step: a training step of ours beside Keras' fit and PyTorch.

float32, images of noise from memory; a process' figure is that of its fastest call. Keras' peer is
keras.applications' ResNet50, or the CIFAR network in Keras' stock layers, compiled with SGD and
trained by `fit`; PyTorch's is the same network, channels last. Writes
reports/speed/train_step.json.
"""

import functools
import itertools

from absl import flags

from benchmarks import clock, harness
from zoo import program

harness.define()
_MODEL = flags.DEFINE_string("model", None, "one network alone; default: all")

MODULE = "benchmarks.training.step"
WARM_UP = 1
NETS = {  # batch size, image size, classes
    "resnet50": (16, 224, 1000),
    "resnet20": (128, 32, 10),
    "resnet110": (128, 32, 10),
}
CALLS = {"resnet50": (3, 1), "resnet20": (5, 2), "resnet110": (3, 1)}  # timed; steps of each
TIMES = {  # as fast as each peer
    "resnet50": {"keras_fit": 1.3, "torch": 1.15},
    "resnet20": {"keras_fit": 1.4, "torch": 1.0},
    "resnet110": {"torch": 1.0},  # fit, always well behind, takes half a minute to trace: once
}
GOALS = {
    model: [harness.Goal("ours", peer, "seconds_a_step", times) for peer, times in peers.items()]
    for model, peers in TIMES.items()
}
PEER = dict.fromkeys(NETS, "keras_fit")


def main(arguments):
    if arguments:
        program.usage_error(f"unexpected arguments: {' '.join(arguments)}")
    if _MODEL.value and _MODEL.value not in NETS:
        program.usage_error(f"--model: expected one of {', '.join(NETS)}, got {_MODEL.value}")
    if flags.FLAGS.contender:
        harness.run_one(
            {name: functools.partial(f, _MODEL.value) for name, f in CONTENDERS.items()},
            elsewhere=["torch"],
        )
        return
    found = {}
    for model in [_MODEL.value] if _MODEL.value else ["resnet20"] if quick() else NETS:
        print(model, flush=True)
        settings = dict(model=model, quick=quick())
        found[model] = harness.compete(
            MODULE, CONTENDERS, flags.FLAGS.rounds, GOALS[model], **settings
        )
    harness.write("train_step", found, peer=PEER, goals=GOALS, settings=NETS)


def quick():
    return flags.FLAGS.quick


def calls_of(model):
    """How many calls are timed, and the steps of each."""
    return (1, 2) if quick() else CALLS[model]


def noise(model):
    """An endless stream of the same few batches: uint8 images and int32 labels."""
    import numpy as np
    import tensorflow as tf

    batch_size, size, classes = NETS[model]
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (4, batch_size, size, size, 3)).astype("uint8")
    labels = rng.integers(0, classes, (4, batch_size)).astype("int32")
    options = tf.data.Options()
    options.autotune.enabled = False  # else fit waits for it at its end; rounds.py has that
    return tf.data.Dataset.from_tensor_slices((images, labels)).repeat().with_options(options)


def ours(model):
    """Fused normalisation, decay in the optimizer, steps in one call."""
    import tensorflow as tf

    import zoo
    from trainers.engine import optim, steps
    from trainers.plan.recipes import RECIPES

    network = zoo.build(model, image_size=NETS[model][1])
    optimizer = optim.momentum_sgd(RECIPES["cifar10"])
    optimizer.build(network.trainable_variables)
    advance = steps.trainer(network, optimizer, tf.distribute.get_strategy())
    iterator = iter(noise(model).map(lambda images, labels: (images, labels, labels)))
    advance(iterator, WARM_UP)
    calls, steps_each = calls_of(model)
    seconds = clock.fastest(lambda: advance(iterator, steps_each), calls)
    return {"seconds_a_step": seconds / steps_each}


def keras_fit(model):
    """Compiled and fitted as in Keras' guides."""
    import keras

    from benchmarks.training import stock

    network = stock.network(model, NETS[model][1])
    network.compile(
        optimizer=keras.optimizers.SGD(0.1, momentum=0.9, weight_decay=1e-4),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=model != "resnet50"),
        metrics=["accuracy"],
    )
    ends = []
    ending = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: ends.append(clock.now())
    )
    calls, steps_each = calls_of(model)
    total = WARM_UP + calls * steps_each
    network.fit(noise(model), steps_per_epoch=total, verbose=0, shuffle=False, callbacks=[ending])
    marks = itertools.pairwise(ends[WARM_UP - 1 :: steps_each])
    seconds = min(clock.between(*each) for each in marks)
    return {"seconds_a_step": seconds / steps_each}


def torch(model):
    """Eager, channels last, as many threads as cores."""
    import torch as library

    from benchmarks import torch_nets

    library.set_num_threads(harness.CORES)
    batch_size, size, classes = NETS[model]
    step = torch_nets.stepper(model, batch_size, size, classes)
    for _ in range(WARM_UP):
        step()
    calls, steps_each = calls_of(model)
    seconds = clock.fastest(lambda: [step() for _ in range(steps_each)], calls)
    return {"seconds_a_step": seconds / steps_each}


CONTENDERS = {"ours": ours, "keras_fit": keras_fit, "torch": torch}

if __name__ == "__main__":
    program.run(main, __doc__)
