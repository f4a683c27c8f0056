"""What is measured: each part a function of how many examples there are -> {figure: number}."""

import pathlib
import tempfile
import time

from benchmarks import machine

BATCH, GLOBAL_BATCH, SIZE = 256, 16_384, 8  # of 64 replicas 256 each; px of a synthetic image
FILES, CLASSES = 20_000, 20
SERVED, SERVED_SIZE = 20, 224  # batches through a data service, and their images' side
NETWORKS = ("resnet50", "resnet152")
TRIES = 4  # the first has TensorFlow's own start


def seconds(call, tries=1):
    """Of the fastest try: all else on the machine only adds."""
    found = []
    for _ in range(tries):
        start = time.perf_counter()
        call()
        found.append(time.perf_counter() - start)
    return min(found)


def seek(examples):
    """Until a batch is there: the first, one of the 51st epoch's middle, evaluation's first."""
    from trainers.data import pipelines
    from trainers.data.augment import Augmentation
    from trainers.data.sources import synthetic
    from zoo.preprocess import InputContract

    source = synthetic.load("synthetic", "train", image_size=SIZE, length=examples)
    contract = InputContract(SIZE, SIZE)

    def first(step):
        steps = (step, step + 10)
        settings = dict(batch_size=BATCH, seed=0, steps=steps)
        return next(iter(pipelines.train(source, contract, Augmentation("none"), **settings)))

    def judged():
        return next(iter(pipelines.evaluate(source, contract, batch_size=BATCH)))

    far = 50 * examples // BATCH + examples // BATCH // 2
    return {
        "first_batch_seconds": seconds(lambda: first(0), TRIES),
        "far_batch_seconds": seconds(lambda: first(far), TRIES),
        "judged_batch_seconds": seconds(judged, TRIES),
    }


def permute(examples):
    """A whole epoch's order, ours and an array's; a replica's part of a large batch."""
    import numpy as np
    import tensorflow as tf

    from trainers.data import pipelines

    chosen = tf.function(lambda at: pipelines.example_indices(at, examples, seed=0))
    seen = np.zeros(examples, np.int8)
    piece = min(examples, 2**18)

    def epoch():
        for start in range(0, examples, piece):
            positions = np.arange(start, min(start + piece, examples))
            seen[chosen(tf.constant(positions)).numpy()] += 1

    spent = seconds(epoch)
    if not (seen == 1).all():
        raise ValueError("expected every example of an epoch once")
    array = {}
    shuffled = seconds(lambda: array.update(order=np.random.default_rng(0).permutation(examples)))
    planned = tf.function(
        lambda step: (
            pipelines.random_numbers(0, step, GLOBAL_BATCH),
            pipelines.example_indices(
                step * GLOBAL_BATCH + tf.range(BATCH, dtype=tf.int64), examples, 0
            ),
        )
    )
    planned(tf.constant(0, tf.int64))
    steps = 20
    many = seconds(lambda: [planned(tf.constant(x, tf.int64)) for x in range(steps)], TRIES)
    return {
        "epoch_order_seconds": spent,
        "array_order_seconds": shuffled,
        "array_order_megabytes": array["order"].nbytes / 1e6,
        "plan_milliseconds": 1000 * many / steps,
    }


def files(_):
    """Listing a folder of pictures, and what that holds, scaled up to a million of them."""
    from trainers.data.sources import folder

    with tempfile.TemporaryDirectory() as root:
        for number in range(CLASSES):
            inside = pathlib.Path(root) / f"class {number:03}"
            inside.mkdir()
            for picture in range(FILES // CLASSES):
                (inside / f"ILSVRC2012_train_{number:08}_{picture:08}.jpg").touch()
        # Both splits once before, for what Python and TensorFlow keep.
        folder.load("folder", "train", data_dir=root)
        before, start = resident(), time.perf_counter()
        kept = [folder.load("folder", "train", data_dir=root) for _ in range(4)]
        spent = (time.perf_counter() - start) / len(kept)
        held = (resident() - before) / len(kept)
    return {
        "listing_seconds_a_million": spent * 1e6 / FILES,
        "listing_megabytes_a_million": held * 1e6 / FILES,
    }


def resident():
    """Megabytes that this process holds."""
    status = machine.STATUS.read_text(encoding="utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024 / 1e6


def checkpoint(_):
    """Size, seconds to write and to read, of the networks with their momentum."""
    import tensorflow as tf

    import zoo
    from trainers.engine import checkpoints, optim, state
    from trainers.plan.recipes import RECIPES

    def measured(name):
        model = zoo.build(name, image_size=zoo.find(name).image_size)
        optimizer = optim.momentum_sgd(RECIPES["imagenet"])
        optimizer.build(model.trainable_variables)
        run = state.State(model, optimizer)
        with tempfile.TemporaryDirectory() as folder:
            writing = seconds(lambda: checkpoints.save(run, folder))
            size = sum(path.stat().st_size for path in checkpoints.folder(folder).iterdir())
            reading = seconds(lambda: checkpoints.restore(run, folder), TRIES)
        weights = sum(tf.size(x).numpy() for x in model.trainable_variables)
        return {
            f"{name}_checkpoint_megabytes": size / 1e6,
            f"{name}_checkpoint_seconds": writing,
            f"{name}_restore_seconds": reading,
            f"{name}_gradient_megabytes": 4 * float(weights) / 1e6,
        }

    return {key: value for name in NETWORKS for key, value in measured(name).items()}


def service(examples):
    """Images a second of noise, made here and by a data service on this machine."""
    from trainers.data import pipelines
    from trainers.data import service as services
    from trainers.data.augment import Augmentation
    from trainers.data.sources import synthetic
    from zoo.preprocess import InputContract

    source = synthetic.load("synthetic", "train", image_size=SERVED_SIZE, length=examples)
    contract = InputContract(SERVED_SIZE, SERVED_SIZE)

    def speed(address):
        settings = dict(batch_size=BATCH // 4, seed=0, steps=(0, SERVED + 1), service=address)
        batches = iter(pipelines.train(source, contract, Augmentation("none"), **settings))
        next(batches)
        spent = seconds(lambda: list(batches))
        return SERVED * BATCH / 4 / spent

    dispatcher, worker, address = services.start("127.0.0.1", 0)
    found = {"made_here_a_second": speed(None), "served_a_second": speed(address)}
    del worker, dispatcher
    return found


PARTS = {
    "seek": seek,
    "permute": permute,
    "files": files,
    "checkpoint": checkpoint,
    "service": service,
}
TOLD = {
    "first_batch_seconds": f"seconds to the first batch of {BATCH}",
    "far_batch_seconds": "seconds to a batch in the middle of the 51st epoch",
    "judged_batch_seconds": "seconds to the first batch of an evaluation of all",
    "epoch_order_seconds": "seconds for the order of a whole epoch; every example came once",
    "array_order_seconds": "seconds to shuffle an array of as many numbers",
    "array_order_megabytes": "megabytes of that array",
    "plan_milliseconds": f"ms to plan a replica's {BATCH} of a batch of {GLOBAL_BATCH:,}",
    "listing_seconds_a_million": f"seconds to list a million files, by {FILES:,} in {CLASSES}",
    "listing_megabytes_a_million": "megabytes that a million listed files take",
    **{
        f"{name}_{key}": f"{title}, {name}"
        for name in NETWORKS
        for key, title in (
            ("checkpoint_megabytes", "megabytes of a checkpoint"),
            ("checkpoint_seconds", "seconds to write it, in the foreground"),
            ("restore_seconds", "seconds to read it"),
            ("gradient_megabytes", "megabytes of gradients a step"),
        )
    },
    "made_here_a_second": "images a second of 224 px noise, made in the process",
    "served_a_second": "images a second of the same by a data service over the loopback",
}
